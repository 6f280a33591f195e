import { $$, ask, state } from "./page.js";
import { send } from "./send.js";

// form[data-keep], 保存 and acts: sent by script, so that a server that is away, or refuses, leaves the page as it was.
export function tell(form, words) {
  const foot = form.querySelector(".foot"), note = document.createElement("p");
  note.className = foot ? "note error unsent" : "alert alert-danger unsent";
  note.setAttribute("role", "alert");
  (foot || document.getElementById("work")).prepend(note);
  note.textContent = `${words}${ask.dataset.kept}`;
  note.scrollIntoView({ block: "nearest" });
}

document.addEventListener("submit", async (event) => {
  const form = event.target, button = event.submitter, apart = button?.formTarget === "_blank";  // 打印: a window of its own
  if (event.defaultPrevented || !form.matches("[data-keep]") || (apart && "prepare" in button.dataset)) return;
  event.preventDefault();
  if (form.ariaBusy) return;  // a double click
  const address = button?.hasAttribute("formaction") ? button.formAction : form.action;
  const body = new URLSearchParams(new FormData(form)), focused = document.activeElement, changed = state.changed;
  if (button?.name) body.append(button.name, button.value);
  $$(".unsent").forEach((note) => note.remove());
  form.ariaBusy = "true";
  form.inert = true;  // nothing is typed that would not be sent
  state.changed = false;
  const answer = await send(address, body);
  if (answer.json?.location && !(apart && window.open(answer.json.location))) return location.assign(answer.json.location);
  form.inert = false;
  form.ariaBusy = null;
  if (!answer.json && (answer.status === 409 || answer.status === 422)) {  // refused, nothing saved: let the browser show that page
    form.removeAttribute("data-keep");
    return form.requestSubmit(button);
  }
  state.changed = changed;
  focused?.focus();
  if (!answer.json?.location) tell(form, answer.words);
});

window.addEventListener("pageshow", (event) => {  // brought back by 后退 as it was when it was sent
  if (event.persisted) $$("form[data-keep]").forEach((form) => { Object.assign(form, { inert: false, ariaBusy: null }); });
});
