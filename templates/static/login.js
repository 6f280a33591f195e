/* The login page: another 验证码, the spoken one, and a password that can be looked at. */
document.querySelectorAll("[data-shows]").forEach((button) => {
  const field = document.getElementById(button.dataset.shows);
  button.hidden = false;
  button.addEventListener("click", () => {
    const shown = field.type === "password";
    field.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", shown);
    field.focus();
  });
});

const picture = document.getElementById("picture");
if (picture) {
  const LIFE = 110 * 1000; // a little less than the server allows, so that what is shown is never too old
  const code = document.getElementById("code");
  const told = document.getElementById("told");
  const voice = document.getElementById("voice");
  const first = picture.getAttribute("src");
  let due, stale;

  const renew = () => {
    clearTimeout(due);
    due = setTimeout(() => { stale = true; look(); }, LIFE);
    stale = false;
    voice.pause();
    code.value = "";
    picture.src = first + "&" + Date.now();
    told.textContent = "";
    setTimeout(() => { told.textContent = told.dataset.renewed; }, 100); // a change is read out, a repetition is not
  };
  const look = () => { if (stale && !document.hidden) renew(); };
  due = setTimeout(() => { stale = true; look(); }, LIFE);
  document.addEventListener("visibilitychange", look);

  picture.closest("form").querySelector(".ways").hidden = false; // a sentence may stand before it
  document.getElementById("another").addEventListener("click", () => { renew(); code.focus(); });
  document.getElementById("listen").addEventListener("click", () => {
    voice.src = voice.dataset.src + "?" + Date.now();
    voice.play();
    code.focus();
  });
  window.addEventListener("pageshow", (event) => { if (event.persisted) renew(); });
}
