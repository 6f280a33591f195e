// The required attachments depend on the publisher: show the stars for the selected one.
import { prepare } from "./page.js";

prepare((root) => {
  const form = root.querySelector("#application"), publisher = form?.querySelector("select[name=publisher_id]");
  if (!publisher) return;
  publisher.addEventListener("change", () => {
    for (const star of form.querySelectorAll(".star[data-publishers]")) {  // looked up each time: uploads.js brings new headings
      star.hidden = !star.dataset.publishers.split(" ").includes(publisher.value);
    }
  });
});
