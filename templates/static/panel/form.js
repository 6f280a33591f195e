import { dialog } from "./dialog.js";
import { $$, state } from "./page.js";
import { arrived, watch } from "./uploads.js";

// Forms that hold work: nothing typed is left by accident; files of an application go up the moment they are chosen.
const form = document.querySelector("#application, .register-form");
if (form) {
  state.changed = "unsaved" in form.dataset;  // the page of a refusal
  form.addEventListener("input", () => { state.changed = true; });
  form.addEventListener("change", (event) => { if (event.target.type !== "file") state.changed = true; });
  form.addEventListener("submit", async (event) => {
    if (!state.sending) return;
    event.preventDefault();  // files on their way arrive first
    const before = state.refused, declares = event.submitter?.name === "_submit";
    await arrived();
    if (state.refused === before || !declares) form.requestSubmit(event.submitter);
    else dialog(form.dataset.filesRefused, { tell: true });
  });
  window.addEventListener("beforeunload", (event) => { if (state.changed || state.sending) event.preventDefault(); });
  $$(".box", form).forEach((box) => watch(form, box));
}
