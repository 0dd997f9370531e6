"""Strangers who hold on to what they get, during a soak, and somebody honest who asks meanwhile."""

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import requests

from apps.accounts.models import User, create_token
from tests.factories import large_asset
from tests.front.strangers import KINDS, begin, is_open
from tests.support.stack import Stack

PAUSE = 0.5  # seconds between two probes
PATIENCE = 20  # seconds for an answer


@dataclass
class Strangers:
    """`count` slow connections of the five kinds, begun anew as they are let go; the probes ask in turns."""

    stack: Stack
    owner: User
    count: int
    answered: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    begun: int = 0
    done: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        self.stack.web()
        _token, self.token = create_token(user=self.owner, name="strangers")
        self.picture = large_asset(self.owner)
        for work in (self._hold, self._probe):
            threading.Thread(target=work, daemon=True).start()

    def _hold(self) -> None:
        held: list[tuple[str, socket.socket]] = []
        while not self.done.is_set():
            for kind, sock in [(kind, sock) for kind, sock in held if not is_open(sock, reading=kind == "reader")]:
                sock.close()
                held.remove((kind, sock))
            while len(held) < self.count and not self.done.is_set():
                kind = KINDS[self.begun % len(KINDS)]
                self.begun += 1
                with suppress(OSError):
                    held.append((kind, begin(self.stack.url, kind, token=self.token, picture=self.picture)))
            self.done.wait(0.2)
        for _kind, sock in held:
            sock.close()

    def _probe(self) -> None:
        """Alive, and a status through the API; while PostgreSQL is away a 503 is an answer too."""
        paths = {"/health/live": {200}, "/api/jobs/pending-count": {200, 503}}
        while not self.done.is_set():
            for path, expected in paths.items():
                self.asked[path] += 1
                with suppress(requests.RequestException):
                    reply = requests.get(
                        self.stack.url + path, headers={"Authorization": f"Bearer {self.token}"}, timeout=PATIENCE
                    )
                    self.answered[path] += reply.status_code in expected
            time.sleep(PAUSE)

    def lines(self) -> Iterator[tuple[str, str]]:
        yield "slow connections held, of five kinds", f"{self.count}"
        yield "  begun, as the server let them go", f"{self.begun:,}"
        for path, asked in self.asked.items():
            yield f"  {path} answered", f"{self.answered[path]:,} of {asked:,}"
