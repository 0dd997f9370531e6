// What is told: the polite live region, toasts, and the words beside the thing they are about.

const region = () => document.querySelector("[data-live]");

export function announce(text) {
  const live = region();
  if (!live) return;
  live.textContent = "";
  requestAnimationFrame(() => { live.textContent = text; });
}

/** Repeats what the page shows; carries undo for 8 s, longer while it is focused or hovered. */
export function toast(text, { undo = null } = {}) {
  const tray = document.querySelector("[data-toasts]");
  const box = document.createElement("div"), words = document.createElement("p");
  box.className = "toast";
  words.textContent = text;
  box.append(words);
  let timer = 0, over = false;
  const end = happened => { if (over) return; over = true; clearTimeout(timer); box.remove(); happened?.(); };
  const wait = () => { clearTimeout(timer); timer = setTimeout(() => end(), 8000); };
  if (undo) box.append(button("Undo", () => end(undo)));
  for (const kind of ["mouseenter", "focusin"]) box.addEventListener(kind, () => clearTimeout(timer));
  for (const kind of ["mouseleave", "focusout"]) box.addEventListener(kind, wait);
  tray.append(box);
  announce(undo ? `${text} Undo is at the end of the page.` : text);
  wait();
}

function button(word, press) {
  const made = document.createElement("button");
  Object.assign(made, { className: "btn btn-undo", type: "button", textContent: word });
  made.addEventListener("click", press);
  return made;
}

/** Words of an error inside `place` (its [data-said]); no problem clears them. */
export function sayIn(place, problem) {
  const words = place?.querySelector("[data-said]");
  if (!words) { if (problem) toast(problem.message); return; }
  words.textContent = problem ? problem.message : "";
  words.hidden = !problem;
  words.toggleAttribute("data-offline-words", problem?.code === "offline");
}

// What was said because there was no connection is over when there is one.
addEventListener("line:good", () => {
  for (const words of document.querySelectorAll("[data-offline-words]:not([hidden])")) { words.textContent = ""; words.hidden = true; }
});
