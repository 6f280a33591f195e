// Show an attachment beside the fields of a case; where that is not possible, its link opens a new window, as without script.
import { $$, prepare } from "./page.js";

const room = matchMedia("(min-width: 1100px)");

function close(viewer) {
  viewer.hidden = true;
  viewer.querySelector(".viewer-body").replaceChildren();
  $$("a[data-beside][aria-current]").forEach((link) => { link.removeAttribute("aria-current"); link.focus(); });
}

function open(viewer, link) {
  const picture = link.dataset.beside.startsWith("image/"), shown = document.createElement(picture ? "img" : "iframe");
  shown.src = picture ? link.href : `${link.href}#navpanes=0&view=FitH`;  // parameters of Adobe's and Chromium's viewers
  shown[picture ? "alt" : "title"] = link.textContent;
  $$("a[data-beside]").forEach((other) => { other.removeAttribute("aria-current"); });
  link.setAttribute("aria-current", "true");
  viewer.querySelector("strong").textContent = link.textContent;
  viewer.querySelector("a").href = link.href;
  viewer.querySelector(".viewer-body").replaceChildren(shown);
  viewer.hidden = false;
}

// Focus the viewer: Enter on the link of the displayed file calls this; Esc closes the viewer.
function focusViewer(viewer) {
  const frame = viewer.querySelector("iframe");
  (frame || viewer.querySelector(".viewer-body")).focus();
}

prepare((root) => {
  const viewer = root.querySelector("#viewer");
  if (!viewer) return;
  viewer.querySelector("[data-close]").addEventListener("click", () => close(viewer));
  root.querySelector(".case-fields").addEventListener("click", (event) => {
    const link = event.target.closest("a[data-beside]");
    const apart = !room.matches || event.ctrlKey || event.metaKey || event.shiftKey;
    if (!link || apart || (link.dataset.beside === "application/pdf" && !navigator.pdfViewerEnabled)) return;
    event.preventDefault();
    if (link.ariaCurrent && !viewer.hidden) focusViewer(viewer);
    else open(viewer, link);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !viewer.hidden && viewer.isConnected && !event.defaultPrevented && !document.querySelector("dialog[open]")) close(viewer);
  });
});
