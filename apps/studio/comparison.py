"""What the strategies of a workspace came to: ratings, favourites and the cost of an image worth keeping, with intervals.

Images of one prompt are alike, so the intervals are a little narrower than the truth; the page says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection

from apps.studio.intervals import Interval, mean, per_success, share
from apps.studio.models import Workspace

KEPT_FROM = 4  # stars; a favourite is kept whatever its rating

# Only images whose prompt the strategy's model wrote: a template's or a person's prompt is not its work.
_COMPARE = """
WITH asked AS (
  SELECT p.job_id, p.strategy, p.strategy_version AS version, p.source FROM studio_prompt_job p
  JOIN studio_row r ON r.id = p.row_id WHERE r.workspace_id = %(workspace)s),
made AS (
  SELECT a.strategy, a.version, i.job_id FROM asked a JOIN studio_image_job i ON i.prompt_job_id = a.job_id
  WHERE a.source = 'model'),
costs AS (
  SELECT strategy, version, sum(c.cost_usd) AS cost
  FROM (SELECT strategy, version, job_id FROM asked UNION ALL SELECT strategy, version, job_id FROM made) jobs
  JOIN providers_call c USING (job_id) GROUP BY strategy, version),
prompts AS (
  SELECT strategy, version, sum(asked) AS asked, sum(written) AS written, sum(cost) AS cost FROM (
    SELECT strategy, version, 1 AS asked, (source = 'model')::int AS written, 0 AS cost FROM asked
    UNION ALL
    SELECT strategy, version, asked, written, cost_usd FROM studio_strategy_sum WHERE workspace_id = %(workspace)s) p
  GROUP BY strategy, version),
pictures AS (
  SELECT made.strategy, made.version, g.favourite, g.rating, g.late FROM made JOIN studio_generated_image g USING (job_id)
  UNION ALL
  SELECT g.strategy, g.strategy_version, g.favourite, g.rating, g.late FROM studio_generated_image g JOIN studio_row r ON r.id = g.row_id
  WHERE r.workspace_id = %(workspace)s AND g.strategy <> ''),
images AS (
  SELECT strategy, version, count(*) AS images, count(*) FILTER (WHERE g.favourite) AS favourites,
    count(*) FILTER (WHERE g.favourite OR g.rating >= %(kept_from)s) AS kept, count(g.rating) AS rated,
    avg(g.rating)::float8 AS rating, stddev_samp(g.rating)::float8 AS deviation
  FROM pictures g WHERE NOT g.late GROUP BY strategy, version)
SELECT strategy, version, asked, written, coalesce(images, 0), coalesce(favourites, 0), coalesce(kept, 0),
  coalesce(rated, 0), rating, deviation, coalesce(costs.cost, 0) + prompts.cost
FROM prompts LEFT JOIN images USING (strategy, version) LEFT JOIN costs USING (strategy, version)
ORDER BY strategy, version DESC
"""


# Prompt jobs that are pruned in this transaction. Their images' jobs ended later and are there still: with the link to the
# prompt goes the only one to what wrote it, so what they cost, and who wrote for their pictures, is taken along now.
_ADD = """
WITH gone AS MATERIALIZED (
  SELECT p.job_id, p.strategy, p.strategy_version AS version, p.source, r.workspace_id FROM studio_prompt_job p
  JOIN studio_row r ON r.id = p.row_id WHERE p.job_id = ANY(%(ids)s)),
made AS MATERIALIZED (
  SELECT g.workspace_id, g.strategy, g.version, i.job_id FROM gone g JOIN studio_image_job i ON i.prompt_job_id = g.job_id
  WHERE g.source = 'model'),
signed AS (
  UPDATE studio_generated_image g SET strategy = m.strategy, strategy_version = m.version FROM made m
  WHERE m.job_id = g.job_id),
costs AS (
  SELECT workspace_id, strategy, version, sum(c.cost_usd) AS cost FROM (
    SELECT workspace_id, strategy, version, job_id FROM gone
    UNION ALL SELECT workspace_id, strategy, version, job_id FROM made) jobs
  JOIN providers_call c USING (job_id) GROUP BY 1, 2, 3),
counts AS (
  SELECT workspace_id, strategy, version, count(*) AS asked, count(*) FILTER (WHERE source = 'model') AS written
  FROM gone GROUP BY 1, 2, 3)
INSERT INTO studio_strategy_sum AS s (workspace_id, strategy, version, asked, written, cost_usd)
SELECT workspace_id, strategy, version, asked, written, coalesce(cost, 0)
FROM counts LEFT JOIN costs USING (workspace_id, strategy, version) ORDER BY 1, 2, 3
ON CONFLICT (workspace_id, strategy, version) DO UPDATE
  SET asked = s.asked + excluded.asked, written = s.written + excluded.written, cost_usd = s.cost_usd + excluded.cost_usd
"""


@dataclass(frozen=True)
class Compared:
    """One version of a strategy in one workspace. Costs in USD: `spent` exact, the figures per kept image estimates."""

    strategy: str
    version: int
    asked: int
    written: int
    images: int
    favourites: int
    kept: int
    spent: Decimal
    favourite_share: Interval
    rating: Interval
    cost_per_kept: Interval

    @property
    def name(self) -> str:
        return f"{self.strategy}@{self.version}"


def add_to_sums(job_ids: Sequence[int]) -> None:
    """In the transaction that removes these prompt jobs: what they came to stays."""
    with connection.cursor() as cursor:
        cursor.execute(_ADD, {"ids": list(job_ids)})


def compare(workspace: Workspace) -> list[Compared]:
    """Every version that was asked for a prompt in the workspace, in one query."""
    with connection.cursor() as cursor:
        cursor.execute(_COMPARE, {"workspace": workspace.pk, "kept_from": KEPT_FROM})
        return [_compared(*row) for row in cursor.fetchall()]


def _compared(
    strategy: str,
    version: int,
    asked: int,
    written: int,
    images: int,
    favourites: int,
    kept: int,
    rated: int,
    rating: float | None,
    deviation: float | None,
    spent: Decimal,
) -> Compared:
    each = float(spent) / images if images else 0.0
    return Compared(
        strategy=strategy,
        version=version,
        asked=asked,
        written=written,
        images=images,
        favourites=favourites,
        kept=kept,
        spent=spent,
        favourite_share=share(favourites, images),
        rating=mean(rating, deviation, rated),
        cost_per_kept=per_success(each, share(kept, images)),
    )


def verdict(compared: list[Compared]) -> str:
    """What can be said of them, in one sentence."""
    shown = [one for one in compared if one.favourite_share.enough]
    if len(shown) < 2:
        return "Not enough to say: comparing needs two strategies with 10 images each."
    first, second = sorted(shown, key=lambda one: one.favourite_share.figure or 0.0, reverse=True)[:2]
    if first.favourite_share.parts_from(second.favourite_share):
        return f"Images by {first.name} are favoured more often than those by {second.name}."
    return f"Not enough to say whether {first.name} or {second.name} is favoured more often: their intervals overlap."
