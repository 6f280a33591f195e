// The login page: renew and speak the 验证码, show the password.
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

// Switching the language loads the page again: the typed user name is kept, a password never.
const username = document.getElementById("username");
if (username) {
  const key = "username before the other language";
  username.value ||= sessionStorage.getItem(key) || "";
  sessionStorage.removeItem(key);
  document.querySelector(".language").addEventListener("click", () => sessionStorage.setItem(key, username.value));
}

const picture = document.getElementById("picture");
if (picture) {
  const LIFE = 110 * 1000; // milliseconds, a little less than the server allows
  const code = document.getElementById("code");
  const status = document.getElementById("captcha-status");
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
    status.textContent = "";
    setTimeout(() => { status.textContent = status.dataset.renewed; }, 100); // screen readers announce a change, not the same text again
  };
  const look = () => { if (stale && !document.hidden) renew(); };
  due = setTimeout(() => { stale = true; look(); }, LIFE);
  document.addEventListener("visibilitychange", look);

  picture.closest("form").querySelector(".ways").hidden = false; // not nextElementSibling: an error may stand between
  document.getElementById("another").addEventListener("click", () => { renew(); code.focus(); });
  document.getElementById("listen").addEventListener("click", () => {
    voice.src = voice.dataset.src + "?" + Date.now();
    voice.play();
    code.focus();
  });
  window.addEventListener("pageshow", (event) => { if (event.persisted) renew(); });
}
