// What every page has: clock, dialogs, messages, the queue and the live line.
import { api } from "./api.js";
import { startDialogs } from "./dialogs.js";
import { line } from "./live.js";
import { refreshQueue, startQueue } from "./queue.js";
import { announce, sayIn, toast } from "./say.js";
import { clockOf, startClock } from "./times.js";

function copy(button) {
  const text = document.getElementById(button.dataset.copy)?.textContent ?? button.dataset.text;
  navigator.clipboard.writeText(text).then(() => announce("Copied."), () => toast("The browser did not allow copying. Select the text and copy it."));
}

async function makeWorkspace(event) {
  event.preventDefault();
  const form = event.target, fields = new FormData(form);
  try {
    const made = await api("POST", "/api/workspaces", { name: fields.get("name").trim(), rightsConfirmed: fields.has("rights") });
    location.assign(`/workspaces/${made.id}`);
  } catch (problem) { sayIn(form, problem); }
}

function offline(since) {
  const notice = document.querySelector("[data-offline]");
  notice.hidden = since === null;
  if (since) notice.querySelector("[data-offline-since]").textContent = clockOf(since);
}

startClock();
startDialogs();
startQueue();
for (const message of document.querySelectorAll("template[data-message]")) toast(message.content.textContent.trim());
document.querySelector("[data-new-workspace]")?.addEventListener("submit", makeWorkspace);
addEventListener("click", event => { const button = event.target.closest("[data-copy]"); if (button) copy(button); });

if (document.getElementById("queue-button")) {
  let due = 0;
  document.querySelector("[data-try-now]").addEventListener("click", () => line.wake());
  line.lines(offline);
  line.ticks(refreshQueue);
  line.events(() => { clearTimeout(due); due = setTimeout(() => refreshQueue().catch(() => {}), 400); });
  line.start();
}
