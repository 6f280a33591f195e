// The menu on a phone; the only script of error pages, whose page has no dialogs.
const toggle = document.querySelector(".menu-toggle");
toggle?.addEventListener("click", () => {
  toggle.setAttribute("aria-expanded", String(document.body.classList.toggle("menu-open")));
});
