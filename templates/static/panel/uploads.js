import { dialog } from "./dialog.js";
import { state, token } from "./page.js";

let queue = Promise.resolve();  // one after the other: the first file of a blank form decides which draft they belong to
export const arrived = () => queue;

function born(form, answer) {  // the first file made a draft of a blank form: from now on this is its edit form
  if (form.dataset.id) return;
  form.dataset.id = answer.id;
  form.action = answer.edit;
  form.elements.version.value = answer.version;
  document.getElementById("auto-number").value = answer.number;
  history.replaceState(null, "", answer.edit);
}

function send(form, box, address, fields, progress) {
  const request = new XMLHttpRequest(), data = new FormData();
  Object.entries({ csrf_token: token(), id: form.dataset.id, kind: box.dataset.kind, ...fields }).forEach(([k, v]) => data.append(k, v));
  return new Promise((resolve) => {
    request.upload.addEventListener("progress", (e) => { if (progress && e.lengthComputable) progress(Math.round((100 * e.loaded) / e.total)); });
    request.addEventListener("load", () => {
      let answer = {};
      try { answer = JSON.parse(request.responseText); } catch { /* not ours: the sentence below says what to do */ }
      if (request.status === 200) { born(form, answer); box.querySelector(".box-files").innerHTML = answer.html; }
      resolve(request.status === 200 ? "" : answer.message || form.dataset.lost);
    });
    request.addEventListener("error", () => resolve(form.dataset.lost));
    request.open("POST", address);
    request.setRequestHeader("X-Requested-With", "XMLHttpRequest");
    request.send(data);
  });
}

export function watch(form, box) {
  const chooser = box.querySelector("input[type=file]"), line = box.querySelector(".progress-line");
  const error = box.querySelector(".note.error"), bar = line.querySelector("progress"), percent = line.querySelector("span");
  let replaces = null;
  chooser.addEventListener("change", taken);
  if (chooser.files.length) taken();  // chosen before this script was there to hear it
  function taken() {
    const files = [...chooser.files], old = replaces;
    chooser.value = "";
    replaces = null;
    error.hidden = true;
    state.sending += files.length;
    files.forEach((file, i) => { queue = queue.then(() => upload(file, i === 0 ? old : null)); });
  }
  async function upload(file, old) {
    let words = form.dataset.tooLarge;
    if (file.size <= form.dataset.most * 1048576) {
      line.hidden = false;
      words = await send(form, box, form.dataset.upload, old ? { file, replaces: old } : { file }, (p) => { bar.value = p; percent.textContent = `${file.name} ${p}%`; });
      line.hidden = true;
    }
    state.sending -= 1;
    if (words) { state.refused += 1; error.hidden = false; error.textContent = words; }
  }
  box.addEventListener("click", async (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.replace) { replaces = button.dataset.replace; chooser.click(); }
    if (button.dataset.remove && (await dialog(button.dataset.ask))) {
      const words = await send(form, box, form.dataset.remove, { attachment: button.dataset.remove });
      error.hidden = !words;
      error.textContent = words;
    }
  });
}
