// Cells pasted into 载体信息, or a file chosen for it: the server parses them and renders a preview; then all rows go into the
// table or none. Nothing is stored on the server until the form is saved.
import { $$, prepare } from "./page.js";
import { cellOf, cellsOf, clear, drop, fieldOf, newRow, number, rowsOf } from "./rows.js";
import { send } from "./send.js";
import { dialog as tell } from "./dialog.js";
import { removeLine } from "../wrong.js";

// Show the preview. Resolves to { fields, rows, places, errors, how }, or to null if it is cancelled.
async function look(block, parts, here) {
  const preview = document.getElementById("block-preview");  // a form that is shown again has another
  const body = () => {
    const data = new FormData();
    Object.entries(parts).forEach(([name, value]) => data.append(name, value));
    $$("[name=carry]:checked", preview).forEach(({ value }) => data.append("carry", value));
    return data;
  };
  const address = block.closest("[data-preview]").dataset.preview, inside = preview.querySelector(".block-body"), go = preview.querySelector("[value=yes]");
  const status = block.querySelector(".block-status");
  inside.replaceChildren();
  status.textContent = status.dataset.reading;
  let answer = await send(address, body());
  status.textContent = "";
  if (!answer.ok) { await tell(answer.words, { tell: true }); return null; }
  const draw = () => {
    const how = inside.querySelector("[name=how]:checked")?.value || "append", focused = document.activeElement?.value;
    inside.innerHTML = answer.json.html;
    inside.querySelector(`[name=how][value=${how}]`).checked = true;
    inside.querySelector("[value=here]").parentElement.hidden = !here;
    inside.querySelector(`[name=carry][value="${focused}"]`)?.focus();
  };
  draw();
  inside.onchange = async ({ target }) => {  // whether blank cells repeat the cell above
    if (target.name !== "carry") return;
    go.disabled = true;
    const again = await send(address, body());
    go.disabled = false;
    if (again.ok) { answer = again; draw(); } else target.checked = !target.checked;
  };
  preview.returnValue = "no";
  preview.showModal();
  preview.querySelector("[value=no]").focus();
  await new Promise((resolve) => { preview.addEventListener("close", resolve, { once: true }); });
  return preview.returnValue === "yes" ? { ...answer.json, how: inside.querySelector("[name=how]:checked").value } : null;
}

function clearDoubt(row, changed) {  // it spoke of a quantity and its unit
  if (row.querySelector("[data-doubt]") && ["quantity", "unit"].some((name) => changed.includes(name))) clear(cellOf(row, "quantity"));
}

const isBlank = (row) => !row.querySelector(`[name="${row.id}-id"]`).value && cellsOf(row).every(({ value }) => !value.trim());

function fill(row, fields, texts, errors = {}) {
  clearDoubt(row, fields);
  fields.forEach((name, i) => {
    const cell = cellOf(row, name), id = `${cell.id}-note`;
    cell.value = texts[i];
    clear(cell);
    if (!errors[name]) return;
    row.classList.add("in-sight");
    cell.parentElement.classList.add("wrong");
    cell.ariaInvalid = "true";
    cell.setAttribute("aria-describedby", id);
    cell.after(Object.assign(document.createElement("p"), { id, className: "note error", textContent: errors[name] }));
  });
}

function put(block, { fields, rows, places, errors, how }, at) {
  const body = block.querySelector("tbody"), there = rowsOf(block), fresh = document.createDocumentFragment();
  const start = how === "here" ? there.indexOf(at.closest("tr")) : Infinity;
  if (how !== "here") there.filter((row) => how === "replace" || isBlank(row)).forEach(drop);
  const filled = rows.map((texts, i) => {
    const row = there[start + places[i]] || fresh.appendChild(newRow(block));
    fill(row, fields, texts, errors[i]);
    return row;
  });
  body.append(fresh);
  block.classList.toggle("folded", rowsOf(block).length > 20);
  number(block);
  removeLine(block.dataset.name);
  block.dispatchEvent(new Event("input", { bubbles: true }));
  const wrong = filled.flatMap((row) => $$(".wrong input", row))[0];
  (wrong || cellsOf(filled[0])[0]).focus();
  const status = block.querySelector(".block-status"), count = Object.values(errors).flatMap(Object.keys).length;
  status.textContent = (count ? status.dataset.wrong : status.dataset.done).replace("{n}", rows.length).replace("{wrong}", count);
}

prepare((root) => $$(".inline-rows", root).forEach((block) => {
  const file = root.querySelector("#carrier-file");
  block.addEventListener("paste", async (event) => {
    const text = event.clipboardData.getData("text/plain"), cell = event.target;
    if (!cell.matches("input.form-control") || !/[\t\r\n]/.test(text.replace(/[\r\n]+$/, ""))) return;  // a single cell is pasted by the browser
    event.preventDefault();
    const found = await look(block, { text, start: fieldOf(cell) }, true);
    if (found) put(block, found, cell); else cell.focus();
  });
  block.addEventListener("input", ({ target }) => {
    if (!target.matches?.("input.form-control")) return;
    if (target.value) removeLine(block.dataset.name);  // that there is no row yet
    if (target.matches(".wrong input")) clear(target);
    clearDoubt(target.closest("tr"), [fieldOf(target)]);
  });
  file?.addEventListener("change", async () => {
    const [chosen] = file.files, parts = { file: chosen };
    if (!chosen) return;
    file.value = "";
    const found = await look(block, parts, false);
    if (found) put(block, found); else file.focus();
  });
}));
