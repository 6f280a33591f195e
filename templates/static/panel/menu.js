// The menu on a phone; also on error pages, which have no dialogs and, besides this, only once.js.
const toggle = document.querySelector(".menu-toggle");
toggle?.addEventListener("click", () => {
  toggle.setAttribute("aria-expanded", String(document.body.classList.toggle("menu-open")));
});
