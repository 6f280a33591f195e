// What every part of the panel stands on.
export const ask = document.getElementById("ask");
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
export const token = () => document.querySelector("input[name=csrf_token]").value;
export const setToken = (value) => $$("input[name=csrf_token]").forEach((field) => { field.value = value; });

// Whether the form holds what is not saved yet, and how many files are on their way or were refused.
export const state = { changed: false, sending: 0, refused: 0 };

// What is on the page now, and what takes its place when the answer to a save is a page: each part prepares its elements in it.
const parts = [];
export function prepare(part) {
  parts.push(part);
  part(document);
}
export function show(html) {  // false: it is no page of ours
  const answer = new DOMParser().parseFromString(html, "text/html").getElementById("content");
  if (!answer) return false;
  const content = document.adoptNode(answer);
  document.getElementById("content").replaceWith(content);
  scrollTo(0, 0);
  document.getElementById("work").focus();
  parts.forEach((part) => part(content));
  return true;
}

// One POST. Resolves to { status, ok, json, page, words }: json or page is the body, as it came; status 0 when the server was not reached; words say what went wrong.
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
      resolve({ status, ok, json, page: json ? "" : post.responseText, words: json?.message || (status ? ask.dataset.failed : ask.dataset.lost) });
    });
    post.open("POST", address);
    post.setRequestHeader("X-Requested-With", "XMLHttpRequest");
    post.setRequestHeader("X-Account", document.body.dataset.account);
    post.send(body);
  });
}
