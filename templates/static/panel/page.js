// Shared by the modules of the panel: elements, state of the form, POST requests. `ask`: the dialog with its texts; $$: elements by selector, as an array.
export const ask = document.getElementById("ask");
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
export const token = () => document.querySelector("input[name=csrf_token]").value;
export const setToken = (value) => $$("input[name=csrf_token]").forEach((field) => { field.value = value; });

// Whether the form has unsaved changes, and how many files are being uploaded or were refused.
export const state = { changed: false, sending: 0, refused: 0 };

// Call `show` once no mouse button is down. A note that appears when a field loses focus moves the button that was just pressed
// away from under the mouse, and the click would be lost. A key or another window ends the wait, too: `mouseup` may be lost.
let later = null;
export const afterClick = (show) => { if (later) later.push(show); else show(); };
const released = () => setTimeout(() => { const due = later || []; later = null; due.forEach((show) => show()); });
addEventListener("mousedown", ({ button }) => { if (button === 0) later ||= []; }, true);
["mouseup", "dragend", "contextmenu", "keydown"].forEach((name) => addEventListener(name, released, true));
addEventListener("blur", released);

// Call `part(root)` for the page as loaded, and again for each content that show() puts in its place.
const parts = [];
export function prepare(part) {
  parts.push(part);
  part(document);
}
// Replace the content of the page by that of the HTML page `html`; false if that is not a page of the panel.
export function show(html) {
  const answer = new DOMParser().parseFromString(html, "text/html").getElementById("content");
  if (!answer) return false;
  const content = document.adoptNode(answer);
  document.getElementById("content").replaceWith(content);
  scrollTo(0, 0);
  document.getElementById("work").focus();
  parts.forEach((part) => part(content));
  return true;
}

// Sentences one after the other; English has a space between them.
export const joined = (...sentences) => sentences.filter(Boolean).join(document.documentElement.lang.startsWith("en") ? " " : "");

// Send one POST. Resolves to { status, ok, json, page, words }: json or page is the body, status 0 means that the server was not reached, words is the error text.
export function request(address, body, progress) {
  const post = new XMLHttpRequest();
  body.set("csrf_token", token());
  return new Promise((resolve) => {
    post.upload.addEventListener("progress", (e) => { if (progress && e.lengthComputable) progress(Math.round((100 * e.loaded) / e.total)); });
    post.addEventListener("loadend", () => {
      const { status } = post, ok = status >= 200 && status < 300;
      let json = null;
      try { json = JSON.parse(post.responseText); } catch { /* a page, or nothing */ }
      if (json?.csrf_token) setToken(json.csrf_token);
      const incident = json?.incident && ask.dataset.incident.replace("{number}", json.incident);
      const words = joined(json?.message || (status ? ask.dataset.failed : ask.dataset.lost), incident);
      resolve({ status, ok, json, page: json ? "" : post.responseText, words });
    });
    post.open("POST", address);
    post.setRequestHeader("X-Requested-With", "XMLHttpRequest");
    post.setRequestHeader("X-Account", document.body.dataset.account);
    post.send(body);
  });
}
