import { ask, state } from "./page.js";

// Days: typed, or picked from a calendar in Chinese.
if (window.jQuery) jQuery("input[data-role=datepicker]").daterangepicker({ singleDatePicker: true, format: "YYYY-MM-DD", showDropdowns: true,
  locale: { monthNames: ask.dataset.months.split(" "), daysOfWeek: ask.dataset.days.split(" "), firstDay: 1 } })
  .on("apply.daterangepicker", () => { state.changed = true; });
