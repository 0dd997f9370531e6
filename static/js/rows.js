// The rows on the page and how they keep up with the server: a row's fragment is fetched and merged, never replaced.
import { fragment } from "./api.js";
import { shutMenu } from "./dialogs.js";
import { announce } from "./say.js";
import { localise } from "./times.js";

const APART = 250; // ms between two fetches of one row
const page = document.body.dataset;
const flights = new Map();
/** Rows of a run that is told as a whole: not one by one. */
export const quiet = new Set();
let last = page.last ?? "0";

export const rowOf = element => element?.closest("tr[data-row]");
export const rowById = id => document.getElementById(`row-${id}`);
export const list = () => document.getElementById("row-list");
const own = node => node.nodeType === Node.ELEMENT_NODE;

// What a person is doing in a row is not the server's to change: text being typed, ticks, an open menu, words just said.
function keep(old, fresh) {
  if (!own(old)) return true;
  if (old.matches("textarea")) return !(old === document.activeElement || old.closest("prompt-field")?.unsaved);
  if (old.matches("[data-prompt-note]")) return !old.closest("tr").querySelector("prompt-field")?.unsaved;
  if (old.matches(".tick")) return false;
  if (old.matches("[data-arriving]")) return false;
  if (old.matches("[data-said]:not([hidden])")) return false;
  if (old.matches("[data-menu][aria-expanded=true]")) fresh.setAttribute("aria-expanded", "true");
  if (old.matches("[aria-busy=true]") && old.dataset.sending) { fresh.setAttribute("aria-busy", "true"); fresh.setAttribute("aria-disabled", "true"); fresh.dataset.sending = "1"; }
  return true;
}
// The two texts a person has to choose from are not the server's to remove, nor is an open menu.
const callbacks = { beforeNodeMorphed: keep, beforeNodeRemoved: node => !(own(node) && (node.id === "row-menu" || node.matches("[data-clash]"))) };

const WORKING = new Set(["queued", "running"]);

function merge(old, fresh) {
  const was = old.dataset.status, focused = old.contains(document.activeElement) ? document.activeElement : null;
  localise(fresh);
  Idiomorph.morph(old, fresh, { morphStyle: "outerHTML", callbacks });
  const row = rowById(fresh.dataset.row);
  if (focused && !row.contains(document.activeElement)) row.querySelector(".c-make .btn")?.focus({ preventScroll: true });
  if (WORKING.has(was) && !WORKING.has(row.dataset.status) && row.dataset.saidAs && !quiet.has(row.dataset.row)) announce(row.dataset.saidAs);
  row.dispatchEvent(new CustomEvent("row:merged", { bubbles: true, detail: { moved: was !== row.dataset.status } }));
}

export function place(fresh) {
  const old = rowById(fresh.dataset.row);
  if (old) merge(old, fresh);
  return old !== null;
}

/** Takes a row off the page. The one menu of all rows stands in the row that opened it last, and stays. */
export function takeOff(row) {
  const menu = document.getElementById("row-menu");
  if (row?.contains(menu)) { shutMenu(); document.body.append(menu); }
  row?.remove();
}

async function fetchRow(id) {
  const body = await fragment(`${page.rowsUrl}/${id}`);
  const fresh = body?.querySelector("tr[data-row]");
  if (fresh) place(fresh); else if (body === null) takeOff(rowById(id));
}

/** At most one request a row is under way, and two start at least 250 ms apart; asking meanwhile asks once more after. */
export function refresh(id) {
  const flight = flights.get(id);
  if (flight) { flight.again = true; return flight.done; }
  const made = { again: false, done: null };
  flights.set(id, made);
  made.done = fetchRow(id).catch(() => {}).then(() => new Promise(rest => { setTimeout(rest, APART); })).then(() => {
    flights.delete(id);
    return made.again ? refresh(id) : undefined;
  });
  return made.done;
}

/** Everything that changed since the last time, and all that runs; true while something runs. */
export async function catchUp() {
  const query = new URLSearchParams(location.search);
  query.set("since", last);
  const body = await fragment(`${page.changesUrl}?${query}`);
  if (!body) return false;
  for (const fresh of [...body.querySelectorAll("tr[data-row]")]) place(fresh);
  const filters = body.querySelector("#filters");
  if (filters) document.getElementById("filters").replaceChildren(...filters.childNodes);
  const spent = body.querySelector("[data-spent]");
  if (spent) document.querySelector("#docket [data-spent]").textContent = spent.textContent;
  last = body.querySelector("[data-last]")?.dataset.last ?? last;
  return body.querySelector("tr[data-live-row]") !== null || document.querySelector("tr[data-live-row]") !== null;
}

/** A new row at the end of the table. */
export async function append(id) {
  const body = await fragment(`${page.rowsUrl}/${id}`);
  const fresh = body?.querySelector("tr[data-row]");
  if (!fresh || rowById(id)) return;
  localise(fresh);
  delete document.body.dataset.state;
  if (!list()) { location.assign(location.pathname); return; }
  list().append(document.adoptNode(fresh));
  rowById(id).dispatchEvent(new CustomEvent("row:added", { bubbles: true }));
}

export function hear(event) {
  const id = event.subject?.startsWith("row:") ? event.subject.slice(4) : "";
  if (id && rowById(id)) refresh(id);
}

/** A person changed a row elsewhere: another tab, another program. */
export function hearEdit({ subject, workspace }) {
  const id = subject.slice(4);
  if (rowById(id)) refresh(id);
  // Where the end of the table is on another page, or a filter is on, a new row is not for this page to show.
  else if (workspace === page.workspace && !location.search && !document.querySelector("[data-more-rows]")) append(id);
}

/** The words of a prompt while they are written: text, whatever it holds. The row's next fragment has the last word. */
export function arriving({ subject, partial }) {
  const place = rowById(subject.slice(4))?.querySelector("[data-arriving]");
  if (place) place.textContent = partial;
}
