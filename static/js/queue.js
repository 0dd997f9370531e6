// The queue: its counts in the masthead, and the drawer where one's own work is cancelled and reordered.
import { api, fragment } from "./api.js";
import { refill } from "./dialogs.js";
import { line } from "./live.js";
import { announce, toast } from "./say.js";
import { localise } from "./times.js";

/** Puts the counts into the masthead and the tab bar; true while something runs or waits. */
export async function refreshQueue() {
  const button = document.getElementById("queue-button");
  if (!button) return false;
  const body = await fragment("/queue/summary");
  if (!body) return false;
  button.innerHTML = body.querySelector("[data-summary]").innerHTML;
  document.querySelector("[data-pip]")?.replaceChildren(...body.querySelector("[data-pip-of]").childNodes);
  await again();
  return body.querySelector("[data-busy]") !== null;
}

/** The page of the queue, where it is open: the same list as in the drawer. */
async function refillPage() {
  const place = document.getElementById("queue-list");
  const body = place && await fragment(place.dataset.load);
  if (!body) return;
  localise(body);
  Idiomorph.morph(place, body.innerHTML, { morphStyle: "innerHTML" });
}

const again = () => Promise.all([refill("queue"), refillPage()]);

/** A row is stopped by one request, whatever it has in the queue. */
async function cancel(button) {
  const { rowId, workspaceId } = button.dataset, item = button.closest("li"), next = item.nextElementSibling ?? item.previousElementSibling;
  button.setAttribute("aria-disabled", "true");
  try {
    if (rowId) await api("POST", `/api/workspaces/${workspaceId}/cancel`, { rowIds: [rowId] });
    else for (const uid of button.dataset.cancel.split(" ")) await api("DELETE", `/api/jobs/${uid}`);
    announce("Cancelled.");
  } catch (problem) { toast(problem.message); button.removeAttribute("aria-disabled"); }
  const place = next?.id;
  await again();
  (document.getElementById(place)?.querySelector("[data-cancel]") ?? document.querySelector("dialog[open] [data-close]") ?? document.getElementById("main")).focus();
  line.wake();
}

/** All that a row has in its line moves together and keeps its own order. */
async function move(item, button) {
  const { move: side, other } = button.dataset, uids = item.dataset.movable.split(" ");
  if (side === "after") uids.reverse();
  try {
    for (const uid of uids) await api("PATCH", `/api/jobs/${uid}`, { [side]: other });
    await again();
    const moved = document.querySelector(`dialog[open] #${CSS.escape(item.id)}`) ?? document.getElementById(item.id);
    (moved?.querySelector(`[data-move=${side}]`) ?? moved?.querySelector("[data-move]"))?.focus();
    announce(side === "before" ? "Moved up." : "Moved down.");
  } catch (problem) { toast(problem.message); await again(); }
}

function pressed(event) {
  const button = event.target.closest("[data-cancel], [data-move]");
  if (!button || button.getAttribute("aria-disabled") === "true") return;
  if ("cancel" in button.dataset) cancel(button); else move(button.closest("[data-movable]"), button);
}

function keyed(event) {
  const side = { ArrowUp: "before", ArrowDown: "after" }[event.key], item = event.target.closest("[data-movable]");
  if (!side || !event.altKey || !item) return;
  event.preventDefault();
  const button = item.querySelector(`[data-move=${side}]`);
  if (button) move(item, button); else announce(side === "before" ? "It is the first of its line." : "It is the last of its line.");
}

export function startQueue() {
  for (const place of document.querySelectorAll("[data-queue]")) {
    place.addEventListener("click", pressed);
    place.addEventListener("keydown", keyed);
  }
}
