// The REST API and the server's fragments, as the pages use them.

/** What the server refused or could not do, in words for people. `code` is "offline" when nothing answered;
    `more` is the whole problem as the server sent it. */
export class Problem extends Error {
  constructor({ status = 0, code = "unknown", detail = "", action = "", more = {} } = {}) {
    super([detail, action].filter(Boolean).join(" "));
    Object.assign(this, { status, code, detail, action, more });
  }
}

const OFFLINE = { code: "offline", detail: "No connection to Pressroom.", action: "Try it again when the line is back." };
// Somebody waits no longer than this for an answer, in ms: a wire that was cut without a word would never give one.
const LONGEST = { GET: 20e3, POST: 90e3 };
const LONGEST_OTHER = 30e3;
const SHORT = 20e3; // characters
const MOST_ROWS = 50; // of one request for a selection
const cookie = name => document.cookie.split("; ").find(part => part.startsWith(`${name}=`))?.slice(name.length + 1) ?? "";
// crypto.randomUUID needs HTTPS; a desk on a local network may have plain HTTP.
const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16).padStart(2, "0")).join("");

function unanswered() {
  dispatchEvent(new CustomEvent("line:doubt"));
  return new Problem(OFFLINE);
}

async function send(path, options) {
  const signal = AbortSignal.timeout(LONGEST[options.method ?? "GET"] ?? LONGEST_OTHER);
  try { return await fetch(path, { ...options, signal }); } catch { throw unanswered(); }
}

export async function problemOf(response) {
  const body = await response.json().catch(() => ({}));
  const detail = body.detail || `Pressroom answered ${response.status} and said no more.`;
  return new Problem({ status: response.status, code: body.code, detail, action: body.action, more: body });
}

// Refusals that mean "in a moment": the first request with the same key still runs, or others' pictures come first.
const SOON = new Set(["idempotency_in_progress", "decoder_busy", "fetch_busy", "fetch_underway"]);
const SOON_TRIES = 10;
const seconds = count => new Promise(rest => { setTimeout(rest, 1000 * count); });

/** What is refused for a moment only is asked again, a few times. */
async function answered(path, options) {
  for (let left = SOON_TRIES; ; left -= 1) {
    const response = await send(path, options);
    if (response.ok) return response;
    const problem = await problemOf(response);
    if (!SOON.has(problem.code) || left === 0) throw problem;
    await seconds(1);
  }
}

/** One call of the REST API. A POST carries an idempotency key, so that trying again after a lost answer is safe;
    two tabs that send the same `key` make one thing and get one answer. */
export async function api(method, path, body, { key = newKey() } = {}) {
  const headers = { Accept: "application/json", "X-CSRFToken": cookie("csrftoken") };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method === "POST") headers["Idempotency-Key"] = key;
  const sent = body === undefined ? undefined : JSON.stringify(body);
  // What was pressed goes on though the page is left; browsers allow that for what is short.
  const options = { method, headers, credentials: "same-origin", body: sent, keepalive: method === "POST" && (sent ?? "").length < SHORT };
  const response = await answered(path, options).catch(problem => (method === "POST" && problem.code === OFFLINE.code ? answered(path, options) : Promise.reject(problem)));
  return response.status === 204 ? null : response.json();
}

/** A selection of rows in parts that the API takes. */
export const parts = ids => Array.from({ length: Math.ceil(ids.length / MOST_ROWS) }, (_, at) => ids.slice(at * MOST_ROWS, (at + 1) * MOST_ROWS));

/** A server-rendered fragment. A session that has ended leads to the sign-in page, so the whole page goes there. */
export async function fragment(path) {
  const response = await send(path, { headers: { Accept: "text/html", "X-Fragment": "1" }, credentials: "same-origin" });
  if (response.redirected && new URL(response.url).pathname === "/signin") { location.reload(); return null; }
  if (response.status === 404 || response.status === 410) return null;
  if (!response.ok) throw new Problem({ status: response.status, detail: `Pressroom answered ${response.status}.` });
  const text = await response.text().catch(() => { throw unanswered(); });
  return new DOMParser().parseFromString(text, "text/html").body;
}

/** Uploads one picture; `onProgress(sent, total)` in bytes. */
export async function upload(file, onProgress = () => {}) {
  for (let left = SOON_TRIES; ; left -= 1) {
    try { return await uploadOnce(file, onProgress); } catch (problem) { if (!SOON.has(problem.code) || left === 0) throw problem; }
    await seconds(2);
  }
}

/** fetch() cannot tell how much was sent, so this is an XHR. */
function uploadOnce(file, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/api/assets");
    request.setRequestHeader("X-CSRFToken", cookie("csrftoken"));
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.upload.onprogress = event => onProgress(event.loaded, event.total);
    request.onerror = () => reject(unanswered());
    request.onload = () => (request.status < 300 ? resolve(request.response) : reject(new Problem({ status: request.status, ...request.response })));
    const form = new FormData();
    form.append("file", file, file.name);
    request.send(form);
  });
}

/** At most `width` of the tasks run at once; each result is {ok, value|error}. */
export async function few(items, width, task) {
  const line = [...items.entries()], results = [];
  const work = async () => {
    for (let next = line.shift(); next; next = line.shift()) {
      const [index, item] = next;
      results[index] = await task(item, index).then(value => ({ ok: true, value }), error => ({ ok: false, error }));
    }
  };
  await Promise.all(Array.from({ length: width }, work));
  return results;
}
