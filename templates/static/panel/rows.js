// 载体信息: rows added, deleted and numbered in place.
import { dialog } from "./dialog.js";
import { $$, prepare } from "./page.js";
import { removeLine } from "../wrong.js";

// `block`: the element around the table. Its visible rows; the inputs of a row; the field name of an input; the input of a field.
export const rowsOf = (block) => [...block.querySelector("tbody").rows].filter((row) => !row.hidden);
export const cellsOf = (row) => $$("input.form-control", row);
export const fieldOf = (cell) => cell.name.slice(cell.closest("tr").id.length + 1);
export const cellOf = (row, name) => row.querySelector(`[name="${row.id}-${name}"]`);

// Remove the error below a cell that has changed, and its line in the summary.
export function clear(cell) {
  removeLine(cell.id);
  const note = document.getElementById(`${cell.id}-note`);
  if (!note) return;
  note.remove();
  cell.parentElement.classList.remove("wrong");
  cell.removeAttribute("aria-describedby");
  cell.ariaInvalid = null;
}

// Renumber the visible rows, and dispatch the event `rows`.
export function number(block) {
  rowsOf(block).forEach((row, i) => { row.cells[0].firstChild.data = `${i + 1}`; });
  block.dispatchEvent(new Event("rows"));
}

// A new row from the <template>, not yet in the table.
export function newRow(block) {
  const row = block.querySelector("template").content.firstElementChild.cloneNode(true);
  const used = () => Math.max(-1, ...[...block.querySelector("tbody").rows].map(({ id }) => Number(id.split("-").pop())));
  const next = Number(block.dataset.next ?? used() + 1);
  block.dataset.next = next + 1;
  row.id = `${block.dataset.name}-${next}`;
  row.cells[0].prepend(document.createTextNode(""));
  $$("[name]", row).forEach((field) => { field.name = field.id = `${row.id}-${field.name}`; });
  return row;
}

// Insert a new row after the row `after`, or at the end; it is visible even if the table is folded.
export function add(block, after = null) {
  const row = newRow(block);
  row.classList.add("in-sight");
  if (after) after.after(row); else block.querySelector("tbody").append(row);
  number(block);
  return row;
}

// Remove a row; a saved one is hidden and marked, so that 保存 deletes it.
export function drop(row) {
  cellsOf(row).forEach(({ id }) => removeLine(id));
  if (!row.querySelector(`[name="${row.id}-id"]`).value) return row.remove();
  row.cells[0].append(Object.assign(document.createElement("input"), { type: "checkbox", name: `del-${row.id}`, checked: true }));
  row.hidden = true;
}

prepare((root) => $$(".inline-rows", root).forEach((block) => {
  const body = block.querySelector("tbody"), wrong = body.querySelector("td.wrong"), more = block.querySelector("[data-add-row]");
  $$("tr[data-deleted]", body).forEach(drop);  // of a form that is shown again
  $$("tr[data-spare]", body).forEach((row) => {  // for browsers without script, unless somebody was faster than this script
    if (cellsOf(row).some(({ value }) => value)) delete row.dataset.spare; else row.remove();
  });
  more.addEventListener("click", () => cellsOf(add(block))[0].focus());
  block.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-delete-row]");
    if (!button || !(await dialog(button.dataset.ask))) return;
    const row = button.closest("tr"), at = rowsOf(block).indexOf(row);
    drop(row);
    block.dispatchEvent(new Event("input", { bubbles: true }));
    number(block);
    const next = rowsOf(block).slice(Math.max(at - 1, 0), at + 1).reverse().find((each) => each.offsetParent);
    (next?.querySelector("[data-delete-row]") || more).focus();
  });
  if (!rowsOf(block).length) add(block);
  if (wrong) wrong.closest(".table-responsive").scrollLeft = wrong.offsetLeft - 40;
}));
