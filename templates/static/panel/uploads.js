// 附件: upload files as soon as they are chosen, with progress, retry, replacement and removal.
import { dialog } from "./dialog.js";
import { $$, joined, state } from "./page.js";
import { send } from "./send.js";
import { removeLine } from "../wrong.js";

// Uploads run one after the other: the first file of a blank form creates the draft for the others.
let queue = Promise.resolve();
// Resolves when all queued work is done.
export const arrived = () => queue;
// Queue the async function `work`; resolves to its result.
export const inTurn = (work) => { const done = queue.then(work); queue = done.catch(() => {}); return done; };

const hidden = (name, value) => Object.assign(document.createElement("input"), { type: "hidden", name, value });

// Save a blank form as a draft, if that was not done yet. Resolves to null, or to the answer that failed, as of request().
export async function ensureDraft(form) {
  if (form.dataset.id) return null;
  const body = new URLSearchParams(new FormData(form));
  body.append("_quiet", "1");
  state.changed = false;
  const answer = await send(form.action, body), draft = answer.json;
  if (!answer.ok) {
    state.changed = true;
    return answer;
  }
  form.dataset.id = draft.id;
  form.action = draft.edit;
  ["version", "last_entry"].forEach((name) => { form.elements[name].value = draft[name]; });
  document.getElementById("auto-number").value = draft.number;
  Object.entries(draft.carriers).forEach(([row, id]) => {
    const key = form.elements[`${row}-id`];
    if (key) key.value = id; else form.append(hidden(`${row}-id`, id), hidden(`del-${row}`, "on"));  // deleted meanwhile: 保存 does so, too
  });
  history.replaceState(null, "", draft.edit);
  await fillIn(form);
  return null;
}

// Fetch the page of the new draft, and copy its heading, progress, grey fields, stars and buttons; typed values stay.
async function fillIn(form) {
  const reply = await fetch(form.action).catch(() => null);
  if (!reply?.ok) return;  // the next page load shows them
  const text = await reply.text().catch(() => "");
  const page = new DOMParser().parseFromString(text, "text/html"), there = page.getElementById(form.id);
  if (!there) return;
  document.querySelector("h1").replaceChildren(...page.querySelector("h1").childNodes);
  $$("input[id^=auto-]", there).forEach(({ id, value }) => { document.getElementById(id).value = value; });
  $$(".box", there).forEach((box) => document.querySelector(`#${box.id} h3`).replaceChildren(...box.querySelector("h3").childNodes));
  form.before(...$$(".steps, .alert", page));
  form.querySelector("[name=_submit]").dataset.ask = there.querySelector("[name=_submit]").dataset.ask;
  form.querySelector(".foot a").before(...$$(".foot [data-act]", there));
}

function fieldsOf(form, box, fields) {
  const data = new FormData();
  Object.entries({ id: form.dataset.id, kind: box.dataset.kind, ...fields }).forEach(([k, v]) => data.append(k, v));
  return data;
}

// The line of one file with its name, progress, and an error until it is dismissed or the upload is retried.
function lineOf(box, name, retry) {
  const list = box.querySelector(".uploads"), line = document.getElementById("upload-line").content.firstElementChild.cloneNode(true);
  const part = (selector) => line.querySelector(selector), error = part(".error");
  $$(".upload-line", list).filter((other) => other.dataset.done && other.dataset.name === name).forEach((other) => other.remove());
  line.dataset.name = part(".upload-name").textContent = name;
  const leave = () => { line.remove(); box.querySelector("input[type=file]").focus(); };  // or the focus would be lost
  part("[data-dismiss]").addEventListener("click", leave);
  part("[data-retry]").addEventListener("click", () => { leave(); retry(); });
  list.append(line);
  return {
    done: () => line.remove(),
    progress: (percent) => { part("progress").value = percent; part(".progress-line span").textContent = `${percent}%`; },
    fail: (words, again) => {  // also for a note about a file that was uploaded
      line.dataset.done = "1";
      part(".progress-line").hidden = true;
      error.hidden = part("[data-dismiss]").hidden = false;
      part("[data-retry]").hidden = !again;
      error.textContent = words;
    },
  };
}

// A file dropped outside a box would be opened by the browser in place of the form.
const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
["dragover", "drop"].forEach((name) => document.addEventListener(name, (event) => {
  if (!carriesFiles(event) || !document.querySelector("#application")) return;
  event.preventDefault();
  if (name === "dragover") event.dataTransfer.dropEffect = event.target.closest?.(".box") ? "copy" : "none";
}));

// Handle choosing, dropping, replacing and removing files in one box.
export function watch(form, box) {
  const chooser = box.querySelector("input[type=file]");
  let replaces = null;
  chooser.addEventListener("change", addChosen);
  chooser.addEventListener("keydown", (event) => {  // it looks like a button, so that Enter must press it
    if (event.key === "Enter") { event.preventDefault(); chooser.click(); }
  });
  chooser.addEventListener("cancel", () => { replaces = null; });
  if (chooser.files.length) addChosen();  // chosen before this script was loaded
  box.addEventListener("dragover", (event) => { if (carriesFiles(event)) box.classList.add("over"); });
  box.addEventListener("dragleave", (event) => { if (!box.contains(event.relatedTarget)) box.classList.remove("over"); });
  box.addEventListener("drop", ({ dataTransfer }) => {
    box.classList.remove("over");
    replaces = null;
    [...dataTransfer.files].forEach((file) => enqueue(file, null));
  });
  function addChosen() {
    const files = [...chooser.files], old = replaces;
    chooser.value = "";
    replaces = null;
    files.forEach((file, i) => enqueue(file, i === 0 ? old : null));
  }
  function enqueue(file, old) {
    const line = lineOf(box, file.name, () => enqueue(file, old));
    state.sending += 1;
    const lost = () => refuse(line, form.dataset.lost, true);  // an error that nobody foresaw must not stop the files after it
    queue = queue.then(() => upload(file, old, line)).catch(lost).finally(() => { state.sending -= 1; });
  }
  async function upload(file, old, line) {
    if (file.size > form.dataset.most * 1048576) return refuse(line, form.dataset.tooLarge, false);
    const unsaved = await ensureDraft(form);
    if (unsaved) return refuse(line, joined(unsaved.status === 409 && form.dataset.notSaved, unsaved.words), true);
    const answer = await send(form.dataset.upload, fieldsOf(form, box, old ? { file, replaces: old } : { file }), line.progress);
    if (!answer.ok) return refuse(line, answer.status ? answer.words : form.dataset.lost, !answer.status || answer.status === 429 || answer.status >= 500);
    list(answer.json.html);
    box.classList.remove("wrong");  // the missing file is here now
    removeLine(box.id);
    if (answer.json.note) line.fail(answer.json.note, false); else line.done();
  }
  function list(html) {
    const files = box.querySelector(".box-files"), focused = files.contains(document.activeElement);
    files.innerHTML = html;
    if (focused) chooser.focus();
  }
  function refuse(line, words, again) { state.refused += 1; line.fail(words, again); }
  box.addEventListener("click", async (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.replace) { replaces = button.dataset.replace; chooser.click(); }
    if (button.dataset.remove && (await dialog(button.dataset.ask))) {
      const answer = await send(form.dataset.remove, fieldsOf(form, box, { attachment: button.dataset.remove }));
      if (answer.ok) list(answer.json.html);
      else lineOf(box, button.closest("li").querySelector("a").textContent).fail(answer.words, false);
      chooser.focus();
    }
  });
}
