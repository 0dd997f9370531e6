"""What something will cost, before it is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from apps.providers import spending
from apps.providers.spending import Standing


@dataclass(frozen=True)
class Price:
    """USD. `source`: quoted (by the provider), priced (our table), last (what the last one cost), at_most, none."""

    amount: Decimal | None
    source: str

    @property
    def cost_source(self) -> str:
        """What the ledger calls it when it is booked as what the call cost."""
        return self.source if self.source in {"quoted", "priced"} else "estimated"


@dataclass(frozen=True)
class Item:
    """One kind of thing to pay for."""

    what: str
    provider: str
    model: str
    count: int
    each: Price

    @property
    def total(self) -> Decimal:
        return (self.each.amount or spending.ZERO) * self.count


@dataclass(frozen=True)
class Quote:
    """`exact`: the provider named every price. `short`: the budget that has not enough left for it now."""

    items: Sequence[Item]
    budgets: Sequence[Standing]

    @property
    def total(self) -> Decimal:
        return sum((item.total for item in self.items), spending.ZERO)

    @property
    def exact(self) -> bool:
        return all(item.each.source == "quoted" for item in self.items)

    @property
    def short(self) -> Standing | None:
        return next((budget for budget in self.budgets if budget.left < self._concerned(budget)), None)

    def _concerned(self, budget: Standing) -> Decimal:
        concerned = (item.total for item in self.items if budget.limit.provider in ("", item.provider))
        return sum(concerned, spending.ZERO)
