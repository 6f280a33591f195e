// Notices: focus on errors and results, fading of success, and the name of a chosen import file.
import { $$, prepare } from "./page.js";

$$("form.import input[type=file]").forEach((chooser) => chooser.addEventListener("change", () => {
  if (chooser.files.length) chooser.previousElementSibling.textContent = chooser.files[0].name;
}));

// Screen readers read the focused error, result or doubt first. Success fades; errors and results stay.
prepare((root) => root.querySelector("#missing, .result, #doubts[tabindex], :is(.query, .sentence) .form-control[aria-invalid=true]")?.focus());
setTimeout(() => $$(".alert-success:not(.result)").forEach((note) => note.classList.add("faded")), 5000);
