"""The unit files start what the Procfile starts, and nothing else."""

import configparser
import shlex
from pathlib import Path

import pytest

from apps.launch.procfile import read_procfile
from tests.launch.conftest import ROOT

DEPLOY = ROOT / "docs" / "deploy"
GIVEN = {"HOST": "${HOST}", "PORT": "${PORT}", "LIVE_PORT": "${LIVE_PORT}"}
COMMANDS = read_procfile(ROOT / "Procfile", GIVEN)


def unit(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(DEPLOY / name)
    return parser


@pytest.mark.parametrize("name", COMMANDS)
def test_a_unit_runs_the_procfiles_command(name: str) -> None:
    program, *arguments = shlex.split(unit(f"pressroom-{name}.service")["Service"]["ExecStart"].replace("%%", "%"))
    assert (Path(program).name, *arguments) == COMMANDS[name]


def test_the_target_wants_every_unit_and_there_is_no_other() -> None:
    wanted = unit("pressroom.target")["Unit"]["Wants"].split()
    assert wanted == [f"pressroom-{name}.service" for name in COMMANDS]
    assert sorted(wanted) == sorted(path.name for path in DEPLOY.glob("*.service"))
