// Listings: the list of products, and one product's page that fills while its jobs run.
import { Problem, api, fragment, problemOf } from "./api.js";
import { startPage } from "./aplus.js";
import { open } from "./dialogs.js";
import { line } from "./live.js";
import { announce, sayIn, toast } from "./say.js";
import { localise } from "./times.js";

const PRIORITY = 8; // a person is waiting
const project = document.body.dataset.project;
const path = rest => `/api/projects/${project}${rest}`;
const words = form => Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, typeof value === "string" ? value.trim() : value]));

async function send(form, ask) {
  const button = form.querySelector("[type=submit]");
  button?.setAttribute("aria-busy", "true");
  sayIn(form, null);
  try { return await ask(); } catch (problem) { sayIn(form, problem); return null; } finally { button?.removeAttribute("aria-busy"); }
}

async function makeProject(event) {
  event.preventDefault();
  const made = await send(event.target, () => api("POST", "/api/projects", words(event.target)));
  if (made) location.assign(`/listings/${made.id}`);
}

// ---- what moves
const keep = old => !(old.nodeType === Node.ELEMENT_NODE && (old.id === "quota" || old.matches("[data-said]:not([hidden])")));
let busy = false;

async function refresh() {
  const body = await fragment(document.body.dataset.liveUrl);
  if (!body?.querySelector("#work")) return false;
  localise(body);
  const shown = new Map([...document.querySelectorAll("details[data-report]")].map(one => [one.dataset.report, one.open]));
  for (const one of body.querySelectorAll("details[data-report]")) one.open = shown.get(one.dataset.report) ?? one.open;
  const before = document.querySelectorAll(".slot .tile").length;
  for (const id of ["pack-acts", "docket", "work"]) Idiomorph.morph(document.getElementById(id), body.querySelector(`#${id}`), { morphStyle: "outerHTML", callbacks: { beforeNodeMorphed: keep } });
  const running = document.querySelector("#slots[data-running]") !== null;
  const ready = document.querySelectorAll(".slot .tile").length;
  if (ready > before) announce(`${ready} of 6 images are ready.`);
  if (busy && !running) announce(`Done: ${ready} of 6 images are ready.`);
  busy = running;
  return running;
}

async function act(button, ask, said) {
  if (button.getAttribute("aria-disabled") === "true") { announce(button.dataset.why || "Not now."); toast(button.dataset.why || "Not now."); return; }
  button.setAttribute("aria-disabled", "true");
  try { await ask(); if (said) announce(said); } catch (problem) { toast(problem.message); } finally { button.removeAttribute("aria-disabled"); }
  await refresh().catch(() => {});
  line.wake();
}

// ---- photographs
async function post(url, file) {
  const form = new FormData();
  form.append("file", file, file.name);
  const token = document.cookie.split("; ").find(part => part.startsWith("csrftoken="))?.slice(10) ?? "";
  const response = await fetch(url, { method: "POST", body: form, credentials: "same-origin", headers: { "X-CSRFToken": token, Accept: "application/json" } })
    .catch(() => { throw new Problem({ code: "offline", detail: "No connection to Pressroom.", action: "Try it again when the line is back." }); });
  if (!response.ok) throw await problemOf(response);
  return response.json();
}

async function bring(files) {
  const place = document.querySelector("[data-drop-photo]"), bar = place.querySelector(".photo-sent");
  sayIn(place, null);
  bar.hidden = false;
  bar.max = files.length;
  for (const [index, file] of files.entries()) {
    bar.value = index + 0.5;
    try { await post(path("/photos"), file); } catch (problem) { sayIn(place, problem); bar.hidden = true; return; }
  }
  location.reload();
}

function dropping() {
  const place = document.querySelector("[data-drop-photo]");
  const carries = event => event.dataTransfer?.types.includes("Files") && !document.querySelector("dialog[open]");
  addEventListener("dragover", event => { if (carries(event)) { event.preventDefault(); place.dataset.over = "1"; } });
  addEventListener("dragleave", event => { if (!event.relatedTarget) delete place.dataset.over; });
  addEventListener("drop", event => { if (!carries(event)) return; event.preventDefault(); delete place.dataset.over; bring([...event.dataTransfer.files]); });
  document.getElementById("photo-file").addEventListener("change", event => { if (event.target.files.length) bring([...event.target.files]); });
  document.getElementById("cutout-file")?.addEventListener("change", async event => {
    try { await post(path("/cutout/file"), event.target.files[0]); toast("Your cut-out is used from now on. Make the images again."); } catch (problem) { sayIn(place, problem); }
    event.target.value = "";
  });
}

// ---- facts
const rows = () => document.querySelector("[data-fact-rows]");

function addFact({ label = "", value = "", key = "" } = {}) {
  const row = document.querySelector("[data-fact-row]").content.cloneNode(true).querySelector("li");
  row.querySelector("[name=label]").value = label;
  row.querySelector("[name=value]").value = value;
  row.querySelector("[name=key]").value = key;
  rows().append(row);
  return row;
}

/** Lines like “Volume: 80 ml”, as suppliers write them. */
function pasted(event) {
  const lines = event.clipboardData.getData("text").split(/\r?\n/).map(one => one.match(/^\s*[•*-]?\s*([^:\t]{1,60})[:\t]\s*(.{1,300})$/)).filter(Boolean);
  if (lines.length < 2 || !event.target.closest("[data-fact-rows]")) return;
  event.preventDefault();
  for (const [, label, value] of lines) addFact({ label: label.trim(), value: value.trim() });
  announce(`${lines.length} facts were read. Look at them, then confirm.`);
}

async function saveFacts(event) {
  event.preventDefault();
  const given = [...rows().children].map(row => Object.fromEntries(["label", "value", "key"].map(name => [name, row.querySelector(`[name=${name}]`).value.trim()])));
  const facts = given.filter(fact => fact.label || fact.value).map(({ key, ...rest }) => (key ? { key, ...rest } : rest));
  const saved = await send(event.target, () => api("PUT", path("/facts"), { facts }));
  if (saved) location.reload();
}

// ---- settings
async function saveSettings(event) {
  event.preventDefault();
  const { colours, ...given } = words(event.target);
  const saved = await send(event.target, async () => {
    given.brandKitId = await kitOf(colours.split(/[\s,]+/).filter(Boolean));
    return api("PATCH", path(""), given);
  });
  if (saved) location.reload();
}

/** The kit of these colours: the one that is there, or a new one of their name. */
async function kitOf(colours) {
  if (!colours.length) return null;
  const name = `Colours ${colours.join(" ")}`.slice(0, 80);
  const { results } = await api("GET", "/api/brand-kits");
  const known = results.find(kit => kit.name === name);
  return known ? known.id : (await api("POST", "/api/brand-kits", { name, colours })).id;
}

/** What must be resized is made by a job first; then the archive is an ordinary download. */
async function exportZip(event) {
  event.preventDefault();
  const form = event.target;
  const ready = await send(form, async () => {
    let made = await api("POST", path("/exports"), words(form));
    for (let tries = 0; made.status === "making" && tries < 60; tries += 1) {
      await new Promise(rest => { setTimeout(rest, 1000); });
      made = await api("GET", path(`/exports/${made.exportId}`));
    }
    if (made.status !== "ready") throw new Problem({ detail: "The export could not be made.", action: "Look at the images, then export again." });
    return made;
  });
  if (!ready) return;
  const notes = [...ready.warnings, ...ready.leftOut].map(text => Object.assign(document.createElement("li"), { textContent: text }));
  document.querySelector("[data-export-notes]").replaceChildren(...notes);
  location.assign(ready.fileUrl);
}

async function saveRange(event) {
  const form = event.target.closest("[data-range]");
  const compareWith = [...form.querySelectorAll("[name=compare]:checked")].map(box => box.value);
  await send(form, () => api("PATCH", path(""), { compareWith }));
  await refresh();
}

// ---- redo: what is drawn costs nothing and is made at once; what is painted is asked for, with its price
let redone = "";
const PAINTED = new Set(["LIFESTYLE", "FEATURE_HIGHLIGHT"]);
const redo = (imageType, more = {}) => api("POST", "/api/process-image", { projectId: project, imageType, priority: PRIORITY, ...more });

function askRedo(button) {
  redone = button.dataset.redo;
  if (!PAINTED.has(redone)) { act(button, () => redo(redone)); return; }
  document.querySelector("[data-redo-price]").textContent = button.querySelector(".num")?.textContent ?? "";
  open("redo");
}

async function sendRedo(event) {
  event.preventDefault();
  const made = await send(event.target, () => redo(redone, { force: true, ...words(event.target) }));
  if (!made) return;
  event.target.closest("dialog").close();
  refresh();
  line.wake();
}

async function showVersions(button) {
  const dialog = document.getElementById("versions"), body = await fragment(`/listings/${project}/versions/${button.dataset.versions}`);
  if (!body) return;
  localise(body);
  dialog.querySelector("[data-fill]").replaceChildren(...body.childNodes);
  if (!dialog.open) dialog.showModal();
}

async function choose(button) {
  await act(button, () => api("POST", path(`/images/${button.dataset.choose}/choose`)), "This version counts now.");
  document.getElementById("versions").close();
}

const VERBS = {
  pack: button => act(button, () => api("POST", "/api/process-complete-pack", { projectId: project, priority: PRIORITY, ...(button.dataset.pack === "missing" ? { onlyMissing: true } : {}) }), "The pack is in work."),
  cancelPack: button => act(button, () => api("POST", path(`/packs/${button.dataset.cancelPack}/cancel`)), "The pack is cancelled."),
  cancelJob: button => act(button, () => api("DELETE", `/api/jobs/${button.dataset.cancelJob}`)),
  redo: askRedo,
  versions: showVersions,
  choose,
  choosePhoto: () => document.getElementById("photo-file").click(),
  chooseCutout: () => document.getElementById("cutout-file").click(),
  quickCutout: button => act(button, () => api("POST", path("/cutout"), { method: "quick" }), "The quick cut-out is being made."),
  removePhoto: async button => { await act(button, () => api("DELETE", path(`/photos/${button.dataset.removePhoto}`))); location.reload(); },
  addFact: () => addFact().querySelector("input").focus(),
  addMeasures: () => { addFact({ label: "Width", key: "width" }).querySelector("[name=value]").focus(); addFact({ label: "Height", key: "height" }); },
  dropFact: button => button.closest("li").remove(),
  deleteProject: async button => {
    if (button.dataset.sure !== "1") { button.dataset.sure = "1"; button.textContent = "Delete it with all its images"; return; }
    try { await api("DELETE", path("")); location.assign("/listings"); } catch (problem) { sayIn(button.closest("form"), problem); }
  },
};

function pressed(event) {
  const button = event.target.closest("button");
  const verb = button && Object.keys(VERBS).find(name => name in button.dataset);
  if (verb) VERBS[verb](button);
}

document.querySelector("[data-new-project]")?.addEventListener("submit", makeProject);
if (project) {
  const due = { timer: 0 };
  addEventListener("click", pressed);
  addEventListener("paste", pasted);
  document.querySelector("[data-facts]").addEventListener("submit", saveFacts);
  document.querySelector("[data-project-settings]").addEventListener("submit", saveSettings);
  document.querySelector("[data-redo-form]").addEventListener("submit", sendRedo);
  document.querySelector("[data-export]").addEventListener("submit", exportZip);
  document.querySelector("[data-range]")?.addEventListener("change", saveRange);
  dropping();
  startPage();
  line.ticks(refresh);
  line.events(event => {
    if (event.subject !== `project:${project}`) return;
    clearTimeout(due.timer);
    due.timer = setTimeout(() => refresh().catch(() => {}), 300);
  });
}
