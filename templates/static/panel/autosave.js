// 自动保存 of an application: what is typed goes into a buffer on the server, some seconds after it was typed. One request
// at a time, in turn with uploads; a failure is tried again, later each time; a conflict ends it and is told. A blank form
// becomes a draft first, as with the first file. 保存 is never waited for, and never disturbed.
import { prepare, state } from "./page.js";
import { send } from "./send.js";
import { ensureDraft, inTurn } from "./uploads.js";

const LONGEST = 300_000, TRIES = 5;  // milliseconds between two tries, and how many without a key pressed

function watch(form) {
  const pause = form.dataset.autosave * 1000, note = form.querySelector(".autosaved"), words = note.dataset;
  let due = 0, typed = 0, failures = 0, stopped = false;
  const later = (wait) => { clearTimeout(due); due = setTimeout(save, wait); };

  function tell(sentence, wrong = false) {
    note.textContent = sentence;
    note.classList.toggle("error", wrong);
    if (wrong) note.setAttribute("role", "alert"); else note.removeAttribute("role");
  }

  // The answer, { ok, words }; `at` when it is in the buffer, none when it made the draft.
  async function post() {
    if (!form.dataset.id) {
      state.sending += 1;  // so that 保存 waits: two drafts would be made
      const unsaved = await ensureDraft(form).finally(() => { state.sending -= 1; });
      return { ok: !unsaved, words: unsaved, status: unsaved ? 0 : 200 };
    }
    return send(`${form.dataset.typed}?id=${form.dataset.id}`, new URLSearchParams(new FormData(form)));
  }

  async function save() {
    due = 0;
    if (stopped || !form.isConnected) return;
    if (form.ariaBusy || state.sending) { later(pause); return; }
    const before = typed, answer = await inTurn(post);
    if (form.ariaBusy || !form.isConnected) return;  // 保存 was pressed meanwhile
    if (answer.ok) {
      failures = 0;
      if (typed === before) state.changed = false; else later(pause);
      tell(answer.json?.at ? words.at.replace("{at}", answer.json.at) : words.made);
    } else if (answer.status === 0 || answer.status === 429 || answer.status >= 500) {
      failures += 1;
      if (failures <= TRIES) later(Math.min(pause * 2 ** failures, LONGEST));
      tell(words.again, true);
    } else {  // overtaken, or not allowed: nothing that another try would mend
      stopped = true;
      tell(answer.words, true);
    }
  }

  const hear = ({ target }) => {
    if (target.type === "file") return;
    typed += 1;
    if (!due && !stopped) later(Math.min(pause * 2 ** Math.min(failures, TRIES), LONGEST));
  };
  ["input", "change"].forEach((name) => form.addEventListener(name, hear));
  document.addEventListener("visibilitychange", () => { if (document.hidden && due) { clearTimeout(due); save(); } });
}

prepare((root) => {
  const form = root.querySelector("#application[data-autosave]");
  if (form) watch(form);
});
