// The opinion beside a case: kept on the server as it is typed, and in the tab until the server has it: a reload asks for the
// page before it lets go of the old one. 常用意见 are put in by a click, and never send anything.
import { prepare, request, token } from "./page.js";
import { insert } from "./insert.js";

const PAUSE = 1000, SHORT = 60_000;  // milliseconds without a key before it is kept; for how long the tab's text is newer

function watch(panel) {
  const text = panel.querySelector("textarea"), note = panel.querySelector("#opinion-note"), address = panel.dataset.typed;
  const own = `opinion ${document.body.dataset.account} ${address}`;
  let due = 0;
  const body = () => {
    const sent = new URLSearchParams({ opinion: text.value });
    panel.querySelectorAll("[name=ground]:checked").forEach((box) => sent.append("ground", box.value));
    return sent;
  };
  async function keep() {
    due = 0;
    const said = text.value, answer = await request(address, body());
    if (answer.ok && said === text.value) sessionStorage.removeItem(own);
    note.classList.toggle("error", !answer.ok);
    note.textContent = !answer.ok ? (answer.json ? answer.words : note.dataset.lost) : answer.json.at ? note.dataset.at.replace("{at}", answer.json.at) : "";
  }
  function leave() {  // the page goes, and an answer would come too late
    if (!due) return;
    clearTimeout(due);
    due = 0;
    const last = body();
    last.set("csrf_token", token());
    navigator.sendBeacon(address, last);
  }
  panel.addEventListener("input", () => {
    sessionStorage.setItem(own, JSON.stringify({ at: Date.now(), said: text.value }));
    clearTimeout(due);
    due = setTimeout(keep, PAUSE);
  });
  panel.addEventListener("click", (event) => {
    const sentence = event.target.closest(".decision-stock button");
    if (sentence) insert(text, sentence.textContent);
  });
  document.getElementById("act").addEventListener("submit", () => { clearTimeout(due); due = 0; sessionStorage.removeItem(own); });
  window.addEventListener("pagehide", leave);
  const { at = 0, said } = JSON.parse(sessionStorage.getItem(own) || "{}");
  if (Date.now() - at > SHORT) return;
  text.value = said;
  keep();
}

prepare((root) => {
  const panel = root.querySelector("#decision");
  if (panel) watch(panel);
});
