"""Remote control: `celery -A config inspect jobs`, `celery -A config control pause_lane LANE`.

Answered by a worker's main process, which shares no memory with its children: whatever is changed here is a row. The
command line knows a command only when this module is loaded there too, before Django is set up (config/celery.py):
hence the imports inside the functions.
"""

from typing import TYPE_CHECKING, Any

from celery.worker.control import control_command, inspect_command

if TYPE_CHECKING:
    from apps.jobs.models import Job


@inspect_command(default_timeout=2.0)
def jobs(state: Any, **_options: object) -> list[dict[str, Any]]:
    """The jobs in processing: held by a worker or parked while a provider works."""
    from django.db import connection

    from apps.jobs.models import Job

    try:
        running = Job.objects.processing().select_related("owner").order_by("started_at")[:200]
        return [_told(job) for job in running]
    finally:
        connection.close()


def _told(job: "Job") -> dict[str, Any]:
    return {
        "job": str(job.uid),
        "kind": job.kind,
        "lane": job.lane,
        "owner": job.owner.get_username(),
        "attempt": job.attempt,
        "stage": job.stage,
        "parked": job.parked,
        "worker": job.worker,
        "started": job.started_at.isoformat() if job.started_at else None,
    }


@control_command(args=[("lane", str)], signature="LANE")
def pause_lane(state: Any, lane: str, **_options: object) -> dict[str, str]:
    """Nothing of the lane starts any more; what runs goes on."""
    return _steer("pause", lane, f"{lane} is paused", by="celery control")


@control_command(args=[("lane", str)], signature="LANE")
def resume_lane(state: Any, lane: str, **_options: object) -> dict[str, str]:
    """The lane goes on."""
    return _steer("resume", lane, f"{lane} goes on")


def _steer(verb: str, lane: str, done: str, **options: str) -> dict[str, str]:
    from django.conf import settings
    from django.db import connection

    from apps.jobs import lanes

    if lane not in settings.LANES:
        return {"error": f"There is no lane {lane!r}; there are {', '.join(settings.LANES)}."}
    try:
        getattr(lanes, verb)(lane, **options)
    finally:
        connection.close()
    return {"ok": done}
