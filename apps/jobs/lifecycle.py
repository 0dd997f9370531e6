"""Every change of a job's state. Nothing else in Pressroom writes one.

      enqueue ──► waiting ──release──► queued ◄──promote── scheduled
                                         │                    ▲
                                       claim              reschedule
                                         ▼                    │
                                     processing ──────────────┘
                                      │  ▲  │
                                  park│  │resume
                                      ▼  │  └──► completed | failed | cancelled      (final, never changed)
                                     parked

Each verb is one guarded statement (sql/). A worker's verbs take its Lease and answer whether it still held the job:
False means that somebody rescued, finished or cancelled it, and that nothing was written. The database's CHECK
constraints refuse what no verb should ever write. Verbs may run inside the caller's transaction; wake-ups and the live
stream are told after commit.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.conf import settings
from django.db import transaction

from apps.core.database import Locks, prepared_cursor
from apps.jobs import announce, quotas, sql, wakeups
from apps.jobs.lanes import limits_of
from apps.jobs.values import Change, Failure, Lease, NewJob

_CHANGE_FIELDS = tuple(Change.__dataclass_fields__)
BATCH = 500
AGED_AT_ONCE = 100
AGING_ENDS_AT = 9  # ten is for people who may say "urgent"

CRASHED = Failure(
    "crashed_repeatedly",
    f"The worker died {settings.MAX_CRASHES} times on this job, so we stopped. The others go on.",
    "Show it to whoever runs this desk.",
)


@dataclass(frozen=True)
class Beat:
    """A heartbeat's answer: whether the lease still holds, and whether somebody asked to cancel."""

    held: bool
    cancel_requested: bool


# --- putting work in -------------------------------------------------------------------------------


def enqueue(jobs: Sequence[NewJob]) -> dict[object, int]:
    """Adds jobs in their order and answers uid → id of those made: a dedupe key that is live already makes none.

    Problem 429 `queue_full` when an owner has too many waiting.
    """
    columns = {
        "uid": [job.uid for job in jobs],
        "owner_id": [job.owner_id for job in jobs],
        "kind": [job.kind for job in jobs],
        "lane": [settings.KINDS[job.kind].lane for job in jobs],
        "provider": [settings.KINDS[job.kind].provider if job.provider is None else job.provider for job in jobs],
        "subject": [job.subject for job in jobs],
        "priority": [job.priority for job in jobs],
        "max_retries": [
            settings.KINDS[job.kind].max_retries if job.max_retries is None else job.max_retries for job in jobs
        ],
        "waits_for_id": [job.waits_for_id for job in jobs],
        "waits_for_person": [job.waits_for_person for job in jobs],
        "stage": [job.stage for job in jobs],
        "parent_id": [job.parent_id for job in jobs],
        "slot": [job.slot for job in jobs],
        "after_children": [job.after_children or "" for job in jobs],
        "plan": [None if job.plan is None else orjson.dumps(job.plan).decode() for job in jobs],
        "retry_of_id": [job.retry_of_id for job in jobs],
        "dedupe_key": [job.dedupe_key for job in jobs],
        "run_after": [job.run_after for job in jobs],
    }
    with transaction.atomic():
        quotas.admit(jobs)
        return {change.uid: change.job_id for change in _change(sql.ENQUEUE, columns)}


def release(job_ids: Sequence[int], *, reason: str = "released") -> int:
    """waiting → queued, for jobs whose wait is over."""
    return len(_change(sql.RELEASE, {"job_ids": list(job_ids), "reason": reason}))


def hold_back(job_ids: Sequence[int], *, until: datetime) -> int:
    """queued → scheduled, for jobs that no budget has enough left for."""
    return len(_change(sql.HOLD_BACK, {"job_ids": list(job_ids), "until": until}))


def go_on(job_ids: Sequence[int]) -> int:
    """scheduled for want of money → queued, in their old places. In the transaction that set the money aside."""
    return len(_change(sql.GO_ON, {"job_ids": list(job_ids)}))


def wait_for_person(job_ids: Sequence[int], *, reason: str) -> int:
    """waiting for another job → waiting until a person does what the reason says, one of its kind's."""
    return len(_change(sql.WAIT_FOR_PERSON, {"job_ids": list(job_ids), "reason": reason}))


def skip(job_ids: Sequence[int], *, reason: str) -> list[Change]:
    """waiting, queued, scheduled → skipped, with whoever waits for them: work that turned out not to be needed."""
    with transaction.atomic():
        lock(job_ids)
        changes = _change(sql.SKIP, {"job_ids": list(job_ids), "reason": reason})
        return changes + end_dependants([change.job_id for change in changes], status="skipped")


def seal(parent_id: int) -> None:
    """All children of the parent are made: it moves with the last of them, or now if all have ended already."""
    _change(sql.SEAL, {"job_id": parent_id})


def settle_family(parent_id: int) -> bool:
    """Moves a parent none of whose children is open any more. No verb leaves one waiting so; this is the net below them."""
    with transaction.atomic():
        # A statement of its own: a retry of a child may have come in while we waited for the parent.
        lock([parent_id])
        return bool(_change(sql.SETTLE_FAMILY, {"job_id": parent_id}))


def change_priority(job_id: int, priority: int) -> bool:
    """Gives a job that has not started another priority, and a new turn in that priority's line."""
    return bool(_change(sql.CHANGE_PRIORITY, {"job_id": job_id, "priority": priority}))


def move_before(job_id: int, other_id: int) -> bool:
    """Puts a queued job right before another one of the same owner, lane and priority; those between move a place.

    Only the owner's own places are dealt out anew, so nobody else's position changes.
    """
    return bool(_change(sql.MOVE, {"job_id": job_id, "other_id": other_id, "after": False}))


def move_after(job_id: int, other_id: int) -> bool:
    """Like `move_before`, right after it."""
    return bool(_change(sql.MOVE, {"job_id": job_id, "other_id": other_id, "after": True}))


# --- a worker's verbs ------------------------------------------------------------------------------


def claim(*, lane: str, worker: str) -> Lease | None:
    """The next job of the lane in its true order, now processing under a lease; None when nothing may start."""
    return _claiming(sql.CLAIM, lane, _claim_params(lane, worker))[1]


def complete(lease: Lease) -> bool:
    """processing → completed; whatever waited for it is released in the same statement."""
    return _held_change(sql.COMPLETE, lease)


def complete_and_claim(lease: Lease, *, worker: str) -> tuple[bool, Lease | None]:
    """Finishes a job that has nothing else to write and claims the next: one statement, one commit."""
    return _claiming(sql.COMPLETE_AND_CLAIM, lease.lane, _claim_params(lease.lane, worker) | _fence(lease))


def resume(*, lane: str, worker: str) -> Lease | None:
    """A parked job that is due, held again under a new fence and the same attempt."""
    rows = _rows(sql.RESUME, {"lane": lane, "worker": worker, "lease": settings.LEASE_SECONDS})
    return Lease(**rows[0], resumed=True) if rows else None


def heartbeat(lease: Lease) -> Beat:
    rows = _rows(sql.HEARTBEAT, _fence(lease) | {"lease": settings.LEASE_SECONDS})
    return Beat(held=bool(rows), cancel_requested=bool(rows and rows[0]["cancel_requested"]))


def set_stage(lease: Lease, stage: str) -> None:
    _change(sql.STAGE, _fence(lease) | {"stage": stage})


def park(lease: Lease, *, seconds: float, stage: str) -> bool:
    """Gives the worker back while a provider works; the job is due again in `seconds` or when its webhook comes."""
    parked = bool(_rows(sql.PARK, _fence(lease) | {"seconds": seconds, "stage": stage}))
    if parked:
        wakeups.wake_in(lease.lane, seconds, lease.priority)
    return parked


def reschedule(lease: Lease, *, seconds: float, reason: str, outcome: str, failure: Failure, counts: bool) -> bool:
    """processing → scheduled: it runs again in `seconds`. `counts`: the attempt is used up (an error, not a held provider)."""
    moved = _held_change(
        sql.RESCHEDULE,
        lease,
        seconds=seconds,
        reason=reason,
        outcome=outcome,
        counts=int(counts),
        code=failure.code,
        message=failure.message,
    )
    if moved:
        wakeups.wake_in(lease.lane, seconds, lease.priority)
    return moved


def fail(lease: Lease, failure: Failure, *, counts: bool = True) -> bool:
    """processing → failed. The caller ends or redirects what waited for it, in the same transaction."""
    return _held_change(sql.FAIL, lease, counts=int(counts), **_error(failure))


def cancel_held(lease: Lease) -> bool:
    """processing with a cancel mark → cancelled, and its dependants with it."""
    with transaction.atomic():
        lock([lease.job_id])
        cancelled = _held_change(sql.CANCEL_HELD, lease)
        if cancelled:
            end_dependants([lease.job_id], status="cancelled")
    return cancelled


# --- from outside ----------------------------------------------------------------------------------


def lock(job_ids: Sequence[int]) -> None:
    """Locks the jobs and all that wait for them, until the caller's transaction ends: in the order of ids, parents last.

    First in every transaction that ends a job and then others: its parent is locked with its end, and after their children.
    """
    _rows(sql.LOCK, {"job_ids": list(job_ids)})


def request_cancel(job_ids: Sequence[int], *, reason: str = "cancelled_by_owner") -> list[Change]:
    """Ends what has not started (new = cancelled) with whoever waits for it, marks what runs (new = processing).

    For endings.cancel, which lets the kinds of the jobs have their say.
    """
    with transaction.atomic():
        parents = sorted(
            {row["id"] for row in _rows(sql.LOCK, {"job_ids": list(job_ids)}) if row["is_parent"]} & set(job_ids)
        )
        # Each parent by itself, an outer one first: ended in one statement with a child it would be written twice.
        targets = [[parent] for parent in parents] + [[each for each in job_ids if each not in parents]]
        changes = [
            change for ids in targets for change in _change(sql.REQUEST_CANCEL, {"job_ids": ids, "reason": reason})
        ]
        changes += end_dependants(
            [change.job_id for change in changes if change.new == "cancelled"], status="cancelled"
        )
    for change in changes:
        if change.new == "processing":
            wakeups.wake_after_commit(change.lane, change.priority)
    return changes


def end_dependants(job_ids: Sequence[int], *, status: str) -> list[Change]:
    """Ends every job that still waits for one of these, and whoever waits for those. They fail by `endings.fail_dependants`."""
    ended: list[Change] = []
    while job_ids:
        changes = _change(sql.END_DEPENDANTS, {"job_ids": list(job_ids), "status": status})
        ended += changes
        job_ids = [change.job_id for change in changes]
    return ended


def fail_waiting(failures: Mapping[int, Failure]) -> list[Change]:
    """waiting → failed, by the id of each job. The caller ends what waited for those (endings.fail_dependants)."""
    said = list(failures.values())
    words = {
        "codes": [failure.code for failure in said],
        "messages": [failure.message for failure in said],
        "actions": [failure.action for failure in said],
        "remedies": [failure.remedy for failure in said],
    }
    return _change(sql.FAIL_WAITING, words | {"job_ids": list(failures)})


def promote(*, limit: int = BATCH) -> int:
    """scheduled and due → queued, in its old place if it had one."""
    return len(_change(sql.PROMOTE, {"limit": limit}))


def requeue(job_ids: Sequence[int]) -> int:
    """scheduled → queued before its time, by a person."""
    return len(_change(sql.REQUEUE, {"job_ids": list(job_ids)}))


def age(*, seconds: float | None = None, limit: int = AGED_AT_ONCE) -> int:
    """One priority more, up to 9, for what has waited a period in its line; of each line the first `limit` are looked at.

    Aged jobs join the higher line as newcomers, so those who wait there keep their turns.
    """
    ageless = [name for name, kind in settings.KINDS.items() if not kind.ages]
    asked = {"lanes": list(settings.LANES), "ceiling": AGING_ENDS_AT, "limit": limit, "ageless": ageless}
    return len(_change(sql.AGE, asked | {"seconds": settings.AGING_SECONDS if seconds is None else seconds}))


def left_waiting(*, limit: int = BATCH) -> list[dict[str, Any]]:
    """Jobs that wait for one that is over, with its status ("": deleted). No verb leaves one; this is the net below them."""
    return _rows(sql.LEFT_WAITING, {"limit": limit})


def nudge(job_id: int) -> bool:
    """A parked job is due now: its webhook came. Whoever resumes it asks the provider; the news itself is not believed."""
    rows = _rows(sql.NUDGE, {"job_id": job_id})
    for row in rows:
        wakeups.wake_after_commit(row["lane"], row["priority"])
    return bool(rows)


def expired(*, limit: int = BATCH) -> list[dict[str, Any]]:
    """Jobs whose worker has not been heard of for a lease, locked until the caller's transaction ends."""
    return _rows(sql.EXPIRED, {"limit": limit})


def rescue(job_id: int, fence: int, *, crashes: int, cancel_requested: bool) -> str:
    """An expired lease → queued again, failed after the last crash allowed, or cancelled; the new status, "" if it lost."""
    guard = {"job_id": job_id, "fence": fence}
    lock([job_id])
    if cancel_requested:
        changes = _change(sql.RESCUE_CANCELLED, guard)
        end_dependants([job_id] if changes else [], status="cancelled")
    elif crashes + 1 >= settings.MAX_CRASHES:
        changes = _change(sql.RESCUE_FAILED, guard | _error(CRASHED))
    else:
        changes = _change(sql.RESCUE, guard)
    return changes[0].new if changes else ""


# --- the machinery ---------------------------------------------------------------------------------


def _fence(lease: Lease) -> dict[str, Any]:
    return {"job_id": lease.job_id, "fence": lease.fence}


def _error(failure: Failure) -> dict[str, Any]:
    remedy = failure.remedy if failure.code else ""
    return {"code": failure.code, "message": failure.message, "action": failure.action, "remedy": remedy}


def _held_change(statement: str, lease: Lease, **params: object) -> bool:
    """Several jobs may change with the one that is held; what counts is whether it did."""
    return any(change.job_id == lease.job_id for change in _change(statement, _fence(lease) | params))


def _claim_params(lane: str, worker: str) -> dict[str, Any]:
    limits = limits_of(lane)
    return {
        "lane": lane,
        "worker": worker,
        "lease": settings.LEASE_SECONDS,
        "lane_limit": limits.lane,
        "owner_limit": limits.owner,
    }


def _claiming(statement: str, lane: str, params: Mapping[str, Any]) -> tuple[bool, Lease | None]:
    """Runs a statement that claims; under a limit, claims of one lane take turns so that the count is exact."""
    if params["lane_limit"] is None and params["owner_limit"] is None:
        rows = _claimed_rows(statement, params)
    else:
        with transaction.atomic():
            # A lock of its own before the statement: a count under a lock taken inside it would use an older snapshot.
            _rows("SELECT pg_advisory_xact_lock(%(space)s, hashtext(%(lane)s))", {"space": Locks.LANE, "lane": lane})
            rows = _claimed_rows(statement, params)
    _tell(rows)
    # Worker A's job may have been rescued and queued again, and A's own statement may claim it: that did not finish it.
    finished = any(row["job_id"] == params.get("job_id") and row["new"] == "completed" for row in rows)
    taken = next((row for row in rows if row["fence"] is not None), None)
    return finished, _lease(taken) if taken else None


def _claimed_rows(statement: str, params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The statement's rows; when nobody at the front of the line may start, those behind are asked (sql/claim.py)."""
    rows = _rows(statement, params)
    if any(row["fence"] is not None for row in rows) or (rows and not rows[0]["in_line"]):
        return rows
    return rows + _rows(sql.CLAIM_BY_HEADS, params)


def _lease(row: dict[str, Any]) -> Lease:
    fields = {name: row[name] for name in Lease.__dataclass_fields__ if name != "resumed"}
    return Lease(**fields, resumed=False)


def _change(statement: str, params: Mapping[str, Any]) -> list[Change]:
    return _tell(_rows(statement, params))


def _tell(rows: Iterable[dict[str, Any]]) -> list[Change]:
    """Wake-ups for lanes with newly queued jobs, and the live stream, once the transaction is committed."""
    changes = [Change(**{name: row[name] for name in _CHANGE_FIELDS}) for row in rows]
    announce.after_commit(changes)
    urgency: dict[str, int] = {}
    for change in changes:
        if change.new == "queued":
            urgency[change.lane] = max(change.priority, urgency.get(change.lane, 0))
    for lane, priority in urgency.items():
        wakeups.wake_after_commit(lane, priority)
    return changes


def _rows(statement: str, params: Mapping[str, Any]) -> list[dict[str, Any]]:
    with prepared_cursor() as cursor:
        cursor.execute(statement, params)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
