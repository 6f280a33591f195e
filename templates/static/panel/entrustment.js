// Which attachments are required follows from the press: the stars follow the one that is chosen, at once.
import { prepare } from "./page.js";

prepare((root) => {
  const form = root.querySelector("#application"), press = form?.querySelector("select[name=publisher_id]");
  if (!press) return;
  press.addEventListener("change", () => {
    for (const star of form.querySelectorAll(".star[data-presses]")) {  // looked up each time: uploads.js brings new headings
      star.hidden = !star.dataset.presses.split(" ").includes(press.value);
    }
  });
});
