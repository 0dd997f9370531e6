"""From a finished prediction to pictures in our own storage."""

import hashlib
import time
from dataclasses import dataclass

from django.conf import settings

from apps.assets.decoder import look
from apps.assets.storage import content_path, write_once
from apps.core.errors import Problem
from apps.providers.errors import ResultLost
from apps.providers.types import Prediction
from apps.providers.wavespeed.client import WavespeedClient
from apps.studio.models import GeneratedImage, ImageJob
from apps.studio.owned import hold_row
from apps.studio.unshowable import is_message, suffix_of, tile

MOST_BYTES = 150_000_000  # of one output: 4096 × 4096 pixels of 16 bits with alpha, not compressed at all
SHORTEST_SECONDS = 0.1
# What may be whole when it is fetched again, or opened when this machine has more time.
_MAY_PASS = {"image_not_readable", "image_empty", "decoder_slow", "decoder_busy"}


@dataclass(frozen=True)
class Fetched:
    """One output, stored under a name made of its content: fetching it again is harmless.

    `unreadable` is the code of why it cannot be shown; then its size is not known (0). `nsfw`: the provider flagged it.
    """

    file: str
    thumbnail: str
    width: int
    height: int
    bytes: int
    nsfw: bool = False
    unreadable: str = ""


def fetch(client: WavespeedClient, prediction: Prediction, *, seconds: float, as_it_is: bool) -> list[Fetched]:
    """Downloads every output at once, all within `seconds`: providers delete theirs.

    What was paid for is kept, whatever limits there are for what people bring. Raises ProviderError; Problem
    (storage.PROBLEMS) when it cannot be stored now, of the decoder for a message instead of a picture and, unless
    `as_it_is`, for what may only have been cut on the way or takes too long to open.
    """
    if not prediction.outputs:
        raise ResultLost("wavespeed", detail="The task is completed and has no outputs.")
    ends = time.monotonic() + seconds
    kept = []
    for place, url in enumerate(prediction.outputs):
        left = max(ends - time.monotonic(), SHORTEST_SECONDS)
        data = client.download(url, seconds=left, max_bytes=MOST_BYTES)
        kept.append(_keep(data, nsfw=place in prediction.flagged, as_it_is=as_it_is))
    return kept


def _keep(data: bytes, *, nsfw: bool, as_it_is: bool) -> Fetched:
    try:
        looked = look(data, max_bytes=MOST_BYTES)
        small, width, height, unreadable = looked.thumbnail, looked.width, looked.height, ""
    except Problem as problem:
        if is_message(data) or (problem.code in _MAY_PASS and not as_it_is):
            raise
        small, width, height, unreadable = tile(), 0, 0, problem.code
    file = content_path("images", hashlib.sha256(data).hexdigest(), suffix_of(data))
    thumbnail = content_path("thumbnails", hashlib.sha256(small).hexdigest(), ".webp")
    write_once(file, data)
    write_once(thumbnail, small)
    return Fetched(file, thumbnail, width, height, len(data), nsfw, unreadable)


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
                nsfw=kept.nsfw,
                unreadable=kept.unreadable,
            )
            for index, kept in enumerate(files)
        ],
        ignore_conflicts=True,
    )
