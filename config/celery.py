"""The Celery application: `celery -A config worker|beat|inspect|control`."""

import os

from celery import Celery
from celery.signals import setup_logging

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"

app = Celery("pressroom")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

import apps.jobs.remote  # noqa: E402, F401 - the command line offers the commands that it has loaded


@setup_logging.connect
def _keep_our_logging(**_signal: object) -> None:
    """Celery leaves logging alone when somebody answers this: Django has set it up (config/logs.py)."""
