// 委托书 is required when the application is made for another press: its star follows the press that is chosen, at once.
import { prepare } from "./page.js";

prepare((root) => {
  const form = root.querySelector("#application"), press = form?.querySelector("select[name=publisher_id]");
  if (!press) return;
  press.addEventListener("change", () => {
    const star = form.querySelector("#file-entrustment .star");  // looked up each time: uploads.js brings new headings
    star.hidden = !/^\d+$/.test(press.value) || press.value === form.dataset.own;
  });
});
