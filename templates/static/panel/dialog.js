import { $$, ask } from "./page.js";

const typed = new Map();  // what was written or chosen for each question, until its act is done
const text = ask.querySelector("textarea"), why = ask.querySelector("select"), boxes = $$("input[type=checkbox]", ask);
const yes = ask.querySelector("[value=yes]"), no = ask.querySelector("[value=no]");
let closed = null;  // the last question: a browser tells of Esc a moment later, when the next may already be asked
const given = () => ({ opinion: text.value, reason: why.value, grounds: boxes.filter((box) => box.checked).map((box) => box.value) });

function fill({ opinion = "", reason = "", grounds = [] } = {}) {
  text.value = opinion;
  why.value = reason;
  boxes.forEach((box) => { box.checked = grounds.includes(box.value); });
}

// One dialog for every question: tells, asks, or asks for an opinion, a reason. Resolves to false, or to what was given.
// The focus starts on 取消; what is given stays under `key` for when the same question is asked again.
export async function dialog(words, { tell = false, opinion = false, grounds = false, reason = false, progress = false, key = "", go = "" } = {}) {
  const opener = document.activeElement;
  await closed;
  ask.querySelector(".ask-words").textContent = words;
  Object.entries({ opinion, grounds, reason, progress, no: !tell }).forEach(([name, shown]) => { ask.querySelector(`.ask-${name}`).hidden = !shown; });
  $$(".ask-lacking", ask).forEach((note) => { note.hidden = true; });
  yes.disabled = progress;
  yes.textContent = go || ask.dataset.yes;
  fill(typed.get(key));
  ask.returnValue = "no";
  ask.showModal();
  (tell ? yes : no).focus();
  closed = new Promise((resolve) => {
    const guard = (event) => {
      const { opinion: said, reason: chosen, grounds: picked } = given();
      const lacking = reason && !chosen ? why : opinion && !said.trim() && !picked.length ? text : null;
      if (!lacking || event.submitter?.value !== "yes") return;
      event.preventDefault();
      $$(".ask-lacking", ask).forEach((note) => { note.hidden = note.parentElement !== lacking.parentElement; });
      lacking.focus();
    };
    ask.addEventListener("submit", guard);
    ask.addEventListener("close", () => {
      ask.removeEventListener("submit", guard);
      if (key) typed.set(key, given());
      opener?.focus();
      resolve(ask.returnValue === "yes" && !tell && given());
    }, { once: true });
  });
  return closed;
}
