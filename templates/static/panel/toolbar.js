import { dialog } from "./dialog.js";
import { $$, ask, post } from "./page.js";

// Toolbar: stands for the buttons of the ticked row (手册: 选中一条数据，点击界面上…按钮); 打印 takes many, in one file.
const ticks = () => $$("input[name=pick]:checked"), all = document.getElementById("pick-all");
const twin = (bar, tick) => tick.closest("tr").querySelector(`button[data-act=${bar.dataset.bar}]`);
function refusal(bar) {  // why it cannot act on what is ticked, or ""
  const rows = ticks();
  if (!rows.length) return bar.dataset.none;
  if (rows.length > 1 && !bar.dataset.prepare) return bar.dataset.many;
  const row = rows.find((tick) => twin(bar, tick).getAttribute("aria-disabled") === "true");
  return !row ? "" : (rows.length > 1 ? `${row.closest("tr").querySelector(".number").textContent}：` : "") + twin(bar, row).title;
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
  const refused = refusal(bar), rows = ticks();
  if (refused) dialog(refused, { tell: true });
  else if (rows.length === 1) twin(bar, rows[0]).click();
  else if (await prepared(bar.dataset.prepare, rows)) bar.form.requestSubmit(bar);
});
async function prepared(address, rows) {  // one paper after the other; the last click opens the window, or browsers block it
  const bar = ask.querySelector("progress"), count = bar.nextElementSibling, yes = ask.querySelector("[value=yes]");
  const tell = (words) => { ask.querySelector(".ask-words").textContent = words; };
  const said = dialog(ask.dataset.preparing, { progress: true });
  bar.max = rows.length;
  for (let done = 0; done <= rows.length; done++) {
    bar.value = done;
    count.textContent = `${done} / ${rows.length}`;
    const lost = done < rows.length && await post(address, { id: rows[done].value });
    if (!ask.open) return false;
    if (lost) { tell(`${ask.dataset.stopped}${lost}`); return said.then(() => false); }
  }
  tell(ask.dataset.prepared);
  yes.disabled = false;
  yes.focus();
  return said;
}
if (all) all.hidden = false;
refreshBar();
