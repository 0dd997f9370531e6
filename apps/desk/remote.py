"""Remote control: `celery -A config inspect jobs`, `celery -A config control pause_lane LANE`.

Answered by a worker's main process, which shares no memory with its children: whatever is changed here is a row. The
command line knows a command only when this module is loaded there too, before Django is set up (config/celery.py):
hence the imports inside the functions.
"""

from typing import TYPE_CHECKING, Any

from celery.worker.control import control_command, inspect_command

if TYPE_CHECKING:
    from apps.jobs.models import Job

BY = "celery control"


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
    return _steer("apps.jobs.lanes.pause", lane, f"{lane} is paused", by=BY)


@control_command(args=[("lane", str)], signature="LANE")
def resume_lane(state: Any, lane: str, **_options: object) -> dict[str, str]:
    """The lane goes on."""
    return _steer("apps.jobs.lanes.resume", lane, f"{lane} goes on")


@control_command(args=[("lane", str)], signature="LANE")
def drain_lane(state: Any, lane: str, **_options: object) -> dict[str, str]:
    """The lane is paused; the answer says how many jobs of it still run."""
    return _steer("apps.desk.operations.drain", lane, "{0.running} jobs of {0.lane} still run", by=BY)


@control_command(args=[("provider", str)], signature="PROVIDER")
def hold_provider(state: Any, provider: str, **_options: object) -> dict[str, str]:
    """Nothing that needs the provider starts any more."""
    return _steer("apps.desk.operations.hold_provider", provider, f"{provider} is held", by=BY)


@control_command(args=[("provider", str)], signature="PROVIDER")
def release_provider(state: Any, provider: str, **_options: object) -> dict[str, str]:
    """What needs the provider goes on."""
    return _steer("apps.desk.operations.release_provider", provider, f"{provider} goes on")


@control_command(args=[("username", str)], signature="USERNAME")
def hold_owner(state: Any, username: str, **_options: object) -> dict[str, str]:
    """Nothing of this person starts any more."""
    return _steer("apps.desk.operations.hold_owner", username, f"{username} is held", by=BY)


@control_command(args=[("username", str)], signature="USERNAME")
def release_owner(state: Any, username: str, **_options: object) -> dict[str, str]:
    """What this person queued goes on."""
    return _steer("apps.desk.operations.release_owner", username, f"{username} goes on")


def _steer(verb: str, name: str, done: str, **options: str) -> dict[str, str]:
    """`verb` is the path of a function; it raises ValueError for a name it does not know."""
    from django.db import connection
    from django.utils.module_loading import import_string

    from apps.accounts.audit import AuditEntry, record

    try:
        answer = import_string(verb)(name, **options)
        record(via=AuditEntry.Via.CELERY, actor=BY, action=verb.rpartition(".")[2], subject=name)
    except ValueError as error:
        return {"error": str(error)}
    finally:
        connection.close()
    return {"ok": done.format(answer)}
