// The workspace page: its parts, and the line that keeps its rows true.
import { startActions } from "./actions.js";
import { line } from "./live.js";
import "./lightbox.js";
import { startPictures } from "./pictures.js";
import "./prompt-field.js";
import { askPrices } from "./quotes.js";
import { arriving, catchUp, hear, hearEdit } from "./rows.js";
import { startSelection } from "./selection.js";
import { startSettings } from "./settings.js";
import { localise } from "./times.js";
import { startUploads } from "./uploads.js";

startActions();
startPictures();
startSelection();
startSettings();
startUploads();
line.events(hear);
line.edits(hearEdit);
line.partials(arriving);
line.ticks(catchUp);
askPrices();
// A row that moved or came changes the counts of the filters and the sum spent.
let due = 0;
addEventListener("row:merged", event => { if (event.target.querySelector("[data-open-image]")) document.querySelector("[data-download-all]").hidden = false; });
const soon = (...asks) => { clearTimeout(due); due = setTimeout(() => { for (const ask of asks) ask(); }, 600); };
const wake = () => line.wake();
addEventListener("row:merged", event => { if (event.detail.moved) soon(wake); });
addEventListener("row:added", () => soon(wake, askPrices));
document.addEventListener("htmx:afterSwap", event => localise(event.target));
