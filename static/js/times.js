// Times as the reader's own clock shows them, and seconds that count up while something runs.

const two = number => String(number).padStart(2, "0");
const HOUR = 3600e3;

function shown(at) {
  const near = Math.abs(at - Date.now()) < HOUR, today = at.toDateString() === new Date().toDateString();
  const clock = `${two(at.getHours())}:${two(at.getMinutes())}`;
  if (near) return `${clock}:${two(at.getSeconds())}`;
  return today ? clock : `${at.toLocaleDateString(undefined, { day: "numeric", month: "short" })} ${clock}`;
}

function since(from) {
  const seconds = Math.max(0, Math.round((Date.now() - new Date(from)) / 1000));
  return seconds < 90 ? `${seconds}\u202fs` : `${Math.floor(seconds / 60)}\u202fmin ${seconds % 60}\u202fs`;
}

/** Makes every time inside `root` local. Done to a fragment before it is compared with the page. */
export function localise(root) {
  for (const time of root.querySelectorAll("time[data-clock]")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.valueOf())) continue;
    time.textContent = shown(at);
    time.title = at.toLocaleString();
  }
  for (const run of root.querySelectorAll("[data-since]")) run.textContent = since(run.dataset.since);
}

export function startClock() {
  localise(document);
  setInterval(() => { if (!document.hidden) for (const run of document.querySelectorAll("[data-since]")) run.textContent = since(run.dataset.since); }, 1000);
}

/** A moment as every page writes it. */
export const clockOf = at => shown(at);

export const now = () => shown(new Date());
