// 导出: a workbook is made before its first byte is sent. Until then the bar says so; the answer brings a cookie (spreadsheet.py).
import { $$, prepare } from "./page.js";

const BEGUN = "filing-export=";

prepare((root) => $$(".bar-export", root).forEach((bar) => {
  const words = bar.querySelector("[role=status]");
  let looking;
  bar.addEventListener("click", (e) => {
    if (!e.target.closest("a")) return;
    document.cookie = `${BEGUN}; max-age=0; path=/`;
    words.textContent = bar.dataset.making;
    clearInterval(looking);
    looking = setInterval(() => {
      if (!document.cookie.includes(BEGUN)) return;
      clearInterval(looking);
      words.textContent = bar.dataset.begun;
    }, 300);
  });
}));
