// Dialog to sign in again when the session has ended; everything typed on the page is kept.
import { askKey } from "../security_key.js";
import { request, setToken, token } from "./page.js";

let asking = null;

// Open the dialog. Resolves to true after sign-in, to false if it is closed; concurrent calls share one dialog. The event
// "signedin" tells the rest of the page.
export function signIn(words) {
  asking ||= open(words).then((isIn) => {
    if (isIn) document.dispatchEvent(new Event("signedin"));
    return isIn;
  }).finally(() => { asking = null; });
  return asking;
}

function open(words) {
  const dialog = document.getElementById("sign-in-again").content.firstElementChild.cloneNode(true), form = dialog.querySelector("form");
  dialog.querySelector(".again-words").textContent = words;
  form.elements.csrf_token.value = token();
  document.body.append(dialog);
  dialog.showModal();
  const renewPicture = watchPicture(form), error = form.querySelector(".error"), { password } = form.elements;
  const byKey = form.querySelector("[data-key]"), elsewhere = form.querySelector("[data-elsewhere]");
  (byKey || elsewhere || password).focus();
  const tell = (words) => { error.textContent = words; error.hidden = false; };
  byKey?.addEventListener("click", async () => {
    if (form.inert) return;
    form.inert = true;
    const failed = await key(byKey.dataset.key, form.dataset.noKey);
    form.inert = false;
    if (failed) tell(failed); else dialog.close("in");
  });
  elsewhere?.addEventListener("click", () => { tell(form.dataset.window); meanwhile(form.action, dialog, tell); }, { once: true });
  dialog.querySelector("[data-cancel]").addEventListener("click", () => dialog.close());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.inert) return;
    form.inert = true;
    const answer = await request(form.action, new URLSearchParams(new FormData(form)));
    form.inert = false;
    const failed = answer.ok && answer.json?.confirm ? await key(answer.json.confirm, form.dataset.secondStep) : !answer.ok && answer.words;
    if (!failed) { dialog.close("in"); return; }
    tell(failed);
    const { field } = answer.json || {}, wrong = form.elements[field] || password;
    if (wrong === password) password.value = "";  // after a wrong 验证码 it stays, because it was not tried
    renewPicture();
    wrong.focus();
  });
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => { dialog.remove(); resolve(dialog.returnValue === "in"); }, { once: true });
  });
}

// Sign in with a security key, or confirm the password with it. Resolves to "" or an error text; `refused`: the text when the
// browser or its user refuses.
async function key(address, refused) {
  const options = await request(`${address}/options`, new URLSearchParams());
  if (!options.ok) return options.words;
  try {
    const answer = await request(address, new URLSearchParams({ credential: await askKey("get", options.json) }));
    return answer.ok ? "" : answer.words;
  } catch {
    return refused;
  }
}

// Sign-in by card or portal happens in another window: ask the server every two seconds while the dialog is open.
async function meanwhile(address, dialog, tell) {
  while (dialog.open) {
    await new Promise((resolve) => { setTimeout(resolve, 2000); });
    const headers = { "X-Requested-With": "XMLHttpRequest", "X-Account": document.body.dataset.account };
    const answer = await fetch(address, { headers }).catch(() => null), json = await answer?.json().catch(() => null);
    if (answer?.ok && json) { setToken(json.csrf_token); dialog.close("in"); }
    else if (json?.message) tell(json.message);
  }
}

// Renew the 验证码 on request and before it expires; returns the function that renews it.
function watchPicture(form) {
  const picture = form.querySelector("img"), voice = form.querySelector("audio"), { code } = form.elements;
  if (!picture) return () => {};
  let due;
  function renew() {
    clearTimeout(due);
    if (!picture.isConnected) return;
    due = setTimeout(renew, 110_000);  // a little less than the server allows
    code.value = "";
    picture.src = `${picture.dataset.src}?new=${Date.now()}`;
  }
  form.querySelector("[data-another]").addEventListener("click", () => { renew(); code.focus(); });
  form.querySelector("[data-listen]").addEventListener("click", () => { voice.src = `${voice.dataset.src}?${Date.now()}`; voice.play(); code.focus(); });
  renew();
  return renew;
}
