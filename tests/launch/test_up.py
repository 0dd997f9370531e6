"""The real thing: `manage.py up` as a person runs it."""

import json
import os
import signal
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.launch.conftest import ROOT, Up, eventually
from tests.launch.test_environment import three_free_ports

pytestmark = pytest.mark.workers
OURS = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "PRESSROOM_DATA_DIR", "SITE_URL", "LIVE_URL", "XAI_API_KEY")


@pytest.fixture
def manage_up(tmp_path: Path) -> Iterator[Callable[..., Up]]:
    """Start `manage.py up` on a directory of the test's own, without the servers this suite runs on."""
    started: list[Up] = []
    environment = {key: value for key, value in os.environ.items() if key not in OURS}

    def start(*options: str, port: int) -> Up:
        data = tmp_path / "data"
        command = [sys.executable, "manage.py", "up", "--port", str(port), "--data-dir", str(data), *options]
        log = tmp_path / f"up-{len(started)}.log"
        started.append(Up(command, data=data, log=log, environment=environment))
        return started[-1]

    yield start
    for up in started:
        if up.process.poll() is None:
            up.stop()


def page(url: str) -> int:
    with urllib.request.urlopen(url, timeout=10) as response:
        return response.status


def test_up_serves_the_page_and_stops_without_a_trace(manage_up: Callable[..., Up]) -> None:
    port = three_free_ports()
    up = manage_up("--no-demo", port=port)
    ready = up.wait_for(r"(?m)^ready (http://\S+)$", seconds=60)
    assert page(f"{ready[1]}/signin") == 200
    assert up.stop() == 0
    assert up.children() == []
    assert sorted(path.name for path in ROOT.glob("celerybeat*")) == []


def test_up_again_on_the_same_data_after_a_kill(manage_up: Callable[..., Up]) -> None:
    port = three_free_ports()
    first = manage_up("--no-demo", port=port)
    first.wait_for(r"(?m)^ready ", seconds=60)
    first.process.kill()
    first.process.wait()
    second = manage_up("--no-demo", port=port)
    ready = second.wait_for(r"(?m)^ready (http://\S+)$", seconds=60)
    assert page(f"{ready[1]}/signin") == 200
    assert second.stop(signal.SIGINT) == 0
    assert second.children() == []


def test_a_killed_web_server_comes_back(manage_up: Callable[..., Up]) -> None:
    up = manage_up("--no-demo", port=three_free_ports())
    ready = up.wait_for(r"(?m)^ready (http://\S+)$", seconds=60)
    web = next(pid for pid in up.children() if b"serve\0--host" in Path(f"/proc/{pid}/cmdline").read_bytes())
    os.kill(web, signal.SIGKILL)
    up.wait_for("web was ended by signal SIGKILL")
    eventually(lambda: answers(f"{ready[1]}/signin"))


def answers(url: str) -> bool:
    try:
        return page(url) == 200
    except OSError:
        return False


def test_the_demo_can_sign_in(manage_up: Callable[..., Up]) -> None:
    up = manage_up(port=three_free_ports())
    ready = up.wait_for(r"(?m)^ready (http://\S+)  sign in as (\S+) / (\S+)$", seconds=60)
    assert page(f"{ready[1]}/signin") == 200
    assert json.dumps(up.output).count("sign in as") == 1
