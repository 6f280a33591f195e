// The paper that 打印 waited for is made: print it now, and once, for 后退 then leads to the paper itself.
const form = document.querySelector("form[data-print-now]");
if (form) {
  history.replaceState(null, "", form.dataset.printNow);
  form.requestSubmit(form.querySelector("button"));
}
