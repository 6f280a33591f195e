import { dialog } from "./dialog.js";
import { $$, state } from "./page.js";

// Inline rows: added from the <template>, deleted in place after a question.
$$(".inline-rows").forEach((block) => {
  const body = block.querySelector("tbody"), name = block.dataset.name;
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
  block.querySelector("[data-add-row]").addEventListener("click", () => add().querySelector("input:not([type=hidden])").focus());
  block.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-delete-row]");
    if (!button || !(await dialog(button.dataset.ask))) return;
    const row = button.closest("tr"), mark = row.querySelector("input[name^=del-]");
    if (mark) { mark.checked = true; row.hidden = true; } else row.remove();
    state.changed = true;
    number();
  });
  if (!body.rows.length) add();
});
