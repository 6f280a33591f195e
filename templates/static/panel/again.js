// Signing in again over the page, when the session has ended.
import { askKey } from "../security_key.js";
import { request, token } from "./page.js";

// The session has ended: the password is asked for over the page, which keeps everything typed.
let asking = null;

// Resolves to true once signed in, to false when the person gives up; who asks meanwhile waits for the same answer.
export function signIn(words) {
  asking ||= open(words).finally(() => { asking = null; });
  return asking;
}

function open(words) {
  const dialog = document.getElementById("sign-in-again").content.firstElementChild.cloneNode(true), form = dialog.querySelector("form");
  dialog.querySelector(".again-words").textContent = words;
  form.elements.csrf_token.value = token();
  document.body.append(dialog);
  dialog.showModal();
  const renewPicture = watchPicture(form), error = form.querySelector(".error"), { password } = form.elements;
  password.focus();
  dialog.querySelector("[data-cancel]").addEventListener("click", () => dialog.close());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.inert) return;
    form.inert = true;
    const answer = await request(form.action, new URLSearchParams(new FormData(form)));
    form.inert = false;
    const failed = answer.ok && answer.json?.confirm ? await confirm(answer.json.confirm, form) : !answer.ok && answer.words;
    if (!failed) { dialog.close("in"); return; }
    error.textContent = failed;
    error.hidden = false;
    const { field } = answer.json || {}, wrong = form.elements[field] || password;
    if (wrong === password) password.value = "";  // a wrong 验证码 leaves it: it was not tried
    renewPicture();
    wrong.focus();
  });
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => { dialog.remove(); resolve(dialog.returnValue === "in"); }, { once: true });
  });
}

// The second step of an account with a security key; what went wrong, or "".
async function confirm(address, { dataset }) {
  const options = await request(`${address}/options`, new URLSearchParams());
  if (!options.ok) return options.words;
  try {
    const answer = await request(address, new URLSearchParams({ credential: await askKey("get", options.json) }));
    return answer.ok ? "" : answer.words;
  } catch {
    return dataset.secondStep;
  }
}

function watchPicture(form) {  // another 验证码 when it is asked for, was answered, or gets old; none where 验证码 is off
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
