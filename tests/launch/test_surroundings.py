"""A shell full of other tools' variables, a terminal that knows only ASCII, a directory that others may enter."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.launch.errors import LaunchError
from apps.launch.leftovers import MARKER, find, marker
from apps.launch.surroundings import for_processes, for_servers, forget_other_tools
from apps.launch.up import make_data_directory
from config.environment import text
from tests.launch.conftest import ROOT, Up
from tests.launch.test_environment import three_free_ports

NOWHERE = "10.255.255.1"
OF_OTHER_TOOLS = {
    "PGPORT": "5433",
    "PGHOST": NOWHERE,
    "PGSERVICE": "theirs",
    "PGOPTIONS": "-c nonsense=1",
    "PGSSLMODE": "require",
    "CELERY_BROKER_URL": f"redis://{NOWHERE}/0",
    "BROKER_URL": f"redis://{NOWHERE}/1",
    "LOADER": "no.such.Loader",
    "GRANIAN_PORT": "1",
    "GRANIAN_WORKERS": "9",
    "REDIS_HOST": NOWHERE,
    "HOST": "example.com",
    "PORT": "3000",
    "http_proxy": f"http://{NOWHERE}:1",
    "HTTPS_PROXY": f"http://{NOWHERE}:1",
    "DEBUG": "release",
    "COLUMNS": "3",
    "DJANGO_SETTINGS_MODULE": "mysite.settings",
    "DJANGO_CONFIGURATION": "Dev",
    "PYTHONSTARTUP": "/no/such.py",
    "LC_ALL": "xx_YY.ISO-8859-1",
    "LANG": "C",
    "TZ": "Mars/Olympus",
    "PYTHONUTF8": "0",
    "PYTHONIOENCODING": "ascii",
    "PYTHONCOERCECLOCALE": "0",
    "PYTHONSAFEPATH": "1",
    "PYTHONWARNINGS": "always",
    "FORKED_BY_MULTIPROCESSING": "1",
}


@pytest.fixture
def shell(tmp_path: Path) -> dict[str, str]:
    """Somebody's environment, with a PYTHONPATH that leads to another project's `config` and `django`."""
    for package in ("config", "django", "apps"):
        folder = tmp_path / "theirs" / package
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text("raise SystemExit('somebody else’s code')")
    long = tmp_path / ("long-" * 25)
    long.mkdir()
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, **OF_OTHER_TOOLS, "PYTHONPATH": str(tmp_path / "theirs"), "TMPDIR": str(long)}


@pytest.fixture
def up_there(tmp_path: Path, shell: dict[str, str]) -> Iterator[Up]:
    """`manage.py up` in that shell, in a directory with an umlaut, with a key for one provider."""
    data, port = tmp_path / "dä ta", three_free_ports()
    command = [sys.executable, "manage.py", "up", "--no-demo", "--port", str(port), "--data-dir", str(data)]
    up = Up(command, data=data, log=tmp_path / "up.log", environment={**shell, "XAI_API_KEY": "canary-key"})
    yield up
    if up.process.poll() is None:
        up.stop()


def environment_of(pid: int) -> dict[str, str]:
    items = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="surrogateescape").split("\0")
    return dict(item.split("=", 1) for item in items if "=" in item)


def program_of(pid: int) -> str:
    return Path(os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0])).name


@pytest.mark.workers
@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="reads other processes' environments in /proc")
def test_nothing_of_the_shell_reaches_what_up_starts(up_there: Up, shell: dict[str, str]) -> None:
    up_there.wait_for(r"(?m)^ready ", seconds=120)
    up_there.wait_for(r"worker@\S+ ready", seconds=60)
    started = {pid: (program_of(pid), environment_of(pid)) for pid in find(up_there.data)}
    assert {"postgres", "redis-server"} <= {name for name, _ in started.values()}
    for name, environment in started.values():
        assert not [key for key in OF_OTHER_TOOLS if environment.get(key) == OF_OTHER_TOOLS[key]], name
        if name in {"postgres", "redis-server"}:
            assert set(environment) <= {"PATH", "HOME", "TMPDIR", "TZ", "PRESSROOM_UP", "LC_CTYPE", "LD_LIBRARY_PATH"}
    assert any(environment.get("XAI_API_KEY") == "canary-key" for _, environment in started.values())

    there = shell  # the one that runs is found by itself, wherever its data are
    of_celery = {name: value for name, value in there.items() if name != "PYTHONPATH"}  # it has found `config` already
    programs = Path(sys.executable).parent
    for command, environment in (
        ([sys.executable, "manage.py", "queue", "stats"], there),
        ([str(programs / "celery"), "-A", "config", "inspect", "ping"], of_celery),
    ):
        told = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, errors="replace", check=False)
        assert told.returncode == 0, told.stdout + told.stderr
    assert up_there.stop(signal.SIGINT) == 0
    assert find(up_there.data) == []


def test_only_settings_and_what_programs_need_are_handed_on() -> None:
    given = {
        "PATH": "/bin",
        "HOME": "/h",
        "XAI_API_KEY": "k",
        "PRESSROOM_LOG": "console",
        "SITE_URL": "http://a",
        "AWS_SECRET_ACCESS_KEY": "theirs",
        "LD_PRELOAD": "x.so",
        "PYTHONHOME": "/x",
        "C_FORCE_ROOT": "1",
    }
    assert for_servers(given) == {"PATH": "/bin", "HOME": "/h", "TZ": "UTC"}
    python = {"PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"}
    kept = {name: given[name] for name in ("XAI_API_KEY", "PRESSROOM_LOG", "SITE_URL")}
    assert for_processes(given) == for_servers(given) | kept | python


def test_a_setting_that_up_would_not_hand_on_cannot_be_read() -> None:
    with pytest.raises(LookupError, match=r"name it in apps/launch/surroundings\.py"):
        text("DEBUG", "")
    names = re.findall(r'(?:text|words|boolean|number|integer|decimal)\(\s*"(\w+)"', settings_source())
    assert len(names) > 30
    for name in names:
        text(name, "")


def settings_source() -> str:
    return "".join(path.read_text() for path in (ROOT / "config").glob("*.py"))


def test_other_tools_variables_are_forgotten_in_our_own_process() -> None:
    environment = {"PGPORT": "5433", "CELERY_BROKER_URL": "redis://x", "GRANIAN_PORT": "1", "PATH": "/bin", "PGX": ""}
    forget_other_tools(environment)
    assert environment == {"PATH": "/bin"}


def test_a_data_directory_is_closed_to_others(tmp_path: Path) -> None:
    for names in ((), ("up.lock", "media")):
        data = tmp_path / f"with-{len(names)}"
        data.mkdir(mode=0o755)
        for name in names:
            (data / name).touch()
        make_data_directory(data)
        assert data.stat().st_mode & 0o777 == 0o700


def test_a_directory_of_somebody_elses_files_is_not_closed_but_refused(tmp_path: Path) -> None:
    data = tmp_path / "home"
    data.mkdir(mode=0o755)
    (data / "letters.txt").touch()
    with pytest.raises(LaunchError, match="new or empty"):
        make_data_directory(data)
    assert data.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("name", ["SITE_URL", "LIVE_URL"])
@pytest.mark.parametrize("address", ["https://a.example/desk", "https://a.example?x=1", "https://me@a.example"])
def test_an_address_with_more_than_a_host_is_refused_with_words(name: str, address: str) -> None:
    environment = {**os.environ, name: address}
    for command in ("check", "up"):
        told = subprocess.run(
            [sys.executable, "manage.py", command],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert told.returncode == 1
        assert told.stderr.startswith(f"Error: {name} is '{address}'; write only scheme and host, as https://")


def test_when_several_installations_run_the_commands_ask_which(tmp_path: Path) -> None:
    """Two marked processes stand for two `up`."""
    stand_ins, alone = [], {key: value for key, value in os.environ.items() if key in ("PATH", "HOME")}
    try:
        for name in ("a", "b"):
            data = tmp_path / name
            data.mkdir()
            (data / "environment.json").write_text("{}")
            stand_ins.append(
                subprocess.Popen(["cat"], cwd=ROOT, stdin=subprocess.PIPE, env={**alone, MARKER: marker(data, run="r")})
            )
        told = subprocess.run(
            [sys.executable, "manage.py", "create_token", "demo"],
            cwd=ROOT,
            env=alone,
            capture_output=True,
            text=True,
            check=False,
        )
        assert told.returncode == 1
        assert f"PRESSROOM_DATA_DIR={tmp_path / 'a'} or PRESSROOM_DATA_DIR={tmp_path / 'b'}" in told.stderr
    finally:
        for process in stand_ins:
            process.communicate()
