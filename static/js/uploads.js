// Many pictures at once: chosen, dropped as a folder, or pasted. Each becomes one row and shows its own progress.
import { few, upload } from "./api.js";
import { addRow, showSent } from "./pictures.js";
import { announce } from "./say.js";

// What systems put beside pictures, unasked: nobody meant these, so nobody is told of each.
const NOT_MEANT = /^(\.|__MACOSX|Thumbs\.db$|ehthumbs\.db$|desktop\.ini$|Icon\r$)/i;
const KINDS = new Set(["image/jpeg", "image/png", "image/webp"]);
const AT_ONCE = 2; // of one person the server opens two pictures at a time
const panel = document.getElementById("uploads");
const part = name => panel.querySelector(`[data-up-${name}]`);
const megabytes = bytes => `${(bytes / 1e6).toFixed(1)} MB`;

// readEntries gives at most 100 names a call, so it is asked until it gives none.
async function walk(entry) {
  if (entry.isFile) return [await new Promise((found, lost) => { entry.file(found, lost); })];
  const reader = entry.createReader(), files = [];
  for (;;) {
    const some = await new Promise((found, lost) => { reader.readEntries(found, lost); });
    if (!some.length) return files;
    for (const inner of some) files.push(...await walk(inner));
  }
}

async function dropped(transfer) {
  const entries = [...transfer.items].filter(item => item.kind === "file").map(item => item.webkitGetAsEntry?.() ?? item.getAsFile());
  const found = await Promise.all(entries.filter(Boolean).map(entry => (entry instanceof File ? [entry] : walk(entry))));
  return found.flat().sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
}

function lineOf(file) {
  const item = document.createElement("li");
  item.className = "upload";
  item.innerHTML = '<span class="tile"></span><div><p><strong></strong> <span class="muted num"></span></p><progress max="1" value="0"></progress></div>';
  item.querySelector("strong").textContent = file.name;
  item.querySelector(".num").textContent = megabytes(file.size);
  item.querySelector("progress").setAttribute("aria-label", file.name);
  if (KINDS.has(file.type)) { const image = new Image(52, 52); image.alt = ""; image.src = URL.createObjectURL(file); image.onload = () => URL.revokeObjectURL(image.src); item.firstChild.append(image); }
  return item;
}

function refuse(item, words) {
  item.querySelector("progress")?.remove();
  item.dataset.refused = "1";
  item.querySelector("div").append(Object.assign(document.createElement("p"), { className: "field-error", textContent: words }));
}

async function bring(file, item, sums) {
  if (!KINDS.has(file.type)) { refuse(item, `${file.type || "This kind of file"} cannot be used. Save it as JPEG, PNG or WebP and drop it again. The others are not affected.`); throw new Error("kind"); }
  const bar = item.querySelector("progress");
  const asset = await upload(file, (sent, total) => { showSent(bar, sent, total); item.querySelector(".num").textContent = `${megabytes(sent)} of ${megabytes(total)}`; sums.count(file, sent / total); });
  await addRow(asset.url, file.name);
  item.remove();
}

export async function addFiles(given) {
  const files = given.filter(file => !NOT_MEANT.test(file.name)), skipped = given.length - files.length;
  if (!files.length) { if (skipped) announce("There is no picture in it."); return; }
  const items = files.map(lineOf), shares = new Map();
  const sums = { count(file, share) { shares.set(file, share); const done = [...shares.values()].reduce((sum, one) => sum + one, 0); part("all").value = done; part("sum").textContent = `${[...shares.values()].filter(one => one >= 1).length} of ${files.length} sent`; } };
  panel.hidden = false;
  document.getElementById("up-title").textContent = `Adding ${files.length} ${files.length === 1 ? "row" : "rows"}`;
  part("all").max = files.length;
  part("all").value = 0;
  part("all").hidden = false;
  part("close").hidden = true;
  part("sum").textContent = "";
  part("list").replaceChildren(...items);
  const results = await few(files, AT_ONCE, async (file, index) => {
    try { await bring(file, items[index], sums); } catch (problem) { if (!items[index].dataset.refused) refuse(items[index], problem.message); throw problem; } finally { sums.count(file, 1); }
  });
  finish(results);
}

function finish(results) {
  const added = results.filter(result => result.ok).length, refused = results.length - added;
  announce(refused ? `${added} rows added, ${refused} refused.` : `${added} rows added.`);
  document.getElementById("up-title").textContent = refused ? `${added} added, ${refused} refused` : `${added} added`;
  part("all").hidden = true;
  part("close").hidden = false;
  panel.hidden = !refused;
}

function pasted(event) {
  if (event.target.closest("input, textarea, dialog[open]")) return;
  const files = [...event.clipboardData.files], text = event.clipboardData.getData("text").trim();
  if (files.length) { event.preventDefault(); addFiles(files); }
  else if (/^https?:\/\/\S+$/.test(text)) addRow(text, text.split("/").pop() || text).then(() => announce("A row was added for the pasted address."), problem => announce(problem.message));
}

export function startUploads() {
  const input = document.getElementById("files"), veil = document.querySelector("[data-veil]");
  const carries = event => event.dataTransfer?.types.includes("Files") && !document.querySelector("dialog[open]");
  let depth = 0;
  addEventListener("click", event => { if (event.target.closest("[data-choose-files]")) input.click(); if (event.target.closest("[data-up-close]")) panel.hidden = true; });
  input.addEventListener("change", () => { const files = [...input.files]; input.value = ""; addFiles(files); });
  addEventListener("dragenter", event => { if (carries(event)) { depth += 1; veil.hidden = false; } });
  addEventListener("dragleave", event => { if (carries(event)) { depth -= 1; veil.hidden = depth > 0 ? veil.hidden : true; } });
  addEventListener("dragover", event => { if (carries(event)) event.preventDefault(); });
  addEventListener("drop", async event => { if (!carries(event)) return; event.preventDefault(); depth = 0; veil.hidden = true; addFiles(await dropped(event.dataTransfer)); });
  addEventListener("paste", pasted);
}
