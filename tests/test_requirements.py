"""The lock: hashes for everything, no address of anybody's index, and nothing that pyproject.toml names left out."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
IMPORTED_AS = {
    "django-csp": "csp",
    "django-unfold": "unfold",
    "djangorestframework": "rest_framework",
    "opencv-python-headless": "cv2",
    "pillow": "PIL",
}
LOCKS = {"requirements.lock": ["local"], "requirements-dev.lock": ["local", "dev"]}


def entries(name: str) -> list[str]:
    """One string for each requirement, with its hashes."""
    text = (ROOT / name).read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def pinned(name: str) -> dict[str, set[str]]:
    versions: dict[str, set[str]] = {}
    for entry in entries(name):
        requirement = Requirement(entry.split(" --hash")[0])
        versions.setdefault(canonicalize_name(requirement.name), set()).add(str(requirement.specifier))
    return versions


@pytest.mark.parametrize("name", LOCKS)
def test_every_requirement_is_pinned_and_hashed_and_names_no_address(name: str) -> None:
    assert "://" not in (ROOT / name).read_text()
    for entry in entries(name):
        assert re.match(r"[A-Za-z0-9_.\[\]-]+==\S+", entry), entry
        assert re.findall(r"--hash=sha256:[0-9a-f]{64}\b", entry), entry
        assert not re.sub(r"--hash=sha256:[0-9a-f]{64}", "", entry).count("--"), entry


@pytest.mark.parametrize(("name", "extras"), LOCKS.items())
def test_every_direct_dependency_is_in_it_at_a_version_that_fits(name: str, extras: list[str]) -> None:
    direct = PROJECT["dependencies"] + [line for extra in extras for line in PROJECT["optional-dependencies"][extra]]
    locked = pinned(name)
    for requirement in map(Requirement, direct):
        versions = locked[canonicalize_name(requirement.name)]
        assert all(requirement.specifier.contains(version.removeprefix("==")) for version in versions), requirement


def test_both_locks_agree() -> None:
    run, everything = pinned("requirements.lock"), pinned("requirements-dev.lock")
    assert run.items() <= everything.items()
    assert "pytest" not in run


def test_every_direct_dependency_is_used() -> None:
    """Imported, named in the settings, or a program that the Procfile starts."""
    told = "".join(path.read_text() for folder in ("apps", "config") for path in (ROOT / folder).rglob("*.py"))
    told += (ROOT / "Procfile").read_text()
    unused = [
        name
        for name in (Requirement(line).name for line in PROJECT["dependencies"])
        if not re.search(rf"\b{IMPORTED_AS.get(name, name.replace('-', '_'))}\b", told)
    ]
    assert unused == []
