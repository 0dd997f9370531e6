"""Budgets and what was spent. Amounts are US dollars as exact decimals; days and months are UTC's.

    set_aside ──► a call is begun: its estimate moves from the job's earmark to the ledger
        │         its cost is known: the difference goes back, or is taken as well
        │         the job ends: what is left of the earmark goes with it
        └──► Short: a budget has not enough left; the job waits until it renews, is raised, or another job gives back

A call counts as its cost; while that is not told and the call is not known to be free, as its estimate, whatever became
of its job. What counts against a budget is what the days since its period began come to (models.Spend) plus every earmark,
read by one statement: a call that begins takes its estimate out of the one and puts it into the other, and must be seen
in one of them. Whoever sets money aside holds the lock of each budget concerned until the transaction ends, so the sum
cannot grow between the look and the earmark. Order of locks: the job's row, then budgets (sorted), then earmarks.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Case, F, Sum, Value, When
from django.db.models.functions import Coalesce, Greatest

from apps.accounts.models import Budget
from apps.core.clock import database_now
from apps.core.database import Locks, lock_names
from apps.providers.models import Call, CallState, Earmark, Spend

ZERO = Decimal(0)
OPEN = (CallState.INTENT, CallState.ACCEPTED, CallState.UNKNOWN)
_COUNTED = Coalesce(F("cost_usd"), Case(When(state__in=OPEN, then=F("estimate_usd"))))
By = Literal["day", "provider", "product", "owner"]
_STANDING = """
SELECT {place}, (SELECT coalesce(sum(usd), 0) FROM providers_spend WHERE day >= %s {concerned}),
       (SELECT coalesce(sum(held_usd), 0) FROM providers_earmark WHERE true {concerned})
"""


@dataclass(frozen=True)
class Wanted:
    """What a job may cost at a provider, USD; an upper estimate where the price is only known afterwards."""

    job_id: int
    owner_id: int
    provider: str
    amount: Decimal


@dataclass(frozen=True)
class Limit:
    """One budget. `owner_id` None: everybody together; `provider` empty: all of them together."""

    owner_id: int | None
    provider: str
    period: str
    amount: Decimal

    @property
    def scope(self) -> str:
        """Whose budget it is: owner, provider or desk (everybody, everywhere)."""
        return "owner" if self.owner_id is not None else "provider" if self.provider else "desk"

    def concerns(self, owner_id: int, provider: str) -> bool:
        return self.owner_id in (None, owner_id) and self.provider in ("", provider)

    def begins(self, now: datetime) -> datetime:
        midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight.replace(day=1) if self.period == Budget.Period.MONTH else midnight

    def renews(self, now: datetime) -> datetime:
        begun = self.begins(now)
        if self.period == Budget.Period.DAY:
            return begun + timedelta(days=1)
        return (begun + timedelta(days=32)).replace(day=1)


@dataclass(frozen=True)
class Standing:
    """How a budget stands: what the ledger counts, what is set aside for live jobs, what is left."""

    limit: Limit
    spent: Decimal
    held: Decimal
    renews: datetime

    @property
    def rest(self) -> Decimal:
        """Below 0 when it was lowered, or a call cost more than was held for it."""
        return self.limit.amount - self.spent - self.held

    @property
    def left(self) -> Decimal:
        return max(self.rest, ZERO)


@dataclass(frozen=True)
class Short:
    """The budget that has not enough left for a job, what of it is spent and left, and when it renews."""

    limit: Limit
    renews: datetime
    spent: Decimal
    left: Decimal

    @property
    def held(self) -> Decimal:
        """Neither spent nor left: set aside for other jobs that wait or run."""
        return max(self.limit.amount - self.spent - self.left, ZERO)

    @property
    def facts(self) -> dict[str, str]:
        """What a page says of it."""
        limit = self.limit
        return {
            "scope": limit.scope,
            "provider": limit.provider,
            "period": limit.period,
            "budget": f"{limit.amount:f}",
            "spent": f"{self.spent:f}",
            "held": f"{self.held:f}",
            "left": f"{self.left:f}",
            "renews": self.renews.isoformat(),
        }


@dataclass(frozen=True)
class Spent:
    """One line of spending. `unpriced`: calls whose cost nobody has told; in `cost` they count as their estimates."""

    key: str
    name: str
    calls: int
    unpriced: int
    cost: Decimal


def set_aside(wanted: Sequence[Wanted], *, in_order: bool = False) -> dict[int, Short]:
    """Earmarks for jobs in the given order, as far as every budget reaches; answers those for which one does not.

    `in_order`: nobody goes before the first for which one does not; those behind it are answered with its budget.
    In the caller's transaction, so that a job and its earmark exist together. What a job holds already counts towards
    what it wants.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("Set money aside in a transaction: the budgets are locked until it ends.")
    if not wanted:
        return {}
    limits = [limit for limit in _limits() if any(limit.concerns(one.owner_id, one.provider) for one in wanted)]
    if not limits:
        _save([_earmark(one, held=one.amount, short=None) for one in wanted])
        return {}
    _lock(limits)
    held = dict(Earmark.objects.filter(pk__in=[one.job_id for one in wanted]).values_list("pk", "held_usd"))
    now = database_now()
    standing = {one.limit: one for one in _standings(limits, now)}
    left = {limit: one.rest for limit, one in standing.items()}
    short: dict[int, Short] = {}
    rows = []
    for place, one in enumerate(wanted):
        before = held.get(one.job_id, ZERO)
        lacking = _first_short(one, max(one.amount - before, ZERO), left)
        change = -before if lacking else max(one.amount - before, ZERO)
        for limit in left:
            if limit.concerns(one.owner_id, one.provider):
                left[limit] -= change
        if lacking:
            short[one.job_id] = Short(lacking, lacking.renews(now), standing[lacking].spent, max(left[lacking], ZERO))
        rows.append(_earmark(one, held=before + change, short=short.get(one.job_id)))
        if lacking and in_order:
            short |= {later.job_id: short[one.job_id] for later in wanted[place + 1 :]}
            break
    _save(rows)
    return short


def cover(wanted: Wanted) -> Short | None:
    """Right before a call: None when the job holds enough or could set it aside now. Outside any transaction."""
    if Earmark.objects.filter(pk=wanted.job_id, provider=wanted.provider, held_usd__gte=wanted.amount).exists():
        return None
    with transaction.atomic(durable=True):
        return set_aside([wanted]).get(wanted.job_id)


def let_go(job_ids: Sequence[int]) -> None:
    """Jobs that wait for a person hold nothing: days may pass. Their next call sets the money aside anew."""
    Earmark.objects.filter(job_id__in=job_ids).update(held_usd=ZERO)


def counted(call: Call) -> Decimal:
    """USD that a call counts as now: what _COUNTED says of a row."""
    if call.cost_usd is not None:
        return call.cost_usd
    return call.estimate_usd or ZERO if call.state in OPEN else ZERO


def settle(job_id: int | None, more: Decimal) -> None:
    """A call of this job counts for so much more (or less) in the ledger now: its job holds as much less (or more).

    In the transaction that changes the call. A job that waits for money holds nothing, whatever comes back.
    """
    if job_id is not None and more:
        rest = Earmark._meta.get_field("held_usd")
        Earmark.objects.filter(pk=job_id, blocked_by__isnull=True).update(
            held_usd=Greatest(Value(ZERO, output_field=rest), F("held_usd") - Value(more, output_field=rest))
        )


def spent_since(moment: datetime, *, owner_id: int) -> Decimal:
    """USD that the calls of a person count as since then."""
    spent = Call.objects.filter(owner_id=owner_id, created_at__gte=moment).aggregate(sum=Sum(_COUNTED))
    return spent["sum"] or ZERO


def blocked(job_ids: Iterable[int]) -> dict[int, dict[str, str]]:
    """Why each of these waits for money: the facts of the budget that has not enough left."""
    rows = Earmark.objects.filter(pk__in=list(job_ids), blocked_by__isnull=False)
    return {job_id: facts or {} for job_id, facts in rows.values_list("pk", "blocked_by")}


def standings(*, owner_id: int | None, providers: Collection[str] = ()) -> list[Standing]:
    """The budgets that bound an owner's spending at these providers (none named: at any); everybody's with None."""
    now = database_now()
    concerned = [
        limit
        for limit in _limits()
        if (owner_id is None or limit.owner_id in (None, owner_id))
        and (not providers or limit.provider in ("", *providers))
    ]
    return _standings(concerned, now)


def spend(*, owner_id: int | None, since: date, until: date, by: By) -> list[Spent]:
    """What was spent from one day to another, both included, in UTC; of everybody when `owner_id` is None."""
    days = Spend.objects.filter(day__gte=since, day__lte=until)
    if owner_id is not None:
        days = days.filter(owner_id=owner_id)
    key, name = _GROUPS[by]
    sums = days.values(key, name).annotate(made=Sum("calls"), untold=Sum("unpriced"), cost=Sum("usd"))
    return [
        Spent(_word(row[key]), _word(row[name]), row["made"], row["untold"], row["cost"]) for row in sums.order_by(key)
    ]


_GROUPS: dict[str, tuple[str, str]] = {
    "day": ("day", "day"),
    "provider": ("provider", "provider"),
    "product": ("product", "product"),
    "owner": ("owner_id", "owner__username"),
}


def _word(value: Any) -> str:
    return "" if value is None else str(value)


def _limits() -> list[Limit]:
    """Every budget; a provider without a daily one of its own has the deployment's."""
    limits = [Limit(row.owner_id, row.provider, row.period, row.amount_usd) for row in Budget.objects.order_by("pk")]
    default = settings.PROVIDER_DAILY_BUDGET_USD
    if default is not None:
        own = {limit.provider for limit in limits if limit.owner_id is None and limit.period == Budget.Period.DAY}
        limits += [
            Limit(None, name, Budget.Period.DAY, default) for name in settings.PROVIDER_LIMITS if name not in own
        ]
    return limits


def _lock(limits: Sequence[Limit]) -> None:
    """Before the sums, which then see all that was set aside before."""
    lock_names(Locks.BUDGET, {f"{limit.owner_id or ''}.{limit.provider}" for limit in limits})


def _standings(limits: Sequence[Limit], now: datetime) -> list[Standing]:
    """By one statement, so by one snapshot: between two, a call that begins would be seen in neither sum."""
    if not limits:
        return []
    parts, params = [], []
    for place, limit in enumerate(limits):
        concerned, named = _concerned(limit)
        parts.append(_STANDING.format(place=place, concerned=concerned))
        params += [limit.begins(now).date(), *named, *named]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts) + " ORDER BY 1", params)
        sums = cursor.fetchall()
    return [Standing(limits[place], spent, held, limits[place].renews(now)) for place, spent, held in sums]


def _concerned(limit: Limit) -> tuple[str, list[Any]]:
    """The condition that whatever counts against it fulfils, and its parameters."""
    owner = ("AND owner_id = %s", [limit.owner_id]) if limit.owner_id is not None else ("", [])
    provider = ("AND provider = %s", [limit.provider]) if limit.provider else ("", [])
    return f"{owner[0]} {provider[0]}", [*owner[1], *provider[1]]


def _first_short(one: Wanted, more: Decimal, left: dict[Limit, Decimal]) -> Limit | None:
    """The budget that lacks it, the one that renews last first: that is how long the job waits. Nothing costs nothing."""
    lacking = [
        limit for limit, rest in left.items() if more > 0 and rest < more and limit.concerns(one.owner_id, one.provider)
    ]
    return max(lacking, key=lambda limit: limit.period == Budget.Period.MONTH, default=None)


def _save(rows: Sequence[Earmark]) -> None:
    Earmark.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["job_id"],
        update_fields=["provider", "held_usd", "wanted_usd", "blocked_by"],
    )


def _earmark(one: Wanted, *, held: Decimal, short: Short | None) -> Earmark:
    return Earmark(
        job_id=one.job_id,
        owner_id=one.owner_id,
        provider=one.provider,
        held_usd=held,
        wanted_usd=one.amount if short else ZERO,
        blocked_by=short.facts if short else None,
    )
