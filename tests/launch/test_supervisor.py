"""The supervisor with real processes: restarts, stopping, kills, locks, strangers."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from apps.launch.leftovers import MARKER, clear_leftovers, find, marker
from apps.launch.postgres import binary
from tests.launch.conftest import Up, eventually

SLEEPER = "import os, time; os.write(1, b'pid %d\\n' % os.getpid()); time.sleep(600)"
# Keeps a child of its own, as granian and Celery do, and neither of them minds TERM.
STUBBORN = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.fork()
os.write(1, b'pid %d\\n' % os.getpid())
while True: time.sleep(600)
"""
PARENT_OF_STUBBORN = STUBBORN.replace("os.fork()", "child = os.fork()").replace(
    "while", "if child: signal.signal(signal.SIGTERM, signal.SIG_DFL)\nwhile"
)
Start = Callable[..., Up]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def pids(up: Up) -> list[int]:
    return [int(line.rsplit(" ", 1)[1]) for line in up.output.splitlines() if " pid " in line]


def guardians(up: Up) -> list[int]:
    return [pid for pid in up.children() if b"apps.launch.guardian" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_stop_leaves_nothing(small_up: Start) -> None:
    up = small_up(one=SLEEPER, two=SLEEPER)
    up.wait_for("ready")
    eventually(lambda: len(pids(up)) == 2)
    assert len(up.children()) == 3  # with the guardian
    assert up.stop() == 0
    assert up.children() == []


def test_ctrl_c_stops_it_too(small_up: Start) -> None:
    up = small_up(one=SLEEPER)
    up.wait_for("ready")
    assert up.stop(signal.SIGINT) == 0
    assert up.children() == []


def test_a_child_that_ignores_term_is_killed_with_its_own_children(small_up: Start) -> None:
    up = small_up(stubborn=STUBBORN)
    eventually(lambda: len(pids(up)) == 2)
    assert up.stop() == 0
    assert up.children() == []


def test_a_second_ctrl_c_does_not_wait_for_the_grace(small_up: Start) -> None:
    up = small_up(unhurried=STUBBORN)
    eventually(lambda: len(pids(up)) == 2)
    up.process.send_signal(signal.SIGINT)
    up.wait_for("Stopping")
    assert up.stop(signal.SIGINT) == 0  # its grace is longer than this test may take
    assert up.children() == []


def test_a_dead_child_is_started_again(small_up: Start) -> None:
    up = small_up(one=SLEEPER)
    eventually(lambda: len(pids(up)) == 1)
    os.kill(pids(up)[0], signal.SIGKILL)
    eventually(lambda: len(pids(up)) == 2)
    assert alive(pids(up)[1])
    assert "one was ended by signal SIGKILL after 0 s; it starts again in 0.1 s." in up.output


def test_what_a_dead_child_left_is_ended_before_it_is_started_again(small_up: Start) -> None:
    up = small_up(parent=PARENT_OF_STUBBORN)
    eventually(lambda: len(pids(up)) == 2)
    first = pids(up)
    leader = next(pid for pid in first if os.getpgid(pid) == pid)
    os.kill(leader, signal.SIGKILL)
    eventually(lambda: len(pids(up)) == 4)
    assert not any(alive(pid) for pid in first)


def test_the_delay_between_short_lives_grows(small_up: Start) -> None:
    up = small_up(short="raise SystemExit(3)", long=SLEEPER)
    up.wait_for(r"short ended with code 3 after 0 s; it starts again in 0\.1 s")
    up.wait_for(r"short ended with code 3 after 0 s; it starts again in 0\.2 s")
    up.wait_for(r"short ended with code 3 after 0 s; it starts again in 0\.4 s")


def test_a_program_that_cannot_be_started_ends_the_start_and_the_others(small_up: Start, tmp_path: Path) -> None:
    (tmp_path / "data" / "redis-socket" / "redis.sock").mkdir(parents=True)  # where its socket must go
    up = small_up(one=SLEEPER, redis="")
    assert up.process.wait(30) == 1
    assert "redis does not start: " in up.output
    assert up.output.rstrip().endswith("Address already in use")
    assert up.children() == []


def test_a_start_that_waits_says_what_for_and_one_that_fails_shows_the_programs_last_lines(small_up: Start) -> None:
    up = small_up(silent="import time; print('cannot find my files', flush=True); time.sleep(600)")
    up.wait_for(r"Waiting for silent: it keeps silent \(5 s so far\)")
    up.wait_for(r"silent does not start: it keeps silent.\nThe last it said:\n  cannot find my files")
    assert up.process.wait(30) == 1
    assert up.children() == []


def test_kill_9_of_up_leaves_nothing(small_up: Start) -> None:
    up = small_up(one=SLEEPER, stubborn=STUBBORN, postgres="", redis="")
    up.wait_for("ready")
    eventually(lambda: len(pids(up)) == 3)
    up.process.kill()
    up.process.wait()
    eventually(lambda: not up.children(), seconds=12)
    assert not any(alive(pid) for pid in pids(up))


def test_the_next_start_clears_what_a_kill_left_and_its_guardian(small_up: Start) -> None:
    first = small_up(stubborn=STUBBORN)
    eventually(lambda: len(pids(first)) == 2)
    os.kill(guardians(first)[0], signal.SIGKILL)
    first.process.kill()
    first.process.wait()
    assert all(alive(pid) for pid in pids(first))
    second = small_up(one=SLEEPER)
    second.wait_for("ready")
    assert not any(alive(pid) for pid in pids(first))
    assert len(second.children()) == 2


def test_a_killed_guardian_is_replaced(small_up: Start) -> None:
    up = small_up(one=SLEEPER)
    up.wait_for("ready")
    first = guardians(up)
    os.kill(first[0], signal.SIGKILL)
    eventually(lambda: guardians(up) and guardians(up) != first)
    assert up.stop() == 0
    assert up.children() == []


def test_a_killed_up_can_be_started_again_at_once(small_up: Start) -> None:
    first = small_up(one=SLEEPER)
    first.wait_for("ready")
    first.process.kill()
    first.process.wait()
    second = small_up(one=SLEEPER)
    second.wait_for("ready")
    eventually(lambda: pids(second))
    assert sorted(second.children()) == sorted([*pids(second), *guardians(second)])
    assert len(guardians(second)) == 1


def test_a_second_up_on_the_same_data_says_so_and_touches_nothing(small_up: Start) -> None:
    first = small_up(one=SLEEPER)
    first.wait_for("ready")
    before = sorted(first.children())
    second = small_up(one=SLEEPER)
    assert second.process.wait(10) == 1
    assert f"already running on {first.data} (pid {first.process.pid})" in second.output
    assert sorted(first.children()) == before


def test_two_on_different_data_run_side_by_side(small_up: Start, tmp_path: Path) -> None:
    first, second = (small_up(data=tmp_path / name, redis="") for name in ("one", "two"))
    first.wait_for("ready")
    second.wait_for("ready")
    assert first.stop() == 0
    assert len(second.children()) == 2


def test_strangers_are_never_touched(tmp_path: Path) -> None:
    """The same command line without the marker, another directory, and a longer one that only begins alike."""
    environments = [
        {},
        {MARKER: marker(tmp_path / "other", run="r")},
        {MARKER: marker(tmp_path / "data-2", run="r")},
        {"COPY": f"{MARKER}={marker(tmp_path / 'data', run='r')}"},
    ]
    command = [sys.executable, "-c", "import time; time.sleep(600)", str(tmp_path / "data")]
    strangers = [subprocess.Popen(command, env={**os.environ, **more}) for more in environments]
    ours = subprocess.Popen(command, env={**os.environ, MARKER: marker(tmp_path / "data", run="r")})
    try:
        eventually(lambda: find(tmp_path / "data") == [ours.pid])
        assert find(tmp_path / "data", run="another") == []
        assert clear_leftovers(tmp_path / "data", gone=lambda: ours.poll() is not None)
        assert ours.returncode == -signal.SIGTERM
        assert [stranger.poll() for stranger in strangers] == [None] * 4
    finally:
        for process in (*strangers, ours):
            process.kill()
            process.wait()


def test_stop_shuts_the_servers_down_cleanly(small_up: Start) -> None:
    up = small_up(postgres="", redis="")
    up.wait_for("ready")
    assert up.stop() == 0
    command = [binary("pg_controldata"), str(up.data / "postgres")]
    assert re.search(r"state:\s+shut down$", subprocess.check_output(command, text=True), re.MULTILINE)
    assert "FATAL" not in up.output
