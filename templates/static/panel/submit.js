// Submit 保存 and acts (form[data-by-script]) by script: if the server is unreachable or refuses, the page stays as it is.
import { dialog } from "./dialog.js";
import { $$, ask, joined, show, state } from "./page.js";
import { send } from "./send.js";

// Show an error in the foot of a form, or on top of the page.
export function tell(form, words, advice = ask.dataset.remains) {
  const foot = form.querySelector(".foot"), note = document.createElement("p");
  note.className = foot ? "note error unsent" : "alert alert-danger unsent";
  note.setAttribute("role", "alert");
  (foot || document.getElementById("work")).prepend(note);
  note.textContent = joined(words, advice);
  note.scrollIntoView({ block: "nearest" });
}

async function openApart(address) {  // browsers block it unless it follows a click; then the dialog asks for another click
  if (window.open(address) || !(await dialog(ask.dataset.blocked, { go: ask.dataset.open }))) return;
  if (!window.open(address)) location.assign(address);
}

function goOn(next) {
  const to = new URL(next, location.href), stays = to.hash && to.pathname === location.pathname && to.search === location.search;
  location.assign(next);
  if (stays) location.reload();  // only the fragment differs: assign() would not reload
}

document.addEventListener("submit", async (event) => {
  const form = event.target, button = event.submitter, apart = button?.formTarget === "_blank";  // 打印: a window of its own
  if (event.defaultPrevented || !form.matches("[data-by-script]")) return;
  event.preventDefault();
  if (form.ariaBusy) return;  // a double click
  const address = button?.hasAttribute("formaction") ? button.formAction : form.action;
  const body = new URLSearchParams(new FormData(form)), focused = document.activeElement, changed = state.changed;
  if (button?.name) body.append(button.name, button.value);
  $$(".unsent").forEach((note) => note.remove());
  form.ariaBusy = "true";
  form.inert = true;  // no typing while the form is being sent
  state.changed = false;
  const answer = await send(address, body);
  const { location: next } = answer.json || {};
  if (next && !apart) return goOn(next);
  if (answer.page && (answer.ok || answer.status === 409 || answer.status === 422) && show(answer.page)) return;  // a result, or a refusal without a save
  form.inert = false;
  form.ariaBusy = null;
  state.changed = changed;
  focused?.focus();
  if (next) await openApart(next);
  else tell(form, answer.words, apart ? "" : ask.dataset.remains);
});
