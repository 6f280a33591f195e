// The public verification page. Switching the language loads it again: number and check code are kept.
["number", "code"].map((id) => document.getElementById(id)).filter(Boolean).forEach((field) => {
  const key = `${field.id} before the other language`;
  field.value ||= sessionStorage.getItem(key) || "";
  sessionStorage.removeItem(key);
  document.querySelector(".language").addEventListener("click", () => sessionStorage.setItem(key, field.value));
});

// Show the name of the chosen file, in place of the browser's own button.
const file = document.getElementById("file");
if (file) {
  const chosen = document.getElementById("file-chosen");
  const tell = () => { chosen.textContent = [...file.files].map((one) => one.name).join(); };
  file.addEventListener("change", tell);
  window.addEventListener("pageshow", tell); // a page restored by 后退 still has the file
  tell();
}
