// What the screens need beyond plain HTML: one dialog, the toolbar, inline rows, uploads. No inline handlers (CSP).
(function () {
  "use strict";
  const ask = document.getElementById("ask");
  let changed = false;  // something typed is not saved yet
  let sending = 0, refused = 0, sent = false;  // files on their way, files refused; whether the form has left
  let queue = Promise.resolve();  // one after the other: the first file of a blank form decides which draft they belong to
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const token = () => document.querySelector("input[name=csrf_token]").value;

  // One dialog for every question: tells, asks, or asks for an opinion, a reason. Resolves to false, or to what was said.
  function dialog(words, { tell = false, opinion = false, grounds = false, reason = false, progress = false } = {}) {
    const part = (name) => ask.querySelector(`.ask-${name}`), text = ask.querySelector("textarea"), why = ask.querySelector("select");
    part("words").textContent = words;
    Object.entries({ opinion, grounds, reason, progress, no: !tell }).forEach(([name, shown]) => { part(name).hidden = !shown; });
    $$("input[type=checkbox]", ask).forEach((box) => { box.checked = false; });
    $$(".ask-lacking", ask).forEach((note) => { note.hidden = true; });
    ask.querySelector("[value=yes]").disabled = progress;
    text.value = why.value = "";
    ask.returnValue = "no";
    ask.showModal();
    return new Promise((resolve) => {
      const chosen = () => $$("input:checked", ask).map((box) => box.value);
      const guard = (event) => {
        const lacking = reason && !why.value ? why : opinion && !text.value.trim() && !chosen().length ? text : null;
        if (!lacking || !event.submitter || event.submitter.value !== "yes") return;
        event.preventDefault();
        $$(".ask-lacking", ask).forEach((note) => { note.hidden = note.parentElement !== lacking.parentElement; });
        lacking.focus();
      };
      ask.addEventListener("submit", guard);
      ask.addEventListener("close", () => {
        ask.removeEventListener("submit", guard);
        resolve(ask.returnValue === "yes" && !tell && { opinion: text.value, grounds: chosen(), reason: why.value });
      }, { once: true });
    });
  }

  function hidden(form, name, value) {
    const input = document.createElement("input");
    Object.assign(input, { type: "hidden", name, value });
    input.dataset.answer = "";
    form.append(input);
  }

  // Acts: a refused one explains itself; the others ask first, and post the page's one form.
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-act], button[data-ask]");
    if (!button || !button.form || button.type !== "submit") return;
    if (button.getAttribute("aria-disabled") === "true") {
      event.preventDefault();
      await dialog(button.title, { tell: true });
      return;
    }
    if (!button.dataset.ask) return;
    event.preventDefault();
    const opinion = "opinion" in button.dataset, reason = "reason" in button.dataset;
    const said = await dialog(button.dataset.ask, { opinion, reason, grounds: button.dataset.opinion === "refuse" });
    if (!said) return;
    $$("[data-answer]", button.form).forEach((input) => input.remove());
    if (opinion) hidden(button.form, "opinion", said.opinion);
    if (reason) hidden(button.form, "reason", said.reason);
    said.grounds.forEach((ground) => hidden(button.form, "ground", ground));
    button.form.requestSubmit(button);  // which is no click, and so asks no second time
  });

  // Toolbar: stands for the buttons of the ticked row (手册: 选中一条数据，点击界面上…按钮); 打印 takes many, in one file.
  const ticks = () => $$("input[name=pick]:checked"), all = document.getElementById("pick-all");
  const twin = (bar, tick) => tick.closest("tr").querySelector(`button[data-act=${bar.dataset.bar}]`);
  function refusal(bar) {  // why it cannot act on what is ticked, or ""
    const rows = ticks();
    if (!rows.length) return bar.dataset.none;
    if (rows.length > 1 && !bar.dataset.prepare) return bar.dataset.many;
    const row = rows.find((tick) => twin(bar, tick).getAttribute("aria-disabled") === "true");
    return !row ? "" : (rows.length > 1 ? `${row.closest("tr").querySelector(".number").textContent}：` : "") + twin(bar, row).title;
  }
  function refreshBar() {
    $$("[data-bar]").forEach((bar) => {
      bar.title = refusal(bar);
      bar.setAttribute("aria-disabled", String(Boolean(bar.title)));
    });
    $$("input[name=pick]").forEach((tick) => tick.closest("tr").classList.toggle("picked", tick.checked));
    if (all) all.checked = ticks().length > 0 && !document.querySelector("input[name=pick]:not(:checked)");
  }
  document.addEventListener("change", (event) => {
    if (event.target === all) $$("input[name=pick]").forEach((tick) => { tick.checked = all.checked; });
    if (event.target === all || event.target.name === "pick") refreshBar();
  });
  document.addEventListener("click", async (event) => {
    const bar = event.target.closest("[data-bar]");
    if (!bar) return;
    event.preventDefault();
    const refused = refusal(bar), rows = ticks();
    if (refused) dialog(refused, { tell: true });
    else if (rows.length === 1) twin(bar, rows[0]).click();
    else if (await prepared(bar.dataset.prepare, rows)) bar.form.requestSubmit(bar);
  });
  async function prepared(address, rows) {  // one paper after the other; the last click opens the window, or browsers block it
    const bar = ask.querySelector("progress"), count = bar.nextElementSibling, yes = ask.querySelector("[value=yes]");
    const tell = (words) => { ask.querySelector(".ask-words").textContent = words; };
    const said = dialog(ask.dataset.preparing, { progress: true });
    bar.max = rows.length;
    for (let done = 0; done <= rows.length; done++) {
      bar.value = done;
      count.textContent = `${done} / ${rows.length}`;
      const lost = done < rows.length && await post(address, { id: rows[done].value });
      if (!ask.open) return false;
      if (lost) { tell(`${ask.dataset.stopped}${lost}`); return said.then(() => false); }
    }
    tell(ask.dataset.prepared);
    yes.disabled = false;
    yes.focus();
    return said;
  }
  async function post(address, fields) {  // "" when done, else the sentence that says why not
    const body = new URLSearchParams({ csrf_token: token(), ...fields });
    try {
      const answer = await fetch(address, { method: "POST", body, headers: { "X-Requested-With": "XMLHttpRequest" } });
      return answer.ok ? "" : (await answer.json()).message;
    } catch { return ask.dataset.lost; }
  }
  if (all) all.hidden = false;
  refreshBar();

  // Selects that search as you type.
  const spoken = { formatNoMatches: () => ask.dataset.none, formatSearching: () => ask.dataset.searching };
  if (window.jQuery) {
    jQuery("select[data-role=select2]").each(function () {
      const blank = this.dataset.allowBlank === "1" && { allowClear: true, placeholder: " ", placeholderOption: "first" };
      jQuery(this).select2({ width: "100%", ...blank, ...spoken });
    });
    jQuery("input[data-role=select2-ajax]").each(function () {
      const now = JSON.parse(this.dataset.json || "null");
      this.removeAttribute("data-placeholder");
      jQuery(this).select2({ width: "100%", allowClear: this.dataset.allowBlank === "1", placeholder: " ", minimumInputLength: 0,
        ...spoken, formatLoadMore: spoken.formatSearching,
        initSelection: (_element, callback) => { if (now) callback({ id: now[0], text: now[1] }); },
        ajax: { url: this.dataset.url, quietMillis: 200,
          data: (query, page) => ({ query, offset: (page - 1) * 10, limit: 10 }),
          results: (rows) => ({ results: rows.map(([id, text]) => ({ id, text })), more: rows.length === 10 }) } });
    });
  }

  // Days: typed, or picked from a calendar in Chinese.
  if (window.jQuery) jQuery("input[data-role=datepicker]").daterangepicker({ singleDatePicker: true, format: "YYYY-MM-DD", showDropdowns: true,
    locale: { monthNames: ask.dataset.months.split(" "), daysOfWeek: ask.dataset.days.split(" "), firstDay: 1 } })
    .on("apply.daterangepicker", () => { changed = true; });

  // Inline rows: added from the <template>, deleted in place after a question.
  $$(".inline-rows").forEach((block) => {
    const body = block.querySelector("tbody"), name = block.dataset.name;
    let next = body.rows.length;
    const number = () => $$("tr", body).filter((row) => !row.hidden).forEach((row, i) => { row.cells[0].firstChild.data = `${i + 1}`; });
    function add() {
      const row = block.querySelector("template").content.cloneNode(true).querySelector("tr");
      const prefix = `${name}-${next++}`;
      row.id = prefix;
      row.cells[0].prepend(document.createTextNode(""));
      $$("[name]", row).forEach((field) => { const own = field.name; field.name = field.id = `${prefix}-${own}`; });
      body.append(row);
      number();
      return row;
    }
    block.querySelector("[data-add-row]").addEventListener("click", () => add().querySelector("input:not([type=hidden])").focus());
    block.addEventListener("click", async (event) => {
      const button = event.target.closest("[data-delete-row]");
      if (!button || !(await dialog(button.dataset.ask))) return;
      const row = button.closest("tr"), mark = row.querySelector("input[name^=del-]");
      if (mark) { mark.checked = true; row.hidden = true; } else row.remove();
      changed = true;
      number();
    });
    if (!body.rows.length) add();
  });

  // The application form: nothing typed is left by accident; files go up the moment they are chosen.
  const form = document.getElementById("application");
  if (form) {
    form.addEventListener("input", () => { changed = true; });
    form.addEventListener("change", (event) => { if (event.target.type !== "file") changed = true; });
    form.addEventListener("submit", async (event) => {
      if (sending || sent) event.preventDefault();
      if (sent) return;  // a double click
      if (sending) {  // files on their way arrive first; one that is refused is told, and nothing is left
        const before = refused;
        await queue;
        if (refused === before) form.requestSubmit(event.submitter);
        return;
      }
      changed = false;
      sent = true;
      setTimeout(() => { sent = false; }, 3000);  // the way may have been broken off
      $$("tr.inline-row", form).forEach(dropIfBlank);
    });
    window.addEventListener("beforeunload", (event) => { if (changed || sending) event.preventDefault(); });
    $$(".box", form).forEach(watch);
    const missing = document.getElementById("missing");
    if (missing) missing.focus();
    $$("#missing a").forEach((link) => link.addEventListener("click", (event) => {
      const stand = document.querySelector(`#s2id_${link.hash.slice(1)} .select2-focusser`);  // select2 hides the select itself
      if (stand) { event.preventDefault(); stand.focus(); }
    }));
  }

  function dropIfBlank(row) {
    const filled = $$("input:not([type=checkbox])", row).some((field) => field.value.trim());
    if (!filled) row.remove();
  }

  function born(answer) {  // the first file made a draft of a blank form: from now on this is its edit form
    if (form.dataset.id) return;
    form.dataset.id = answer.id;
    form.action = answer.edit;
    form.elements.version.value = answer.version;
    document.getElementById("auto-number").value = answer.number;
    history.replaceState(null, "", answer.edit);
  }

  function send(box, address, fields, progress) {
    const request = new XMLHttpRequest(), data = new FormData();
    Object.entries({ csrf_token: token(), id: form.dataset.id, kind: box.dataset.kind, ...fields }).forEach(([k, v]) => data.append(k, v));
    return new Promise((resolve) => {
      request.upload.addEventListener("progress", (e) => { if (progress && e.lengthComputable) progress(Math.round((100 * e.loaded) / e.total)); });
      request.addEventListener("load", () => {
        let answer = {};
        try { answer = JSON.parse(request.responseText); } catch { /* not ours: the sentence below says what to do */ }
        if (request.status === 200) { born(answer); box.querySelector(".box-files").innerHTML = answer.html; }
        resolve(request.status === 200 ? "" : answer.message || form.dataset.lost);
      });
      request.addEventListener("error", () => resolve(form.dataset.lost));
      request.open("POST", address);
      request.setRequestHeader("X-Requested-With", "XMLHttpRequest");
      request.send(data);
    });
  }

  function watch(box) {
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
      sending += files.length;
      files.forEach((file, i) => { queue = queue.then(() => upload(file, i === 0 ? old : null)); });
    }
    async function upload(file, old) {
      let words = form.dataset.tooLarge;
      if (file.size <= form.dataset.most * 1048576) {
        line.hidden = false;
        words = await send(box, form.dataset.upload, old ? { file, replaces: old } : { file }, (p) => { bar.value = p; percent.textContent = `${file.name} ${p}%`; });
        line.hidden = true;
      }
      sending -= 1;
      if (words) { refused += 1; error.hidden = false; error.textContent = words; }
    }
    box.addEventListener("click", async (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      if (button.dataset.replace) { replaces = button.dataset.replace; chooser.click(); }
      if (button.dataset.remove && (await dialog(button.dataset.ask))) {
        const words = await send(box, form.dataset.remove, { attachment: button.dataset.remove });
        error.hidden = !words;
        error.textContent = words;
      }
    });
  }

  $$("form.import input[type=file]").forEach((chooser) => chooser.addEventListener("change", () => {
    if (chooser.files.length) chooser.previousElementSibling.textContent = chooser.files[0].name;
  }));

  // Success fades; failure stays.
  setTimeout(() => $$(".alert-success").forEach((note) => note.classList.add("faded")), 5000);
  const toggle = document.querySelector(".menu-toggle");
  if (toggle) toggle.addEventListener("click", () => {
    toggle.setAttribute("aria-expanded", String(document.body.classList.toggle("menu-open")));
  });
})();
