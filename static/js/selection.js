// Several rows at once: ticks, and the bar that acts on what is ticked.
import { few } from "./api.js";
import { generate, remove } from "./actions.js";
import { rowOf } from "./rows.js";
import { announce } from "./say.js";

const bar = document.querySelector("[data-bulk]");
const ticks = () => [...document.querySelectorAll("tr[data-row]:not([hidden]) .tick")];
const ticked = () => ticks().filter(tick => tick.checked);
const rows = () => ticked().map(rowOf);

function count() {
  const chosen = ticked().length, all = document.querySelector("[data-pick-all]");
  bar.hidden = chosen === 0;
  bar.querySelector("[data-bulk-n]").textContent = `${chosen} ${chosen === 1 ? "row" : "rows"}`;
  if (all) { all.checked = chosen > 0 && chosen === ticks().length; all.indeterminate = chosen > 0 && !all.checked; }
}

function clear() { for (const tick of ticked()) tick.checked = false; count(); }

async function make(ai) {
  const idle = rows().filter(row => row.querySelector("[data-act=own]")?.getAttribute("aria-disabled") !== "true"), busy = ticked().length - idle.length;
  const results = await few(idle, 3, row => generate(row, { ai, button: row.querySelector(ai ? "[data-act=ai]" : "[data-act=own]") }));
  const asked = results.filter(result => result.ok && result.value).length;
  announce(`${asked} rows are in the queue.${busy ? ` ${busy} were busy or not ready and were left as they are.` : ""}`);
  clear();
}

function download() {
  const query = new URLSearchParams(rows().map(row => ["row", row.dataset.row]));
  location.assign(`/workspaces/${document.body.dataset.workspace}/images.zip?${query}`);
}

const VERBS = { ai: () => make(true), own: () => make(false), download, clear, delete() { const chosen = rows(); clear(); remove(chosen); } };

export function startSelection() {
  addEventListener("change", event => {
    if (event.target.matches("[data-pick-all]")) for (const tick of ticks()) tick.checked = event.target.checked;
    if (event.target.matches(".tick")) count();
  });
  addEventListener("row:merged", count);
  document.addEventListener("htmx:afterSwap", count);
  bar.addEventListener("click", event => { const button = event.target.closest("[data-bulk-act]"); if (button) VERBS[button.dataset.bulkAct](); });
}
