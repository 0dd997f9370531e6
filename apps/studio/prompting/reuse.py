"""A prompt that was written before for the very same request, where the workspace allows it to be used again."""

import hashlib

import orjson
from django.conf import settings

from apps.jobs.states import Status
from apps.studio.models import PromptJob
from apps.studio.pictures import assets_of


def digest_of(asked: PromptJob) -> str:
    """Equal for requests that no model can tell apart: the same pictures in their order, text, strategy and models.

    Pictures count by their content, so the same file under two addresses is one. Problem when one was deleted.
    """
    pictures = [asset.digest for asset in assets_of([*asked.ref_urls, asked.target_url])]
    request = [
        pictures,
        asked.operation,
        f"{asked.strategy}@{asked.strategy_version}",
        asked.existing_prompt,
        asked.instructions,
        settings.PROMPT_MODELS,
    ]
    return hashlib.sha256(orjson.dumps(request)).hexdigest()


def written_before(asked: PromptJob) -> PromptJob | None:
    """The newest prompt that a model wrote for an equal request of the same owner; None where reuse is not allowed."""
    if asked.row is None or not asked.row.workspace.reuse_prompts or not asked.request_digest:
        return None
    equal = PromptJob.objects.filter(
        request_digest=asked.request_digest,
        source=PromptJob.Source.MODEL,
        job__owner_id=asked.row.workspace.owner_id,
        job__status=Status.COMPLETED,
        reused_from=None,
    )
    return equal.exclude(pk=asked.pk).select_related("job").order_by("-pk").first()
