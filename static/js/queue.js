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

async function move(item, step) {
  const items = [...item.parentElement.querySelectorAll("[data-movable]")], other = items[items.indexOf(item) + step];
  if (!other) { announce(step < 0 ? "It is the first of yours." : "It is the last of yours."); return; }
  const [mover, before] = step < 0 ? [item, other] : [other, item];
  try {
    await api("PATCH", `/api/jobs/${mover.dataset.movable}`, { before: before.dataset.movable });
    await refill("queue");
    document.getElementById(item.id)?.querySelector("[data-move]")?.focus();
    announce(step < 0 ? "Moved up." : "Moved down.");
  } catch (problem) { toast(problem.message); }
}

export function startQueue() {
  const drawer = document.getElementById("queue");
  if (!drawer) return;
  drawer.addEventListener("click", event => {
    const button = event.target.closest("[data-cancel-job], [data-move]");
    if (!button || button.getAttribute("aria-disabled") === "true") return;
    if (button.dataset.cancelJob) cancel(button); else move(button.closest("[data-movable]"), Number(button.dataset.move));
  });
  drawer.addEventListener("keydown", event => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key], item = event.target.closest("[data-movable]");
    if (!step || !event.altKey || !item) return;
    event.preventDefault();
    move(item, step);
  });
}
