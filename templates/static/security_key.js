// Security keys and passkeys (WebAuthn): a form with data-key is submitted with the key's answer in `credential`.
const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const described = (keys) => (keys || []).map((key) => ({ ...key, id: bytes(key.id) }));

// The server's options with base64url decoded to bytes, as the browser expects them.
function readable(options) {
  const read = { ...options, challenge: bytes(options.challenge) };
  if (options.user) read.user = { ...options.user, id: bytes(options.user.id) };
  if (options.excludeCredentials) read.excludeCredentials = described(options.excludeCredentials);
  if (options.allowCredentials) read.allowCredentials = described(options.allowCredentials);
  return read;
}

// The answer of a key as JSON: RegistrationResponseJSON or AuthenticationResponseJSON of WebAuthn Level 3.
function written({ id, rawId, type, response }) {
  const parts = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  const filled = parts.filter((part) => response[part]);
  return JSON.stringify({ id, rawId: text(rawId), type, response: Object.fromEntries(filled.map((part) => [part, text(response[part])])) });
}

// Use a key: `kind` is "create" or "get", `options` the server's JSON. Resolves to the answer as JSON.
export async function askKey(kind, options) {
  return written(await navigator.credentials[kind]({ publicKey: readable(options) }));
}

async function optionsFor(form) {
  const body = new URLSearchParams({ csrf_token: form.elements.csrf_token.value });
  const answer = await fetch(form.dataset.options, { method: "POST", body, headers: { Accept: "application/json", "X-Requested-With": "XMLHttpRequest" } });
  const json = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(json.message), { words: json.message });
  return json;
}

function wordsOf(error, { dataset }) {
  return error.words || { NotAllowedError: dataset.cancelled, AbortError: dataset.cancelled, InvalidStateError: dataset.known }[error.name] || dataset.failed;
}

// Why WebAuthn is not available on this page, as nodes to show; null if it is available.
function hindrance({ dataset }) {
  if (dataset.origin !== location.origin) {
    const link = document.createElement("a");
    link.href = link.textContent = dataset.origin + location.pathname;
    return [dataset.elsewhere, link];
  }
  return window.PublicKeyCredential ? null : [dataset.unsupported];
}

function prepare(form) {
  const state = form.querySelector("[data-key-state]"), button = form.querySelector("[type=submit]");
  const tell = (words, bad) => { state.textContent = words; state.classList.toggle("bad", bad); };
  const why = hindrance(form);
  if (why) {
    state.replaceChildren(...why);
    button.disabled = true;
    return;
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.inert) return;
    form.inert = true;
    tell(form.dataset.waiting, false);
    try {
      form.elements.credential.value = await askKey(form.dataset.key, await optionsFor(form));
      form.submit();
    } catch (error) {
      tell(wordsOf(error, form), true);
      form.inert = false;
      button.focus();
    }
  });
}

document.querySelectorAll("form[data-key]").forEach(prepare);
