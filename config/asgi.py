"""The live stream: a process of its own that serves `/api/events` and nothing else."""

import os

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
django.setup(set_prefix=False)

from apps.live.application import application  # noqa: E402

__all__ = ["application"]
