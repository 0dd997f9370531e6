"""What several statements have in common, written once: the fence, turns, events, and what an end means for a parent."""

from apps.jobs.values import CHILDREN_FAILED

# The fence: the job is still held by the worker that took it last.
HELD = "id = %(job_id)s AND fence = %(fence)s AND lease_until IS NOT NULL"

LET_GO = "lease_until = NULL, wake_at = NULL"


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


def numbered_turns(row: str, order: str = "seq") -> str:
    """A turn for each of several jobs that join at once: an owner's own follow each other."""
    line = f"PARTITION BY {row}.lane, {row}.owner_id, {row}.priority ORDER BY {row}.{order}"
    return f"{turn(row)} + row_number() OVER ({line}) - 1"


def kept_turn(row: str) -> str:
    """The turn of a job that was in line before: its own, or the line's current one when that has gone by.

    A newcomer's turn is taken from the head of the line. Were job X put back there with turn 3 while the line is served at
    turn 90, a newcomer's hundred jobs would get turns 3 to 102 and go before those that have waited at turn 91.
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
      SELECT id, status AS old, CASE WHEN queued_at IS NULL THEN {numbered_turns("k")} ELSE {kept_turn("k")} END AS turn
      FROM {name}_locked k),
    {name} AS (
      UPDATE jobs_job j SET status = 'queued', queued_at = coalesce(j.queued_at, clock_timestamp()), run_after = NULL,
        waits_for_id = NULL, reason = '', stage = '', turn = p.turn
      FROM {name}_placed p WHERE j.id = p.id RETURNING j.*, p.old)"""


CHANGES = "SELECT events.id AS event_id, changes.* FROM changes JOIN events USING (job_id)"


FINAL = "('completed', 'failed', 'cancelled', 'skipped')"


def with_events(*sources: str, answer: str = CHANGES) -> str:
    """The changes of the named CTEs, written as events and returned. What was set aside for a job that is over is free."""
    union = " UNION ALL ".join(sources)
    return f"""
    changes AS ({union}),
    given_back AS (
      DELETE FROM providers_earmark e USING changes c WHERE e.job_id = c.job_id AND c.new IN {FINAL}),
    events AS (
      INSERT INTO jobs_event (job_id, owner_id, lane, subject, old, new, stage, reason, attempt, at)
      SELECT job_id, owner_id, lane, subject, old, new, stage, reason, attempt, clock_timestamp() FROM changes
      RETURNING id, job_id)
    {answer}"""


def with_parents_and_events(*sources: str, answer: str = CHANGES) -> str:
    """Like `with_events`, for statements that end jobs: the parent of each counts it in the same statement, and moves with the last.

    Parents are locked after their children, in the reverse order of ids: an inner one before the one it is a child of.
    Workers A and B end two children of one parent: B waits here until A has committed, and then counts from what A wrote.
    """
    return f"""
    moved AS MATERIALIZED ({" UNION ALL ".join(sources)}),
    ended AS MATERIALIZED (
      SELECT j.parent_id, count(*) AS all, count(*) FILTER (WHERE m.new IN ('failed', 'cancelled')) AS failed
      FROM moved m JOIN jobs_job j ON j.id = m.job_id
      WHERE m.new IN {FINAL} AND j.parent_id IS NOT NULL GROUP BY j.parent_id),
    locked AS MATERIALIZED (
      SELECT id, status AS was FROM jobs_job WHERE id IN (SELECT parent_id FROM ended) ORDER BY id DESC FOR UPDATE),
    parents AS (
      UPDATE jobs_job p SET {fewer_children("e.all", "e.failed")}
      FROM ended e JOIN locked l ON l.id = e.parent_id WHERE p.id = l.id RETURNING p.*, l.was),
    {with_events("SELECT * FROM moved", PARENTS_MOVED, answer=answer)}"""


def fewer_children(ended: str, failed: str) -> str:
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


def changes_of(source: str, new: str, *, old: str = "old", reason: str = "reason") -> str:
    """The columns of values.Change, a row for each job of the CTE `source`."""
    return (
        f"SELECT id AS job_id, uid, owner_id, lane, kind, priority, subject, {old} AS old, {new} AS new, stage, "
        f"{reason} AS reason, attempt FROM {source}"
    )


PARENTS_MOVED = changes_of(
    "parents WHERE was = 'waiting' AND status <> 'waiting'",
    "status",
    old="'waiting'",
    reason="CASE WHEN status = 'failed' THEN error_code ELSE 'children' END",
)


def attempt_row(outcome: str, *, code: str = "''", message: str = "''") -> str:
    """The record of a try that is over, from the CTE `done`."""
    return f"""
    tried AS (
      INSERT INTO jobs_attempt (job_id, number, kind, outcome, queued_at, started_at, finished_at, worker, error_code, error_message)
      SELECT id, attempt, kind, {outcome}, queued_at, started_at, clock_timestamp(), worker, {code}, {message} FROM done
      ON CONFLICT (job_id, number) DO NOTHING)"""


def cancelled_when(*, held: str, crashes: int) -> str:
    """A job that runs and has a cancel mark is over, if the guard `held` still holds."""
    return f"""
WITH done AS (
  UPDATE jobs_job SET status = 'cancelled', finished_at = clock_timestamp(), {LET_GO}, stage = '', reason = '',
    crashes = crashes + {crashes}
  WHERE {held} AND cancel_requested_at IS NOT NULL RETURNING *),
{attempt_row("'cancelled'")},
{with_parents_and_events(changes_of("done", "'cancelled'", old="'processing'"))}
"""
