// 接办: renew the lease of a case while its page is used. Each request also prolongs the session, so that a page which is only
// left open sends none.
import { prepare, request } from "./page.js";

const PAUSE = 120_000;  // milliseconds between two renewals; a lease is at least five minutes
const READING = 1_800_000;  // milliseconds for which focus in the viewer counts as use: events in its frame are not visible here

function watch(note) {
  const listening = new AbortController(), { signal } = listening;
  let last = Date.now(), worked = last;
  async function renew() {
    if (!note.isConnected) { listening.abort(); clearInterval(looking); return; }  // show() has replaced this content
    if (signal.aborted || Date.now() - last < PAUSE) return;
    last = Date.now();
    const answer = await request(note.dataset.renew, new URLSearchParams());
    if (answer.ok) note.firstElementChild.textContent = answer.json.until;
    else if (answer.status === 409 && !signal.aborted) {
      listening.abort();
      clearInterval(looking);
      note.firstElementChild.className = "badge badge-warning";
      note.firstElementChild.textContent = answer.words;
      note.setAttribute("role", "status");
    }
  }
  const hear = () => { worked = Date.now(); renew(); };
  const reads = () => document.activeElement?.tagName === "IFRAME" && document.hasFocus() && Date.now() - worked < READING;
  const looking = setInterval(() => { if (reads()) renew(); }, PAUSE / 4);
  ["keydown", "pointerdown", "scroll", "input"].forEach((name) => document.addEventListener(name, hear, { passive: true, capture: true, signal }));
  window.addEventListener("blur", () => { if (document.activeElement?.tagName === "IFRAME") hear(); }, { signal });  // into the viewer
}

prepare((root) => {
  const note = root.querySelector("#lease[data-renew]");
  if (note) watch(note);
});
