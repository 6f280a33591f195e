// The opinion on the page of a case: saved on the server while it is typed, and in sessionStorage until the server has it, because
// a reload requests the page before pagehide. A click on one of 常用意见 inserts it and sends nothing.
import { $$, prepare, request, token } from "./page.js";
import { insert } from "./insert.js";

const PAUSE = 1000, SHORT = 60_000;  // milliseconds: pause in typing before saving; age up to which the text of sessionStorage counts as newer

function watch(panel) {
  const text = panel.querySelector("textarea"), note = panel.querySelector("#opinion-note"), address = panel.dataset.typed;
  const own = `opinion ${document.body.dataset.account} ${address}`;
  let due = 0;
  const grounds = $$("[name=ground]", panel), ticked = () => grounds.filter((box) => box.checked).map((box) => box.value);
  const body = () => {
    const sent = new URLSearchParams({ opinion: text.value });
    ticked().forEach((ground) => sent.append("ground", ground));
    return sent;
  };
  const shown = () => JSON.stringify([text.value, ticked()]);
  async function keep() {
    due = 0;
    const sent = shown(), answer = await request(address, body());
    if (answer.ok && sent === shown()) sessionStorage.removeItem(own);
    note.classList.toggle("error", !answer.ok);
    note.textContent = !answer.ok ? (answer.json ? answer.words : note.dataset.lost) : answer.json.at ? note.dataset.at.replace("{at}", answer.json.at) : "";
  }
  function leave() {  // the page is being left: no answer could be received
    if (!due || !panel.isConnected) return;
    clearTimeout(due);
    due = 0;
    const last = body();
    last.set("csrf_token", token());
    navigator.sendBeacon(address, last);
  }
  panel.addEventListener("input", () => {
    sessionStorage.setItem(own, JSON.stringify({ at: Date.now(), words: text.value, chosen: ticked() }));
    clearTimeout(due);
    due = setTimeout(keep, PAUSE);
  });
  panel.addEventListener("click", (event) => {
    const sentence = event.target.closest(".decision-stock button");
    if (sentence) insert(text, sentence.textContent);
  });
  document.getElementById("act").addEventListener("submit", () => { clearTimeout(due); due = 0; sessionStorage.removeItem(own); });
  window.addEventListener("pagehide", leave);
  const { at = 0, words = "", chosen = [] } = JSON.parse(sessionStorage.getItem(own) || "{}");
  if (Date.now() - at > SHORT) return;
  text.value = words;
  grounds.forEach((box) => { box.checked = chosen.includes(box.value); });
  if (chosen.length) panel.querySelector(".decision-grounds").open = true;
  keep();
}

prepare((root) => {
  const panel = root.querySelector("#decision");
  if (panel) watch(panel);
});
