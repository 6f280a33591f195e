// Combobox after the ARIA APG pattern "editable combobox with list autocomplete", over a native field that works without it:
//   <select data-combobox>: stays in the form, hidden, and holds the value; its id moves to the text field put before it.
//   <input list>, <input data-url>: a text field of codes, with the options of a shared <datalist> or of the server.
//   <input list data-free>: options are suggestions, and any other text is valid: nothing is taken that was not moved to, the
//   list opens only where something fits, Home and End move in the text, and Esc never clears it.
// Keys: typing opens the list and highlights the best match. ↓ ↑ open (in a cell of a table: with Alt) and move; Home and End, while open, go to the ends.
//   Enter while open takes the highlighted option and submits nothing; while closed it is the form's. Tab takes what a key
//   has moved to, and moves on. Esc closes the list; once closed, it clears the field. When focus leaves, text that names one
//   option, or fits only one, is that option; other text gets a sentence: a <select> has its former value back, a text field
//   keeps the text, for the server to judge and a draft to keep.
// One popup, #choices, serves the page, and a text field costs nothing until it has focus: a form may hold hundreds of rows.
// Fires input and change on the field that is sent. A script that sets the <select> itself fires change on it.
import { $$, afterClick, prepare } from "./page.js";
import { fold, matching, meant, option } from "./search.js";

const popup = document.getElementById("choices"), list = popup.firstElementChild, note = popup.lastElementChild;
const status = document.getElementById("choices-status"), page = popup.parentElement, words = popup.dataset, parsed = new WeakMap();
let box = null;  // the combobox with focus: { input, select, label: of its value, typed: whether the text was edited since, free: whether any text is valid }
// Options in the list, index of the highlighted one, whether a key moved there; AbortController of the running request; whether an event is fired by this script.
let found = [], at = -1, moved = false, asked = null, firing = false;

// Fields.
const blankOf = (select) => [...select.options].find((each) => each.value === "__None" || each.value === "");
const labelOf = (select) => select.selectedOptions[0]?.label.trim() || "";
const nameOf = (input) => input.labels[0]?.textContent.replace("*", "").trim() || input.ariaLabel || "";

function optionsOf({ input, select }) {
  const source = select || document.getElementById(input.dataset.codes);
  const read = (each) => option((select ? each.label : each.value).trim(), each.value, each.dataset.keys);
  if (!parsed.has(source)) parsed.set(source, $$("option", source).map(read).filter(({ label }) => label));
  return parsed.get(source);
}

function makeCombobox(input) {  // turn a text field into a combobox
  const look = { role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id, autocomplete: "off", spellcheck: "false", "data-codes": input.getAttribute("list") || "" };
  Object.entries(look).forEach(([name, value]) => input.setAttribute(name, value));
  input.removeAttribute("list");
}

function cover(select) {  // hide the select behind a text field
  const holder = Object.assign(document.createElement("span"), { className: "combobox" }), input = document.createElement("input");
  makeCombobox(input);
  [...select.attributes].filter(({ name }) => /^(id|class|required|disabled|aria-.*)$/.test(name)).forEach(({ name, value }) => input.setAttribute(name, value));
  Object.assign(input, { value: labelOf(select), placeholder: " " });  // CSS shows the clear button by :placeholder-shown
  Object.assign(select, { id: `${select.id}-value`, required: false, hidden: true });
  select.addEventListener("change", () => { if (!firing) input.value = labelOf(select); });
  select.replaceWith(holder);
  holder.append(input, select);
  if (!blankOf(select)) return;
  const clear = Object.assign(document.createElement("button"), { type: "button", className: "clear", tabIndex: -1, textContent: "×", ariaLabel: words.clear + nameOf(input) });
  clear.addEventListener("click", () => { input.focus(); take(null); });
  input.after(clear);
}
prepare((root) => $$("select[data-combobox]", root).forEach(cover));

// Popup.
function join(around) {  // a modal dialog makes everything outside of it inert, and hides it
  if (popup.parentElement !== around) around.append(popup, status);
}

function show(options, highlighted, sentence = options.length ? "" : words.none) {
  join(box.input.closest("dialog") || page);
  Object.assign(note, { textContent: sentence, hidden: !sentence });
  list.replaceChildren(...options.map(({ label }, i) => Object.assign(document.createElement("li"), { role: "option", id: `choice-${i}`, textContent: label, ariaSelected: "false" })));
  list.setAttribute("aria-label", nameOf(box.input));
  [found, moved, list.hidden, popup.hidden] = [options, false, !options.length, false];
  box.input.setAttribute("aria-expanded", "true");
  status.textContent = sentence || words.count.replace("{n}", options.length);
  place();
  highlight(highlighted);
}

function highlight(place) {
  list.children[at]?.setAttribute("aria-selected", "false");
  at = found[place] ? place : -1;
  list.children[at]?.setAttribute("aria-selected", "true");
  box.input.setAttribute("aria-activedescendant", at < 0 ? "" : `choice-${at}`);
  list.children[at]?.scrollIntoView({ block: "nearest" });
}

function place() {  // under the field, or above it where there is more room
  const { left, top, bottom, width } = box.input.getBoundingClientRect(), room = innerHeight - bottom, above = room < 240 && top > room;
  const edge = above ? { top: "", bottom: `${innerHeight - top + 2}px` } : { top: `${bottom + 2}px`, bottom: "" };
  Object.assign(popup.style, { left: `${left}px`, minWidth: `${width}px`, ...edge });
  list.style.maxHeight = `${Math.min(300, (above ? top : room) - 16)}px`;
}

function open(text) {
  if (box.input.dataset.url) return ask(text);
  const options = matching(optionsOf(box), text);
  if (box.free && !options.length) return close();
  return show(options, box.free ? -1 : text ? 0 : options.findIndex(({ label }) => label === box.label));
}

async function ask(text) {  // 200 ms after the last key; aborts the running request
  asked?.abort();
  const { signal } = asked = new AbortController(), address = `${box.input.dataset.url}&${new URLSearchParams({ query: text, offset: 0, limit: 20 })}`;
  show([], -1, words.searching);
  await new Promise((resolve) => { setTimeout(resolve, 200); });
  const rows = signal.aborted || await fetch(address, { signal }).then((reply) => reply.ok && reply.json()).catch(() => false);
  if (signal.aborted) return;
  asked = null;
  if (rows) show(rows.map(([, label]) => option(label, label)), text ? 0 : -1); else show([], -1, words.lost);
}

function close() {
  asked?.abort();
  [popup.hidden, asked, found] = [true, null, []];
  box.input.setAttribute("aria-expanded", "false");
  highlight(-1);
}

// Value.
function take(chosen) {  // an option; null: none
  const { input, select } = box, sent = select || input, before = sent.value;
  if (select) select.value = (chosen || blankOf(select)).value;
  input.value = box.label = select ? labelOf(select) : chosen?.label || "";
  const changed = box.typed || sent.value !== before;
  [box.typed, firing] = [false, true];
  if (changed) ["input", "change"].forEach((name) => sent.dispatchEvent(new Event(name, { bubbles: true })));
  firing = false;
  tell("");
  close();
}

function settle() {  // before focus leaves or the form is sent; false if the text matched no option and the former value was restored
  if (box.free) { close(); return true; }
  const { input, select, label, typed } = box, text = input.value.trim(), waiting = asked;  // without an answer of the server the form is sent as typed
  const fitting = !typed || !text ? [] : input.dataset.url ? found : matching(optionsOf(box), text), chosen = meant(fitting, text);
  const lost = Boolean(typed && text && !chosen && !waiting), guessed = chosen && fold(chosen.label) !== fold(text);
  if (chosen || (typed && !text && (!select || blankOf(select)))) take(chosen);
  else if (typed && !waiting && select) [input.value, box.typed] = [label, false];  // a text field keeps its text, which the server checks
  if (guessed) tell(words.filled.replace("{words}", text).replace("{label}", chosen.label), false);  // «10» stands for 010-张
  if (lost) tell(words[fitting.length ? "several" : "unknown"].replace("{words}", text));
  close();
  return !lost || !select;
}

const newest = new WeakMap();  // input → its newest note, which may still wait for the end of a click
function tell(sentence, wrong = true) {  // show a note below the field, by aria-describedby
  const { input } = box, id = `${input.id}-unknown`, others = () => (input.getAttribute("aria-describedby") || "").replace(id, "").trim();
  const line = sentence && Object.assign(document.createElement("p"), { id, className: wrong ? "note error" : "note", role: wrong ? "alert" : "status", textContent: sentence });
  document.getElementById(id)?.remove();
  input.setAttribute("aria-describedby", others());
  newest.set(input, line);
  if (line) afterClick(() => {
    if (newest.get(input) !== line) return;
    input.setAttribute("aria-describedby", `${others()} ${id}`.trim());
    (input.closest(".combobox") || input).after(line);
  });
}

// Events. A key handler returns whether to prevent the default.
const shown = () => !popup.hidden;
const move = (place) => { highlight(place); moved = true; return true; };
const inSheet = (event) => !event.altKey && box.input.closest(".inline-table");  // in a grid the arrows belong to grid.js while the list is closed
const keys = {
  ArrowDown: (event) => (shown() ? move((at + 1) % found.length) : !inSheet(event) && (open(""), true)),
  ArrowUp: (event) => (shown() ? move(at > 0 ? at - 1 : found.length - 1) : !inSheet(event) && (open(""), true)),
  Home: () => shown() && !box.free && move(0),
  End: () => shown() && !box.free && move(found.length - 1),
  Enter: () => (shown() && (found[at] || !box.free) ? (found[at] && take(found[at]), true) : box.typed && !settle()),
  Tab: () => { if (moved && found[at]) take(found[at]); },
  Escape: () => (shown() ? (close(), true) : !box.free && Boolean(box.input.value) && (box.select && !blankOf(box.select) ? settle() : take(null), true)),
};
document.addEventListener("keydown", (event) => {
  if (box?.input !== event.target || event.isComposing || !keys[event.key]?.(event)) return;
  event.preventDefault();
  event.stopPropagation();
}, true);
document.addEventListener("focusin", ({ target }) => {
  if (!target.matches("input[role=combobox], input[list], input[data-url]")) return;
  if (box?.input === target) return;  // back from another window: what was typed before it is still to be settled
  if (target.role !== "combobox") makeCombobox(target);
  box = { input: target, select: target.closest(".combobox")?.lastElementChild, label: target.value, typed: false, free: "free" in target.dataset };
});
document.addEventListener("focusout", ({ target }) => {
  if (box?.input !== target || document.activeElement === target) return;  // the field keeps focus: another window was activated
  settle();
  box = null;
});
function edit({ target, isComposing }) {
  if (box?.input !== target || isComposing || firing) return;
  box.typed = true;
  tell("");
  open(target.value.trim());
}
["input", "compositionend"].forEach((name) => document.addEventListener(name, edit));
document.addEventListener("submit", (event) => {
  if (box?.typed && event.target.contains(box.input) && !settle()) { event.preventDefault(); event.stopImmediatePropagation(); }
}, true);
document.addEventListener("mousedown", (event) => { if (event.target.closest("#choices, .combobox .clear")) event.preventDefault(); });  // focus stays
document.addEventListener("click", ({ target }) => {
  const item = target.closest("#choices li");
  if (item) take(found[[...list.children].indexOf(item)]);
  else if (box?.input === target && !shown() && !(box.free && target.value)) { if (!box.typed) target.select(); open(""); }
});
["scroll", "resize"].forEach((name) => addEventListener(name, () => shown() && place(), { capture: true, passive: true }));
