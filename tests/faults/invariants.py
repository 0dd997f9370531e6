"""What must be true whatever died: judged by the database and the simulator's own ledger, never by the application's log.

`figures` counts, `check` raises AssertionError with every broken rule at once.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Q

from apps.assets.storage import open_file
from apps.providers.models import Call
from apps.studio.models import GeneratedImage, Row
from apps.studio.rows import rows_with_state

FINAL_SQL = "('completed', 'failed', 'cancelled', 'skipped')"

# name → a query whose every row is a violation
RULES = {
    "a job is either live or finished, and its last event says the same": """
        SELECT j.id, j.status, e.new FROM jobs_job j LEFT JOIN LATERAL (
          SELECT new FROM jobs_event WHERE job_id = j.id ORDER BY id DESC LIMIT 1) e ON true
        WHERE e.new IS DISTINCT FROM j.status""",
    "a job ends at most once": f"""
        SELECT job_id, count(*) FROM jobs_event WHERE new IN {FINAL_SQL} AND old NOT IN {FINAL_SQL}
        GROUP BY job_id HAVING count(*) > 1""",
    "nothing happens to a finished job": f"""
        SELECT job_id, old, new FROM jobs_event WHERE old IN {FINAL_SQL}""",
    "at most one completed attempt": """
        SELECT job_id FROM jobs_attempt WHERE outcome = 'completed' GROUP BY job_id HAVING count(*) > 1""",
    "a completed job has its completed attempt, and it is the last": """
        SELECT j.id FROM jobs_job j LEFT JOIN jobs_attempt a ON a.job_id = j.id AND a.outcome = 'completed'
        WHERE j.after_children <> 'end' AND ((j.status = 'completed') <> (a.id IS NOT NULL) OR a.number <> j.attempt)""",
    "attempts only grow": """
        SELECT job_id, id FROM (SELECT job_id, id, attempt, lag(attempt) OVER (PARTITION BY job_id ORDER BY id) AS before
          FROM jobs_event) e WHERE attempt < before""",
    "the fence counts at least the attempts": "SELECT id FROM jobs_job WHERE fence < attempt",
    "an attempt that ended has its row, without gaps": """
        SELECT j.id FROM jobs_job j WHERE j.attempt - (j.status = 'processing')::int <>
          (SELECT count(*) FROM jobs_attempt a WHERE a.job_id = j.id AND a.number <= j.attempt)""",
    "every live job has a way to wake": f"""
        SELECT j.id, j.status FROM jobs_job j LEFT JOIN jobs_job w ON w.id = j.waits_for_id
        WHERE j.status NOT IN {FINAL_SQL} AND NOT CASE j.status
          WHEN 'queued' THEN j.lane = ANY(%(lanes)s)
          WHEN 'scheduled' THEN j.run_after IS NOT NULL
          WHEN 'processing' THEN coalesce(j.lease_until, j.wake_at) IS NOT NULL
          ELSE j.reason NOT IN ('dependency', 'children') OR j.open_children > 0 OR w.status NOT IN {FINAL_SQL} END""",
    "a parent counts its open children, and one more until its plan is carried out": f"""
        SELECT p.id, p.open_children, n.open FROM jobs_job p CROSS JOIN LATERAL (
          SELECT count(*) FILTER (WHERE c.status NOT IN {FINAL_SQL}) + (p.planned_at IS NULL)::int AS open
          FROM jobs_job c WHERE c.parent_id = p.id) n
        WHERE p.after_children <> '' AND p.open_children <> n.open""",
    "a parent whose children have all ended waits no longer": f"""
        SELECT p.id FROM jobs_job p WHERE p.status = 'waiting' AND p.planned_at IS NOT NULL AND NOT EXISTS (
          SELECT 1 FROM jobs_job c WHERE c.parent_id = p.id AND c.status NOT IN {FINAL_SQL})""",
    "a parent that ended by itself says how its children ended": """
        SELECT p.id, p.status FROM jobs_job p WHERE p.after_children = 'end' AND p.status IN ('completed', 'failed')
          AND (p.status = 'failed') <> (p.failed_children > 0)""",
    "a parent that ends with its children never runs": """
        SELECT id FROM jobs_job WHERE after_children = 'end' AND (attempt > 0 OR status IN ('queued', 'scheduled', 'processing'))""",
    "a slot is filled once": """
        SELECT parent_id, slot FROM jobs_job WHERE parent_id IS NOT NULL AND slot IS NOT NULL AND retry_of_id IS NULL
        GROUP BY 1, 2 HAVING count(*) > 1""",
    "nothing is held beyond its lease and two ticks": """
        SELECT id, lease_until FROM jobs_job WHERE lease_until < clock_timestamp() - %(ticks)s * interval '1 second'""",
    "an image job that may run has its prompt": """
        SELECT j.id FROM jobs_job j JOIN studio_image_job i ON i.job_id = j.id
        WHERE j.status IN ('queued', 'processing', 'completed') AND i.prompt = ''""",
    "an image job uses what its prompt job wrote": """
        SELECT i.job_id FROM studio_image_job i JOIN studio_prompt_job p ON p.job_id = i.prompt_job_id
        JOIN jobs_job j ON j.id = i.job_id JOIN jobs_job pj ON pj.id = p.job_id
        WHERE j.status = 'completed' AND i.prompt_source <> 'manual' AND pj.status = 'completed'
          AND (i.prompt <> p.generated_prompt OR i.prompt_source <> p.source)""",
    "a completed prompt job has a prompt": """
        SELECT j.id FROM jobs_job j JOIN studio_prompt_job p ON p.job_id = j.id
        WHERE (j.status = 'completed') AND p.generated_prompt = ''""",
    "an image job that waits, waits for its own prompt job": """
        SELECT j.id FROM jobs_job j JOIN studio_image_job i ON i.job_id = j.id
        WHERE j.status = 'waiting' AND j.reason <> 'needs_prompt' AND j.waits_for_id IS DISTINCT FROM i.prompt_job_id""",
    # whoever deletes a row deletes the pictures that stand in it
    "a completed image job whose row is there has a picture that came in time": """
        SELECT j.id FROM jobs_job j JOIN studio_image_job i ON i.job_id = j.id
        WHERE j.kind = 'image' AND j.status = 'completed' AND i.row_id IS NOT NULL
          AND NOT EXISTS (SELECT 1 FROM studio_generated_image g WHERE g.job_id = j.id AND (NOT g.late OR g.row_id IS NULL))""",
    "a job that did not complete has only late pictures": """
        SELECT g.job_id FROM studio_generated_image g JOIN jobs_job j ON j.id = g.job_id
        WHERE j.status <> 'completed' AND NOT g.late""",
    "a picture for each order that succeeded, as long as its row is there": """
        SELECT j.id FROM jobs_job j JOIN studio_image_job i ON i.job_id = j.id WHERE i.row_id IS NOT NULL AND
          (SELECT count(*) FROM providers_call c WHERE c.job_id = j.id AND c.purpose = 'submit' AND c.state = 'succeeded')
          <> (SELECT count(*) FROM studio_generated_image g WHERE g.job_id = j.id)""",
    # what came after its row was deleted has its picture beside the job; what stood in the row before went with it
    "a picture for each order that succeeded when its row was gone, and never more": """
        SELECT j.id, n.late, n.all, n.pictures FROM jobs_job j JOIN studio_image_job i ON i.job_id = j.id
        CROSS JOIN LATERAL (SELECT
          (SELECT count(*) FROM providers_call c
            WHERE c.job_id = j.id AND c.purpose = 'submit' AND c.state = 'succeeded' AND c.finished_at > (
              SELECT max(e.at) FROM jobs_event e WHERE e.job_id = j.id AND e.reason = 'row_deleted')) AS late,
          (SELECT count(*) FROM providers_call c
            WHERE c.job_id = j.id AND c.purpose = 'submit' AND c.state = 'succeeded') AS "all",
          (SELECT count(*) FROM studio_generated_image g WHERE g.job_id = j.id) AS pictures) n
        WHERE i.row_id IS NULL AND (n.pictures < n.late OR n.pictures > n."all")""",
    "what a day comes to is what its calls count as": """
        SELECT * FROM (
          SELECT owner_id, provider, product, (created_at AT TIME ZONE 'UTC')::date AS day, count(*) AS calls,
            sum(coalesce(cost_usd, CASE WHEN state IN ('intent', 'accepted', 'unknown') THEN estimate_usd END, 0)) AS usd
          FROM providers_call GROUP BY 1, 2, 3, 4) c
        FULL JOIN providers_spend s
          ON s.owner_id IS NOT DISTINCT FROM c.owner_id AND (s.provider, s.product, s.day) = (c.provider, c.product, c.day)
        WHERE s.calls IS DISTINCT FROM c.calls OR s.usd IS DISTINCT FROM c.usd""",
    "what succeeded has a cost, or is known not to": """
        SELECT id FROM providers_call WHERE state = 'succeeded' AND cost_usd IS NULL""",
    "an order belongs to one call": """
        SELECT provider, provider_id FROM providers_call WHERE provider_id <> ''
        GROUP BY 1, 2 HAVING count(*) > 1""",
    "at most one text is sent after one that nobody heard the answer of": """
        SELECT job_id FROM providers_call WHERE purpose = 'chat' AND state = 'unknown'
        GROUP BY job_id HAVING count(*) > 2""",
}


@dataclass
class Figures:
    """What the run comes to. Purchases are the simulator's, everything else is the database's."""

    jobs: int = 0
    by_status: dict[str, int] = field(default_factory=dict)
    double_completions: int = 0
    crashes: int = 0
    images_bought: int = 0
    images_bought_twice: int = 0
    images_kept_late: int = 0
    images_open: int = 0
    texts_bought: int = 0
    texts_bought_again: int = 0
    ambiguous: int = 0
    unknown_flagged: int = 0
    flagged: int = 0
    slowest_recovery_seconds: float = 0.0


def check(ledger: list[dict[str, Any]], *, tick_seconds: float = 2.0) -> Figures:
    """`ledger`: the simulator's purchases. Returns the figures when no rule is broken."""
    broken = [*_rules(tick_seconds), *_money(ledger), *_rows(), *_files()]
    assert not broken, "\n".join(["These must never be:", *broken])
    return figures(ledger)


def _rules(tick_seconds: float) -> Iterator[str]:
    with connection.cursor() as cursor:
        for name, query in RULES.items():
            cursor.execute(query, {"lanes": list(settings.LANES), "ticks": 2 * tick_seconds})
            if rows := cursor.fetchmany(5):
                yield f"{name}: {rows}"


def _money(ledger: list[dict[str, Any]]) -> Iterator[str]:
    """Each purchase is a call's, or the provider's side of a call that is flagged as unknown or still looked for."""
    owned = set(Call.objects.exclude(provider_id="").values_list("provider", "provider_id"))
    for provider, purpose in (("wavespeed", "submit"), ("xai", "chat")):
        bought = [entry["id"] for entry in ledger if entry["provider"] == provider]
        orphans = [each for each in bought if (provider, each) not in owned]
        flagged = Call.objects.filter(purpose=purpose, state__in=["unknown", "intent"]).count()
        if len(orphans) > flagged:
            yield f"bought at {provider} and in no ledger of ours: {len(orphans)}, flagged: {flagged}, e.g. {orphans[:3]}"
        believed = {each for name, each in owned if name == provider}
        if made_up := believed - set(bought):
            yield f"in our ledger and never bought at {provider}: {sorted(made_up)[:3]}"


def _rows() -> Iterator[str]:
    """A row's word follows from its latest generation and what is not over: told here in another way than in rows.py."""
    rows = list(Row.objects.exclude(generation=None)[:2000])
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT i.row_id, array_agg(DISTINCT j.status) FROM studio_image_job i JOIN jobs_job j ON j.id = i.job_id
               JOIN studio_row r ON r.id = i.row_id AND (r.generation = i.generation OR j.finished_at IS NULL) GROUP BY 1"""
        )
        statuses = dict(cursor.fetchall())
    for state in rows_with_state(rows):
        having = set(statuses.get(state.row.pk, []))
        if (state.status == "done") != (having == {"completed"}) and having - {"cancelled"}:
            yield f"row {state.row.pk} says {state.status} and its jobs are {having}"
        if state.status == "error" and not having & {"failed"}:
            yield f"row {state.row.pk} says error and its jobs are {having}"


def _files() -> Iterator[str]:
    """Every picture's file is there and whole."""
    seen: set[str] = set()
    for name, size in GeneratedImage.objects.values_list("file", "bytes"):
        if name in seen:
            continue
        seen.add(name)
        with open_file(name) as file:
            if len(file.read()) != size:
                yield f"{name} is not whole"


def figures(ledger: list[dict[str, Any]]) -> Figures:
    bought = {
        provider: [entry for entry in ledger if entry["provider"] == provider and entry["status"] == "accepted"]
        for provider in ("wavespeed", "xai")
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT status, count(*) FROM jobs_job GROUP BY 1")
        by_status = dict(cursor.fetchall())
        cursor.execute("SELECT coalesce(sum(crashes), 0) FROM jobs_job")
        crashes = cursor.fetchone()[0]
        cursor.execute(_SLOWEST)
        slowest = cursor.fetchone()[0] or 0.0
    return Figures(
        jobs=sum(by_status.values()),
        by_status=by_status,
        double_completions=_double_completions(),
        crashes=crashes,
        images_bought=len(bought["wavespeed"]),
        images_bought_twice=_twice(bought["wavespeed"]),
        images_kept_late=GeneratedImage.objects.filter(late=True).count(),
        images_open=Call.objects.filter(purpose="submit", state="accepted").count(),
        texts_bought=len(bought["xai"]),
        texts_bought_again=_twice(bought["xai"]),
        ambiguous=_ambiguous(bought),
        unknown_flagged=Call.objects.filter(state="unknown").count(),
        flagged=Call.objects.filter(Q(state="unknown") | Q(resent=True)).count(),
        slowest_recovery_seconds=float(slowest),
    )


# From the crash of an attempt (its lease's last renewal is not kept, so from its last event) to the next claim.
_SLOWEST = """
SELECT max(extract(epoch FROM nxt.at - rescued.at + (rescued.at - prior.at))) FROM jobs_event rescued
JOIN LATERAL (SELECT at FROM jobs_event WHERE job_id = rescued.job_id AND id < rescued.id ORDER BY id DESC LIMIT 1) prior ON true
JOIN LATERAL (SELECT at FROM jobs_event WHERE job_id = rescued.job_id AND id > rescued.id AND new = 'processing'
              ORDER BY id LIMIT 1) nxt ON true
WHERE rescued.reason = 'crashed' AND rescued.new = 'queued'
"""


def _double_completions() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) - count(DISTINCT job_id) FROM jobs_event WHERE new = 'completed'")
        return cursor.fetchone()[0]


def _twice(bought: list[dict[str, Any]]) -> int:
    """Purchases beyond the first of each job, and those that no call knows of: who knows what they were for."""
    jobs = dict(Call.objects.exclude(provider_id="").values_list("provider_id", "job_id"))
    known = Counter(jobs[entry["id"]] for entry in bought if entry["id"] in jobs)
    return sum(count - 1 for count in known.values()) + sum(entry["id"] not in jobs for entry in bought)


def _ambiguous(bought: dict[str, list[dict[str, Any]]]) -> int:
    """Purchases that were paid and never answered to us."""
    known = set(Call.objects.exclude(provider_id="").values_list("provider_id", flat=True))
    return sum(entry["id"] not in known for entries in bought.values() for entry in entries)
