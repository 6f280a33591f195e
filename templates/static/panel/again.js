import { request } from "./page.js";

// The session has ended: the password is asked for over the page, which keeps everything typed.
const dialog = document.getElementById("again"), form = dialog.querySelector("form"), error = form.querySelector(".error");
const { password, code } = form.elements, picture = form.querySelector("img"), voice = form.querySelector("audio");
let asking = null, due;

function renewPicture() {
  clearTimeout(due);
  if (!picture || !dialog.open) return;
  due = setTimeout(renewPicture, 110_000);  // a little less than the server allows
  code.value = "";
  picture.src = `${picture.dataset.src}?new=${Date.now()}`;
}

// Resolves to true once signed in, to false when the person gives up; who asks meanwhile waits for the same answer.
export function signIn(words) {
  asking ||= new Promise((resolve) => {
    dialog.querySelector(".again-words").textContent = words;
    error.hidden = true;
    password.value = dialog.returnValue = "";
    dialog.showModal();
    renewPicture();
    password.focus();
    dialog.addEventListener("close", () => { asking = null; resolve(dialog.returnValue === "in"); }, { once: true });
  });
  return asking;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (form.inert) return;
  form.inert = true;
  const answer = await request(form.action, new URLSearchParams(new FormData(form)));
  form.inert = false;
  if (answer.ok) return dialog.close("in");
  error.textContent = answer.words;
  error.hidden = false;
  password.value = "";
  renewPicture();
  password.focus();
});
dialog.querySelector("[data-cancel]").addEventListener("click", () => dialog.close());
form.querySelector("[data-another]")?.addEventListener("click", () => { renewPicture(); code.focus(); });
form.querySelector("[data-listen]")?.addEventListener("click", () => { voice.src = `${voice.dataset.src}?${Date.now()}`; voice.play(); code.focus(); });
