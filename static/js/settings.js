// The workspace's settings: one PATCH, then the page shows what the server keeps.
import { api } from "./api.js";
import { sayIn, toast } from "./say.js";

const path = () => `/api/workspaces/${document.body.dataset.workspace}`;
const NUMBERS = ["outputWidth", "outputHeight", "imagesPerGenerate", "secondShare"];
const SWITCHES = ["shopRefusals", "reusePrompts", "rightsConfirmed"];

function body(form) {
  const fields = Object.fromEntries(new FormData(form));
  for (const name of NUMBERS) fields[name] = Number(fields[name]);
  for (const name of SWITCHES) fields[name] = form.elements[name].checked;
  return { ...fields, name: fields.name.trim() };
}

export function startSettings() {
  const form = document.querySelector("[data-settings]");
  form.addEventListener("submit", async event => {
    event.preventDefault();
    try { await api("PATCH", path(), body(form)); location.reload(); } catch (problem) { sayIn(form, problem); }
  });
  document.querySelector("[data-confirm-rights]")?.addEventListener("click", async event => {
    try { await api("PATCH", path(), { rightsConfirmed: true }); location.reload(); } catch (problem) { toast(problem.message); event.target.blur(); }
  });
}
