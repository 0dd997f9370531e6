// <prompt-field>: a row's prompt. Saved when it is left; kept in this browser until the server has it.
// A draft remembers the text it was typed over. Where the server has another one by then, both are shown and a person
// chooses: neither a second tab nor a draft of last week overwrites what is newer.
import { api } from "./api.js";
import { refresh } from "./rows.js";
import { announce } from "./say.js";
import { now } from "./times.js";

/** `{text, base}` by row: what was typed, and what it was typed over. */
const store = {
  key: row => `press:draft:${row}`,
  get(row) {
    let kept = null;
    try { kept = localStorage.getItem(this.key(row)); } catch { return null; }
    try { const draft = JSON.parse(kept); if (draft === null || typeof draft.text === "string") return draft; } catch { /* of a version that kept the text alone */ }
    return { text: kept, base: "" };
  },
  set(row, draft) { try { localStorage.setItem(this.key(row), JSON.stringify(draft)); } catch { /* private mode: kept on the page only */ } },
  // Another tab may have typed since, and that is its draft.
  drop(row, text) { try { if (this.get(row)?.text === text) localStorage.removeItem(this.key(row)); } catch { /* as above */ } },
};

const comesBack = problem => problem.code === "offline" || problem.status >= 500 || problem.status === 429;

class PromptField extends HTMLElement {
  #saving = null;
  #again = false;
  #heard = false;

  connectedCallback() {
    this.row = this.dataset.row;
    this.unsaved = false;
    this.base = this.saved;
    this.theirs = null;
    addEventListener("line:good", this.#good);
    if (!this.#heard) {  // a row that came back after Undo is connected a second time
      this.area.addEventListener("input", () => this.#typed());
      this.area.addEventListener("blur", () => this.#left());
      this.addEventListener("click", event => this.#pressed(event));
      this.#heard = true;
    }
    this.#restore();
  }

  disconnectedCallback() { removeEventListener("line:good", this.#good); }

  #good = () => { if (this.unsaved && this.#again) this.save(); };

  get area() { return this.querySelector("textarea"); }

  get saved() { return this.area.dataset.saved; }

  get note() { return this.closest(".prompt").querySelector("[data-prompt-note]"); }

  /** Why it is not saved, in words for whoever wanted to go on with it. */
  get trouble() {
    if (this.theirs !== null) return "Two texts stand in this row. Choose one of them first; nothing was started.";
    return "Your prompt could not be saved, so nothing was started. It is kept here.";
  }

  #restore() {
    const draft = store.get(this.row);
    if (draft === null) return;
    if (draft.text === this.saved) { store.drop(this.row, draft.text); return; }
    this.area.value = draft.text;
    this.base = draft.base;
    this.unsaved = true;
    this.note.textContent = "Kept here from before; not saved yet";
    if (draft.base === this.saved) this.save(); else this.#clash(this.saved);
  }

  #typed() {
    if (!this.unsaved) this.base = this.saved;
    this.unsaved = true;
    store.set(this.row, { text: this.area.value, base: this.base });
    this.note.textContent = this.theirs === null ? "Not saved yet" : "Not saved: choose one of the two";
  }

  #left() { if (this.unsaved) this.save(); else refresh(this.row); }

  /** Puts another text in and saves it, as if it had been typed. Resolves as `save`. */
  use(text) {
    this.area.value = text;
    this.#typed();
    return this.save();
  }

  /** Resolves to whether the server has the text. Typing meanwhile saves once more. */
  async save() {
    if (!this.unsaved) return true;
    if (this.#saving) await this.#saving;
    if (!this.unsaved) return true;
    if (this.theirs !== null) return false;
    this.#saving = this.#send(this.area.value);
    const saved = await this.#saving;
    this.#saving = null;
    return saved;
  }

  async #send(text) {
    this.#again = false;
    try {
      await api("PATCH", `/api/rows/${this.row}`, { promptOverride: text, promptWas: this.base });
    } catch (problem) {
      if (problem.code === "prompt_changed") { this.#clash(problem.more.promptText); return false; }
      this.#again = comesBack(problem);
      this.note.textContent = problem.code === "offline" ? "No connection: kept here, saved when the line is back" : `Not saved, kept here. ${problem.message}`;
      return false;
    }
    this.area.dataset.saved = text;
    this.base = text;
    if (this.area.value === text) this.#settled(text ? `Typed by you · saved ${now()}` : "Saved");
    else store.set(this.row, { text: this.area.value, base: text });
    return true;
  }

  #settled(note) {
    this.unsaved = false;
    store.drop(this.row, this.area.value);
    this.note.textContent = note;
    refresh(this.row);
  }

  // ---- two texts
  #clash(theirs) {
    this.theirs = theirs;
    const shown = this.querySelector("[data-clash]") ?? document.getElementById("clash").content.firstElementChild.cloneNode(true);
    shown.id = `clash-${this.row}`;
    shown.querySelector("[data-theirs]").textContent = theirs || "No text: it was emptied.";
    this.append(shown);
    this.area.setAttribute("aria-describedby", shown.id);
    this.note.textContent = "Not saved: choose one of the two";
    announce(`${this.area.getAttribute("aria-label")}: another text was saved meanwhile. Choose one of the two below it.`);
  }

  #pressed(event) {
    const choice = event.target.closest("[data-choose]")?.dataset.choose;
    if (!choice) return;
    const theirs = this.theirs;
    this.theirs = null;
    this.querySelector("[data-clash]").remove();
    this.area.removeAttribute("aria-describedby");
    this.area.focus();
    this.base = theirs;
    if (choice === "mine") { store.set(this.row, { text: this.area.value, base: theirs }); this.save(); return; }
    store.drop(this.row, this.area.value);
    this.area.value = theirs;
    this.area.dataset.saved = theirs;
    this.#settled("The saved text");
  }
}

customElements.define("prompt-field", PromptField);
