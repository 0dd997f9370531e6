"""What a person can do about a job that failed, as a code."""

from apps.core.errors import Remedy
from apps.jobs.models import Job

# Failures from before they carried a remedy of their own, by their code.
_BEFORE = {
    Remedy.NEW_TARGET: (
        "image_animated", "image_empty", "image_not_readable", "image_too_large", "image_too_small",
        "image_unreachable", "image_url_refused", "no_target", "picture_deleted", "provider_input_unreadable",
        "target_missing",
    ),
    Remedy.NEW_PROMPT: (
        "content_refused", "dependency_failed", "prompt_failed", "prompt_missing", "prompt_refused",
        "provider_invalid_request",
    ),
    Remedy.RETRY: (
        "answer_cut_short", "over_time", "prompt_rejected", "provider_answer_unreadable", "provider_error",
        "provider_overloaded", "provider_task_failed", "provider_too_slow", "provider_unreachable", "result_lost",
        "timed_out",
    ),
    Remedy.SETTLE: ("outcome_unknown",),
}  # fmt: skip
_OF_CODE = {code: remedy for remedy, codes in _BEFORE.items() for code in codes}


def remedy_of(job: Job) -> Remedy:
    """Of a failed job: its error's own, or for an older one what its code stood for."""
    return Remedy(job.error_remedy) if job.error_remedy else _OF_CODE.get(job.error_code, Remedy.NONE)
