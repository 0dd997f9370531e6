"""Pictures that were made, and the places of those that were not, as the page shows them."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from apps.jobs.models import Job
from apps.jobs.states import Status
from apps.studio.models import GeneratedImage


@dataclass(frozen=True)
class ImageView:
    id: UUID
    number: int
    width: int
    height: int
    favourite: bool
    rating: int | None
    simulated: bool
    nsfw: bool
    unreadable: bool

    @property
    def full(self) -> str:
        """What the lightbox shows: a file that cannot be shown has its tile."""
        return self.thumb if self.unreadable else self.url

    @property
    def note(self) -> str:
        """What is to be said of it, beside its size."""
        if self.unreadable:
            return "Paid for and kept, and cannot be shown here: download the file to open it elsewhere"
        return "The provider flagged it as perhaps not safe for work" if self.nsfw else ""

    @property
    def url(self) -> str:
        return f"/media/images/{self.id}"

    @property
    def thumb(self) -> str:
        return f"{self.url}/thumbnail"


@dataclass(frozen=True)
class Slot:
    """The place of a picture that is not there: it comes, or it was lost."""

    uid: UUID
    word: str
    running: bool
    lost: bool


def _image_view(image: GeneratedImage, number: int) -> ImageView:
    return ImageView(
        id=image.pk,
        number=number,
        width=image.width,
        height=image.height,
        favourite=image.favourite,
        rating=image.rating,
        simulated=image.simulated,
        nsfw=image.nsfw,
        unreadable=bool(image.unreadable),
    )


def image_views(images: Iterable[GeneratedImage]) -> list[ImageView]:
    return [_image_view(image, place) for place, image in enumerate(images, 1)]


def slot_of(job: Job) -> Slot:
    lost = job.status in (Status.FAILED, Status.CANCELLED)
    word = "This image is not made yet"
    if lost:
        word = "This image was not made"
    elif job.status == Status.PROCESSING:
        word = "This image is being made"
    return Slot(job.uid, word, job.status == Status.PROCESSING, lost)
