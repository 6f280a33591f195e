// The public verification page: the name of the chosen file in the language of the page.
const file = document.getElementById("file");
if (file) {
  const chosen = document.getElementById("file-chosen");
  const tell = () => { chosen.textContent = [...file.files].map((one) => one.name).join(); };
  file.addEventListener("change", tell);
  window.addEventListener("pageshow", tell); // a page brought back keeps the file
  tell();
}
