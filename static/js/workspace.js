// The workspace page: its parts, and the line that keeps its rows true.
import { startActions } from "./actions.js";
import { line } from "./live.js";
import "./lightbox.js";
import { startPictures } from "./pictures.js";
import "./prompt-field.js";
import { askPrices } from "./quotes.js";
import { arriving, catchUp, hear } from "./rows.js";
import { startSelection } from "./selection.js";
import { startSettings } from "./settings.js";
import { localise } from "./times.js";
import { startUploads } from "./uploads.js";

function offline(since) {
  const notice = document.querySelector("[data-offline]");
  notice.hidden = since === null;
  if (since) notice.querySelector("[data-offline-since]").textContent = since.toLocaleTimeString();
}

startActions();
startPictures();
startSelection();
startSettings();
startUploads();
line.events(hear);
line.partials(arriving);
line.ticks(catchUp);
line.lines(offline);
askPrices();
// A row that moved or came changes the counts of the filters and the sum spent.
let due = 0;
addEventListener("row:merged", event => { if (event.target.querySelector("[data-open-image]")) document.querySelector("[data-download-all]").hidden = false; });
const soon = (...asks) => { clearTimeout(due); due = setTimeout(() => { for (const ask of asks) ask(); }, 600); };
const wake = () => line.wake();
addEventListener("row:merged", event => { if (event.detail.moved) soon(wake); });
addEventListener("row:added", () => soon(wake, askPrices));
document.querySelector("[data-try-now]").addEventListener("click", wake);
document.addEventListener("htmx:afterSwap", event => localise(event.target));
