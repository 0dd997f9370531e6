// <prompt-field>: a row's own prompt. Saved when it is left; kept in this browser until the server has it.
import { api } from "./api.js";
import { refresh } from "./rows.js";
import { now } from "./times.js";

const store = {
  key: row => `press:draft:${row}`,
  get(row) { try { return localStorage.getItem(this.key(row)); } catch { return null; } },
  set(row, text) { try { localStorage.setItem(this.key(row), text); } catch { /* private mode: kept on the page only */ } },
  drop(row) { try { localStorage.removeItem(this.key(row)); } catch { /* as above */ } },
};

class PromptField extends HTMLElement {
  #saving = null;

  connectedCallback() {
    this.row = this.dataset.row;
    this.unsaved = false;
    this.area.addEventListener("input", () => this.#typed());
    this.area.addEventListener("blur", () => this.#left());
    addEventListener("online", this.#again = () => { if (this.unsaved) this.save(); });
    this.#restore();
  }

  disconnectedCallback() { removeEventListener("online", this.#again); }

  #again = () => {};

  get area() { return this.querySelector("textarea"); }

  get note() { return this.closest(".prompt").querySelector("[data-note]"); }

  #restore() {
    const draft = store.get(this.row);
    if (draft === null) return;
    if (draft === this.area.dataset.saved) { store.drop(this.row); return; }
    this.area.value = draft;
    this.unsaved = true;
    this.note.textContent = "Kept here from before; not saved yet";
    this.save();
  }

  #typed() {
    this.unsaved = true;
    store.set(this.row, this.area.value);
    this.note.textContent = "Not saved yet";
  }

  #left() { if (this.unsaved) this.save(); else refresh(this.row); }

  /** Resolves to whether the server has the text. Typing meanwhile saves once more. */
  async save() {
    if (!this.unsaved) return true;
    if (this.#saving) await this.#saving;
    if (!this.unsaved) return true;
    this.#saving = this.#send(this.area.value);
    const saved = await this.#saving;
    this.#saving = null;
    return saved;
  }

  async #send(text) {
    try {
      await api("PATCH", `/api/rows/${this.row}`, { promptOverride: text });
    } catch (problem) {
      this.note.textContent = problem.code === "offline" ? "No connection: kept here, saved when the line is back" : `Not saved, kept here. ${problem.message}`;
      return false;
    }
    if (this.area.value === text) {
      this.unsaved = false;
      store.drop(this.row);
      this.area.dataset.saved = text;
      this.note.textContent = text ? `Typed by you · saved ${now()}` : "Saved";
      refresh(this.row);
    }
    return true;
  }
}

customElements.define("prompt-field", PromptField);
