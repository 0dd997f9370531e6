"""What the processes of `up` are told, the ports it checks, and the Procfile it reads."""

import os
import random
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from apps.launch.environment import child_environment
from apps.launch.errors import LaunchError
from apps.launch.leftovers import start_time
from apps.launch.ports import Address, check_free, why_no_page
from apps.launch.procfile import read_procfile
from tests.launch.conftest import ROOT

EMBEDDED = {"database_url": "postgresql://postgres@/pressroom?host=%2Fd", "redis_url": "unix:///d/redis.sock?db=0"}


def filled(tmp_path: Path, given: dict[str, str], *, host: str = "127.0.0.1") -> dict[str, str]:
    return child_environment(given, data=tmp_path, address=Address(host, 8000), **EMBEDDED)


def test_with_nothing_set_everything_is_filled_in(tmp_path: Path) -> None:
    environment = filled(tmp_path, {})
    assert environment["DATABASE_URL"] == EMBEDDED["database_url"]
    assert environment["REDIS_URL"] == EMBEDDED["redis_url"]
    assert environment["SITE_URL"] == "http://127.0.0.1:8000"
    assert environment["LIVE_URL"] == "http://127.0.0.1:8001"
    assert environment["PRESSROOM_SIMULATED"] == "xai,wavespeed,openai,removebg,gemini"
    assert environment["XAI_API_BASE"] == "http://127.0.0.1:8002/xai/v1"
    assert environment["WAVESPEED_API_BASE"] == "http://127.0.0.1:8002/wavespeed"
    assert len(environment["SECRET_KEY"]) >= 50
    assert environment["SECRET_KEY"] != environment["CRON_SECRET"]


def test_what_is_set_stays_and_empty_counts_as_missing(tmp_path: Path) -> None:
    given = {"SECRET_KEY": "mine", "DATABASE_URL": "postgresql://db/pressroom", "REDIS_URL": "", "XAI_API_KEY": "key"}
    environment = filled(tmp_path, given)
    assert environment["SECRET_KEY"] == "mine"
    assert environment["DATABASE_URL"] == "postgresql://db/pressroom"
    assert environment["REDIS_URL"] == EMBEDDED["redis_url"]
    assert environment["XAI_API_KEY"] == "key"
    assert "XAI_API_BASE" not in environment
    assert environment["PRESSROOM_SIMULATED"] == "wavespeed"


def test_with_both_keys_nothing_is_simulated(tmp_path: Path) -> None:
    environment = filled(tmp_path, {"XAI_API_KEY": "a", "WAVESPEED_API_KEY": "b"})
    assert "PRESSROOM_SIMULATED" not in environment
    assert "PRESSROOM_SIMULATOR_URL" not in environment


def test_the_secrets_are_remembered_and_private(tmp_path: Path) -> None:
    assert filled(tmp_path, {})["SECRET_KEY"] == filled(tmp_path, {})["SECRET_KEY"]
    assert (tmp_path / "secret-key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("host", "site"), [("0.0.0.0", "http://127.0.0.1:8000"), ("::", "http://[::1]:8000"), ("10.1.2.3", None)]
)
def test_the_site_is_where_a_browser_here_finds_it(tmp_path: Path, host: str, site: str | None) -> None:
    assert filled(tmp_path, {}, host=host)["SITE_URL"] == (site or f"http://{host}:8000")


def test_behind_https_the_proxy_routes_the_stream(tmp_path: Path) -> None:
    assert "LIVE_URL" not in filled(tmp_path, {"SITE_URL": "https://press.example"})
    assert filled(tmp_path, {"SITE_URL": "http://press.example"})["LIVE_URL"] == "http://press.example:8001"


def test_the_childrens_programs_are_this_pythons(tmp_path: Path) -> None:
    path = filled(tmp_path, {"PATH": "/usr/bin"})["PATH"].split(os.pathsep)
    assert path == [str(Path(sys.prefix) / "bin"), "/usr/bin"]


def three_free_ports() -> int:
    """The first of three that nobody uses, below those that the system gives to whoever asks for any: another test of the
    same moment would be given one of them before `up` binds it."""
    for _ in range(100):
        port = random.randrange(20_000, 32_000, 3)
        try:
            check_free(Address("127.0.0.1", port), simulator=True)
        except LaunchError:
            continue
        return port
    raise AssertionError("no three ports in a row are free")


@pytest.mark.parametrize(
    ("step", "purpose"), [(0, "the pages"), (1, "the live stream"), (2, "the simulator")], ids=["web", "live", "sim"]
)
def test_a_taken_port_is_named_with_the_option_to_change(step: int, purpose: str) -> None:
    port = three_free_ports()
    with socket.create_server(("127.0.0.1", port + step)):
        with pytest.raises(LaunchError, match=rf"Port {port + step} on 127.0.0.1 is needed for {purpose}.*--port"):
            check_free(Address("127.0.0.1", port), simulator=True)
        if step == 2:
            check_free(Address("127.0.0.1", port), simulator=False)


def test_a_host_that_is_not_ours_and_an_impossible_port_are_refused() -> None:
    with pytest.raises(LaunchError, match="cannot be used"):
        check_free(Address("192.0.2.1", three_free_ports()), simulator=False)
    with pytest.raises(LaunchError, match="1 to 65533"):
        check_free(Address("127.0.0.1", 65534), simulator=False)


def test_a_page_that_nobody_serves_does_not_answer() -> None:
    assert why_no_page("127.0.0.1", three_free_ports(), "/signin", name="127.0.0.1")


def test_the_procfile_starts_what_the_product_needs(tmp_path: Path) -> None:
    commands = read_procfile(ROOT / "Procfile", filled(tmp_path, {}))
    assert list(commands) == ["web", "live", "worker", "asker", "clock", "beat"]
    assert not any("$" in word for command in commands.values() for word in command)
    for command in commands.values():
        assert (Path(sys.prefix) / "bin" / command[0]).exists()


def test_every_queue_has_a_worker_and_each_exactly_one(tmp_path: Path) -> None:
    from config.lanes import LANES

    commands = read_procfile(ROOT / "Procfile", filled(tmp_path, {}))
    queues = [
        command[command.index("--queues") + 1].split(",") for command in commands.values() if "--queues" in command
    ]
    assert sorted(queue for names in queues for queue in names) == sorted([*LANES, "dispatch"])


def test_a_procfile_that_cannot_be_read_is_said_plainly(tmp_path: Path) -> None:
    path = tmp_path / "Procfile"
    path.write_text("web: serve --port $NO_SUCH_NAME\n")
    with pytest.raises(LaunchError, match=r"names \$NO_SUCH_NAME"):
        read_procfile(path, {})
    path.write_text("just words\n")
    with pytest.raises(LaunchError, match="not `name: command`"):
        read_procfile(path, {})


def test_without_proc_a_process_is_known_by_its_start_time() -> None:
    process = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    try:
        assert start_time(process.pid) == start_time(process.pid) != ""
    finally:
        process.kill()
        process.communicate()
    assert start_time(process.pid) == ""
