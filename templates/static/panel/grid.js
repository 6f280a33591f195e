// 载体信息 as a spreadsheet: arrows and Enter move, Ctrl+D copies from above, rows are duplicated, totals by unit, folded beyond 20 rows.
//   ↑ ↓ Enter Shift+Enter: the same column, one row on; ↓ in the last row adds one, Enter there is 保存, as in every field.
//   ← →: the next cell, when all of this one is selected or the caret is at its edge. Alt+↓ opens the list of a code.
//   Ctrl+Shift+D: 向下填充, whose button is behind cells that Tab would make the current one.
//   Ctrl+Home, Ctrl+End: the first and the last cell, so that Tab leaves a long table by a few presses.
import { $$, prepare } from "./page.js";
import { add, cellOf, cellsOf, clear, fieldOf, number, rowsOf } from "./rows.js";

const FOLDED = 20;
const SCALE = 100000n;  // quantities have up to five decimals

function go(cell) {
  cell?.focus();
  cell?.select();
}

const inSight = (block) => rowsOf(block).filter((row) => row.offsetParent);

function vertical(block, cell, step, adding) {  // whether the key was handled
  const row = cell.closest("tr"), shown = inSight(block), at = shown.indexOf(row) + step;
  if (!shown[at] && at > 0 && block.classList.contains("folded") && rowsOf(block).at(-1) !== row) {
    fold(block, false);
    return vertical(block, cell, step, adding);
  }
  const there = shown[at] || (step > 0 && adding && cellsOf(row).some(({ value }) => value) ? add(block) : null);
  go(there && cellOf(there, fieldOf(cell)));
  return Boolean(there) || adding;
}

function horizontal(cell, step) {
  const { selectionStart: from, selectionEnd: to, value } = cell, all = from === 0 && to === value.length;
  const edge = from === to && from === (step < 0 ? 0 : value.length);
  if (!all && !edge) return false;
  const cells = cellsOf(cell.closest("tr")), there = cells[cells.indexOf(cell) + step];
  go(there);
  return Boolean(there);
}

function toEnd(block, last) {
  if (last && block.classList.contains("folded")) fold(block, false);
  const rows = inSight(block);
  go(cellsOf(rows.at(last ? -1 : 0)).at(last ? -1 : 0));
  return true;
}

function write(cell, text) {
  cell.value = text;
  cell.dispatchEvent(new Event("input", { bubbles: true }));
}

function fromAbove(block, cell) {  // Ctrl+D
  const shown = rowsOf(block), above = shown[shown.indexOf(cell.closest("tr")) - 1];
  if (above) write(cell, cellOf(above, fieldOf(cell)).value);
  cell.select();
}

function fillDown(block, cell) {  // into the blank cells below, up to the next filled one
  const rows = rowsOf(block), below = rows.slice(rows.indexOf(cell.closest("tr")) + 1).map((row) => cellOf(row, fieldOf(cell)));
  const end = below.findIndex(({ value }) => value.trim());
  below.slice(0, end < 0 ? below.length : end).forEach((each) => {
    each.value = cell.value;
    if (cell.value) clear(each);
  });
  write(cell, cell.value);
  cell.focus();
}

function duplicate(block, row) {
  const twin = add(block, row);
  cellsOf(row).forEach((cell) => { cellOf(twin, fieldOf(cell)).value = cell.value; });
  block.dispatchEvent(new Event("input", { bubbles: true }));
  go(cellsOf(twin)[0]);
}

// Totals.
function exact(text) {  // in units of 1/SCALE; null for text that is not a plain number
  const plain = text.normalize("NFKC").trim(), [, whole, part = ""] = /^(\d+|\d{1,3}(?:[, ]\d{3})+)(?:\.(\d{0,5}))?$/.exec(plain) || [];
  return whole === undefined ? null : BigInt(whole.replace(/[, ]/g, "")) * SCALE + BigInt(part.padEnd(5, "0"));
}

function readable(sum) {
  const part = `${sum % SCALE}`.padStart(5, "0").replace(/0+$/, "");
  return `${sum / SCALE}`.replace(/\B(?=(\d{3})+$)/g, ",") + (part && `.${part}`);
}

function total(block) {
  const sums = new Map(), line = block.querySelector(".totals"), words = line.dataset;
  let left = 0, count = 0;
  rowsOf(block).forEach((row) => {
    const unit = cellOf(row, "unit").value.trim().replace(/^\w+-/, ""), text = cellOf(row, "quantity").value, sum = exact(text);
    count += cellsOf(row).some(({ value }) => value) ? 1 : 0;
    if (sum !== null && unit) sums.set(unit, (sums.get(unit) || 0n) + sum);
    else if (text.trim()) left += 1;
  });
  const parts = [...sums].map(([unit, sum]) => `${readable(sum)} ${unit}`).join(words.comma);
  line.textContent = count ? words.all.replace("{n}", count).replace("{sums}", parts || "0") + (left ? words.left.replace("{n}", left) : "") : "";
}

// Folding hides rows by CSS only, so that all are submitted; rows with errors stay visible.
function fold(block, folded) {
  block.classList.toggle("folded", folded);
  const button = block.querySelector("[data-fold]"), count = rowsOf(block).length;
  button.hidden = count <= FOLDED;
  button.textContent = (folded ? button.dataset.open : button.dataset.close).replace("{n}", count);
  button.setAttribute("aria-expanded", `${!folded}`);
}

prepare((root) => $$(".inline-rows", root).forEach((block) => {
  let last = null, due;  // the cell that had focus
  const totalSoon = () => { clearTimeout(due); due = setTimeout(() => total(block), 200); };
  block.addEventListener("focusin", ({ target }) => { if (target.matches("input.form-control")) last = target; });
  block.addEventListener("input", totalSoon);
  block.addEventListener("rows", () => { totalSoon(); fold(block, block.classList.contains("folded")); });
  block.addEventListener("keydown", (event) => {
    const { target, key } = event, plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (!target.matches("input.form-control") || event.isComposing) return;
    const used = event.ctrlKey && !event.shiftKey && !event.altKey && (key === "Home" || key === "End") ? toEnd(block, key === "End")
      : key.toLowerCase() === "d" && (event.ctrlKey || event.metaKey) ? ((event.shiftKey ? fillDown : fromAbove)(block, target), true)
      : !plain ? false
      : key === "Enter" ? vertical(block, target, event.shiftKey ? -1 : 1, false)
      : event.shiftKey ? false
      : key === "ArrowDown" || key === "ArrowUp" ? vertical(block, target, key === "ArrowDown" ? 1 : -1, true)
      : key === "ArrowRight" || key === "ArrowLeft" ? horizontal(target, key === "ArrowRight" ? 1 : -1) : false;
    if (used) event.preventDefault();
  });
  block.addEventListener("click", ({ target }) => {
    const copy = target.closest("[data-copy-row]");
    if (copy) duplicate(block, copy.closest("tr"));
    else if (target.closest("[data-fold]")) {
      fold(block, !block.classList.contains("folded"));
      target.scrollIntoView({ block: "nearest" });  // the rows above it have come or gone
    }
    else if (target.closest("[data-fill-down]")) fillDown(block, last?.isConnected ? last : cellsOf(rowsOf(block)[0])[0]);
  });
  $$("[data-scripted]", block.parentElement).forEach((part) => { part.hidden = false; });
  total(block);
  fold(block, rowsOf(block).length > FOLDED);
  number(block);
}));
