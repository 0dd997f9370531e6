"""The ids that every log line of a request, job, attempt or call carries."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog


@contextmanager
def logged(**ids: object) -> Iterator[None]:
    """Adds ids to every log line inside the block: `request`, `job`, `attempt`, `call`, `lane`, `worker`."""
    with structlog.contextvars.bound_contextvars(**ids):
        yield
