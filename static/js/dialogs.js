// Native dialogs and menus, wired by attributes: data-open, data-close, data-menu.
import { fragment } from "./api.js";
import { localise } from "./times.js";

export const open = id => { const dialog = document.getElementById(id); if (dialog && !dialog.open) dialog.showModal(); return dialog; };

async function fill(dialog) {
  const body = await fragment(dialog.dataset.load).catch(() => null);
  const target = dialog.querySelector("[data-fill]");
  if (!body) { target.textContent = "This could not be read. Close it and open it again."; return; }
  localise(body);
  Idiomorph.morph(target, body.innerHTML, { morphStyle: "innerHTML" });
}

/** Reads an open, filled drawer again; a closed one waits for its next opening. */
export const refill = id => { const dialog = document.getElementById(id); return dialog?.open ? fill(dialog) : Promise.resolve(); };

function openers(event) {
  const opener = event.target.closest("[data-open]");
  if (!opener) return;
  const dialog = open(opener.dataset.open);
  if (dialog?.dataset.load) fill(dialog);
}

function closers(event) {
  const dialog = event.target.closest("dialog");
  if (dialog && (event.target === dialog || event.target.closest("[data-close]"))) dialog.close();
}

// ---- menus: one is open at a time; a shared menu (row-menu) moves to the button that opens it
let opener = null;

export function shutMenu({ focus = false } = {}) {
  if (!opener) return;
  document.getElementById(opener.dataset.menu).hidden = true;
  opener.setAttribute("aria-expanded", "false");
  if (focus) opener.focus();
  opener = null;
}

function showMenu(button) {
  const menu = document.getElementById(button.dataset.menu);
  button.parentElement.append(menu);
  opener = button;
  button.setAttribute("aria-expanded", "true");
  menu.dispatchEvent(new CustomEvent("menu:open", { detail: button }));
  menu.hidden = false;
  menu.querySelector("[role=menuitem]:not([hidden])")?.focus();
}

function menus(event) {
  const button = event.target.closest("[data-menu]");
  const same = button && button === opener;
  if (!event.target.closest("[role=menu]")) shutMenu();
  if (button && !same) showMenu(button);
}

function menuKeys(event) {
  const menu = event.target.closest?.("[role=menu]");
  if (!menu) return;
  const items = [...menu.querySelectorAll("[role=menuitem]:not([hidden])")], step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) { event.preventDefault(); items.at((items.indexOf(document.activeElement) + step) % items.length).focus(); }
  if (event.key === "Escape") { event.stopPropagation(); shutMenu({ focus: true }); }
  if (event.key === "Tab") shutMenu();
}

export function startDialogs() {
  addEventListener("click", event => { openers(event); closers(event); menus(event); });
  addEventListener("keydown", menuKeys);
  for (const dialog of document.querySelectorAll("dialog[data-open-now]")) dialog.showModal();
}
