// Insert a sentence into a textarea at the cursor, on its own line; typed and selected text stays.
export function insert(text, words) {
  const at = text.selectionEnd, before = text.value.slice(0, at), after = text.value.slice(at);
  const head = before && !before.endsWith("\n") ? "\n" : "", tail = after && !after.startsWith("\n") ? "\n" : "";
  text.setRangeText(`${head}${words}${tail}`, at, at, "end");
  text.selectionEnd = text.selectionStart -= tail.length;
  text.focus();
  text.dispatchEvent(new Event("input", { bubbles: true }));
}
