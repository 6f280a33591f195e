// A sentence is put in at the cursor, on a line of its own; what is typed, or marked, stays. Sending is another click.
export function insert(text, words) {
  const at = text.selectionEnd, before = text.value.slice(0, at), after = text.value.slice(at);
  const head = before && !before.endsWith("\n") ? "\n" : "", tail = after && !after.startsWith("\n") ? "\n" : "";
  text.setRangeText(`${head}${words}${tail}`, at, at, "end");
  text.selectionEnd = text.selectionStart -= tail.length;
  text.focus();
  text.dispatchEvent(new Event("input", { bubbles: true }));
}
