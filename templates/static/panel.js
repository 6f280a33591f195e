// What the screens need beyond plain HTML, served as panel/all.js (views/entrance/joined_files.py). No inline handlers (CSP).
import "./panel/acts.js";
import "./panel/submit.js";
import "./panel/toolbar.js";
import "./panel/combobox.js";
import "./panel/calendar.js";
import "./panel/rows.js";
import "./panel/entrustment.js";
import "./panel/grid.js";
import "./panel/paste.js";
import "./panel/form.js";
import "./panel/autosave.js";
import "./panel/viewer.js";
import "./panel/decision.js";
import "./panel/lease.js";
import "./panel/notices.js";
import "./panel/waiting.js";
import "./security_key.js";
