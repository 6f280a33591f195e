import { ask } from "./page.js";

// Selects that search as you type.
const spoken = { formatNoMatches: () => ask.dataset.none, formatSearching: () => ask.dataset.searching };
if (window.jQuery) {
  jQuery("select[data-role=select2]").each(function () {
    const blank = this.dataset.allowBlank === "1" && { allowClear: true, placeholder: " ", placeholderOption: "first" };
    jQuery(this).select2({ width: "100%", ...blank, ...spoken });
  });
  jQuery("input[data-role=select2-ajax]").each(function () {
    const now = JSON.parse(this.dataset.json || "null");
    this.removeAttribute("data-placeholder");
    jQuery(this).select2({ width: "100%", allowClear: this.dataset.allowBlank === "1", placeholder: " ", minimumInputLength: 0,
      ...spoken, formatLoadMore: spoken.formatSearching,
      initSelection: (_element, callback) => { if (now) callback({ id: now[0], text: now[1] }); },
      ajax: { url: this.dataset.url, quietMillis: 200,
        data: (query, page) => ({ query, offset: (page - 1) * 10, limit: 10 }),
        results: (rows) => ({ results: rows.map(([id, text]) => ({ id, text })), more: rows.length === 10 }) } });
  });
}
