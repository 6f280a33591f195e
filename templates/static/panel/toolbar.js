// The buttons above a list act on the ticked rows: 打印 makes one file of many, and batch acts are performed on each row.
import { answer } from "./acts.js";
import { dialog } from "./dialog.js";
import { $$, ask, joined } from "./page.js";
import { send } from "./send.js";

// A button of the bar presses the same button of the ticked row (手册: 选中一条数据，点击界面上…按钮).
const ticks = () => $$("input[name=pick]:checked"), all = document.getElementById("pick-all");
const twin = (bar, tick) => tick.closest("tr").querySelector(`button[data-act=${bar.dataset.bar}]`);
const sentence = (bar, tick) => { const own = twin(bar, tick); return own.getAttribute("aria-disabled") === "true" ? own.title : ""; };
const number = (tick) => tick.closest("tr").querySelector(".number").textContent;
function reasons(bar, rows) {  // each reason once, with the numbers it applies to; then, once, the statuses that would allow the act
  const numbers = {}, allowing = new Set();
  rows.forEach((tick) => {
    const [why, ...allowed] = sentence(bar, tick).split(ask.dataset.clause);  // «当前状态为…，不能打印；…状态可以打印。»
    (numbers[why] ||= []).push(number(tick));
    allowed.forEach((words) => allowing.add(words));
  });
  const about = ([why, found]) => (why.includes(found[0]) ? why : ask.dataset.about.replace("{numbers}", found.join(ask.dataset.comma)).replace("{why}", why));  // that of a lease names its case
  return [...Object.entries(numbers).map(about), ...allowing].join("\n");
}
function refusal(bar) {  // why the act is possible for none of the ticked rows, or ""
  const rows = ticks();
  if (!rows.length) return bar.dataset.none;
  if (rows.length > 1 && !bar.dataset.prepare && !bar.dataset.together) return bar.dataset.many;
  if (!rows.every((tick) => sentence(bar, tick))) return "";
  return rows.length > 1 ? reasons(bar, rows) : sentence(bar, rows[0]);
}
async function agreed(bar, rows) {  // the ticked rows for which the act is possible, after a dialog about the others
  const refused = rows.filter((tick) => sentence(bar, tick)), rest = rows.filter((tick) => !refused.includes(tick));
  if (!refused.length) return rows;
  const words = `${bar.dataset.some}\n${reasons(bar, refused)}`;
  if (!(await dialog(words, { go: bar.dataset.rest.replace("{count}", rest.length) }))) return [];
  refused.forEach((tick) => { tick.checked = false; });
  refreshBar();
  return rest;
}
function refreshBar() {
  $$("[data-bar]").forEach((bar) => {
    bar.title = refusal(bar);
    bar.setAttribute("aria-disabled", String(Boolean(bar.title)));
  });
  $$("input[name=pick]").forEach((tick) => tick.closest("tr").classList.toggle("picked", tick.checked));
  if (all) all.checked = ticks().length > 0 && !document.querySelector("input[name=pick]:not(:checked)");
}
document.addEventListener("change", (event) => {
  if (event.target === all) $$("input[name=pick]").forEach((tick) => { tick.checked = all.checked; });
  if (event.target === all || event.target.name === "pick") refreshBar();
});
document.addEventListener("click", async (event) => {
  const bar = event.target.closest("[data-bar]");
  if (!bar) return;
  event.preventDefault();
  if (bar.form?.ariaBusy) return;  // as in acts.js; without a form the button of the row checks it
  const refused = refusal(bar);
  if (refused) return dialog(refused, { tell: true });
  const rows = await agreed(bar, ticks());
  if (rows.length === 1) twin(bar, rows[0]).click();
  else if (rows.length && bar.dataset.together) await doneTogether(bar, rows);
  else if (rows.length && (await prepared(bar.dataset.prepare, rows))) bar.form.requestSubmit(bar);
});
document.addEventListener("keydown", (event) => {  // Enter on a checkbox would press the form's first button
  if (event.key === "Enter" && event.target.name === "pick") event.preventDefault();
});
async function doneTogether(bar, rows) {  // one question, one opinion
  const opinion = "opinion" in bar.dataset, act = bar.dataset.bar;
  const words = `${bar.dataset.together.replace("{count}", rows.length)}\n${rows.map(number).join(ask.dataset.comma)}`;
  const given = await dialog(words, { opinion, act, key: `${act} many` });
  if (!given) return;
  answer(bar.form, given, { opinion });
  bar.form.requestSubmit(bar);
}
async function prepared(address, rows) {  // request the papers one by one; the last click opens the window, which browsers would block otherwise
  const bar = ask.querySelector("progress"), count = bar.nextElementSibling, yes = ask.querySelector("[value=yes]");
  const tell = (words) => { ask.querySelector(".ask-words").textContent = words; };
  const progress = dialog(ask.dataset.preparing, { progress: true });
  bar.max = rows.length;
  for (let done = 0; done <= rows.length; done++) {
    bar.value = done;
    count.textContent = `${done} / ${rows.length}`;
    const ready = () => send(address, new URLSearchParams({ id: rows[done].value }));
    let answer = done < rows.length && await ready();
    while (answer.status === 202 && ask.open) {  // a worker makes the paper
      await new Promise((resolve) => setTimeout(resolve, 1000));
      answer = await ready();
    }
    if (!ask.open) return false;
    if (answer && !answer.ok) { tell(joined(ask.dataset.stopped, answer.words)); return progress.then(() => false); }
  }
  tell(ask.dataset.prepared);
  yes.disabled = false;
  yes.focus();
  return progress;
}
if (all) all.hidden = !document.querySelector("input[name=pick]");  // nothing to choose in an empty list
refreshBar();
