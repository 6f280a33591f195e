import { $$, state } from "./page.js";
import { arrived, watch } from "./uploads.js";

// The application form: nothing typed is left by accident; files go up the moment they are chosen.
const form = document.getElementById("application");
let sent = false;  // the form has left
if (form) {
  form.addEventListener("input", () => { state.changed = true; });
  form.addEventListener("change", (event) => { if (event.target.type !== "file") state.changed = true; });
  form.addEventListener("submit", async (event) => {
    if (state.sending || sent) event.preventDefault();
    if (sent) return;  // a double click
    if (state.sending) {  // files on their way arrive first; one that is refused is told, and nothing is left
      const before = state.refused;
      await arrived();
      if (state.refused === before) form.requestSubmit(event.submitter);
      return;
    }
    state.changed = false;
    sent = true;
    setTimeout(() => { sent = false; }, 3000);  // the way may have been broken off
    $$("tr.inline-row", form).forEach(dropIfBlank);
  });
  window.addEventListener("beforeunload", (event) => { if (state.changed || state.sending) event.preventDefault(); });
  $$(".box", form).forEach((box) => watch(form, box));
  const missing = document.getElementById("missing");
  if (missing) missing.focus();
}

function dropIfBlank(row) {
  const filled = $$("input:not([type=checkbox])", row).some((field) => field.value.trim());
  if (!filled) row.remove();
}
