"""The Celery application: `celery -A config worker|beat|inspect|control`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("pressroom")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
