"""`/api/strategies` and `/api/workspaces/{id}/strategies`: what models are told, and what came of it."""

from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import examples
from apps.api.authentication import user_of
from apps.api.serializers import CamelSerializer, Money
from apps.api.views import Endpoint, documented
from apps.studio.comparison import compare, verdict
from apps.studio.models import Strategy
from apps.studio.owned import find_workspace


class StrategySerializer(CamelSerializer):
    name = serializers.CharField()
    version = serializers.IntegerField()
    active = serializers.BooleanField(help_text="An inactive version is not meant by the name alone")
    system = serializers.CharField()
    created_at = serializers.DateTimeField()


class StrategiesSerializer(CamelSerializer):
    results = StrategySerializer(many=True)


class IntervalSerializer(CamelSerializer):
    """95 %. All null: there is not enough to say."""

    n = serializers.IntegerField(help_text="Observations it is from")
    figure = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)


class ComparedSerializer(CamelSerializer):
    strategy = serializers.CharField()
    version = serializers.IntegerField()
    asked = serializers.IntegerField(help_text="Prompts asked for")
    written = serializers.IntegerField(help_text="Of these, written by a model")
    images = serializers.IntegerField()
    favourites = serializers.IntegerField()
    kept = serializers.IntegerField(help_text="Favourites, and images of 4 stars or more")
    spent = Money()
    favourite_share = IntervalSerializer(help_text="Wilson's interval")
    rating = IntervalSerializer(help_text="Mean of 1 to 5, Student's interval")
    cost_per_kept = IntervalSerializer(help_text="USD, an estimate")


class ComparisonSerializer(CamelSerializer):
    verdict = serializers.CharField()
    results = ComparedSerializer(many=True)


class Strategies(Endpoint):
    @documented(
        "Every version of every strategy",
        answers={200: StrategiesSerializer},
        shown=examples.STRATEGIES,
        operation_id="strategies_list",
    )
    def get(self, request: Request) -> Response:
        return Response(StrategiesSerializer({"results": Strategy.objects.all()}).data)


class Comparison(Endpoint):
    @documented(
        "What a workspace's strategies came to",
        description="Ratings, favourites and the cost of an image worth keeping, each with an interval.",
        answers={200: ComparisonSerializer},
        problems=(404,),
        shown=examples.COMPARISON,
        operation_id="workspaces_strategies",
    )
    def get(self, request: Request, workspace_id: UUID) -> Response:
        compared = compare(find_workspace(user_of(request), workspace_id))
        return Response(ComparisonSerializer({"verdict": verdict(compared), "results": compared}).data)
