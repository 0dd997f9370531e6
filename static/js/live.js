// The live line: events while there is a stream, polling while there is none, and the truth about both.
// Every page has one line. A tick asks the server what changed; an event says what to ask about at once.

const SECOND = 1000;
const BUSY = 2 * SECOND, IDLE = 20 * SECOND, LIVE_BUSY = 5 * SECOND, LIVE_IDLE = 60 * SECOND, HIDDEN_GRACE = 30 * SECOND;

class LiveLine {
  #source = null;
  #timer = 0;
  #hiding = 0;
  #quiet = 0;
  #failures = 0;
  #reached = new Date();
  #away = false;
  #ticking = false;
  #onEvent = [];
  #onPartial = [];
  #onTick = [];
  #onLine = [];

  /** `hear(event)` with {id, job, subject, status, stage, at}. */
  events(hear) { this.#onEvent.push(hear); }

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
    addEventListener("online", () => this.wake());
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
    const hear = message => { this.#heard(); const event = JSON.parse(message.data); for (const listener of "partial" in event ? this.#onPartial : this.#onEvent) listener(event); };
    source.addEventListener("message", hear);
    source.addEventListener("job", hear);
    source.addEventListener("open", () => { this.#failures = 0; this.#plan(0); });
    source.addEventListener("error", () => this.#failed(source));
  }

  // CONNECTING: the browser tries again by itself. CLOSED: it gave up (no stream here, or signed out), so we do.
  #failed(source) {
    this.#plan(Math.min(BUSY, 500));
    if (source.readyState !== EventSource.CLOSED || source !== this.#source) return;
    this.#failures += 1;
    setTimeout(() => { if (source === this.#source && !document.hidden) this.#connect(); }, Math.min(5 * 2 ** this.#failures, 120) * SECOND);
  }

  // Browsers allow six connections to one origin: a tab that nobody sees gives its own back.
  #sleep() { this.#hiding = setTimeout(() => this.#hangUp(), HIDDEN_GRACE); }

  #hangUp() { this.#source?.close(); this.#source = null; clearTimeout(this.#timer); }

  #plan(delay) { clearTimeout(this.#timer); this.#timer = setTimeout(() => this.#tick(), delay); }

  async #tick() {
    if (document.hidden) return;
    if (this.#ticking) { this.#plan(250); return; }
    this.#ticking = true;
    const answers = await Promise.allSettled(this.#onTick.map(ask => ask()));
    this.#ticking = false;
    if (answers.some(answer => answer.status === "rejected")) this.#lost(); else this.#heard();
    this.#plan(this.#pause(answers.some(answer => answer.value)));
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
  }

  #lost() {
    if (this.streaming || this.#away) return;
    this.#away = true;
    for (const tell of this.#onLine) tell(this.#reached);
  }
}

export const line = new LiveLine();
