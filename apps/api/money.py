"""`/api/rows/{id}/quote`, `/api/spend`, `/api/budgets`: what it would cost, what it did cost, what is left."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import examples
from apps.api.authentication import user_of
from apps.api.query import query_invalid, whole_number
from apps.api.serializers import CamelSerializer, Money
from apps.api.views import Endpoint, documented
from apps.providers.spending import spend, standings
from apps.studio.quotes import quote_row

MOST_COUNT = 6
MOST_DAYS = 366
GROUPS = ("day", "provider", "product", "owner")
SCOPES = ("owner", "provider", "desk")
PRICES = ("quoted", "last", "priced", "at_most", "none")


class BudgetSerializer(CamelSerializer):
    """`scope`: whose it is. `spent` counts the ledger since the period began, `held` what is set aside for live jobs."""

    scope = serializers.ChoiceField(source="limit.scope", choices=SCOPES)
    provider = serializers.CharField(source="limit.provider", help_text="Empty: all providers together")
    period = serializers.ChoiceField(source="limit.period", choices=["day", "month"])
    amount = Money(source="limit.amount")
    spent = Money()
    held = Money()
    left = Money()
    renews_at = serializers.DateTimeField(source="renews")


class QuoteItemSerializer(CamelSerializer):
    what = serializers.ChoiceField(choices=["image", "prompt"])
    provider = serializers.CharField()
    model = serializers.CharField()
    count = serializers.IntegerField()
    each = Money(source="each.amount", allow_null=True, help_text="null: nobody knows a price")
    source = serializers.ChoiceField(  # type: ignore[assignment]
        source="each.source",
        choices=PRICES,
        help_text="quoted by the provider, what the last one cost, priced by our table, at_most: an upper estimate",
    )
    total = Money()


class QuoteSerializer(CamelSerializer):
    """`exact`: the provider named every price. `short`: the budget that has not enough left; the job would wait for it."""

    total = Money()
    exact = serializers.BooleanField()
    items = QuoteItemSerializer(many=True)
    budgets = BudgetSerializer(many=True)
    short = BudgetSerializer(allow_null=True)


class SpentSerializer(CamelSerializer):
    key = serializers.CharField(help_text="A day, a provider, a product, or an owner's id")
    name = serializers.CharField()
    calls = serializers.IntegerField()
    unpriced = serializers.IntegerField(
        help_text="Calls whose cost nobody has told; in cost they count as their estimates"
    )
    cost = Money()


class SpendSerializer(CamelSerializer):
    since = serializers.DateField()
    until = serializers.DateField()
    by = serializers.ChoiceField(choices=GROUPS)
    total = Money()
    results = SpentSerializer(many=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`from` is no name that Python takes."""
        fields = super().get_fields()
        renamed = {"from": fields.pop("since"), "to": fields.pop("until")}
        renamed["from"].source, renamed["to"].source = "since", "until"
        return renamed | fields


class BudgetsSerializer(CamelSerializer):
    results = BudgetSerializer(many=True)


def _date(name: str) -> OpenApiParameter:
    return OpenApiParameter(name, {"type": "string", "format": "date"}, description="A day in UTC, included")


class RowQuote(Endpoint):
    @documented(
        "What generating would cost",
        description="Asks the provider for its price, which costs nothing. Nothing is queued or set aside.",
        answers={200: QuoteSerializer},
        problems=(404,),
        parameters=[
            OpenApiParameter("count", {"type": "integer", "minimum": 1, "maximum": MOST_COUNT}),
            OpenApiParameter("useAiPrompt", {"type": "string", "enum": ["true", "false"]}),
        ],
        shown=examples.QUOTE,
        operation_id="rows_quote",
    )
    def get(self, request: Request, row_id: UUID) -> Response:
        quote = quote_row(
            user=user_of(request),
            row_id=row_id,
            count=whole_number(request, "count", most=MOST_COUNT),
            use_ai_prompt=_yes(request, "useAiPrompt"),
        )
        return Response(QuoteSerializer(quote).data)


class Spending(Endpoint):
    @documented(
        "What was spent",
        description="Your own; for staff, everybody's. The last 30 days when no days are named.",
        answers={200: SpendSerializer},
        parameters=[_date("from"), _date("to"), OpenApiParameter("by", str, enum=GROUPS)],
        shown=examples.SPEND,
        operation_id="spend_read",
    )
    def get(self, request: Request) -> Response:
        user = user_of(request)
        until = _day(request, "to", datetime.now(UTC).date())
        since = _day(request, "from", until - timedelta(days=29))
        if not timedelta(0) <= until - since < timedelta(days=MOST_DAYS):
            raise query_invalid("from and to are no range.", f"Choose 1 to {MOST_DAYS} days, from no later than to.")
        by = request.query_params.get("by", "day")
        if by not in GROUPS:
            raise query_invalid("by is no way to add it up.", f"Write one of {', '.join(GROUPS)}.")
        lines = spend(owner_id=None if user.is_staff else user.pk, since=since, until=until, by=by)  # type: ignore[arg-type]
        total = sum(line.cost for line in lines)
        answer = {"since": since, "until": until, "by": by, "total": total, "results": lines}
        return Response(SpendSerializer(answer).data)


class Budgets(Endpoint):
    @documented(
        "The budgets that bound your spending",
        description="With what is spent, set aside and left in each; for staff, everybody's.",
        answers={200: BudgetsSerializer},
        shown=examples.BUDGETS,
        operation_id="budgets_list",
    )
    def get(self, request: Request) -> Response:
        user = user_of(request)
        found = standings(owner_id=None if user.is_staff else user.pk)
        return Response(BudgetsSerializer({"results": found}).data)


def _yes(request: Request, name: str) -> bool:
    given = request.query_params.get(name, "false")
    if given not in ("true", "false"):
        raise query_invalid(f"{name} is neither true nor false.", "Write one of them.")
    return given == "true"


def _day(request: Request, name: str, default: date) -> date:
    given = request.query_params.get(name, "")
    try:
        day = date.fromisoformat(given) if given else default
    except ValueError as error:
        raise query_invalid(f"{name} is no day.", "Write one such as 2026-11-22.") from error
    if not 2000 <= day.year <= 2999:
        raise query_invalid(f"{name} is too far away.", "Write a day of this century.")
    return day
