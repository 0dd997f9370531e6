"""Typed reading of environment variables, so that a wrong value is named and not guessed.

Where DATABASE_URL is not set, what `manage.py up` decided for the data directory stands in for what is missing: a
command in another terminal reaches the same servers. With DATABASE_URL set, nothing but the environment counts.
"""

import json
import os
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from psycopg.conninfo import conninfo_to_dict

from apps.launch.leftovers import running_on
from apps.launch.surroundings import is_setting

BASE_DIR = Path(__file__).resolve().parent.parent


def text(name: str, default: str) -> str:
    """A setting as it was given, or `default`. Its name must be known to `up`, which hands on nothing else."""
    if not is_setting(name):
        raise LookupError(f"{name} is no setting of Pressroom: name it in apps/launch/surroundings.py.")
    return os.environ.get(name, "").strip() or _of_running_installation().get(name, "") or default


def words(name: str) -> list[str]:
    return [word.strip() for word in text(name, "").split(",") if word.strip()]


@cache
def _of_running_installation() -> dict[str, str]:
    """What `up` decided for the installation that is meant: the one named, the one in the checkout, or the only other
    one that runs from this checkout. Nothing when the environment names a database, or when several others run."""
    if os.environ.get("DATABASE_URL", "").strip():
        return {}
    given, usual = os.environ.get("PRESSROOM_DATA_DIR", "").strip(), BASE_DIR / ".pressroom"
    running = [] if given else running_installations()
    folder = Path(given) if given else running[0] if len(running) == 1 and usual not in running else usual
    try:
        return dict(json.loads((folder / "environment.json").read_text()))
    except (OSError, ValueError):
        return {}


def running_installations() -> list[Path]:
    """The data directories of every `up` of this account that runs from this checkout (none where there is no /proc)."""
    return sorted({data for data in running_on(BASE_DIR) if (data / "environment.json").exists()})


def origin(name: str, default: str) -> str:
    """An address of ours: scheme and host, no path. Raises ImproperlyConfigured, as every page would be 404 there."""
    value = text(name, default).rstrip("/")
    parts = urlsplit(value)
    if value and (parts.path or parts.query or parts.fragment or parts.username):
        raise ImproperlyConfigured(
            f"{name} is {value!r}; write only scheme and host, as {parts.scheme or 'https'}://{parts.netloc or 'host'}. "
            "Pressroom answers at the root of an address of its own."
        )
    return value


def boolean(name: str, *, default: bool) -> bool:
    value = text(name, "").lower()
    if value in {"", "1", "true", "yes", "on", "0", "false", "no", "off"}:
        return default if not value else value in {"1", "true", "yes", "on"}
    raise ImproperlyConfigured(f"{name} is {value!r}; write true or false.")


def number(name: str, default: float) -> float:
    try:
        return float(text(name, str(default)))
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is {text(name, '')!r}; write a number.") from error


def integer(name: str, default: int) -> int:
    value = number(name, default)
    if value != int(value):
        raise ImproperlyConfigured(f"{name} is {text(name, '')!r}; write a whole number.")
    return int(value)


def decimal(name: str, default: Decimal | None) -> Decimal | None:
    value = text(name, "")
    try:
        return Decimal(value) if value else default
    except InvalidOperation as error:
        raise ImproperlyConfigured(f"{name} is {value!r}; write an amount such as 20.00.") from error


# No statement of ours takes longer, and none waits longer for a lock; `manage.py migrate` alone lifts them.
STATEMENT_SECONDS = 15
LOCK_SECONDS = 5


def database(url: str) -> dict[str, object]:
    """Django's settings for a `postgresql://` address; `?host=/dir` names a socket directory."""
    parts = {key: str(value) for key, value in conninfo_to_dict(url).items() if value is not None} if url else {}
    session = (
        f"-c statement_timeout={STATEMENT_SECONDS}s -c lock_timeout={LOCK_SECONDS}s "
        f"-c idle_in_transaction_session_timeout={STATEMENT_SECONDS}s "
        # Of what is prepared one plan for all parameters: planning a claim takes longer than the claim.
        "-c plan_cache_mode=force_generic_plan"
    )
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.pop("dbname", "pressroom"),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": parts.pop("port", ""),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": 3,
            "application_name": "pressroom",
            "options": session,
            # The engine's statements are prepared at their second use (core/database.py); those of the ORM never are.
            "prepare_threshold": 1,
            **parts,
        },
    }
