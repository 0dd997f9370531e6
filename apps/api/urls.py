"""The REST API. No trailing slashes."""

from django.urls import path

from apps.api.dispatch import Dispatch, PromptProcessor
from apps.api.events import Events
from apps.api.init import Init
from apps.api.schema import Reference, Schema
from apps.api.unknown import Unknown

app_name = "api"
urlpatterns = [
    path("events", Events.as_view(), name="events"),
    path("dispatch", Dispatch.as_view(), name="dispatch"),
    path("cron/prompt-processor", PromptProcessor.as_view(), name="cron-prompt-processor"),
    path("init", Init.as_view(), name="init"),
    path("schema", Schema.as_view(), name="schema"),
    path("docs", Reference.as_view(), name="docs"),
    path("<path:rest>", Unknown.as_view(), name="unknown"),
]
