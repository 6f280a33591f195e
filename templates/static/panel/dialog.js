import { $$, ask } from "./page.js";

// One dialog for every question: tells, asks, or asks for an opinion, a reason. Resolves to false, or to what was said.
export function dialog(words, { tell = false, opinion = false, grounds = false, reason = false, progress = false } = {}) {
  const part = (name) => ask.querySelector(`.ask-${name}`), text = ask.querySelector("textarea"), why = ask.querySelector("select");
  part("words").textContent = words;
  Object.entries({ opinion, grounds, reason, progress, no: !tell }).forEach(([name, shown]) => { part(name).hidden = !shown; });
  $$("input[type=checkbox]", ask).forEach((box) => { box.checked = false; });
  $$(".ask-lacking", ask).forEach((note) => { note.hidden = true; });
  ask.querySelector("[value=yes]").disabled = progress;
  text.value = why.value = "";
  ask.returnValue = "no";
  ask.showModal();
  return new Promise((resolve) => {
    const chosen = () => $$("input:checked", ask).map((box) => box.value);
    const guard = (event) => {
      const lacking = reason && !why.value ? why : opinion && !text.value.trim() && !chosen().length ? text : null;
      if (!lacking || !event.submitter || event.submitter.value !== "yes") return;
      event.preventDefault();
      $$(".ask-lacking", ask).forEach((note) => { note.hidden = note.parentElement !== lacking.parentElement; });
      lacking.focus();
    };
    ask.addEventListener("submit", guard);
    ask.addEventListener("close", () => {
      ask.removeEventListener("submit", guard);
      resolve(ask.returnValue === "yes" && !tell && { opinion: text.value, grounds: chosen(), reason: why.value });
    }, { once: true });
  });
}
