"""What of a person's own environment reaches Pressroom: its settings, and what a program needs to run at all.

A shell is full of other tools' variables. `PGPORT`, `CELERY_BROKER_URL` or `DJANGO_SETTINGS_MODULE` of another project
would lead Pressroom to another server, and a provider's key is no business of PostgreSQL's.
"""

import os
import sys
from collections.abc import Mapping, MutableMapping
from pathlib import Path

from apps.providers.registry import PROVIDERS

BASE = Path(__file__).resolve().parents[2]

# A setting of Pressroom has one of these names, or begins with one of these words.
SETTINGS = {
    "ALLOWED_HOSTS",
    "BEHIND_PROXY",
    "CRON_SECRET",
    "DATABASE_URL",
    "LIVE_URL",
    "REDIS_URL",
    "SECRET_KEY",
    "SECRET_KEY_FALLBACKS",
    "SECURE_SSL_REDIRECT",
    "SITE_URL",
}
SETTINGS_BEGIN_WITH = ("PRESSROOM_", *(f"{provider.env}_" for provider in PROVIDERS.values()))

# Where programs, their libraries and temporary files are; and, for those that call providers, whom this machine trusts.
NEEDED_TO_RUN = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
TRUST = ("SSL_CERT_FILE", "SSL_CERT_DIR")

# Read by the libraries in our own process (libpq, Celery, granian) before any setting of ours.
OTHER_TOOLS = ("PG", "CELERY_", "GRANIAN_")


def is_setting(name: str) -> bool:
    return name in SETTINGS or name.startswith(SETTINGS_BEGIN_WITH)


def forget_other_tools(environment: MutableMapping[str, str] = os.environ) -> None:
    """Take other tools' variables out of this process, and so out of what it starts. Called before any is read."""
    for name in [name for name in environment if name.startswith(OTHER_TOOLS)]:
        del environment[name]


def forget_other_projects(environment: MutableMapping[str, str] = os.environ) -> None:
    """Take the folders of PYTHONPATH out: another project's Django, or its `config`, would be taken for ours."""
    foreign = {os.path.abspath(entry) for entry in environment.pop("PYTHONPATH", "").split(os.pathsep) if entry}
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) not in foreign - {str(BASE)}]


def for_servers(given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment of PostgreSQL, Redis and the guardian: no setting, no key, no locale, no time zone."""
    return {**{name: given[name] for name in NEEDED_TO_RUN if name in given}, "TZ": "UTC"}


def for_processes(given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment of the Procfile's processes and of our own commands, all of them Python."""
    kept = {name: value for name, value in given.items() if is_setting(name) or name in TRUST}
    return {**for_servers(given), **kept, "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"}
