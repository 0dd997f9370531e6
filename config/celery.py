"""The Celery application: `celery -A config worker|beat|inspect|control`."""

import os

from celery import Celery
from celery.signals import setup_logging, task_prerun
from django.db import close_old_connections

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"

app = Celery("pressroom")
app.config_from_object("django.conf:settings", namespace="CELERY")
# Celery's part for Django closes the connection before and after each task, whatever CONN_MAX_AGE says; with this it
# does so once in so many tasks, and a wake-up finds the connection, and its prepared statements, of the one before.
app.conf.CELERY_DB_REUSE_MAX = 10_000
app.autodiscover_tasks()

import apps.desk.remote  # noqa: E402, F401 - the command line offers the commands that it has loaded


@setup_logging.connect
def _keep_our_logging(**_signal: object) -> None:
    """Celery leaves logging alone when somebody answers this: Django has set it up (config/logs.py)."""


@task_prerun.connect
def _leave_broken_connections(**_signal: object) -> None:
    """As Django does before a request: a connection that broke or is too old goes, the others are tried before use."""
    close_old_connections()
