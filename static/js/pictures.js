// The dialogs that choose pictures: a row's target, a row's references, the workspace's default references.
import { api, few, upload } from "./api.js";
import { open } from "./dialogs.js";
import { append, refresh } from "./rows.js";
import { announce, sayIn } from "./say.js";

const workspace = document.body.dataset.workspace;
const nameOf = url => decodeURIComponent(new URL(url, location.href).pathname.split("/").pop() || url).slice(0, 120);

/** Makes a row of one target and shows it. */
export async function addRow(targetUrl, label) {
  const made = await api("POST", `/api/workspaces/${workspace}/rows`, { targetUrl, label: label.slice(0, 120) });
  await append(made.id);
}

/** How much of a picture was sent. All of it: striped, while the server looks at it. */
export function showSent(bar, sent, total) {
  bar.hidden = false;
  bar.max = total;
  if (sent < total) bar.value = sent; else bar.removeAttribute("value");
}

// ---- one picture: the target of a new row, or of one that is there
export function openPicture(row = null) {
  const dialog = open("picture"), form = dialog.querySelector("form"), bar = form.querySelector("[data-upload-bar]");
  form.reset();
  sayIn(form);
  bar.hidden = true;
  dialog.querySelector("h2").textContent = row ? "Replace the target" : "Add a row";
  form.querySelector("[data-word]").textContent = row ? "Use this picture" : "Add the row";
  form.onsubmit = event => { event.preventDefault(); usePicture(row, dialog, form, bar); };
}

async function chosen(form, bar) {
  const file = form.elements.file.files[0], url = form.elements.url.value.trim();
  if (!file && !url) throw new Error("Choose a picture or give its address.");
  if (!file) return [url, nameOf(url)];
  showSent(bar, 0, file.size);
  const asset = await upload(file, (sent, total) => showSent(bar, sent, total));
  return [asset.url, file.name];
}

async function usePicture(row, dialog, form, bar) {
  const submit = form.querySelector("[data-word]");
  if (submit.getAttribute("aria-disabled") === "true") return;
  submit.setAttribute("aria-disabled", "true");
  try {
    const [url, label] = await chosen(form, bar);
    if (row) { await api("PATCH", `/api/rows/${row.dataset.row}`, { targetUrl: url, label: label.slice(0, 120) }); await refresh(row.dataset.row); } else await addRow(url, label);
    dialog.close();
    announce(row ? "The target was replaced." : "The row was added at the end.");
  } catch (problem) { bar.hidden = true; sayIn(form, problem); }
  submit.removeAttribute("aria-disabled");
}

// ---- several: references
const state = { urls: [] };
const thumb = url => (/\/media\/(assets|images)\/[0-9a-f-]{36}/.exec(url)?.[0] ?? "") && `${/\/media\/(assets|images)\/[0-9a-f-]{36}/.exec(url)[0]}/thumbnail`;

function draw(dialog) {
  const place = dialog.querySelector("[data-ref-list]");
  place.replaceChildren(...state.urls.map((url, index) => {
    const item = document.createElement("li"), button = document.createElement("button");
    Object.assign(button, { type: "button", className: "tile", title: `Remove ${nameOf(url)}` });
    button.setAttribute("aria-label", `Reference ${index + 1}: remove it`);
    if (thumb(url)) { const image = new Image(54, 54); Object.assign(image, { src: thumb(url), alt: "" }); button.append(image); } else button.append(Object.assign(document.createElement("span"), { className: "thumb-wait", textContent: nameOf(url).slice(0, 6) }));
    button.append(Object.assign(document.createElement("span"), { className: "tile-x", textContent: "×", ariaHidden: "true" }));
    button.addEventListener("click", () => { state.urls.splice(index, 1); draw(dialog); dialog.querySelector("[data-ref-list] button")?.focus(); });
    item.append(button);
    return item;
  }));
}

function show(dialog, kind) {
  const own = kind === "own";
  dialog.querySelector("[data-ref-list]").hidden = !own;
  dialog.querySelector("[data-ref-add]").hidden = !own;
}

async function addFiles(dialog, input) {
  const files = [...input.files], bar = dialog.querySelector("[data-upload-bar]"), shares = files.map(() => 0);
  const show = () => showSent(bar, shares.reduce((sum, one) => sum + one, 0), files.length);
  input.value = "";
  show();
  const results = await few(files, 2, (file, index) => upload(file, (sent, total) => { shares[index] = sent / total; show(); }));
  bar.hidden = true;
  state.urls.push(...results.filter(result => result.ok).map(result => result.value.url));
  sayIn(dialog, results.find(result => !result.ok)?.error);
  draw(dialog);
}

function addUrl(dialog, input) {
  if (!input.value.trim() || !input.reportValidity()) return;
  state.urls.push(input.value.trim());
  input.value = "";
  draw(dialog);
}

/** References of a row, or with no row the workspace's default ones; `save(urls|null)` says what to do with them. */
function edit({ title, kinds, kind, urls, save }) {
  const dialog = open("references"), form = dialog.querySelector("form");
  state.urls = [...urls];
  sayIn(form);
  dialog.querySelector("h2").textContent = title;
  dialog.querySelector("[data-ref-kinds]").hidden = !kinds;
  form.elements.kind.value = kind;
  show(dialog, kind);
  draw(dialog);
  form.onchange = event => { if (event.target.name === "kind") show(dialog, form.elements.kind.value); };
  dialog.querySelector("#ref-file").onchange = event => addFiles(dialog, event.target);
  dialog.querySelector("[data-ref-url]").onclick = () => addUrl(dialog, dialog.querySelector("#ref-url"));
  form.onsubmit = async event => {
    event.preventDefault();
    addUrl(dialog, dialog.querySelector("#ref-url"));
    try { await save({ default: null, none: [], own: state.urls }[form.elements.kind.value]); dialog.close(); } catch (problem) { sayIn(form, problem); }
  };
}

export function openReferences(row) {
  const own = JSON.parse(row.dataset.refs), kind = own === null ? "default" : own.length ? "own" : "none";
  edit({
    title: "References of this row", kinds: true, kind, urls: own ?? JSON.parse(row.dataset.defaultRefs),
    save: async urls => { await api("PATCH", `/api/rows/${row.dataset.row}`, { refUrls: urls }); await refresh(row.dataset.row); },
  });
}

export function openDefaultReferences(urls) {
  edit({
    title: "Default references", kinds: false, kind: "own", urls,
    save: async chosenUrls => { await api("PATCH", `/api/workspaces/${workspace}`, { defaultRefUrls: chosenUrls }); location.reload(); },
  });
}

export function startPictures() {
  addEventListener("click", event => {
    if (event.target.closest("[data-picture=new]")) openPicture();
    const opener = event.target.closest("[data-act=default-references]");
    if (opener) openDefaultReferences(JSON.parse(opener.closest("[data-default-references]").dataset.defaultReferences));
  });
}
