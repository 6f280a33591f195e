// The one dialog of the panel, for questions, opinions and reasons.
import { insert } from "./insert.js";
import { $$, ask } from "./page.js";

const typed = new Map();  // key of the question → answers, kept until the page is left
const text = ask.querySelector("textarea"), why = ask.querySelector("select"), boxes = $$("input[type=checkbox]", ask), usual = text.placeholder;
const yes = ask.querySelector("[value=yes]"), no = ask.querySelector("[value=no]");
const stock = $$(".ask-stock", ask), laws = $$(".ask-law", ask);  // 常用意见, a list an act; what the law asks of an act
let closed = null;  // promise of the last question: browsers dispatch `close` after Esc a moment later
const given = () => ({ opinion: text.value, reason: why.value, grounds: boxes.filter((box) => box.checked).map((box) => box.value) });

function fill({ opinion = "", reason = "", grounds = [] } = {}) {
  text.value = opinion;
  why.value = reason;
  why.dispatchEvent(new Event("change"));  // its combobox shows the label
  boxes.forEach((box) => { box.checked = grounds.includes(box.value); });
}

ask.addEventListener("click", (event) => {
  const sentence = event.target.closest(".ask-stock button");
  if (sentence) insert(text, sentence.textContent);
});

["input", "change"].forEach((name) => ask.addEventListener(name, ({ target }) => {  // a field that is filled lacks nothing
  const note = target.closest(".ask-opinion, .ask-reason")?.querySelector(".ask-lacking");
  if (note && target.value.trim()) note.hidden = true;
}));

// Open the dialog with a text, a question, or fields for an opinion, grounds or a reason. Resolves to false, or to the answers.
// Focus starts on 取消. The answers are stored under `key` and filled in when the same question is asked again.
export async function dialog(words, { tell = false, opinion = false, remark = false, grounds = false, reason = false, progress = false, key = "", go = "", hint = "", act = "" } = {}) {
  const opener = document.activeElement;
  await closed;
  ask.querySelector(".ask-words").textContent = words;
  Object.entries({ opinion: opinion || remark, grounds, reason, progress, no: !tell }).forEach(([name, shown]) => { ask.querySelector(`.ask-${name}`).hidden = !shown; });
  $$(".ask-lacking", ask).forEach((note) => { note.hidden = true; });
  stock.forEach((list) => { list.hidden = !(opinion || remark) || list.dataset.act !== act; });
  laws.forEach((law) => { law.hidden = law.dataset.act !== act; });
  yes.disabled = progress;
  yes.textContent = go || ask.dataset.yes;
  text.placeholder = hint || usual;
  fill(typed.get(key));
  ask.returnValue = "no";
  ask.showModal();
  (tell ? yes : no).focus();
  closed = new Promise((resolve) => {
    const guard = (event) => {
      const { opinion: written, reason: chosen, grounds: picked } = given();
      const lacking = reason && !chosen ? why.closest(".combobox").firstElementChild : opinion && !written.trim() && !picked.length ? text : null;
      if (!lacking || event.submitter?.value !== "yes") return;
      event.preventDefault();
      $$(".ask-lacking", ask).forEach((note) => { note.hidden = !note.parentElement.contains(lacking); });
      lacking.focus();
    };
    ask.addEventListener("submit", guard);
    ask.addEventListener("close", () => {
      ask.removeEventListener("submit", guard);
      if (key) typed.set(key, given());
      if (document.activeElement === document.body) opener?.focus();  // a person may have moved on meanwhile
      resolve(ask.returnValue === "yes" && !tell && given());
    }, { once: true });
  });
  return closed;
}
