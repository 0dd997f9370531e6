// What the buttons of a row do. Each verb is one call of the API; the row then shows what the server made of it.
import { api, parts } from "./api.js";
import { open, shutMenu } from "./dialogs.js";
import { line } from "./live.js";
import { openPicture, openReferences } from "./pictures.js";
import { append, list, refresh, rowById, rowOf, takeOff } from "./rows.js";
import { announce, sayIn, toast } from "./say.js";

const PRIORITY = 8; // a person is waiting

const field = row => row.querySelector("prompt-field");
const number = row => row.querySelector(".row-no").textContent.trim();

/** Runs one verb of a row: its button is busy meanwhile, an error stands in the row. Resolves to whether it went well. */
async function perform(row, button, verb) {
  sayIn(row);
  if (button) { button.dataset.sending = "1"; button.setAttribute("aria-busy", "true"); button.setAttribute("aria-disabled", "true"); }
  let problem = null;
  try { await verb(); } catch (error) { problem = error; }
  if (button) { delete button.dataset.sending; button.removeAttribute("aria-busy"); }
  await refresh(row.dataset.row);
  if (button && problem) button.removeAttribute("aria-disabled");
  if (problem) sayIn(row, problem);
  line.wake();
  return problem === null;
}

// One key for one state of the row, whichever tab looks at it. Text that the server had not seen is a state of its own.
const keyFor = (row, verb) => (field(row).unsaved ? {} : { key: `${verb}-${row.dataset.runKey}` });

export async function generate(row, { ai, button = null }) {
  const key = keyFor(row, ai ? "ai" : "own");
  return perform(row, button, async () => {
    if (!(await field(row).save())) throw new Error(field(row).trouble);
    await api("POST", "/api/jobs/create", { rowId: row.dataset.row, useAiPrompt: ai, priority: PRIORITY }, key);
    announce(`${number(row)} is in the queue.`);
  });
}

function askPrompt(row, button, extra = null) {
  const key = extra ? {} : keyFor(row, "prompt");
  return perform(row, button, async () => {
    if (!(await field(row).save())) throw new Error(field(row).trouble);
    const body = { rowId: row.dataset.row, targetUrl: row.dataset.target, priority: PRIORITY, applyToRow: true, ...extra };
    await api("POST", "/api/prompt/queue", body, key);
    announce(`A prompt for ${number(row)} is in the queue.`);
  });
}

function enhance(row, button) {
  const dialog = open("enhance"), form = dialog.querySelector("form");
  sayIn(form);
  form.onsubmit = event => {
    event.preventDefault();
    const instructions = form.elements.instructions.value.trim();
    dialog.close();
    askPrompt(row, button, { operation: "enhance", existingPrompt: field(row).area.value, ...(instructions && { instructions }) });
  };
}

const cancel = (row, button) => perform(row, button, async () => {
  for (const uid of button.dataset.jobs.split(" ")) await api("DELETE", `/api/jobs/${uid}`).catch(problem => { if (problem.code !== "already_finished") throw problem; });
  announce(`${number(row)}: cancel was asked for.`);
});

const retry = (row, button) => perform(row, button, async () => {
  for (const uid of button.dataset.jobs.split(" ")) await api("POST", `/api/jobs/${uid}/retry`);
});

/** The failure of a prompt was read: it is put away, in every tab and for good. */
const dismiss = (row, button) => perform(row, button, async () => {
  await api("PATCH", `/api/rows/${row.dataset.row}`, { troubleRead: button.dataset.job });
  row.querySelector("prompt-field textarea").focus();
});

const before = (row, button) => perform(row, null, async () => {
  if (!(await field(row).use(button.dataset.text))) throw new Error(field(row).trouble);
  field(row).area.focus();
  announce("The text you typed stands there again.");
});

const reshape = row => perform(row, null, async () => {
  const target = row.dataset.ratio !== "target";
  await api("PATCH", `/api/rows/${row.dataset.row}`, { matchTargetRatio: target });
  announce(target ? "Images will have the target's shape." : "Images will have the workspace's shape.");
});

async function duplicate(row) {
  const body = { targetUrl: row.dataset.target, refUrls: JSON.parse(row.dataset.refs), promptOverride: field(row).area.value };
  try {
    const made = await api("POST", `/api/workspaces/${document.body.dataset.workspace}/rows`, body);
    await append(made.id);
    announce("The copy is at the end.");
  } catch (problem) { toast(problem.message); }
}

/** Deleted at once, with all their jobs stopped; the server keeps them for a while, so that they can be brought back. */
export async function remove(rows) {
  if (!rows.length) return;
  const workspace = document.body.dataset.workspace, ids = [];
  const next = rows.at(-1).nextElementSibling ?? rows[0].previousElementSibling;
  // Before anything is asked: while the answer comes, other news may take the rows off the page.
  const stood = rows.map(row => [row, row.nextElementSibling]);
  let paid = 0;
  try {
    for (const some of parts(rows.map(row => row.dataset.row))) {
      paid += (await api("POST", `/api/workspaces/${workspace}/remove`, { rowIds: some })).stillPaid;
      ids.push(...some);
    }
  } catch (problem) { toast(problem.message); }
  if (!ids.length) return;
  const word = ids.length === 1 ? `${number(rows[0])} deleted.` : `${ids.length} rows deleted.`;
  // From the last to the first: each finds the one after it, wherever that was put.
  const places = stood.slice(0, ids.length).reverse();
  for (const [row] of places) takeOff(row);
  (next?.isConnected ? next.querySelector("[data-menu]") : document.getElementById("main"))?.focus();
  line.wake();
  toast(`${word}${stillPaid(paid)}`, { undo: () => bringBack(workspace, ids, places) });
}

/** What was sent is paid for, with its row or without. */
const stillPaid = orders => !orders ? "" : orders === 1
  ? " 1 image is being made already and is paid: the queue keeps it for 30 days."
  : ` ${orders} images are being made already and are paid: the queue keeps them for 30 days.`;

async function bringBack(place, ids, places) {
  try {
    const rowIds = [];
    for (const some of parts(ids)) rowIds.push(...(await api("POST", `/api/workspaces/${place}/restore`, { rowIds: some })).rowIds);
    for (const [row, next] of places) {
      if (!rowIds.includes(row.dataset.row)) continue;
      takeOff(rowById(row.dataset.row));
      list().insertBefore(row, next?.isConnected ? next : null);
      refresh(row.dataset.row);
    }
    places.at(-1)[0].querySelector("[data-menu]").focus();
    if (rowIds.length < ids.length) toast(`${rowIds.length} of ${ids.length} could be brought back.`);
  } catch (problem) { toast(problem.message); }
  line.wake();
}

const VERBS = {
  ai: (row, button) => generate(row, { ai: true, button }),
  own: (row, button) => generate(row, { ai: false, button }),
  prompt: (row, button) => askPrompt(row, button),
  enhance, cancel, retry, dismiss, before,
  words: row => row.querySelector("prompt-field textarea").select(),
  target: row => openPicture(row),
  references: row => openReferences(row),
};

function pressed(event) {
  const button = event.target.closest("[data-act]"), row = rowOf(button);
  if (!button || !row) return;
  if (button.getAttribute("aria-disabled") === "true") { announce(button.dataset.why || `${number(row)} is busy or not ready for that.`); return; }
  VERBS[button.dataset.act](row, button);
}

function typed(event) {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || !event.target.matches("prompt-field textarea")) return;
  event.preventDefault();
  const row = rowOf(event.target), button = row.querySelector("[data-act=own]");
  if (button?.getAttribute("aria-disabled") === "true") announce(button.dataset.why || `${number(row)} is busy.`); else generate(row, { ai: false, button });
}

/** The addresses that the row names may hold other pictures by now. */
const fetchAgain = row => perform(row, null, async () => {
  for (const url of JSON.parse(row.querySelector("[data-remote]").dataset.remote)) await api("POST", "/api/assets/fetch", { url });
  announce(`${number(row)}: its pictures were fetched again.`);
});

function menu() {
  const box = document.getElementById("row-menu"), item = name => box.querySelector(`[data-item=${name}]`);
  let row = null;
  box.addEventListener("menu:open", ({ detail: button }) => {
    row = rowOf(button);
    item("download").hidden = button.dataset.images === "0";
    item("download").href = `${document.body.dataset.rowsUrl}/${row.dataset.row}/images.zip`;
    item("ratio").querySelector("[data-ratio-word]").textContent = row.dataset.ratio === "target" ? "Use the workspace's shape" : "Use the target's shape";
    item("fetch").hidden = !button.dataset.remote;
    item("fetch").querySelector("[data-fetch-word]").textContent = button.dataset.fetched ? `Fetch again (from ${new Date(button.dataset.fetched).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" })})` : "Fetch the pictures now";
    item("timeline").hidden = !button.dataset.job;
    item("timeline").href = button.dataset.job || "#";
  });
  const choose = act => { const chosen = row; shutMenu({ focus: true }); act(chosen); };
  item("ratio").addEventListener("click", () => choose(reshape));
  item("fetch").addEventListener("click", () => choose(fetchAgain));
  item("duplicate").addEventListener("click", () => choose(duplicate));
  item("delete").addEventListener("click", () => choose(chosen => remove([chosen])));
  item("download").addEventListener("click", () => shutMenu());
}

export function startActions() {
  addEventListener("click", pressed);
  addEventListener("keydown", typed);
  menu();
}
