// What the page has to say is read first: focus, fading of success, the menu on a phone, the name of a chosen file.
import { $$, prepare } from "./page.js";

$$("form.import input[type=file]").forEach((chooser) => chooser.addEventListener("change", () => {
  if (chooser.files.length) chooser.previousElementSibling.textContent = chooser.files[0].name;
}));

// What is wrong, or what an act has done, is read first. Success fades; failure and results stay.
prepare((root) => root.querySelector("#missing, .result, .query .form-control[aria-invalid=true]")?.focus());
setTimeout(() => $$(".alert-success:not(.result)").forEach((note) => note.classList.add("faded")), 5000);
const toggle = document.querySelector(".menu-toggle");
if (toggle) toggle.addEventListener("click", () => {
  toggle.setAttribute("aria-expanded", String(document.body.classList.toggle("menu-open")));
});
