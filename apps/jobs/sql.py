"""The queue's statements. Each verb is one statement: the guarded change, its history and its events together.

Every statement ends in the same columns (values.Change), one row for each job that changed; no row: the guard lost.
Times are the database's clock (`clock_timestamp()`), never a worker's. Rows are locked in the order of their ids.
"""

from apps.jobs.values import CHILDREN_FAILED

# The fence: the job is still held by the worker that took it last.
HELD = "id = %(job_id)s AND fence = %(fence)s AND lease_until IS NOT NULL"

_RELEASE_HOLD = "lease_until = NULL, wake_at = NULL"


def turn(row: str) -> str:
    """The turn of a job that joins the line: never behind the lane's current turn, one after its owner's last.

    Three index probes (job_ready, job_running, job_line); greatest() passes over NULL.
    """
    same = f"lane = {row}.lane AND priority = {row}.priority"
    return f"""greatest(
      (SELECT turn FROM jobs_job WHERE {same} AND status = 'queued' ORDER BY turn, seq LIMIT 1),
      (SELECT max(turn) FROM jobs_job WHERE {same} AND status = 'processing'),
      (SELECT turn FROM jobs_job WHERE {same} AND owner_id = {row}.owner_id AND status = 'queued'
       ORDER BY turn DESC, seq DESC LIMIT 1) + 1,
      0)"""


def _numbered(row: str, order: str = "seq") -> str:
    """A turn for each of several jobs that join at once: an owner's own follow each other."""
    line = f"PARTITION BY {row}.lane, {row}.owner_id, {row}.priority ORDER BY {row}.{order}"
    return f"{turn(row)} + row_number() OVER ({line}) - 1"


def _returning(row: str) -> str:
    """The turn of a job that was in line before: its own, or the line's current one when that has gone by.

    A turn from long ago at the head of the line would be the measure for newcomers: one of them could then bring a
    hundred jobs that all go before what has waited longer.
    """
    return f"""greatest({row}.turn, (
      SELECT turn FROM jobs_job WHERE lane = {row}.lane AND priority = {row}.priority AND status = 'queued'
      ORDER BY turn, seq LIMIT 1))"""


def to_queued(name: str, where: str, lock: str = "FOR UPDATE") -> str:
    """CTEs that queue every job matching `where`. A job that was in line before goes to the front of its line.

    A released job that somebody else has locked is waited for: passed over, nobody would come back for it.
    """
    return f"""
    {name}_locked AS MATERIALIZED (
      SELECT * FROM jobs_job WHERE {where} ORDER BY id {lock}),
    {name}_placed AS (
      SELECT id, status AS old, CASE WHEN queued_at IS NULL THEN {_numbered("k")} ELSE {_returning("k")} END AS turn
      FROM {name}_locked k),
    {name} AS (
      UPDATE jobs_job j SET status = 'queued', queued_at = coalesce(j.queued_at, clock_timestamp()), run_after = NULL,
        waits_for_id = NULL, reason = '', stage = '', turn = p.turn
      FROM {name}_placed p WHERE j.id = p.id RETURNING j.*, p.old)"""


_CHANGES = "SELECT events.id AS event_id, changes.* FROM changes JOIN events USING (job_id)"


_FINAL = "('completed', 'failed', 'cancelled', 'skipped')"


def _told(*sources: str, answer: str = _CHANGES) -> str:
    """The changes of the named CTEs, written as events and returned. What was set aside for a job that is over is free."""
    union = " UNION ALL ".join(sources)
    return f"""
    changes AS ({union}),
    given_back AS (
      DELETE FROM providers_earmark e USING changes c WHERE e.job_id = c.job_id AND c.new IN {_FINAL}),
    events AS (
      INSERT INTO jobs_event (job_id, owner_id, lane, subject, old, new, stage, reason, attempt, at)
      SELECT job_id, owner_id, lane, subject, old, new, stage, reason, attempt, clock_timestamp() FROM changes
      RETURNING id, job_id)
    {answer}"""


def _ended(*sources: str, answer: str = _CHANGES) -> str:
    """Like `_told`, for statements that end jobs: the parent of each counts it in the same statement, and moves with the last.

    Parents are locked after their children, in the reverse order of ids: an inner one before the one it is a child of.
    Workers A and B end two children of one parent: B waits here until A has committed, and then counts from what A wrote.
    """
    return f"""
    moved AS MATERIALIZED ({" UNION ALL ".join(sources)}),
    ended AS MATERIALIZED (
      SELECT j.parent_id, count(*) AS all, count(*) FILTER (WHERE m.new IN ('failed', 'cancelled')) AS failed
      FROM moved m JOIN jobs_job j ON j.id = m.job_id
      WHERE m.new IN {_FINAL} AND j.parent_id IS NOT NULL GROUP BY j.parent_id),
    locked AS MATERIALIZED (
      SELECT id, status AS was FROM jobs_job WHERE id IN (SELECT parent_id FROM ended) ORDER BY id DESC FOR UPDATE),
    parents AS (
      UPDATE jobs_job p SET {_fewer_children("e.all", "e.failed")}
      FROM ended e JOIN locked l ON l.id = e.parent_id WHERE p.id = l.id RETURNING p.*, l.was),
    {_told("SELECT * FROM moved", _PARENTS_MOVED, answer=answer)}"""


def _fewer_children(ended: str, failed: str) -> str:
    """The SET of a parent `p` that has so many fewer open children: with the last it ends, or is queued."""
    last = f"p.status = 'waiting' AND p.open_children = {ended}"
    fails = f"{last} AND p.after_children = 'end' AND p.failed_children + {failed} > 0"
    runs = f"{last} AND p.after_children = 'run'"
    return f"""
        open_children = p.open_children - {ended}, failed_children = p.failed_children + {failed},
        status = CASE WHEN {runs} THEN 'queued' WHEN {fails} THEN 'failed' WHEN {last} THEN 'completed' ELSE p.status END,
        finished_at = CASE WHEN {last} AND p.after_children = 'end' THEN clock_timestamp() ELSE p.finished_at END,
        queued_at = CASE WHEN {runs} THEN coalesce(p.queued_at, clock_timestamp()) ELSE p.queued_at END,
        turn = CASE WHEN {runs} THEN {turn("p")} ELSE p.turn END,
        reason = CASE WHEN {last} THEN '' ELSE p.reason END, stage = CASE WHEN {last} THEN '' ELSE p.stage END,
        error_code = CASE WHEN {fails} THEN '{CHILDREN_FAILED.code}' ELSE p.error_code END,
        error_message = CASE WHEN {fails} THEN '{CHILDREN_FAILED.message}' ELSE p.error_message END,
        error_action = CASE WHEN {fails} THEN '{CHILDREN_FAILED.action}' ELSE p.error_action END,
        error_remedy = CASE WHEN {fails} THEN '{CHILDREN_FAILED.remedy}' ELSE p.error_remedy END"""


def _from(source: str, new: str, *, old: str = "old", reason: str = "reason") -> str:
    return (
        f"SELECT id AS job_id, uid, owner_id, lane, kind, priority, subject, {old} AS old, {new} AS new, stage, "
        f"{reason} AS reason, attempt FROM {source}"
    )


_PARENTS_MOVED = _from(
    "parents WHERE was = 'waiting' AND status <> 'waiting'",
    "status",
    old="'waiting'",
    reason="CASE WHEN status = 'failed' THEN error_code ELSE 'children' END",
)


_ATTEMPT = """
    tried AS (
      INSERT INTO jobs_attempt (job_id, number, kind, outcome, queued_at, started_at, finished_at, worker, error_code, error_message)
      SELECT id, attempt, kind, {outcome}, queued_at, started_at, clock_timestamp(), worker, {code}, {message} FROM done
      ON CONFLICT (job_id, number) DO NOTHING)"""


def _attempt(outcome: str, *, code: str = "''", message: str = "''") -> str:
    return _ATTEMPT.format(outcome=outcome, code=code, message=message)


# A child joins while its parent waits for its children: one that comes too late is not made.
ENQUEUE = f"""
WITH families AS MATERIALIZED (
  SELECT id FROM jobs_job WHERE id = ANY(%(parent_id)s::bigint[]) AND status = 'waiting' AND after_children <> ''
  ORDER BY id DESC FOR UPDATE),
asked AS MATERIALIZED (
  SELECT nextval('jobs_job_id_seq') AS seq, a.* FROM (
    SELECT * FROM unnest(
      %(uid)s::uuid[], %(owner_id)s::bigint[], %(lane)s::text[], %(kind)s::text[], %(provider)s::text[], %(subject)s::text[],
      %(priority)s::smallint[], %(max_retries)s::smallint[], %(waits_for_id)s::bigint[], %(waits_for_person)s::text[], %(stage)s::text[],
      %(parent_id)s::bigint[], %(slot)s::text[], %(after_children)s::text[], %(plan)s::text[], %(retry_of_id)s::bigint[], %(dedupe_key)s::text[], %(run_after)s::timestamptz[])
    WITH ORDINALITY AS t(uid, owner_id, lane, kind, provider, subject, priority, max_retries, waits_for_id,
      waits_for_person, stage, parent_id, slot, after_children, plan, retry_of_id, dedupe_key, run_after, place) ORDER BY place) a),
stated AS (
  SELECT *, CASE WHEN waits_for_id IS NOT NULL OR waits_for_person <> '' OR after_children <> '' THEN 'waiting'
                 WHEN run_after > clock_timestamp() THEN 'scheduled' ELSE 'queued' END AS status FROM asked
  WHERE parent_id IS NULL OR parent_id IN (SELECT id FROM families)),
lines AS (
  SELECT k.lane, k.owner_id, k.priority, {turn("k")} AS turn
  FROM (SELECT DISTINCT lane, owner_id, priority FROM stated WHERE status = 'queued') k),
done AS (
  INSERT INTO jobs_job (id, seq, uid, owner_id, lane, kind, provider, subject, priority, max_retries, status, turn, waits_for_id,
    parent_id, slot, after_children, plan, open_children, retry_of_id, dedupe_key, run_after, created_at, queued_at, attempt, fence, failures, crashes,
    stage, reason, worker, error_code, error_message, error_action)
  SELECT seq, seq, uid, owner_id, lane, kind, provider, subject, priority, max_retries, status,
    coalesce(lines.turn, 0) + row_number() OVER (PARTITION BY lane, owner_id, priority, status ORDER BY seq) - 1,
    waits_for_id, parent_id, slot, after_children, plan::jsonb, (after_children <> '')::int, retry_of_id, dedupe_key, CASE WHEN status = 'scheduled' THEN run_after END,
    clock_timestamp(), CASE WHEN status = 'queued' THEN clock_timestamp() END, 0, 0, 0, 0,
    CASE WHEN status = 'waiting' THEN stage ELSE '' END,
    CASE WHEN after_children <> '' THEN 'children' WHEN waits_for_person <> '' THEN waits_for_person WHEN status = 'waiting' THEN 'dependency'
         WHEN status = 'scheduled' THEN 'scheduled_for' ELSE '' END, '', '', '', ''
  FROM stated LEFT JOIN lines USING (lane, owner_id, priority) ORDER BY seq
  ON CONFLICT DO NOTHING RETURNING *),
counted AS (
  UPDATE jobs_job p SET open_children = p.open_children + n.made, failed_children = greatest(p.failed_children - n.again, 0)
  FROM (SELECT parent_id, count(*) AS made, count(retry_of_id) AS again FROM done WHERE parent_id IS NOT NULL
        GROUP BY parent_id) n WHERE p.id = n.parent_id),
{_told(_from("done", "status", old="''"))}
"""

# Nothing holds the lane, the job's provider or its owner, and the lane and the owner have room.
# `done` is the job that the same statement finishes: this snapshot still counts it as running.
_MAY_START = """
  NOT EXISTS (SELECT 1 FROM jobs_hold h WHERE (h.until IS NULL OR h.until > clock_timestamp())
              AND ((h.scope = 'provider' AND h.key = j.provider) OR (h.scope = 'owner' AND h.key = j.owner_id::text)))
  AND (%(owner_limit)s::int IS NULL OR %(owner_limit)s > (
        SELECT count(*) FROM jobs_job r WHERE r.lane = j.lane AND r.owner_id = j.owner_id AND r.status = 'processing')
        - (SELECT count(*) FROM done WHERE done.owner_id = j.owner_id AND done.lane = j.lane))"""
_LANE_OPEN = """
  NOT EXISTS (SELECT 1 FROM jobs_hold WHERE scope = 'lane' AND key = %(lane)s AND (until IS NULL OR until > clock_timestamp()))
  AND (%(lane_limit)s::int IS NULL OR %(lane_limit)s > (
        SELECT count(*) FROM jobs_job WHERE lane = %(lane)s AND status = 'processing')
        - (SELECT count(*) FROM done WHERE lane = %(lane)s))"""


# `done` first: the finish runs before the pick, so two workers never wait for each other's rows.
def _claim() -> str:
    return f"""
    pick AS MATERIALIZED (
      SELECT j.id FROM jobs_job j
      WHERE j.lane = %(lane)s AND j.status = 'queued' AND (SELECT count(*) >= 0 FROM done) AND {_LANE_OPEN} AND {_MAY_START}
      ORDER BY j.priority DESC, j.turn, j.seq LIMIT 1 FOR UPDATE OF j SKIP LOCKED),
    claimed AS (
      UPDATE jobs_job j SET status = 'processing', attempt = j.attempt + 1, fence = j.fence + 1, worker = %(worker)s,
        started_at = clock_timestamp(), lease_until = clock_timestamp() + %(lease)s * interval '1 second',
        stage = '', reason = ''
      FROM pick WHERE j.id = pick.id RETURNING j.*)"""


# With the lease of the one that was claimed. This snapshot still has it in the line: the next one stands second.
_CHANGES_AND_LEASE = """
    SELECT events.id AS event_id, changes.*, c.fence, c.provider, c.failures, c.crashes, c.max_retries,
      coalesce((SELECT priority FROM jobs_job WHERE lane = %(lane)s AND status = 'queued'
                ORDER BY priority DESC, turn, seq OFFSET 1 LIMIT 1), 0) AS next_priority
    FROM changes JOIN events USING (job_id) LEFT JOIN claimed c ON c.id = changes.job_id"""

_CLAIMED = _from("claimed", "'processing'", old="'queued'")
CLAIM = f"WITH done AS (SELECT * FROM jobs_job WHERE false), {_claim()}, {_told(_CLAIMED, answer=_CHANGES_AND_LEASE)}"

_COMPLETED = f"""
WITH done AS (
  UPDATE jobs_job SET status = 'completed', finished_at = clock_timestamp(), {_RELEASE_HOLD}, stage = '', reason = ''
  WHERE {HELD} AND cancel_requested_at IS NULL RETURNING *),
{to_queued("released", "status = 'waiting' AND waits_for_id IN (SELECT id FROM done)")},
{_attempt("'completed'")},"""
_DONE = (_from("done", "'completed'", old="'processing'"), _from("released", "'queued'", reason="'dependency'"))
COMPLETE = f"{_COMPLETED} {_ended(*_DONE)}"
COMPLETE_AND_CLAIM = f"{_COMPLETED} {_claim()}, {_ended(*_DONE, _CLAIMED, answer=_CHANGES_AND_LEASE)}"

# A parked job whose time has come continues the same attempt under a new fence. The next one is asked for in the order
# of its index: EXISTS would read the whole table, as the planner believes a third of it to be due.
RESUME = """
WITH pick AS MATERIALIZED (
  SELECT id FROM jobs_job WHERE lane = %(lane)s AND wake_at <= clock_timestamp()
  ORDER BY wake_at LIMIT 1 FOR UPDATE SKIP LOCKED)
UPDATE jobs_job j SET fence = j.fence + 1, worker = %(worker)s, wake_at = NULL,
  lease_until = clock_timestamp() + %(lease)s * interval '1 second'
FROM pick WHERE j.id = pick.id
RETURNING j.id AS job_id, j.uid, j.fence, j.attempt, j.kind, j.lane, j.provider, j.owner_id, j.priority, j.subject,
  j.failures, j.crashes, j.max_retries,
  coalesce((SELECT o.priority FROM jobs_job o WHERE o.lane = %(lane)s AND o.wake_at <= clock_timestamp() AND o.id <> j.id
            ORDER BY o.wake_at LIMIT 1), 0) AS next_priority
"""

HEARTBEAT = f"""
UPDATE jobs_job SET lease_until = clock_timestamp() + %(lease)s * interval '1 second'
WHERE {HELD} RETURNING cancel_requested_at IS NOT NULL AS cancel_requested
"""

# Parked work with a cancel mark is due at once: its worker only has to say goodbye.
PARK = f"""
UPDATE jobs_job SET lease_until = NULL, stage = %(stage)s,
  wake_at = CASE WHEN cancel_requested_at IS NULL THEN clock_timestamp() + %(seconds)s * interval '1 second'
                 ELSE clock_timestamp() END
WHERE {HELD} RETURNING wake_at
"""

NUDGE = """
UPDATE jobs_job SET wake_at = clock_timestamp()
WHERE id = %(job_id)s AND wake_at > clock_timestamp() RETURNING lane, priority
"""

STAGE = f"""
WITH done AS (UPDATE jobs_job SET stage = %(stage)s WHERE {HELD} AND stage <> %(stage)s RETURNING *),
{_told(_from("done", "'processing'", old="'processing'"))}
"""

FAIL = f"""
WITH done AS (
  UPDATE jobs_job SET status = 'failed', finished_at = clock_timestamp(), {_RELEASE_HOLD}, stage = '', reason = '',
    failures = least(failures + %(counts)s, max_retries + 1),
    error_code = %(code)s, error_message = %(message)s, error_action = %(action)s, error_remedy = %(remedy)s
  WHERE {HELD} AND cancel_requested_at IS NULL RETURNING *),
{_attempt("'failed'", code="error_code", message="error_message")},
{_ended(_from("done", "'failed'", old="'processing'", reason="error_code"))}
"""

RESCHEDULE = f"""
WITH done AS (
  UPDATE jobs_job SET status = 'scheduled', run_after = clock_timestamp() + %(seconds)s * interval '1 second', {_RELEASE_HOLD},
    stage = '', reason = %(reason)s, failures = failures + %(counts)s
  WHERE {HELD} AND cancel_requested_at IS NULL RETURNING *),
{_attempt("%(outcome)s", code="%(code)s", message="%(message)s")},
{_told(_from("done", "'scheduled'", old="'processing'"))}
"""


def _cancelled(*, held: str, crashes: int) -> str:
    return f"""
WITH done AS (
  UPDATE jobs_job SET status = 'cancelled', finished_at = clock_timestamp(), {_RELEASE_HOLD}, stage = '', reason = '',
    crashes = crashes + {crashes}
  WHERE {held} AND cancel_requested_at IS NOT NULL RETURNING *),
{_attempt("'cancelled'")},
{_ended(_from("done", "'cancelled'", old="'processing'"))}
"""


# The worker's answer to a cancel mark.
CANCEL_HELD = _cancelled(held=HELD, crashes=0)

# What has not started and is not wanted after all. A parent ends with its children instead.
SKIP = f"""
WITH target AS MATERIALIZED (
  SELECT id, status AS old FROM jobs_job
  WHERE id = ANY(%(job_ids)s) AND status IN ('waiting', 'queued', 'scheduled') AND after_children = '' ORDER BY id FOR UPDATE),
done AS (
  UPDATE jobs_job j SET status = 'skipped', finished_at = clock_timestamp(), run_after = NULL, stage = '', reason = %(reason)s
  FROM target t WHERE j.id = t.id RETURNING j.*, t.old),
{_ended(_from("done", "status"))}
"""

# All children of the plan are there: the parent counts them alone, and no longer its plan.
SEAL = f"""
WITH parents AS (
  UPDATE jobs_job p SET planned_at = clock_timestamp(), {_fewer_children("1", "0")}
  WHERE p.id = %(job_id)s AND p.status = 'waiting' AND p.after_children <> '' AND p.planned_at IS NULL
  RETURNING p.*, 'waiting' AS was),
{_told(_PARENTS_MOVED)}
"""

SETTLE_FAMILY = f"""
WITH parents AS (
  UPDATE jobs_job p SET {_fewer_children("p.open_children", "0")}
  WHERE p.id = %(job_id)s AND p.status = 'waiting' AND p.planned_at IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM jobs_job c WHERE c.parent_id = p.id AND c.finished_at IS NULL)
  RETURNING p.*, 'waiting' AS was),
{_told(_PARENTS_MOVED)}
"""

# Nets below the verbs: parents that no child can move any more, plans that nobody carries on, children of the cancelled.
HANGING = """
SELECT p.id FROM jobs_job p
WHERE p.after_children <> '' AND p.status = 'waiting' AND p.planned_at IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM jobs_job c WHERE c.parent_id = p.id AND c.finished_at IS NULL)
ORDER BY p.id LIMIT %(limit)s
"""
UNPLANNED = """
SELECT p.id FROM jobs_job p
WHERE p.after_children <> '' AND p.status = 'waiting' AND p.planned_at IS NULL AND clock_timestamp() - %(seconds)s * interval '1 second' >
  (SELECT coalesce(max(c.created_at), p.created_at) FROM jobs_job c WHERE c.parent_id = p.id)
ORDER BY p.id LIMIT %(limit)s
"""
ORPHANED = """
SELECT p.id FROM jobs_job p
WHERE p.after_children <> '' AND p.status = 'cancelled' AND p.open_children > 0
  AND EXISTS (SELECT 1 FROM jobs_job c WHERE c.parent_id = p.id AND c.finished_at IS NULL AND c.cancel_requested_at IS NULL)
ORDER BY p.id LIMIT %(limit)s
"""

# Before REQUEST_CANCEL, and not in it: waiting for a claim there, it would see the claimed row in one place and the
# queued one in another, and PostgreSQL checks the constraints of that mixture before it notices.
# With all that waits for them, which ends with them: locked later, it would be out of the order. Parents come last and
# in the reverse order, as where their children end (_ended).
LOCK = """
WITH RECURSIVE family AS (
  SELECT unnest(%(job_ids)s::bigint[]) AS id
  UNION SELECT w.id FROM family f JOIN jobs_job w ON w.waits_for_id = f.id AND w.status = 'waiting')
SELECT id, after_children <> '' AS is_parent FROM jobs_job WHERE id IN (SELECT id FROM family)
ORDER BY after_children <> '', CASE WHEN after_children = '' THEN id ELSE -id END FOR UPDATE
"""

# What waits is cancelled at once; what runs is marked, and its worker or the next tick ends it.
REQUEST_CANCEL = f"""
WITH target AS MATERIALIZED (
  SELECT id, status AS old, status <> 'processing' AS ends FROM jobs_job
  WHERE id = ANY(%(job_ids)s) AND finished_at IS NULL AND cancel_requested_at IS NULL ORDER BY id),
done AS (
  UPDATE jobs_job j SET
    status = CASE WHEN ends THEN 'cancelled' ELSE j.status END,
    finished_at = CASE WHEN ends THEN clock_timestamp() END,
    cancel_requested_at = CASE WHEN ends THEN NULL ELSE clock_timestamp() END,
    wake_at = CASE WHEN j.wake_at IS NULL THEN NULL ELSE clock_timestamp() END,
    run_after = NULL, stage = CASE WHEN ends THEN '' ELSE j.stage END, reason = %(reason)s
  FROM target t WHERE j.id = t.id RETURNING j.*, t.old),
{_ended(_from("done", "status"))}
"""


# Dependants of a job that ended without completing end with it, unless its handler gave them another way.
END_DEPENDANTS = f"""
WITH target AS MATERIALIZED (
  SELECT id FROM jobs_job WHERE waits_for_id = ANY(%(job_ids)s) AND status = 'waiting' ORDER BY id FOR UPDATE),
done AS (
  UPDATE jobs_job j SET status = %(status)s, finished_at = clock_timestamp(), stage = '', reason = ''
  FROM target t WHERE j.id = t.id RETURNING j.*),
{_ended(_from("done", "status", old="'waiting'", reason="'dependency'"))}
"""

# Each fails in the words of its own kind.
FAIL_WAITING = f"""
WITH said AS (
  SELECT * FROM unnest(%(job_ids)s::bigint[], %(codes)s::text[], %(messages)s::text[], %(actions)s::text[], %(remedies)s::text[])
  AS s(id, code, message, action, remedy)),
target AS MATERIALIZED (
  SELECT id FROM jobs_job WHERE id = ANY(%(job_ids)s) AND status = 'waiting' ORDER BY id FOR UPDATE),
done AS (
  UPDATE jobs_job j SET status = 'failed', finished_at = clock_timestamp(), stage = '', reason = '',
    error_code = s.code, error_message = s.message, error_action = s.action, error_remedy = s.remedy
  FROM target t JOIN said s USING (id) WHERE j.id = t.id RETURNING j.*),
{_ended(_from("done", "status", old="'waiting'", reason="'dependency'"))}
"""

RELEASE = f"""
WITH {to_queued("done", "id = ANY(%(job_ids)s) AND status = 'waiting' AND after_children = ''")},
{_told(_from("done", "'queued'", reason="%(reason)s"))}
"""

# No budget has enough left for these.
HOLD_BACK = f"""
WITH target AS MATERIALIZED (
  SELECT id FROM jobs_job WHERE id = ANY(%(job_ids)s) AND status = 'queued' ORDER BY id FOR UPDATE),
done AS (
  UPDATE jobs_job j SET status = 'scheduled', run_after = %(until)s, reason = 'budget' FROM target t WHERE j.id = t.id
  RETURNING j.*),
{_told(_from("done", "'scheduled'", old="'queued'"))}
"""

# Money is there again.
GO_ON = f"""
WITH {to_queued("done", "id = %(job_id)s AND status = 'scheduled' AND reason = 'budget'", "FOR UPDATE SKIP LOCKED")},
{_told(_from("done", "'queued'", reason="'budget'"))}
"""

# The job stops waiting for another job and waits for a person.
WAIT_FOR_PERSON = f"""
WITH done AS (
  UPDATE jobs_job SET waits_for_id = NULL, reason = %(reason)s, stage = ''
  WHERE id = ANY(%(job_ids)s) AND status = 'waiting' RETURNING *),
{_told(_from("done", "'waiting'", old="'waiting'"))}
"""

PROMOTE = f"""
WITH {to_queued("done", "status = 'scheduled' AND run_after <= clock_timestamp()", "LIMIT %(limit)s FOR UPDATE SKIP LOCKED")},
{_told(_from("done", "'queued'"))}
"""

# By a person, before its time. What waits for money goes on when there is some.
REQUEUE = f"""
WITH {to_queued("done", "id = ANY(%(job_ids)s) AND status = 'scheduled' AND reason <> 'budget'")},
{_told(_from("done", "'queued'", reason="'requeued'"))}
"""

# Waiting for a job that is over: a verb that ended it was passed by, or the job was deleted.
LEFT_WAITING = """
SELECT w.id, coalesce(j.status, '') AS ended FROM jobs_job w LEFT JOIN jobs_job j ON j.id = w.waits_for_id
WHERE w.status = 'waiting' AND w.reason = 'dependency' AND (j.id IS NULL OR j.finished_at IS NOT NULL)
ORDER BY w.id LIMIT %(limit)s
"""

EXPIRED = """
SELECT id, fence, crashes, cancel_requested_at IS NOT NULL AS cancel_requested FROM jobs_job
WHERE status = 'processing' AND lease_until < clock_timestamp() ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
"""

# The worker is gone. The job goes back to the front of its line; its next attempt looks at open calls first.
RESCUE = f"""
WITH done AS (
  UPDATE jobs_job k SET status = 'queued', {_RELEASE_HOLD}, crashes = crashes + 1, stage = '', reason = '',
    turn = {_returning("k")}
  WHERE {HELD} AND lease_until < clock_timestamp() AND cancel_requested_at IS NULL RETURNING *),
{_attempt("'crashed'", code="'worker_lost'", message="'The worker died or hung.'")},
{_told(_from("done", "'queued'", old="'processing'", reason="'crashed'"))}
"""
RESCUE_FAILED = f"""
WITH done AS (
  UPDATE jobs_job SET status = 'failed', finished_at = clock_timestamp(), {_RELEASE_HOLD}, crashes = crashes + 1, stage = '',
    reason = '', error_code = %(code)s, error_message = %(message)s, error_action = %(action)s, error_remedy = %(remedy)s
  WHERE {HELD} AND lease_until < clock_timestamp() AND cancel_requested_at IS NULL RETURNING *),
{_attempt("'crashed'", code="'worker_lost'", message="'The worker died or hung.'")},
{_ended(_from("done", "'failed'", old="'processing'", reason="error_code"))}
"""
RESCUE_CANCELLED = _cancelled(held=f"{HELD} AND lease_until < clock_timestamp()", crashes=1)


# It joins the other line as a newcomer: a turn of its own and the highest number, so that nobody there is passed.
CHANGE_PRIORITY = f"""
WITH target AS MATERIALIZED (
  SELECT id, nextval('jobs_job_id_seq') AS seq, lane, owner_id, %(priority)s::smallint AS priority FROM jobs_job
  WHERE id = %(job_id)s AND finished_at IS NULL AND status <> 'processing' AND priority <> %(priority)s FOR UPDATE),
placed AS (SELECT id, seq, {turn("target")} AS turn FROM target),
done AS (
  UPDATE jobs_job j SET priority = %(priority)s, turn = p.turn, seq = p.seq, aged_at = NULL
  FROM placed p WHERE j.id = p.id RETURNING j.*),
{_told(_from("done", "status", old="status", reason="'priority'"))}
"""

_NOT_HELD = """
  NOT EXISTS (SELECT 1 FROM jobs_hold h WHERE (h.until IS NULL OR h.until > clock_timestamp())
              AND ((h.scope = 'lane' AND h.key = j.lane) OR (h.scope = 'provider' AND h.key = j.provider)
                   OR (h.scope = 'owner' AND h.key = j.owner_id::text)))"""

# What has waited a period gains a step, from the front of each line: those wait longest. A hold keeps everybody still.
# Only what is due is locked: a claim passes over locked rows, and must not pass over the head of a line.
AGE = f"""
WITH front AS MATERIALIZED (
  SELECT f.id FROM unnest(%(lanes)s::text[]) AS l(lane), generate_series(1, %(ceiling)s - 1) AS p(priority),
  LATERAL (
    SELECT id, kind, coalesce(aged_at, queued_at) AS since FROM jobs_job
    WHERE lane = l.lane AND priority = p.priority AND status = 'queued' ORDER BY turn, seq LIMIT %(limit)s) f
  WHERE f.since < clock_timestamp() - %(seconds)s * interval '1 second' AND f.kind <> ALL(%(ageless)s::text[])),
due AS MATERIALIZED (
  SELECT j.id, j.lane, j.owner_id, j.priority + 1 AS priority, j.turn, j.seq FROM jobs_job j
  WHERE j.id IN (SELECT id FROM front) AND j.status = 'queued' AND j.priority < %(ceiling)s AND {_NOT_HELD}
    AND coalesce(j.aged_at, j.queued_at) < clock_timestamp() - %(seconds)s * interval '1 second'
  ORDER BY j.id FOR UPDATE OF j SKIP LOCKED),
ordered AS (SELECT *, row_number() OVER (ORDER BY lane, priority, turn, seq) AS place FROM due),
placed AS (SELECT id, priority, place, {_numbered("k", "place")} AS turn FROM ordered k),
numbered AS MATERIALIZED (
  SELECT id, priority, turn, nextval('jobs_job_id_seq') AS seq FROM (SELECT * FROM placed ORDER BY place) o),
done AS (
  UPDATE jobs_job j SET priority = n.priority, turn = n.turn, seq = n.seq, aged_at = clock_timestamp()
  FROM numbered n WHERE j.id = n.id RETURNING j.*),
{_told(_from("done", "'queued'", old="'queued'", reason="'aged'"))}
"""

# The owner's own places of one line, dealt out again with the job right before or after the other.
MOVE = f"""
WITH line AS MATERIALIZED (
  SELECT j.id, j.turn, j.seq FROM jobs_job j JOIN jobs_job m ON m.id = %(job_id)s JOIN jobs_job o ON o.id = %(other_id)s
  WHERE j.status = 'queued' AND m.status = 'queued' AND o.status = 'queued' AND m.id <> o.id
    AND (m.lane, m.owner_id, m.priority) = (o.lane, o.owner_id, o.priority)
    AND (j.lane, j.owner_id, j.priority) = (m.lane, m.owner_id, m.priority)
  ORDER BY j.id FOR UPDATE OF j),
places AS (SELECT turn, seq, row_number() OVER (ORDER BY turn, seq) AS place FROM line),
wanted AS (
  SELECT l.id, row_number() OVER (ORDER BY
      CASE WHEN l.id = %(job_id)s THEN o.turn ELSE l.turn END, CASE WHEN l.id = %(job_id)s THEN o.seq ELSE l.seq END,
      (l.id = %(job_id)s) = %(after)s) AS place
  FROM line l JOIN line o ON o.id = %(other_id)s),
done AS (
  UPDATE jobs_job j SET turn = p.turn, seq = p.seq FROM wanted w JOIN places p USING (place)
  WHERE j.id = w.id AND (j.turn, j.seq) <> (p.turn, p.seq) RETURNING j.*)
,{_told(_from("done", "'queued'", old="'queued'", reason="'reordered'"))}
"""
