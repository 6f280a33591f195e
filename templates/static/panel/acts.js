import { dialog } from "./dialog.js";
import { $$ } from "./page.js";

function hidden(form, name, value) {
  const input = document.createElement("input");
  Object.assign(input, { type: "hidden", name, value });
  input.dataset.answer = "";
  form.append(input);
}

// Acts: a refused one explains itself; the others ask first, and post the page's one form.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-act], button[data-ask]");
  if (!button || !button.form || button.type !== "submit") return;
  if (button.getAttribute("aria-disabled") === "true") {
    event.preventDefault();
    await dialog(button.title, { tell: true });
    return;
  }
  if (!button.dataset.ask) return;
  event.preventDefault();
  const opinion = "opinion" in button.dataset, reason = "reason" in button.dataset;
  const key = `${button.dataset.act} ${button.value}`, grounds = button.dataset.opinion === "refuse";
  const given = await dialog(button.dataset.ask, { opinion, reason, grounds, key });
  if (!given) return;
  $$("[data-answer]", button.form).forEach((input) => input.remove());
  if (opinion) hidden(button.form, "opinion", given.opinion);
  if (reason) hidden(button.form, "reason", given.reason);
  given.grounds.forEach((ground) => hidden(button.form, "ground", ground));
  button.form.requestSubmit(button);  // which is no click, and so asks no second time
});
