"""What the queue says besides a row's own words: what an entry is made of, and who must act."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from apps.desk.estimates import Outlook
from apps.jobs.models import Job
from apps.jobs.states import Reason
from apps.pages.words import count
from apps.providers.causes import NOTHING_TO_DO, cause_of

_KINDS = {"picture": "listing image", "scene": "listing image", "cutout": "cut-out"}
_DESK = {Reason.LANE_PAUSED, Reason.NO_WORKER}


@dataclass(frozen=True)
class Actor:
    """`needed`: nothing goes on before somebody does something. `look` is the badge's."""

    words: str
    needed: bool = False
    look: str = ""


NOBODY = Actor("Nothing to do. It runs.")
WAITS = Actor("Nothing to do. It keeps its place.")
YOU = Actor("You", needed=True, look="you")
BUDGET = Actor("You, or whoever runs this desk", needed=True, look="you")
DESK = Actor("Whoever runs this desk", needed=True, look="held")


def actor_of(status: str, look: str, outlooks: Sequence[Outlook]) -> Actor:
    """From what the entry's own jobs wait for; one that still runs needs nobody."""
    if status == "needs_you":
        return YOU
    if status == "running":
        return NOBODY
    reasons = {outlook.reason for outlook in outlooks} | {str(outlook.facts.get("waits") or "") for outlook in outlooks}
    if look == "held" and Reason.BUDGET in reasons:
        return BUDGET
    if look == "held" and reasons & _DESK:
        return DESK
    refused = (cause_of(str(one.facts.get("cause") or ""), str(one.facts.get("provider") or "")) for one in outlooks)
    if (
        look == "held"
        and Reason.BREAKER_OPEN in reasons
        and any(not one.yours.startswith(NOTHING_TO_DO) for one in refused)
    ):
        return DESK
    return WAITS


def contents_of(jobs: Sequence[Job]) -> str:
    """`prompt, 4 images`; of a pack its parent is not told besides its images."""
    kinds = Counter(_KINDS.get(job.kind, job.kind) for job in jobs if not (job.after_children and len(jobs) > 1))
    others = [count(number, kind) for kind, number in kinds.items() if kind not in ("prompt", "image")]
    prompts = ["prompt" if kinds["prompt"] == 1 else count(kinds["prompt"], "prompt")] if kinds["prompt"] else []
    return ", ".join([*prompts, *([count(kinds["image"], "image")] if kinds["image"] else []), *others])


def job_name(kind: str) -> str:
    """`Listing image`, `Cut-out`."""
    return _KINDS.get(kind, kind).capitalize()
