// <image-lightbox>: one row's images, one at a time, with the keys of a light table.
import { api, fragment } from "./api.js";
import { refresh, rowById, rowOf } from "./rows.js";
import { announce, toast } from "./say.js";
import { localise } from "./times.js";

const STEPS = ["fit", "100", "200", "400"];

class ImageLightbox extends HTMLElement {
  #row = "";
  #index = 0;
  #zoom = 0;

  connectedCallback() {
    this.dialog = this.closest("dialog");
    this.addEventListener("click", event => this.#pressed(event));
    this.addEventListener("change", event => { if (event.target.name === "rating") this.#mark({ rating: Number(event.target.value) }); });
    this.dialog.addEventListener("keydown", event => this.#keyed(event));
    this.dialog.addEventListener("close", () => this.#closed());
    addEventListener("click", event => { const tile = event.target.closest("[data-open-image]"); if (tile) this.open(tile); });
    addEventListener("click", event => { if (event.target.closest("[data-open-more]")) this.open(rowOf(event.target).querySelector("li[hidden] [data-open-image]")); });
    addEventListener("click", event => { const heart = event.target.closest("[data-favourite-image]"); if (heart) this.#heart(heart); });
  }

  part(name) { return this.querySelector(`[data-${name}]`); }

  get tiles() { return [...(rowById(this.#row)?.querySelectorAll("[data-open-image]") ?? document.querySelectorAll(".results-here [data-open-image]"))]; }

  get tile() { return this.tiles[this.#index]; }

  open(tile) {
    const row = rowOf(tile);
    this.#row = row?.dataset.row ?? "";
    this.#index = this.tiles.indexOf(tile);
    this.part("title").textContent = row ? row.querySelector(".row-no").textContent.trim() : "This job";
    const target = row?.querySelector(".c-target img")?.src.replace(/\/thumbnail$/, "") ?? "";
    this.part("target-img").src = target;
    this.querySelector("[data-key=c]").hidden = !target;
    if (!this.dialog.open) this.dialog.showModal();
    this.#show();
  }

  #show() {
    const tile = this.tile, { openImage: id, full, file, note, width, height, favourite, rating, panel } = tile.dataset, all = this.tiles.length;
    this.part("img").src = full;
    this.part("img").alt = tile.getAttribute("aria-label").replace(/^Open i/, "I");
    this.part("place").textContent = `· ${this.#index + 1} of ${all}`;
    const size = Number(width) ? `${width} × ${height}` : "";
    this.part("caption").textContent = [size, "simulated" in tile.dataset && "simulated", note].filter(Boolean).join(" · ");
    this.part("download").href = `${file}?download=1`;
    this.part("fav").setAttribute("aria-pressed", favourite);
    this.part("fav").querySelector("use").setAttribute("href", favourite === "true" ? "#i-heart-on" : "#i-heart");
    for (const star of this.querySelectorAll("[name=rating]")) star.checked = star.value === rating;
    this.#size(0);
    this.#film();
    this.#tell(id, panel);
  }

  async #tell(id, panel) {
    const place = this.part("panel");
    if (place.dataset.of !== id) place.replaceChildren();
    place.dataset.of = id;
    const body = await fragment(panel).catch(() => null);
    if (!body || this.tile?.dataset.openImage !== id) return;
    localise(body);
    place.replaceChildren(...body.childNodes);
  }

  #film() {
    this.part("film").replaceChildren(...this.tiles.map((tile, index) => {
      const button = document.createElement("button"), image = new Image();
      Object.assign(button, { type: "button", className: "tile" });
      button.setAttribute("aria-label", `Image ${index + 1}${tile.dataset.favourite === "true" ? ", favourite" : ""}`);
      if (index === this.#index) button.setAttribute("aria-current", "true");
      Object.assign(image, { src: tile.querySelector("img").src, alt: "" });
      button.append(image);
      if (tile.dataset.favourite === "true") button.insertAdjacentHTML("beforeend", '<svg class="icon" aria-hidden="true"><use href="#i-heart-on"/></svg>');
      button.addEventListener("click", () => this.#go(index - this.#index));
      return button;
    }));
    this.part("film").querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  #go(step) {
    const all = this.tiles.length;
    this.#index = (this.#index + step + all) % all;
    this.#show();
    announce(`Image ${this.#index + 1} of ${all}`);
  }

  #size(zoom) {
    this.#zoom = Math.max(0, Math.min(STEPS.length - 1, zoom));
    this.part("zoom-box").dataset.zoomed = STEPS[this.#zoom];
    this.part("zoom").textContent = this.#zoom ? `${STEPS[this.#zoom]} %` : "Fit";
  }

  #compare() {
    const on = this.part("pics").toggleAttribute("data-compare");
    this.querySelector("[data-key=c]").setAttribute("aria-pressed", String(on));
  }

  async #mark(change) {
    const tile = this.tile, row = this.#row;
    try {
      await api("PATCH", `/api/images/${tile.dataset.openImage}`, change);
      if ("favourite" in change) tile.dataset.favourite = String(change.favourite); else tile.dataset.rating = change.rating ?? "";
      announce("favourite" in change ? (change.favourite ? "Favourite" : "No longer a favourite") : `Rated ${change.rating} of 5`);
      if (row) await refresh(row);
    } catch (problem) { toast(problem.message); }
    if (this.dialog.open && this.tile) this.#show();
  }

  async #heart(heart) {
    const on = heart.getAttribute("aria-pressed") !== "true", row = rowOf(heart);
    heart.setAttribute("aria-pressed", String(on));
    try { await api("PATCH", `/api/images/${heart.dataset.favouriteImage}`, { favourite: on }); } catch (problem) { heart.setAttribute("aria-pressed", String(!on)); toast(problem.message); }
    if (row) refresh(row.dataset.row);
  }

  #do(key) {
    const verbs = {
      ArrowLeft: () => this.#go(-1), ArrowRight: () => this.#go(1), c: () => this.#compare(),
      f: () => this.#mark({ favourite: this.tile.dataset.favourite !== "true" }),
      "+": () => this.#size(this.#zoom + 1), "-": () => this.#size(this.#zoom - 1), 0: () => this.#size(0),
    };
    if (/^[1-5]$/.test(key)) this.#mark({ rating: Number(key) }); else verbs[key]?.();
    return key in verbs || /^[1-5]$/.test(key);
  }

  #keyed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("[type=text], textarea")) return;
    const key = event.key === "=" ? "+" : event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (event.target.matches("[type=radio]") && key.startsWith("Arrow")) return;
    if (this.#do(key)) event.preventDefault();
  }

  #pressed(event) {
    const button = event.target.closest("[data-key]"), again = event.target.closest("[data-use-prompt]");
    if (button) this.#do(button.dataset.key);
    if (again) this.#again(again.dataset.usePrompt);
  }

  async #again(text) {
    const field = rowById(this.#row).querySelector("prompt-field"), saved = await field.use(text);
    toast(saved ? "The row has this prompt again." : field.note.textContent);
  }

  #closed() {
    this.part("img").removeAttribute("src");
    this.part("pics").removeAttribute("data-compare");
    this.querySelector("[data-key=c]").setAttribute("aria-pressed", "false");
    const tile = this.tile;
    (tile?.closest("[hidden]") ? rowOf(tile)?.querySelector("[data-open-more]") : tile)?.focus();
  }
}

customElements.define("image-lightbox", ImageLightbox);
