"""What the processes of `up` get in their environment: what you set stays, what is missing is filled in."""

import json
import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from apps.launch.ports import Address, url
from apps.launch.surroundings import for_processes
from apps.providers.registry import NEEDED, PROVIDERS

# Said by every process at every start, and nothing that the person at the terminal has to do anything about.
QUIETED = ("You're running the worker with superuser privileges", "No directory at")

# What concerns the processes of the Procfile alone.
NOT_FOR_COMMANDS = {"PATH", "HOST", "PORT", "LIVE_PORT", "PYTHONWARNINGS"}


def without_key(given: Mapping[str, str]) -> list[str]:
    """The providers that the simulator stands in for. Optional ones only while nobody has set any key: beside real
    pictures made-up ones would be taken for real.
    """
    lacking = [provider for provider in NEEDED if not given.get(provider.key_setting, "").strip()]
    untouched = len(lacking) == len(NEEDED)
    return [provider.name for provider in lacking if untouched or not provider.optional]


def child_environment(
    given: Mapping[str, str], *, data: Path, address: Address, database_url: str, redis_url: str
) -> dict[str, str]:
    """`given` is up's own environment, of which only Pressroom's settings and what programs need to run is kept.
    An empty value counts as missing, as it does for the settings."""
    programs = os.pathsep.join([str(Path(sys.prefix) / "bin"), given.get("PATH", os.defpath)])
    filled = {
        "SECRET_KEY": remembered_secret(data / "secret-key"),
        "CRON_SECRET": remembered_secret(data / "cron-secret"),
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        **addresses(given, address),
    }
    own = {
        "PATH": programs,
        "PRESSROOM_DATA_DIR": str(data),
        "HOST": address.host,
        "PORT": str(address.port),
        "LIVE_PORT": str(address.live_port),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONWARNINGS": ",".join(f"ignore:{words}" for words in QUIETED),
        **simulated(given, address),
    }
    kept = {key: value for key, value in for_processes(given).items() if value.strip() or key not in filled}
    return {**filled, **kept, **own}


def leave_for_commands(data: Path, environment: Mapping[str, str]) -> None:
    """Writes down what this start decided, so that `manage.py …` and `celery -A config …` in another terminal find the
    same servers (config/environment.py reads it when DATABASE_URL is not set). Only its owner may read it."""
    decided = {
        key: value for key, value in environment.items() if os.environ.get(key) != value and key not in NOT_FOR_COMMANDS
    }
    descriptor = os.open(data / "environment.json", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(decided, file, indent=1)


def addresses(given: Mapping[str, str], address: Address) -> dict[str, str]:
    """The live stream is on the page's own host unless a proxy speaks HTTPS for both: then it routes the stream."""
    site = given.get("SITE_URL", "").strip() or url(address.local_host, address.port)
    parts = urlsplit(site)
    live = {"LIVE_URL": url(parts.hostname or address.local_host, address.live_port)} if parts.scheme == "http" else {}
    return {"SITE_URL": site, **live}


def simulated(given: Mapping[str, str], address: Address) -> dict[str, str]:
    providers = without_key(given)
    if not providers:
        return {}
    simulator = url("127.0.0.1", address.simulator_port)
    values = {"PRESSROOM_SIMULATOR_URL": simulator, "PRESSROOM_SIMULATED": ",".join(providers)}
    for provider in (PROVIDERS[name] for name in providers):
        values |= {provider.key_setting: "simulator", provider.base_setting: simulator + provider.simulated_at}
    return values


def remembered_secret(path: Path) -> str:
    """Made once and kept in a file that only its owner reads, so that sessions survive a restart."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(50) + "\n")
    return path.read_text().strip()
