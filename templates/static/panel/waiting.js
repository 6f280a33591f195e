// The paper is ready: submit 打印 once. The address is replaced, so that 后退 leads to the paper and does not print again.
const form = document.querySelector("form[data-print-now]");
if (form) {
  history.replaceState(null, "", form.dataset.printNow);
  form.requestSubmit(form.querySelector("button"));
}
