// 境外加工企业: a plant of former applications fills the empty fields that belong to it (data-fills of its <option>), and says which.
import { $$, afterClick } from "./page.js";

const isBlank = ({ value }) => ["", "__None"].includes(value.trim());

function fill(field, value) {  // false if it is no option of the list
  const before = field.value;
  field.value = value;
  if (field.value !== value) { field.value = before; return false; }
  ["input", "change"].forEach((name) => field.dispatchEvent(new Event(name, { bubbles: true })));
  return true;
}

function tell(plant, fields, { filled, and }) {
  const names = fields.map((field) => field.closest(".field").querySelector("label").lastChild.textContent.trim()).join(and);
  $$(".filled", plant.parentElement).forEach((note) => note.remove());
  const note = Object.assign(document.createElement("p"), { className: "note filled", role: "status", textContent: filled.replace("{names}", names) });
  if (fields.length) afterClick(() => plant.after(note));
}

function choose(plant) {
  const list = document.getElementById(plant.dataset.codes || plant.getAttribute("list"));
  if (!list?.dataset.filled) return;
  const { fills } = [...list.options].find(({ value }) => value === plant.value.trim())?.dataset || {};
  const known = Object.entries(JSON.parse(fills || "{}")).map(([name, value]) => [plant.form.querySelector(`[name=${name}]`), value]);
  tell(plant, known.filter(([field, value]) => isBlank(field) && fill(field, value)).map(([field]) => field), list.dataset);
}

// Later: combobox.js ignores what happens to a <select> while it fires an event itself.
document.addEventListener("change", ({ target }) => { if (target.matches?.("input[data-free]")) queueMicrotask(() => choose(target)); });
