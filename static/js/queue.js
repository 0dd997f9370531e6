// The queue: its counts in the masthead, and the drawer where one's own jobs are cancelled and reordered.
import { api, fragment } from "./api.js";
import { refill } from "./dialogs.js";
import { line } from "./live.js";
import { announce, toast } from "./say.js";

/** Puts the counts into the masthead and the tab bar; true while something runs or waits. */
export async function refreshQueue() {
  const button = document.getElementById("queue-button");
  if (!button) return false;
  const body = await fragment("/queue/summary");
  if (!body) return false;
  button.innerHTML = body.querySelector("[data-summary]").innerHTML;
  document.querySelector("[data-pip]")?.replaceChildren(...body.querySelector("[data-pip-of]").childNodes);
  await refill("queue");
  return body.querySelector("[data-busy]") !== null;
}

async function cancel(button) {
  button.setAttribute("aria-disabled", "true");
  try { await api("DELETE", `/api/jobs/${button.dataset.cancelJob}`); announce("Cancelled."); } catch (problem) { toast(problem.message); }
  line.wake();
}

async function move(item, button) {
  const { move: side, other } = button.dataset;
  try {
    await api("PATCH", `/api/jobs/${item.dataset.movable}`, { [side]: other });
    await refill("queue");
    const moved = document.getElementById(item.id);
    (moved?.querySelector(`[data-move=${side}]`) ?? moved?.querySelector("[data-move]"))?.focus();
    announce(side === "before" ? "Moved up." : "Moved down.");
  } catch (problem) { toast(problem.message); }
}

export function startQueue() {
  const drawer = document.getElementById("queue");
  if (!drawer) return;
  drawer.addEventListener("click", event => {
    const button = event.target.closest("[data-cancel-job], [data-move]");
    if (!button || button.getAttribute("aria-disabled") === "true") return;
    if (button.dataset.cancelJob) cancel(button); else move(button.closest("[data-movable]"), button);
  });
  drawer.addEventListener("keydown", event => {
    const side = { ArrowUp: "before", ArrowDown: "after" }[event.key], item = event.target.closest("[data-movable]");
    if (!side || !event.altKey || !item) return;
    event.preventDefault();
    const button = item.querySelector(`[data-move=${side}]`);
    if (button) move(item, button); else announce(side === "before" ? "It is the first of its line." : "It is the last of its line.");
  });
}
