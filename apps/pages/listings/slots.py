"""The six places of a project as its page shows them: what is there, what runs, what is lacking, and what can be done."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from apps.desk.estimates import Outlook, describe
from apps.jobs.models import Job
from apps.jobs.states import LIVE, Status
from apps.listings.models import ImageType, ListingImage
from apps.listings.quotes import PAINTED, price_of_scene
from apps.listings.standing import SlotStand, Stand
from apps.pages.words import Line, money, stage_words, waiting

LACKING = {
    "feature-1": "a fact",
    "compare_with": "a second product of your range",
    "width": "the width",
    "height": "the height",
}
NOTES = {
    ImageType.MAIN: "Your photo, cut out, on pure white.",
    ImageType.INFOGRAPHIC: "Your facts, drawn by us.",
    ImageType.FEATURE: "One fact, close to the product.",
    ImageType.LIFESTYLE: "The product in its surroundings.",
    ImageType.COMPARISON: "Within your own range.",
    ImageType.DIMENSIONS: "Measures from your facts.",
}
VERDICTS = {
    "same": ("done", "Same product"),
    "look": ("partial", "Look"),
    "different": ("failed", "Differs"),
    "cannot_tell": ("partial", "Look"),
}


@dataclass(frozen=True)
class SlotView:
    """`look` and `word` are the badge's; `lines` say why nothing is there yet, or what is to be known."""

    stand: SlotStand
    look: str
    word: str
    lines: Sequence[object] = ()
    live: bool = False
    known: tuple[int, int] = (0, 0)
    job: UUID | None = None
    lacks: str = ""
    price: str = ""
    rules: dict[str, int] = field(default_factory=dict)

    @property
    def image(self) -> ListingImage | None:
        return self.stand.chosen

    @property
    def thumb(self) -> str:
        return f"/media/listing-images/{self.image.pk}/thumbnail" if self.image else ""

    @property
    def full(self) -> str:
        return f"/media/listing-images/{self.image.pk}" if self.image else ""

    @property
    def note(self) -> str:
        image = self.image
        if image and image.drift:
            return str(image.drift.get("said", ""))
        if image and image.image_type == ImageType.MAIN:
            share = next((rule["measured"] for rule in image.report.get("rules", []) if rule["rule"] == "fill"), "")
            how = {"quick": "Cut out by Pressroom's quick way. ", "upload": "Your own cut-out. "}
            return f"{how.get(image.provenance.get('cutoutMethod', ''), 'Your photo, cut out. ')}{_filled(share)}"
        return NOTES[ImageType(self.stand.image_type)]

    @property
    def judged(self) -> tuple[str, str]:
        """Of the image that counts: its product's drift first, then the rules of Amazon."""
        image = self.image
        if image and image.drift and image.drift.get("verdict") != "same":
            return VERDICTS[str(image.drift["verdict"])]
        told = self.rules
        whole = sum(told.values()) - told.get("unknown", 0)
        if told.get("fail"):
            return "failed", f"{told['fail']} of {whole} fail"
        if told.get("warn"):
            return "partial", f"{told['warn']} to look at"
        return "done", f"{told.get('pass', 0)} of {whole}"

    @property
    def can_redo(self) -> bool:
        return not self.live and not self.stand.lacking


def slot_views(stand: Stand) -> list[SlotView]:
    jobs = [slot.job for slot in stand.slots if slot.job and slot.job.status in LIVE]
    outlooks = describe(jobs) if jobs else {}
    return [_view(slot, outlooks) for slot in stand.slots]


def _view(slot: SlotStand, outlooks: dict[int, Outlook]) -> SlotView:
    price = _price(slot.image_type)
    if slot.job and slot.job.status in LIVE:
        return _live(slot, slot.job, outlooks.get(slot.job.pk, Outlook()))
    rules = dict(slot.chosen.report.get("summary", {})) if slot.chosen else {}
    if slot.state == "failed" and slot.job:
        lines = [slot.job.error_message, slot.job.error_action]
        return SlotView(slot, "failed", "Failed", lines, job=slot.job.uid, price=price, rules=rules)
    if slot.chosen:
        return SlotView(slot, "done", "Ready", price=price, rules=rules)
    if slot.lacking:
        lacks = " and ".join(LACKING.get(key, key.replace("_", " ")) for key in slot.lacking)
        said = f"It needs {lacks}, which {'are' if len(slot.lacking) > 1 else 'is'} not among the facts."
        return SlotView(slot, "you", "Needs facts", [said, "Not started, not charged."], lacks=lacks)
    if slot.state == "cancelled":
        return SlotView(slot, "cancelled", "Cancelled", ["Nothing was made."], price=price)
    return SlotView(slot, "idle", "Not made yet", [NOTES[ImageType(slot.image_type)]], price=price)


def _live(slot: SlotStand, job: Job, outlook: Outlook) -> SlotView:
    rules = dict(slot.chosen.report.get("summary", {})) if slot.chosen else {}
    if job.status == Status.PROCESSING:
        said = "It stops at its next step." if job.cancel_requested_at else stage_words(job.stage, job.provider)
        return SlotView(slot, "running", "Running", [said or "It runs."], live=True, job=job.uid, rules=rules)
    wait = waiting(Line.of(job, outlook))
    lines = [line for line in (wait.lead, wait.rest) if line]
    return SlotView(slot, wait.look, wait.word, lines, live=True, job=job.uid, rules=rules)


def _price(image_type: str) -> str:
    return money(price_of_scene().amount) if image_type in PAINTED else ""


def _filled(measured: str) -> str:
    return f"Fills {measured.partition(' of')[0]}." if measured else ""
