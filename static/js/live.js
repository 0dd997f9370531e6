// The live line: events while there is a stream, polling while there is none, and the truth about both.
// Every page has one line. A tick asks the server what changed; an event says what to ask about at once.
// Whether there is a connection is decided by ticks alone: a socket may look open long after its wire was cut.

const SECOND = 1000;
const BUSY = 2 * SECOND, IDLE = 20 * SECOND, LIVE_BUSY = 5 * SECOND, LIVE_IDLE = 60 * SECOND, HIDDEN_GRACE = 30 * SECOND;
const SILENT = 40 * SECOND; // the stream says something every 15 s, be it only that it is there
const GONE = new Set([502, 503, 504]); // who answers so stands before a Pressroom that does not

class LiveLine {
  #source = null;
  #timer = 0;
  #hiding = 0;
  #watch = 0;
  #quiet = 0;
  #failures = 0;
  #reached = new Date();
  #away = false;
  #ticking = false;
  #onceMore = false;
  #onEvent = [];
  #onEdit = [];
  #onPartial = [];
  #onTick = [];
  #onLine = [];

  /** `hear(event)` with {id, job, subject, status, stage, at}. */
  events(hear) { this.#onEvent.push(hear); }

  /** `hear({subject, workspace})`: a person changed, added or deleted a row. Nothing is lost when one is missed. */
  edits(hear) { this.#onEdit.push(hear); }

  /** `hear({job, subject, partial})`: all that a model has written so far. Nothing is lost when one is missed. */
  partials(hear) { this.#onPartial.push(hear); }

  /** `ask()` resolves to whether something runs; it rejects when the server cannot be reached. */
  ticks(ask) { this.#onTick.push(ask); }

  /** `tell(since)`: the time of the last contact while there is none, null when it is back. */
  lines(tell) { this.#onLine.push(tell); }

  get streaming() { return this.#source?.readyState === EventSource.OPEN; }

  start() {
    this.#connect();
    this.#plan(BUSY);
    document.addEventListener("visibilitychange", () => (document.hidden ? this.#sleep() : this.wake()));
    for (const kind of ["online", "offline"]) addEventListener(kind, () => this.wake());
    addEventListener("line:doubt", () => { if (!this.#ticking && !this.#away) this.#plan(0); });
    addEventListener("pagehide", () => this.#hangUp());
    addEventListener("pageshow", event => { if (event.persisted) this.wake(); });
  }

  /** Asks now: after an action of one's own, and when the page is looked at again. */
  wake() {
    clearTimeout(this.#hiding);
    if (!this.#source) this.#connect();
    this.#quiet = 0;
    this.#plan(0);
  }

  #connect() {
    const source = new EventSource("/api/events", { withCredentials: true });
    this.#source = source;
    const hear = message => {
      this.#alive(source);
      const event = JSON.parse(message.data);
      for (const listener of "partial" in event ? this.#onPartial : this.#onEvent) listener(event);
    };
    source.addEventListener("message", hear);
    source.addEventListener("job", hear);
    source.addEventListener("edited", message => { this.#alive(source); for (const listener of this.#onEdit) listener(JSON.parse(message.data)); });
    source.addEventListener("resync", () => { this.#alive(source); this.#plan(0); });
    source.addEventListener("beat", () => this.#alive(source));
    source.addEventListener("open", () => { this.#failures = 0; this.#alive(source); this.#plan(0); });
    source.addEventListener("error", () => this.#failed(source));
  }

  // Something came: the stream is good for a while. Silence for longer than its beats is a wire that was cut.
  #alive(source) {
    clearTimeout(this.#watch);
    if (source !== this.#source) return;
    if (this.#away) this.#plan(0); else this.#reached = new Date();
    this.#watch = setTimeout(() => { this.#hangUp(); if (!document.hidden) this.wake(); }, SILENT);
  }

  // CONNECTING: the browser tries again by itself. CLOSED: it gave up (no stream here, or signed out), so we do.
  #failed(source) {
    clearTimeout(this.#watch);
    this.#plan(Math.min(BUSY, 500));
    if (source.readyState !== EventSource.CLOSED || source !== this.#source) return;
    this.#failures += 1;
    setTimeout(() => { if (source === this.#source && !document.hidden) this.#connect(); }, Math.min(5 * 2 ** this.#failures, 120) * SECOND);
  }

  // Browsers allow six connections to one origin: a tab that nobody sees gives its own back.
  #sleep() { this.#hiding = setTimeout(() => this.#hangUp(), HIDDEN_GRACE); }

  #hangUp() {
    this.#source?.close();
    this.#source = null;
    clearTimeout(this.#watch);
    clearTimeout(this.#timer);
  }

  #plan(delay) { clearTimeout(this.#timer); this.#timer = setTimeout(() => this.#tick(), delay); }

  async #tick() {
    if (document.hidden) return;
    // What is asked while a tick is under way is asked once more after it: its answers may be from before.
    if (this.#ticking) { this.#onceMore = true; return; }
    this.#ticking = true;
    this.#onceMore = false;
    const answers = await Promise.allSettled(this.#onTick.map(ask => ask()));
    this.#ticking = false;
    const failed = answers.filter(answer => answer.status === "rejected").map(answer => answer.reason);
    if (failed.some(problem => problem.code === "offline" || GONE.has(problem.status))) this.#lost(); else this.#heard();
    const pause = this.#pause(answers.some(answer => answer.value));
    this.#plan(this.#onceMore ? 250 : pause);
  }

  #pause(busy) {
    this.#quiet = busy ? 0 : this.#quiet + 1;
    if (this.#away) return 2 * BUSY;
    if (this.streaming) return busy ? LIVE_BUSY : LIVE_IDLE;
    return busy ? BUSY : Math.min(BUSY * 1.6 ** this.#quiet, IDLE);
  }

  #heard() {
    this.#reached = new Date();
    if (this.#away) { this.#away = false; for (const tell of this.#onLine) tell(null); }
    dispatchEvent(new CustomEvent("line:good"));
  }

  #lost() {
    if (this.#away) return;
    this.#away = true;
    for (const tell of this.#onLine) tell(this.#reached);
  }
}

export const line = new LiveLine();
