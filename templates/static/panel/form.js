// Forms that hold work: leaving is asked about, and files on their way arrive before 保存 and 申报.
import { $$, prepare, state } from "./page.js";
import { tell } from "./submit.js";
import { arrived, watch } from "./uploads.js";

prepare((root) => {
  const form = root.querySelector("#application, .register-form");
  if (!form) return;
  state.changed = "unsaved" in form.dataset;  // the page of a refusal
  form.addEventListener("input", () => { state.changed = true; });
  form.addEventListener("change", (event) => { if (event.target.type !== "file") state.changed = true; });
  form.addEventListener("submit", async (event) => {
    if (!state.sending) return;
    event.preventDefault();  // files on their way arrive first
    const before = state.refused;
    await arrived();
    if (state.refused === before) form.requestSubmit(event.submitter);
    else tell(form, form.dataset.filesRefused);
  });
  $$(".box", form).forEach((box) => watch(form, box));
});
window.addEventListener("beforeunload", (event) => { if (state.changed || state.sending) event.preventDefault(); });
