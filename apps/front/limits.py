"""What one client may hold, and for how long: every limit of the front, with its reason."""

from collections import Counter

from django.conf import settings

from apps.api.assets import MAX_FORM_BYTES, file_too_large
from apps.api.errors import too_large
from apps.core.errors import Problem

REQUEST_THREADS = 4  # Django's; more would only share one interpreter
MOST_WAITING = 512  # requests that are read and wait for a thread; then 503
HEAD_SECONDS = 30.0  # for the head of a request, and between two requests of a connection
MOST_CONNECTIONS = 4_096
CONNECTIONS_EACH = 256  # of one address: an office behind one router, with six connections a browser
REQUESTS_EACH = 64  # of one address, from the head to the last byte of the answer

BODY_RATE = (
    8_000  # bytes of a body a second, after settings.BODY_GRACE_SECONDS: a slow mobile uplink does four times as much
)
SPOOL_BYTES = 64_000  # what is larger goes to a temporary file
UPLOADS_BYTES = 512_000_000  # of all uploads together, in memory and temporary files
UPLOADS_BYTES_EACH = 128_000_000  # of one address: six large pictures at once
BODIES_BYTES = 256_000_000  # of all other bodies together
BODIES_BYTES_EACH = 64_000_000  # of one address: REQUESTS_EACH of the largest

PIECE_BYTES = 64_000  # an answer leaves in pieces of this size, and a reader takes each within settings.PIECE_SECONDS
READY_SECONDS = 5.0  # then /health/ready says 503: the database was not heard from
LINGER_SECONDS = 5.0  # the rest of a refused body is read for so long, so that the refusal arrives
STOP_SECONDS = 4.0  # for requests under way when the process is told to end; twice this is less than the grace of `up`

_UPLOADS = {"/api/assets": (MAX_FORM_BYTES, file_too_large())}
_THIS_MACHINE = {"127.0.0.1", "::/64"}  # a proxy of this machine, or its owner: not one stranger


def most_body_bytes(path: str) -> tuple[int, Problem]:
    """The largest body for this path, known before any of it is read; and what is said of a larger one."""
    return _UPLOADS.get(path.rstrip("/"), (settings.DATA_UPLOAD_MAX_MEMORY_SIZE, too_large("1 MB")))


def network_of(client: str) -> str:
    """Whom limits count as one, from `client_address`. Empty: not limited."""
    return "" if client in _THIS_MACHINE else client


class Shares:
    """A quantity in use: `total` for everybody, `each` for one network; the unlimited network counts in the total."""

    def __init__(self, *, total: int, each: int) -> None:
        self.total, self.each = total, each
        self.taken = 0
        self._of: Counter[str] = Counter()

    def take(self, network: str, amount: int = 1) -> bool:
        """Whether it was to be had; what is taken is given back with `give`."""
        if self.taken + amount > self.total or (network and self._of[network] + amount > self.each):
            return False
        self.taken += amount
        self._of[network] += amount
        return True

    def of(self, network: str) -> int:
        return self._of[network]

    def largest(self) -> str:
        """The network that has most of it."""
        return max(self._of, key=self._of.__getitem__, default="")

    def give(self, network: str, amount: int = 1) -> None:
        self.taken -= amount
        self._of[network] -= amount
        if not self._of[network]:
            del self._of[network]
