// The job page: drawn again by the server whenever the job moves.
import { api, fragment } from "./api.js";
import { line } from "./live.js";
import { announce, sayIn } from "./say.js";
import { localise } from "./times.js";

const uid = document.body.dataset.job;
const page = () => document.getElementById("job");
const live = () => "liveJob" in page().dataset;
const keep = (old, fresh) => { if (old.nodeName === "DETAILS") fresh.open = old.open; return !(old.matches?.("[data-said]:not([hidden])")); };

async function redraw({ always = false } = {}) {
  if (!always && !live()) return false;
  const fresh = (await fragment(location.pathname))?.querySelector("#job");
  if (!fresh) return false;
  const was = live();
  localise(fresh);
  Idiomorph.morph(page(), fresh, { morphStyle: "outerHTML", callbacks: { beforeNodeMorphed: keep } });
  if (was && !live()) announce(page().querySelector(".verdict-s").textContent);
  return live();
}

async function act(button) {
  button.setAttribute("aria-disabled", "true");
  sayIn(page());
  try {
    if (button.dataset.jobAct === "cancel") await api("DELETE", `/api/jobs/${uid}`);
    else { const made = await api("POST", `/api/jobs/${uid}/retry`); location.assign(`/jobs/${made.jobId}`); return; }
  } catch (problem) { sayIn(page(), problem); }
  button.removeAttribute("aria-disabled");
  redraw({ always: true });
}

addEventListener("click", event => { const button = event.target.closest("[data-job-act]"); if (button && button.getAttribute("aria-disabled") !== "true") act(button); });
line.ticks(() => redraw());
line.events(event => { if (event.job === uid) redraw({ always: true }).catch(() => {}); });
