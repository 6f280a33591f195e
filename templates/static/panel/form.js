// Forms with unsaved work: the browser asks before leaving, and 保存 and 申报 wait for running uploads.
import { $$, prepare, state } from "./page.js";
import { tell } from "./submit.js";
import { arrived, watch } from "./uploads.js";

prepare((root) => {
  state.changed = root.querySelector("form[data-unsaved]") !== null;  // the page of a refusal
  const form = root.querySelector("#application, .register-form");
  if (!form) return;
  form.addEventListener("submit", async (event) => {
    if (!state.sending) return;
    event.preventDefault();  // wait for running uploads
    const before = state.refused;
    await arrived();
    if (state.refused === before) form.requestSubmit(event.submitter);
    else tell(form, form.dataset.filesRefused);
  });
  $$(".box", form).forEach((box) => watch(form, box));
});

// Every form that posts: leaving by a link, by 后退 or by switching the language asks first; not for the opinion on a case,
// which decision.js saves.
let typedIn = null;
["input", "change"].forEach((name) => document.addEventListener(name, ({ target }) => {
  const form = target.form || target.closest("form");  // scripts fire input on the block around the rows that they have filled
  if (form?.method !== "post" || target.type === "file" || target.name === "pick" || target.closest("#decision, dialog")) return;
  typedIn = form;
  state.changed = true;
}));
document.addEventListener("submit", ({ target }) => { if (target === typedIn && !target.matches("[data-by-script]")) state.changed = false; });
window.addEventListener("beforeunload", (event) => { if (state.changed || state.sending) event.preventDefault(); });
