import { dialog } from "./dialog.js";
import { $$, prepare, state } from "./page.js";

// Inline rows: added from the <template>, deleted in place after a question; the first wrong cell is in sight.
prepare((root) => $$(".inline-rows", root).forEach((block) => {
  const body = block.querySelector("tbody"), name = block.dataset.name, wrong = body.querySelector("td.wrong");
  let next = body.rows.length;
  const number = () => $$("tr", body).filter((row) => !row.hidden).forEach((row, i) => { row.cells[0].firstChild.data = `${i + 1}`; });
  function add() {
    const row = block.querySelector("template").content.cloneNode(true).querySelector("tr");
    const prefix = `${name}-${next++}`;
    row.id = prefix;
    row.cells[0].prepend(document.createTextNode(""));
    $$("[name]", row).forEach((field) => { const own = field.name; field.name = field.id = `${prefix}-${own}`; });
    body.append(row);
    number();
    return row;
  }
  function drop(row) {  // a row that is saved is marked, so that 保存 deletes it
    if (!row.querySelector(`[name="${row.id}-id"]`).value) return row.remove();
    const mark = row.querySelector("input[name^=del-]") || row.cells[0].appendChild(document.createElement("input"));
    Object.assign(mark, { type: "checkbox", name: `del-${row.id}`, checked: true });
    row.hidden = true;
  }
  const more = block.querySelector("[data-add-row]");
  more.addEventListener("click", () => add().querySelector("input:not([type=hidden])").focus());
  block.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-delete-row]");
    if (!button || !(await dialog(button.dataset.ask))) return;
    drop(button.closest("tr"));
    state.changed = true;
    number();
    more.focus();
  });
  if (!body.rows.length) add();
  if (wrong) wrong.closest(".table-responsive").scrollLeft = wrong.offsetLeft - 40;
}));
