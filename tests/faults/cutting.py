"""A way to PostgreSQL that breaks: before or after a COMMIT has reached the server, so that its answer is never heard."""

import random
import socket
import threading
from contextlib import suppress
from pathlib import Path

SOCKET = ".s.PGSQL.5432"
COMMIT = b"COMMIT\x00"
PIECE = 65_536


class CuttingProxy:
    """Listens in `folder` as a PostgreSQL socket. Of each `one_in` COMMITs one is cut, before or after it is passed on."""

    def __init__(self, folder: Path, server: Path, *, one_in: int, seed: int = 1) -> None:
        self.server = str(server / SOCKET)
        self.one_in = one_in
        self.cuts = {"before": 0, "after": 0}
        self._lottery = random.Random(seed)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / SOCKET))
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        with suppress(OSError), client, server:
            server.connect(self.server)
            threading.Thread(target=self._pass_back, args=(server, client), daemon=True).start()
            while data := client.recv(PIECE):
                cut = self._cut() if COMMIT in data else ""
                if cut != "before":
                    server.sendall(data)
                if cut:
                    self.cuts[cut] += 1
                    # The server is heard out, so that "after" means committed; the client hears nothing.
                    client.shutdown(socket.SHUT_RDWR)
                    server.shutdown(socket.SHUT_WR)
                    return

    def _cut(self) -> str:
        return self._lottery.choice(["before", "after"]) if self._lottery.randrange(self.one_in) == 0 else ""

    @staticmethod
    def _pass_back(server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(PIECE):
                client.sendall(data)
        with suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)
