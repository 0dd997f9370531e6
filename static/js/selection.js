// Several rows at once: ticks, and the bar that acts on what is ticked. Each verb is one request, which the server carries
// on to its end whether or not this page is still there.
import { api, parts } from "./api.js";
import { remove } from "./actions.js";
import { quiet, refresh, rowById, rowOf } from "./rows.js";
import { announce, toast } from "./say.js";

const PRIORITY = 8; // a person is waiting
const bar = document.querySelector("[data-bulk]");
const ticks = () => [...document.querySelectorAll("tr[data-row] .tick")];
const ticked = () => ticks().filter(tick => tick.checked);
const rows = () => ticked().map(rowOf);
const path = verb => `/api/workspaces/${document.body.dataset.workspace}/${verb}`;
const many = number => `${number} ${number === 1 ? "row" : "rows"}`;

function count() {
  const chosen = ticked().length, all = document.querySelector("[data-pick-all]");
  bar.hidden = chosen === 0;
  bar.querySelector("[data-bulk-n]").textContent = many(chosen);
  bar.querySelector("[data-bulk-act=cancel]").hidden = !rows().some(row => "liveRow" in row.dataset);
  if (all) { all.checked = chosen > 0 && chosen === ticks().length; all.indeterminate = chosen > 0 && !all.checked; }
}

function clear({ focus = false } = {}) {
  for (const tick of ticked()) tick.checked = false;
  count();
  if (focus) document.querySelector("[data-pick-all]")?.focus();
}

/** The rows that were started together: one line says how far they are, one sentence is announced. */
class Run {
  #box = document.querySelector("[data-bulk-run]");
  #ids = new Set();
  #left = [];
  #asking = false;
  #unsent = false;
  #over = true;

  constructor() {
    this.#box.addEventListener("click", event => {
      if (event.target.closest("[data-run-cancel]")) this.#cancel();
      if (event.target.closest("[data-run-close]")) this.#close();
    });
  }

  part(name) { return this.#box.querySelector(`[data-run-${name}]`); }

  async ask(chosen, ai) {
    this.#hush(); // of a run before
    this.#ids = new Set(chosen.map(row => row.dataset.row));
    this.#left = [];
    this.#asking = true;
    this.#over = false;
    for (const id of this.#ids) quiet.add(id);
    this.#box.hidden = false;
    this.show();
    const unsaved = [];
    for (const row of chosen) if (!(await row.querySelector("prompt-field").save())) unsaved.push(row);
    for (const row of unsaved) this.#leave(row.dataset.row, row.querySelector("prompt-field").trouble);
    const left = parts([...this.#ids]);
    try {
      while (left.length) {
        this.#unsent = left.length > 1;
        const told = await api("POST", path("generate"), { rowIds: left[0], useAiPrompt: ai, priority: PRIORITY });
        for (const result of told.results) if (result.problem) this.#leave(result.rowId, `${result.problem.detail} ${result.problem.action}`);
        left.shift();
      }
    } catch (problem) {
      for (const id of left.flat()) this.#leave(id, problem.message);
      if (!this.#ids.size) { this.#fail(problem); return; }
    }
    this.#asking = false;
    announce(`${many(this.#ids.size)} ${this.#ids.size === 1 ? "is" : "are"} in the queue.${this.#left.length ? ` ${many(this.#left.length)} left out.` : ""}`);
    await Promise.all([...this.#ids].map(refresh));
    this.show();
  }

  /** Nothing was started: what stands there stays until it is read. */
  #fail(problem) {
    this.#asking = false;
    this.#over = true;
    this.part("bar").value = 0;
    this.part("words").textContent = problem.message;
    announce(problem.message);
  }

  #hush() { for (const id of this.#ids) quiet.delete(id); }

  #leave(id, why) {
    this.#ids.delete(id);
    quiet.delete(id);
    const name = rowById(id)?.querySelector(".row-no").textContent.trim().replace(/\s+/g, " ") ?? "A row";
    this.#left.push(`${name}: ${why.trim()}`);
  }

  show() {
    if (this.#over) return;
    const states = [...this.#ids].map(id => rowById(id)?.dataset.status ?? "gone");
    const sum = (...kinds) => states.filter(state => kinds.includes(state)).length;
    const running = sum("running"), waiting = sum("queued"), done = sum("done"), troubled = sum("error", "partial", "needs_you");
    const progress = this.part("bar");
    progress.max = Math.max(1, this.#ids.size);
    if (this.#asking) progress.removeAttribute("value"); else progress.value = this.#ids.size - running - waiting;
    const parts = [[done, "done"], [running, "running"], [waiting, "waiting"], [troubled, "to look at"], [sum("idle"), "cancelled"]];
    const facts = parts.filter(([number]) => number).map(([number, word]) => `${number} ${word}`).join(", ");
    this.part("words").textContent = this.#asking
      ? `${many(this.#ids.size)} are being put into the queue: ${running + waiting} so far.${this.#unsent ? "" : " You may leave this page."}`
      : `${many(this.#ids.size)}: ${facts || "nothing to do"}.`;
    this.part("left").textContent = this.#left.length ? `Left out: ${this.#left.slice(0, 3).join(" ")}${this.#left.length > 3 ? ` And ${this.#left.length - 3} more.` : ""}` : "";
    this.part("cancel").hidden = this.#asking || running + waiting === 0;
    if (!this.#asking && running + waiting === 0) this.#end(facts);
  }

  #end(facts) {
    this.#over = true;
    this.#hush();
    if (this.#ids.size) announce(`${many(this.#ids.size)} are over: ${facts}.`);
  }

  async #cancel() {
    await stop([...this.#ids]);
    if (!this.#box.hidden) this.part("close").focus();
  }

  #close() {
    this.#over = true;
    this.#hush();
    this.#box.hidden = true;
    document.querySelector("[data-pick-all]")?.focus();
  }
}

const run = new Run();

async function stop(ids) {
  try {
    let cancelled = 0, requested = 0;
    for (const some of parts(ids)) {
      const told = await api("POST", path("cancel"), { rowIds: some });
      cancelled += told.cancelled;
      requested += told.requested;
    }
    announce(`${cancelled} ${cancelled === 1 ? "job was" : "jobs were"} cancelled${requested ? `, ${requested} that run stop at their next step` : ""}.`);
  } catch (problem) { toast(problem.message); }
  await Promise.all(ids.map(refresh));
}

async function make(ai) {
  const chosen = rows();
  clear();
  await run.ask(chosen, ai);
}

function download() {
  const query = new URLSearchParams(rows().map(row => ["row", row.dataset.row]));
  location.assign(`/workspaces/${document.body.dataset.workspace}/images.zip?${query}`);
}

const VERBS = {
  ai: () => make(true), own: () => make(false), download, clear: () => clear({ focus: true }),
  cancel() { const ids = rows().map(row => row.dataset.row); clear({ focus: true }); stop(ids); },
  delete() { const chosen = rows(); clear(); remove(chosen); },
};

export function startSelection() {
  addEventListener("change", event => {
    if (event.target.matches("[data-pick-all]")) for (const tick of ticks()) tick.checked = event.target.checked;
    if (event.target.matches(".tick")) count();
  });
  addEventListener("row:merged", () => { count(); run.show(); });
  document.addEventListener("htmx:afterSwap", count);
  bar.addEventListener("click", event => { const button = event.target.closest("[data-bulk-act]"); if (button) VERBS[button.dataset.bulkAct](); });
}
