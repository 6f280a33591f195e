// What every part of the panel stands on.
export const ask = document.getElementById("ask");
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
export const token = () => document.querySelector("input[name=csrf_token]").value;

// Whether the form holds what is not saved yet, and how many files are on their way or were refused.
export const state = { changed: false, sending: 0, refused: 0 };

export async function post(address, fields) {  // "" when done, else the sentence that says why not
  const body = new URLSearchParams({ csrf_token: token(), ...fields });
  try {
    const answer = await fetch(address, { method: "POST", body, headers: { "X-Requested-With": "XMLHttpRequest" } });
    return answer.ok ? "" : (await answer.json()).message;
  } catch { return ask.dataset.lost; }
}
