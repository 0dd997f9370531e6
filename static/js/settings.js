// The workspace's settings: one PATCH, then the page shows what the server keeps.
import { api } from "./api.js";
import { sayIn, toast } from "./say.js";

const path = () => `/api/workspaces/${document.body.dataset.workspace}`;
const NUMBERS = ["outputWidth", "outputHeight", "imagesPerGenerate"];

function body(form) {
  const fields = Object.fromEntries(new FormData(form));
  for (const name of NUMBERS) fields[name] = Number(fields[name]);
  return { ...fields, name: fields.name.trim(), rightsConfirmed: form.elements.rightsConfirmed.checked };
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
