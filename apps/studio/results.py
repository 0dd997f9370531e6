"""From a finished prediction to pictures in our own storage."""

import hashlib
from dataclasses import dataclass

from django.conf import settings

from apps.assets.decoder import look
from apps.assets.storage import content_path, write_once
from apps.providers.errors import ResultLost
from apps.providers.types import Prediction
from apps.providers.wavespeed.client import WavespeedClient
from apps.studio.models import GeneratedImage, ImageJob
from apps.studio.owned import hold_row

_SUFFIXES = {b"\xff\xd8": ".jpg", b"\x89P": ".png", b"RI": ".webp"}  # the formats that the decoder lets through


@dataclass(frozen=True)
class Fetched:
    """One output, verified as an image and stored under a name made of its content: fetching it again is harmless."""

    file: str
    thumbnail: str
    width: int
    height: int
    bytes: int


def fetch(client: WavespeedClient, prediction: Prediction, *, seconds: float) -> list[Fetched]:
    """Downloads every output at once: providers delete theirs. Raises ProviderError, or Problem for what is no image."""
    if not prediction.outputs:
        raise ResultLost("wavespeed", detail="The task is completed and has no outputs.")
    return [_keep(client.download(url, seconds=seconds)) for url in prediction.outputs]


def _keep(data: bytes) -> Fetched:
    looked = look(data)
    file = content_path("images", hashlib.sha256(data).hexdigest(), _SUFFIXES[data[:2]])
    thumbnail = content_path("thumbnails", hashlib.sha256(looked.thumbnail).hexdigest(), ".webp")
    write_once(file, data)
    write_once(thumbnail, looked.thumbnail)
    return Fetched(file, thumbnail, looked.width, looked.height, len(data))


def store_images(image_job: ImageJob, files: list[Fetched], *, late: bool) -> None:
    """The rows of the pictures; a repeat makes none. A row that was deleted meanwhile keeps nothing, the job does.

    Called once for each order, by whoever settles its call: those of a second order come after the first one's.
    """
    place = GeneratedImage.objects.filter(job_id=image_job.job_id).count()
    row_id = image_job.row_id if hold_row(image_job.row_id) else None
    GeneratedImage.objects.bulk_create(
        [
            GeneratedImage(
                job_id=image_job.job_id,
                row_id=row_id,
                owner_id=image_job.job.owner_id,
                index=place + index,
                file=kept.file,
                thumbnail=kept.thumbnail,
                width=kept.width,
                height=kept.height,
                bytes=kept.bytes,
                prompt=image_job.prompt,
                generation_model=image_job.generation_model,
                simulated="wavespeed" in settings.SIMULATED,
                late=late or row_id is None,
            )
            for index, kept in enumerate(files)
        ],
        ignore_conflicts=True,
    )
