"""What our own front costs a request, beside granian's WSGI server with the same application.

    python -m tests.benchmarks.front --seconds 20

Both serve the same database at the same time and are asked in turns, by one client and by six. *CPU* is the processor
time of the server's processes for a request, which does not depend on what else the machine does; requests a second do.
"""

import argparse
import http.client
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import requests

from tests.benchmarks.ground import ground, table

if TYPE_CHECKING:
    from tests.support.stack import Stack

TICK = os.sysconf("SC_CLK_TCK")
PLAIN = (
    "granian --interface wsgi --http 1 --no-ws --workers 1 --blocking-threads 4 --log-level warning --host 127.0.0.1"
)


@dataclass
class Asked:
    """`requests` in `seconds`, which cost the server `cpu` seconds."""

    requests: int = 0
    seconds: float = 0
    cpu: float = 0


def cpu_of(pid: int) -> float:
    """Seconds of processor time of a process and its children, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return (int(fields[11]) + int(fields[12])) / TICK + sum(cpu_of(int(child)) for child in children)


def ask(port: int, path: str, token: str, *, clients: int, seconds: float, pid: int, into: Asked) -> None:
    """Clients that ask one after the other, each on a connection that stays open."""
    counts = [0] * clients
    ends = time.monotonic() + seconds

    def client(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while time.monotonic() < ends:
            connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200, answer.status
            counts[number] += 1
        connection.close()

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    began, cpu = time.monotonic(), cpu_of(pid)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    into.requests += sum(counts)
    into.seconds += time.monotonic() - began
    into.cpu += cpu_of(pid) - cpu


def measure(stack: "Stack", token: str, paths: list[str], seconds: float) -> list[list[object]]:
    from tests.support.stack import free_port, wait_until

    stack.web()
    port = free_port()
    stack.start("plain", *PLAIN.split(), "--port", str(port), "config.wsgi:application")

    def answers() -> bool:
        try:
            return requests.get(f"http://127.0.0.1:{port}/health/live", timeout=5).ok
        except requests.RequestException:
            return False

    wait_until(answers, what="granian")
    servers = {"plain": port, "web": stack.web_port}
    lines: list[list[object]] = []
    for path in paths:
        for clients in (1, 6):
            found = {name: Asked() for name in servers}
            for _turn in range(5):
                for name, of in servers.items():
                    pid = stack.processes[name].pid
                    ask(of, path, token, clients=clients, seconds=seconds / 5, pid=pid, into=found[name])
            shown = [f"{one.requests / one.seconds:,.0f}" for one in found.values()]
            cpu = [1000 * one.cpu / one.requests for one in found.values()]
            lines.append([path, clients, *shown, *(f"{one:.2f}" for one in cpu), f"{cpu[1] - cpu[0]:+.2f}"])
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20, help="for each line and server")
    asked = parser.parse_args()
    with ground(PRESSROOM_SIMULATED="xai,wavespeed") as folder:
        from tests.factories import JobFactory, RowFactory, UserFactory, token_for
        from tests.support.stack import running

        owner = UserFactory()
        row = RowFactory(workspace__owner=owner)
        job = JobFactory(row=row)
        token = token_for(owner)[1]
        paths = ["/health/live", "/api/jobs/pending-count", f"/api/jobs/{job.uid}"]
        with running(folder) as stack:
            lines = measure(stack, token, paths, asked.seconds)
    head = ["asked", "clients", "granian /s", "ours /s", "granian CPU ms", "ours CPU ms", "difference"]
    print(table(head, [[str(line[0]).replace(str(job.uid), "{id}"), *line[1:]] for line in lines]))


if __name__ == "__main__":
    main()
