// 保存 and acts by script: a server that is away, or refuses, leaves the page as it was.
import { dialog } from "./dialog.js";
import { $$, ask, show, state } from "./page.js";
import { send } from "./send.js";

// form[data-keep], 保存 and acts: sent by script, so that a server that is away, or refuses, leaves the page as it was.
export function tell(form, words, kept = ask.dataset.kept) {
  const foot = form.querySelector(".foot"), note = document.createElement("p");
  note.className = foot ? "note error unsent" : "alert alert-danger unsent";
  note.setAttribute("role", "alert");
  (foot || document.getElementById("work")).prepend(note);
  note.textContent = `${words}${kept}`;
  note.scrollIntoView({ block: "nearest" });
}

async function openApart(address) {  // right after the click, or browsers block it; then a click of its own opens it
  if (window.open(address) || !(await dialog(ask.dataset.blocked, { go: ask.dataset.open }))) return;
  if (!window.open(address)) location.assign(address);
}

function goOn(next) {
  const to = new URL(next, location.href), stays = to.hash && to.pathname === location.pathname && to.search === location.search;
  location.assign(next);
  if (stays) location.reload();  // another place on this very page: assigning it would only scroll
}

document.addEventListener("submit", async (event) => {
  const form = event.target, button = event.submitter, apart = button?.formTarget === "_blank";  // 打印: a window of its own
  if (event.defaultPrevented || !form.matches("[data-keep]")) return;
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
  const { location: next } = answer.json || {};
  if (next && !apart) return goOn(next);
  if (answer.page && (answer.ok || answer.status === 409 || answer.status === 422) && show(answer.page)) return;  // a result; or refused, nothing saved
  form.inert = false;
  form.ariaBusy = null;
  state.changed = changed;
  focused?.focus();
  if (next) await openApart(next);
  else tell(form, answer.words, apart ? "" : ask.dataset.kept);
});

window.addEventListener("pageshow", (event) => {  // brought back by 后退 as it was when it was sent
  if (event.persisted) $$("form[data-keep]").forEach((form) => { Object.assign(form, { inert: false, ariaBusy: null }); });
});
