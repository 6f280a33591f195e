// 打印 before the paper is made. The page is loaded again only when its state has changed: a reload takes the focus away.
const PAUSE = 2000;  // milliseconds between two looks
const waiting = document.querySelector("[data-paper]");

async function look() {  // at the page that prints, never at the paper, so that no look is logged
  const answer = await fetch(waiting.dataset.paper).catch(() => null), html = answer && answer.status < 500 ? await answer.text().catch(() => "") : "";
  if (html && !html.includes("data-paper=")) location.reload();
  else setTimeout(look, PAUSE);
}
if (waiting) setTimeout(look, PAUSE);

// The paper is ready: submit 打印 once. The address is replaced, so that 后退 leads to the paper and does not print again.
const form = document.querySelector("form[data-print-now]");
if (form) {
  history.replaceState(null, "", form.dataset.printNow);
  form.requestSubmit(form.querySelector("button"));
}
