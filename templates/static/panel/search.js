// Search among options by code, by any part of the label, and by keys (pinyin, initials, English), ignoring width and case.
// A text without case, width and blanks.
export const fold = (text) => text.normalize("NFKC").toLowerCase().replace(/[\s'’\p{Cf}]/gu, "");  // pu'jiang, as an input method leaves it

// A searchable option from its label, value and keys; «010-张» has a code and a name, «CD-ROM» is both.
export function option(label, value, keys = "") {
  const [, code, name] = label.match(/^([0-9A-Z]{3,18})-(.*[^\x00-\x7f].*)$/) || [null, label, label];
  return { label, value, names: [code, name, label].map(fold), keys: keys.split(" ").filter(Boolean) };
}

function rank({ names: [code, name, label], keys }, text) {  // 0: exact match; 1 to 5: partial matches, best first; 9: no match
  if ([code, name, label].includes(text)) return 0;
  const ways = [code.startsWith(text), name.startsWith(text), keys.some((key) => key.startsWith(text)), label.includes(text),
    text.length > 1 && keys.some((key) => key.includes(text))];
  return ways.includes(true) ? ways.indexOf(true) + 1 : 9;
}

// The options that match the words, best first; all of them in their own order if there are no words.
export function matching(options, words) {
  const text = fold(words), ranked = options.map((each) => [text ? rank(each, text) : 0, each]);
  return ranked.filter(([way]) => way < 9).sort(([a], [b]) => a - b).map(([, each]) => each);
}

// The option that a text identifies: the exact match, or the only match; else null.
export const meant = (found, words) => (found.length === 1 || (found.length && !rank(found[0], fold(words))) ? found[0] : null);
