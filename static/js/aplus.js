// The A+ page: written by a job, shown wide or as on a phone, edited module by module with its faults told as one types.
import { api, fragment } from "./api.js";
import { line } from "./live.js";
import { announce, sayIn, toast } from "./say.js";

const project = document.body.dataset.project;
const path = rest => `/api/projects/${project}/aplus${rest}`;
const section = () => document.getElementById("aplus");
const modules = () => [...document.querySelectorAll("[data-aplus-modules] [data-module]")];
let writing = false, due = 0;

/** The section again, when it is not being edited; true while it is written. */
export async function refreshPage() {
  writing = section().matches("[data-writing]");
  if (!writing || section().querySelector("dialog[open]")) return writing;
  const body = await fragment(`/listings/${project}/aplus`);
  const fresh = body?.querySelector("#aplus");
  if (!fresh) return false;
  section().replaceWith(document.adoptNode(fresh));
  writing = section().matches("[data-writing]");
  if (!writing) announce("The A+ page is there.");
  return writing;
}

async function reload() {
  const fresh = (await fragment(`/listings/${project}/aplus`))?.querySelector("#aplus");
  if (fresh) section().replaceWith(document.adoptNode(fresh));
  line.wake();
}

function read(fieldset) {
  const told = JSON.parse(fieldset.querySelector("script[type='application/json']").textContent);
  told.texts = {};
  for (const field of fieldset.querySelectorAll("[data-field]")) {
    const lines = field.value.split("\n").map(one => one.trim()).filter(Boolean);
    if ("lines" in field.dataset) { if (lines.length) told.texts[field.dataset.field] = lines; } else if (field.value.trim()) told.texts[field.dataset.field] = field.value.trim().replace(/\s+/g, " ");
  }
  return told;
}

const all = () => modules().map((one, index) => ({ ...read(one), id: `m${index + 1}` }));

function count(field) {
  const shown = field.closest("label").querySelector("[data-count]");
  shown.textContent = `${[...field.value].length} / ${field.dataset.most}`;
}

/** What is wrong, beside the field that it is about; what belongs to none stands at the end. */
function tell({ faults, findings }) {
  for (const wrong of document.querySelectorAll("[data-aplus-modules] [data-wrong]")) { wrong.hidden = true; wrong.textContent = ""; }
  const rest = [];
  for (const { pointer, message, said, words } of [...faults, ...findings]) {
    const text = message ?? `“${words}”: ${said}`, [, place, part, name] = pointer.split("/");
    const field = part === "texts" ? modules()[Number(place)]?.querySelector(`[data-field="${name}"]`) : null;
    const wrong = field?.closest("label").querySelector("[data-wrong]");
    if (wrong) { wrong.hidden = false; wrong.textContent = [wrong.textContent, text].filter(Boolean).join(" "); } else rest.push(text);
  }
  document.querySelector("[data-aplus-told]").replaceChildren(...rest.map(text => Object.assign(document.createElement("li"), { textContent: text })));
}

function check() {
  clearTimeout(due);
  due = setTimeout(async () => { try { tell(await api("POST", path("/validate"), { modules: all() })); } catch { /* what cannot be checked now is checked when it is saved */ } }, 500);
}

async function write(event) {
  const form = event.target, given = new FormData(form);
  try {
    await api("POST", "/api/process-aplus", { projectId: project, generateImages: given.has("generateImages"), isPremium: given.has("isPremium"), priority: 8 });
    form.closest("dialog").close();
    await reload();
  } catch (problem) { sayIn(form, problem); }
}

async function save(event) {
  const form = event.target, { aplus, revision } = section().dataset;
  try {
    await api("PUT", path(`/${aplus}`), { modules: all(), revision: Number(revision) });
    form.closest("dialog").close();
    toast("The page is saved.");
    await reload();
  } catch (problem) { sayIn(form, problem); }
}

async function add() {
  const body = await fragment(`/listings/${project}/aplus/module?type=${document.getElementById("aplus-kind").value}`);
  const fresh = body?.querySelector("[data-module]");
  if (!fresh) return;
  document.querySelector("[data-aplus-modules]").append(document.adoptNode(fresh));
  modules().at(-1).querySelector("textarea")?.focus();
  check();
}

function move(fieldset, step) {
  const other = step < 0 ? fieldset.previousElementSibling : fieldset.nextElementSibling;
  if (!other) return;
  if (step < 0) other.before(fieldset); else other.after(fieldset);
  fieldset.querySelector(`[data-aplus-move=${step < 0 ? "up" : "down"}]`).focus();
  announce("Moved.");
  check();
}

function pressed(event) {
  const button = event.target.closest("#aplus button");
  if (!button) return;
  const fieldset = button.closest("[data-module]");
  if (button.dataset.aplusView) {
    section().querySelector(".aplus").dataset.view = button.dataset.aplusView;
    for (const one of section().querySelectorAll("[data-aplus-view]")) one.setAttribute("aria-pressed", String(one === button));
  }
  if ("aplusAdd" in button.dataset) add();
  if ("aplusDrop" in button.dataset) { fieldset.remove(); check(); }
  if (button.dataset.aplusMove) move(fieldset, button.dataset.aplusMove === "up" ? -1 : 1);
}

export function startPage() {
  addEventListener("click", pressed);
  addEventListener("input", event => { if (event.target.matches("#aplus [data-field]")) { count(event.target); check(); } });
  addEventListener("submit", event => {
    if (event.target.matches("[data-aplus-write]")) { event.preventDefault(); write(event); }
    if (event.target.matches("[data-aplus-edit]")) { event.preventDefault(); save(event); }
  });
  line.ticks(refreshPage);
}
