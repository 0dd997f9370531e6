"""`/images/{id}`: what the lightbox tells about one picture."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.jobs.models import Job
from apps.pages.shell import page, reader
from apps.providers import calls
from apps.studio.models import GeneratedImage, ImageJob, PromptJob
from apps.studio.owned import find_image


@page
def image(request: HttpRequest, image_id: UUID) -> HttpResponse:
    shown = find_image(reader(request), image_id)
    detail = _detail(shown)
    job = detail.job if detail else None
    context = {"image": shown, "detail": detail, "job": job, **_money(shown, job, detail), "by": _by(detail)}
    return render(request, "studio/image_panel.html", context)


def _detail(shown: GeneratedImage) -> ImageJob | None:
    if shown.job_id is None:
        return None
    return ImageJob.objects.filter(job_id=shown.job_id).select_related("job", "prompt_job__job").first()


def _money(shown: GeneratedImage, job: Job | None, detail: ImageJob | None) -> dict[str, object]:
    """The image's own cost, and its share of a prompt that several images were made from."""
    if job is None:
        return {}
    prompt_id = detail.prompt_job_id if detail else None
    costs = calls.costs([pk for pk in (job.pk, prompt_id) if pk])
    shares = ImageJob.objects.filter(prompt_job_id=prompt_id).count() if prompt_id else 0
    share = costs[prompt_id] / shares if prompt_id in costs and shares else None
    return {"cost": costs.get(job.pk), "share": share}


def _by(detail: ImageJob | None) -> str:
    prompt_job = detail.prompt_job if detail else None
    if detail and prompt_job is None and detail.prompt_source == PromptJob.Source.MODEL:
        return "grok"  # the text stood in the row already when these images were asked for
    return (prompt_job.model_answered or prompt_job.model_asked) if prompt_job else ""
