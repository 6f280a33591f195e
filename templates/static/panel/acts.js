// Buttons of acts: a refused one shows its reason; others open the dialog, then post the page's one form.
import { dialog } from "./dialog.js";
import { $$, ask } from "./page.js";

function hidden(form, name, value) {
  const input = document.createElement("input");
  Object.assign(input, { type: "hidden", name, value });
  input.dataset.answer = "";
  form.append(input);
}

// Put the answers of the dialog into the form, replacing former ones.
export function answer(form, given, { opinion = false, reason = false } = {}) {
  $$("[data-answer]", form).forEach((input) => input.remove());
  if (opinion) hidden(form, "opinion", given.opinion);
  if (reason) hidden(form, "reason", given.reason);
  given.grounds.forEach((ground) => hidden(form, "ground", ground));
}

// On the page of a case the opinion is written already (decision.html); the dialog shows it once more.
async function agreedBeside(button, text) {
  const opinion = text.value.trim(), grounds = "grounds" in button.dataset ? $$("[name=ground]:checked") : [];
  if ("opinion" in button.dataset && !opinion && !grounds.length) {
    const note = document.getElementById("opinion-note");
    note.textContent = note.dataset.lacking;
    note.classList.add("error");
    text.focus();
    return false;
  }
  const chosen = grounds.map((box) => box.parentElement.textContent.trim()).join(ask.dataset.clause);
  return dialog([button.dataset.ask, chosen, opinion].filter(Boolean).join("\n\n"), { act: button.dataset.act });
}

// The question of a button, or of a box that was ticked when the row was stored, and is not any more (data-ask-off).
const questionOf = ({ dataset, form }) => dataset.ask || form.querySelector("[data-ask-off]:not(:checked)")?.dataset.askOff;

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-act], button[data-ask], .register-form button");
  if (!button || !button.form || button.type !== "submit") return;
  if (button.form.ariaBusy) return event.preventDefault();  // the second of two Enters: the first has answered the question
  if (button.getAttribute("aria-disabled") === "true") {
    event.preventDefault();
    await dialog(button.title, { tell: true });
    return;
  }
  const asked = questionOf(button);
  if (!asked) return $$("[data-answer]", button.form).forEach((input) => input.remove());  // left over from a cancelled act
  event.preventDefault();
  if (!button.form.noValidate && !button.formNoValidate && !button.form.reportValidity()) return;  // first what is missing, then the question
  const beside = button.form.elements.namedItem("opinion");
  if (beside instanceof HTMLTextAreaElement) {
    if (await agreedBeside(button, beside)) button.form.requestSubmit(button);
    return;
  }
  const opinion = "opinion" in button.dataset, remark = "remark" in button.dataset, reason = "reason" in button.dataset, grounds = "grounds" in button.dataset;
  const key = `${button.dataset.act} ${button.value}`, { hint } = button.dataset;
  const given = await dialog(asked, { opinion, remark, reason, grounds, key, hint, act: button.dataset.act });
  if (!given) return;
  answer(button.form, given, { opinion: opinion || remark, reason });
  button.form.requestSubmit(button);  // not a click, so that the dialog does not open again
});
