// 自动保存 of an application: the form is posted into a buffer on the server some seconds after a change. One request at a time,
// in one queue with uploads; failures are retried with back-off; a refusal is shown until a later save succeeds. Only a conflict
// or a deleted draft stops it; a closed dialog to sign in does until the person has signed in. A blank form becomes a draft
// first, as with the first file. It sends nothing while 保存 runs.
import { prepare, state } from "./page.js";
import { send } from "./send.js";
import { ensureDraft, inTurn } from "./uploads.js";

const LONGEST = 300_000, TRIES = 5;  // longest milliseconds between retries; retries without a new change

function watch(form) {
  const pause = form.dataset.autosave * 1000, note = form.querySelector(".autosaved"), words = note.dataset;
  let due = 0, typed = 0, failures = 0, stopped = false, signedOut = false, discarding = false;
  const later = (wait) => { clearTimeout(due); due = setTimeout(save, wait); };

  function tell(sentence, wrong = false) {
    note.textContent = sentence;
    note.classList.toggle("error", wrong);
    if (wrong) note.setAttribute("role", "alert"); else note.removeAttribute("role");
  }

  // Post the form. Resolves to { ok, words, status, json }; json.at is the time of the buffer, missing if this created the draft.
  async function post() {
    if (!form.dataset.id) {
      state.sending += 1;  // so that 保存 waits: both would create a draft
      const unsaved = await ensureDraft(form).finally(() => { state.sending -= 1; });
      return unsaved || { ok: true };
    }
    return send(`${form.dataset.typed}?id=${form.dataset.id}`, new URLSearchParams(new FormData(form)));
  }

  async function save() {
    due = 0;
    if (stopped || signedOut || discarding || !form.isConnected) return;
    if (form.ariaBusy || state.sending) { later(pause); return; }
    const before = typed, answer = await inTurn(post);
    if (form.ariaBusy || !form.isConnected) return;  // 保存 has started meanwhile
    if (answer.ok) {
      failures = 0;
      if (typed === before) state.changed = false; else later(pause);
      tell(answer.json?.at ? words.at.replace("{at}", answer.json.at) : words.made);
    } else if (answer.status === 0 || answer.status === 408 || answer.status === 429 || answer.status >= 500) {
      failures += 1;
      if (failures <= TRIES) later(Math.min(pause * 2 ** failures, LONGEST));
      tell(words.again, true);
    } else {  // too many rows, for instance: the next change may cure it, unless it is a conflict or a deleted draft
      stopped = Boolean(answer.json?.conflict) || answer.status === 404;
      signedOut = answer.status === 401;
      tell(answer.words, true);
    }
  }

  const hear = ({ target }) => {
    if (target.type === "file") return;
    discarding = false;  // asked whether to leave, the person has stayed
    typed += 1;
    if (!due && !stopped && !signedOut) later(Math.min(pause * 2 ** Math.min(failures, TRIES), LONGEST));
  };
  ["input", "change"].forEach((name) => form.addEventListener(name, hear));
  document.addEventListener("signedin", () => { if (signedOut) later(pause); signedOut = false; });
  document.addEventListener("submit", ({ target }) => { discarding ||= target.matches(".restored"); });  // 放弃: nothing is stored anew on leaving
  document.addEventListener("visibilitychange", () => { if (document.hidden && due) { clearTimeout(due); save(); } });
}

prepare((root) => {
  const form = root.querySelector("#application[data-autosave]");
  if (form) watch(form);
});
