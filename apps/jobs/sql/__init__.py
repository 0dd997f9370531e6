"""The queue's statements. Each verb is one statement: the guarded change, its history and its events together.

Every statement of a verb ends in the same columns (values.Change), one row for each job that changed; no row: the guard
lost. Times are the database's clock (`clock_timestamp()`), never a worker's. Rows are locked in the order of their ids.
All of them as they are sent, to be read, searched and put behind EXPLAIN: docs/statements.sql.
"""

from apps.jobs.sql.cancel import END_DEPENDANTS, FAIL_WAITING, LOCK, REQUEST_CANCEL
from apps.jobs.sql.claim import CLAIM, CLAIM_BY_HEADS, COMPLETE, COMPLETE_AND_CLAIM
from apps.jobs.sql.enqueue import ENQUEUE
from apps.jobs.sql.family import HANGING, ORPHANED, SEAL, SETTLE_FAMILY, SKIP, UNPLANNED
from apps.jobs.sql.order import AGE, CHANGE_PRIORITY, MOVE
from apps.jobs.sql.rescue import EXPIRED, RESCUE, RESCUE_CANCELLED, RESCUE_FAILED
from apps.jobs.sql.waiting import GO_ON, HOLD_BACK, LEFT_WAITING, PROMOTE, RELEASE, REQUEUE, WAIT_FOR_PERSON
from apps.jobs.sql.worker import CANCEL_HELD, FAIL, HEARTBEAT, NUDGE, PARK, RESCHEDULE, RESUME, STAGE

__all__ = [
    "AGE",
    "CANCEL_HELD",
    "CHANGE_PRIORITY",
    "CLAIM",
    "CLAIM_BY_HEADS",
    "COMPLETE",
    "COMPLETE_AND_CLAIM",
    "END_DEPENDANTS",
    "ENQUEUE",
    "EXPIRED",
    "FAIL",
    "FAIL_WAITING",
    "GO_ON",
    "HANGING",
    "HEARTBEAT",
    "HOLD_BACK",
    "LEFT_WAITING",
    "LOCK",
    "MOVE",
    "NUDGE",
    "ORPHANED",
    "PARK",
    "PROMOTE",
    "RELEASE",
    "REQUEST_CANCEL",
    "REQUEUE",
    "RESCHEDULE",
    "RESCUE",
    "RESCUE_CANCELLED",
    "RESCUE_FAILED",
    "RESUME",
    "SEAL",
    "SETTLE_FAMILY",
    "SKIP",
    "STAGE",
    "UNPLANNED",
    "WAIT_FOR_PERSON",
]
