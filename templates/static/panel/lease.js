// 接办: a case that the reader has taken stays taken while it is worked on. Each request also keeps the reader signed in, so
// a page that is merely left open asks for nothing.
import { prepare, request } from "./page.js";

const PAUSE = 120_000;  // milliseconds between two renewals; a lease is at least five minutes

function watch(note) {
  let last = Date.now(), stopped = false;
  async function worked() {
    if (stopped || Date.now() - last < PAUSE) return;
    last = Date.now();
    const answer = await request(note.dataset.renew, new URLSearchParams());
    if (answer.ok) note.firstElementChild.textContent = answer.json.until;
    else if (answer.status === 409) {
      stopped = true;
      note.firstElementChild.className = "badge badge-warning";
      note.firstElementChild.textContent = answer.words;
      note.setAttribute("role", "status");
    }
  }
  ["keydown", "pointerdown", "scroll", "input"].forEach((name) => document.addEventListener(name, worked, { passive: true, capture: true }));
  window.addEventListener("blur", () => { if (document.activeElement?.tagName === "IFRAME") worked(); });  // into the viewer
}

prepare((root) => {
  const note = root.querySelector("#lease[data-renew]");
  if (note) watch(note);
});
