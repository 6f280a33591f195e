// The error below a field goes away once the field is filled, or emptied where it need not be filled; so does its line in the
// summary on top of the page (#missing).
// Errors are named by aria-describedby and have role=alert (panel/fields.html, panel/query.html, entrance/wrong.html).
// A hint that was hidden because of the error (data-hint) is shown again, and describes the field.
function shownFor(field) {  // the field that people see: a combobox covers its <select>
  return field.closest(".combobox")?.querySelector("[role=combobox]") || field;
}

const isWrong = "[aria-invalid=true]";
const idsOf = (field) => (field.getAttribute("aria-describedby") || "").split(" ").filter(Boolean);
const isBlank = ({ type, checked, value }) => (["checkbox", "radio"].includes(type) ? !checked : ["", "__None"].includes(value.trim()));
const isOptional = (field) => field.closest(".field")?.querySelector("label .star") === null;  // panel/fields.html

// Remove the line of the field, row or box with this id from the summary, and the summary with its last line.
export function removeLine(id) {
  const summary = document.getElementById("missing");
  summary?.querySelector(`a[href="#${CSS.escape(id)}"]`)?.closest("li").remove();
  if (summary && !summary.querySelector("li, p")) summary.remove();
}

function removeError(id) {
  const error = document.getElementById(id), hint = error.nextElementSibling;
  error.remove();
  if (!hint?.matches("p[data-hint]")) return;
  hint.id = id;
  hint.hidden = false;
}

function mended({ target }) {
  if (!target.matches?.("input, select, textarea")) return;
  if (isBlank(target) && (target.matches("[role=combobox]") || !isOptional(target))) return;  // a combobox is blank while it is retyped
  const field = shownFor(target), around = field.closest(".wrong");
  if (!field.matches(isWrong)) return;
  field.removeAttribute("aria-invalid");
  const stillWrong = around ? [...around.querySelectorAll(isWrong)].filter(({ hidden }) => !hidden) : [];
  const over = idsOf(field).filter((id) => document.getElementById(id)?.role === "alert" && !stillWrong.some((other) => idsOf(other).includes(id)));
  over.forEach(removeError);
  [field, ...(around?.querySelectorAll("[aria-describedby]") || [])].forEach((each) => {
    const left = idsOf(each).filter((id) => !over.includes(id) || document.getElementById(id));
    if (left.length) each.setAttribute("aria-describedby", left.join(" ")); else each.removeAttribute("aria-describedby");
  });
  if (!stillWrong.length) around?.classList.remove("wrong");
  removeLine(field.id);
}

["input", "change"].forEach((name) => document.addEventListener(name, mended));
