// A form that posts is sent once: further submits are ignored while it waits for its answer, such as that of a double click.
// Forms that a script sends (panel/submit.js, security_key.js) are locked by it.
const STAYED = 10_000;  // milliseconds after which the page has stayed, as for a download, and the form may be sent again
let sent = null;
const unlock = (form) => Object.assign(form, { ariaBusy: null, inert: false });

window.addEventListener("submit", (event) => {  // of the window: every other listener may have prevented it
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.ariaBusy) event.preventDefault();
  else setTimeout(unlock, STAYED, form);
  form.ariaBusy = "true";
  sent = form;
});

window.addEventListener("beforeunload", (event) => setTimeout(() => {  // the person was asked, and stays
  if (event.defaultPrevented && sent) unlock(sent);
}));

window.addEventListener("pageshow", (event) => {  // restored by 后退 in the state of its submission
  if (event.persisted) [...document.forms].forEach(unlock);
});
