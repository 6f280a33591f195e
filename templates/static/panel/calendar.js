// Calendar for a day's text field, after the ARIA APG pattern "date picker dialog". Typed text is not changed; a
// picked day is written as 2026-01-31, and input and change are fired on the field. It opens by the button, or Alt+↓ in the field.
// Keys: arrows a day or a week, Home/End the week's ends, PageUp/Down a month, with Shift a year, Enter or blank picks, Esc closes.
import { $$, prepare } from "./page.js";

const dialog = document.getElementById("calendar"), head = document.getElementById("calendar-month");
const periods = dialog.querySelector(".calendar-periods"), body = dialog.querySelector("tbody"), DAY = 86400000;
let field = null, day = null;  // the text field of the open calendar; the focused day, midnight UTC

const written = (date) => date.toISOString().slice(0, 10);
const at = (year, month, date) => new Date(Date.UTC(year, month, date));
const today = () => new Date(new Date().toLocaleDateString("sv", { timeZone: "Asia/Shanghai" }));
function typed(text) {  // the day that a field means, or today
  const [, year, month, date] = text.normalize("NFKC").replace(/\s/g, "").match(/^(\d{4})\D?(\d{1,2})\D?(\d{1,2})\D?$/) || [];
  const meant = year ? at(year, month - 1, date) : null;
  return meant && meant.getUTCMonth() === month - 1 ? meant : today();
}
function moved(months) {  // the same day of another month, or its last one
  const [year, month] = [day.getUTCFullYear(), day.getUTCMonth() + months], last = at(year, month + 1, 0).getUTCDate();
  return at(year, month, Math.min(day.getUTCDate(), last));
}

function cell(date, chosen) {
  const square = document.createElement("td");
  if (date.getUTCMonth() !== day.getUTCMonth()) return square;
  Object.assign(square, { textContent: date.getUTCDate(), tabIndex: +date === +day ? 0 : -1, ariaSelected: String(written(date) === chosen) });
  square.dataset.day = written(date);
  if (+date === +today()) square.setAttribute("aria-current", "date");
  return square;
}
function show(next, focus = true) {  // the month of a day, with that day under focus
  if (next.getUTCFullYear() < 1900 || next.getUTCFullYear() > 2199) return;
  day = next;
  const first = at(day.getUTCFullYear(), day.getUTCMonth(), 1), chosen = field.value && written(typed(field.value));
  const start = +first - ((first.getUTCDay() + 6) % 7) * DAY;  // the Monday before
  const end = at(day.getUTCFullYear(), day.getUTCMonth() + 1, 0);
  const weeks = [0, 1, 2, 3, 4, 5].map((week) => start + week * 7 * DAY).filter((monday) => monday <= +end);
  body.replaceChildren(...weeks.map((monday) => {
    const row = document.createElement("tr");
    row.append(...[0, 1, 2, 3, 4, 5, 6].map((i) => cell(new Date(monday + i * DAY), chosen)));
    return row;
  }));
  head.textContent = head.dataset.words.replace("{y}", day.getUTCFullYear()).replace("{m}", day.getUTCMonth() + 1);
  if (focus) body.querySelector("[tabindex='0']").focus();
}
function pick(words) {
  field.value = words;
  dialog.close();
  field.focus();
  ["input", "change"].forEach((name) => field.dispatchEvent(new Event(name, { bubbles: true })));
}
function open(input) {
  field = input;
  periods.hidden = !("periods" in field.dataset);
  dialog.showModal();
  show(typed(field.value));
  const { left, bottom, top } = field.getBoundingClientRect(), { width, height } = dialog.getBoundingClientRect();
  const below = bottom + height + 4 < innerHeight;
  dialog.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
  dialog.style.top = `${Math.max(8, below ? bottom + 4 : top - height - 4)}px`;
}

prepare((root) => $$("input[data-role=datepicker]", root).forEach((input) => {
  const holder = document.createElement("span"), button = document.createElement("button");
  const name = input.ariaLabel || input.labels[0]?.textContent.replace("*", "").trim() || "";
  holder.className = "day";
  Object.assign(button, { type: "button", className: "day-button", ariaLabel: `${dialog.dataset.open}：${name}` });
  button.setAttribute("aria-haspopup", "dialog");
  input.replaceWith(holder);
  holder.append(input, button);
  button.addEventListener("click", () => open(input));
  input.addEventListener("keydown", (event) => { if (event.altKey && event.key === "ArrowDown") { event.preventDefault(); open(input); } });
}));

const monday = () => (day.getUTCDay() + 6) % 7;
const steps = {
  ArrowLeft: () => -1, ArrowRight: () => 1, ArrowUp: () => -7, ArrowDown: () => 7, Home: () => -monday(), End: () => 6 - monday(),
};
body.addEventListener("keydown", (event) => {
  const months = { PageUp: -1, PageDown: 1 }[event.key] * (event.shiftKey ? 12 : 1);
  if (steps[event.key]) show(new Date(+day + steps[event.key]() * DAY));
  else if (months) show(moved(months));
  else if (event.key === "Enter" || event.key === " ") pick(written(day));
  else return;
  event.preventDefault();
});
dialog.addEventListener("click", ({ target }) => {
  const { day: chosen, months, today: now, close, period } = target.dataset;
  if (chosen) pick(chosen);
  else if (period !== undefined) {  // a period sets both days: the server computes the last one
    const last = field.closest(".range")?.querySelector("input[data-role=datepicker]:not([data-periods])");
    if (last) last.value = "";
    pick(target.textContent);
  }
  else if (months) show(moved(+months), false);
  else if (now !== undefined) show(today());
  else if (target === dialog || close !== undefined) dialog.close();
});
