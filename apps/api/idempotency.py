"""Idempotency-Key: the same request again gets the same answer, and the work is made once.

The rule that makes it hold: the work and what the key knows of it commit in one transaction, so there is never one
without the other, and only the holder of the key can commit them. Of jobs the key knows the ids: the answer about them
says how they stand, which takes many reads and a look at Redis, and nobody else may wait for those behind the quota's
and the budgets' locks; it is built and kept right after the commit. A request that died leaves a lease behind that runs
out; died after the commit, a repeat answers about the jobs that are there.
"""

import hashlib
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

import orjson
import structlog
from django.db import DatabaseError, connection, transaction
from django.db.models.functions import Now
from django.http import HttpResponse
from django.http.request import RawPostDataException
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.models import IdempotencyKey
from apps.api.rendering import MAX_BODY_BYTES, JSONRenderer
from apps.core.errors import Problem

log = structlog.get_logger(__name__)

Within = Callable[[Sequence[int]], None]
Create = Callable[..., Any]
KEEP_HOURS = 24
LEASE_SECONDS = 60
MAX_KEY_LENGTH = 255

# Insert it, or take over what expired or what its holder left unfinished; no row back: somebody else's, look at it.
_CLAIM = """
INSERT INTO api_idempotency_key AS mine
    (user_id, route, key, request_digest, holder, lease_until, status, body, created_at)
VALUES (%(user)s, %(route)s, %(key)s, %(digest)s, %(holder)s,
    now() + make_interval(secs => %(lease)s), NULL, '', now())
ON CONFLICT (user_id, route, key) DO UPDATE SET
    request_digest = EXCLUDED.request_digest, holder = EXCLUDED.holder, lease_until = EXCLUDED.lease_until,
    status = NULL, body = '', created_at = now(),
    made = CASE WHEN mine.created_at < now() - make_interval(hours => %(hours)s) THEN NULL ELSE mine.made END
WHERE mine.created_at < now() - make_interval(hours => %(hours)s)
    OR (mine.status IS NULL AND mine.request_digest = EXCLUDED.request_digest
        AND (mine.lease_until <= now() OR mine.lease_until > now() + 2 * make_interval(secs => %(lease)s)))
RETURNING made
"""
_SWEEP = "DELETE FROM api_idempotency_key WHERE created_at < now() - make_interval(hours => %s) AND lease_until < now()"


@dataclass(frozen=True)
class Claim:
    """The right to answer one keyed request. Without a key (`identity` None) everything here does nothing.

    `made`: the jobs that an earlier holder made before it died.
    """

    identity: dict[str, Any] | None = None
    holder: uuid.UUID | None = None
    digest: str = ""
    made: list[int] | None = None

    def part(self, name: str) -> "Claim | bytes":
        """The right to answer for one part of the request, made and kept by itself; or what it was answered before.

        So a request whose process died in the middle is carried on by its repeat: what was made is not made again.
        Problem 409 while somebody else is at this part.
        """
        if self.identity is None:
            return self
        key = hashlib.sha256(f"{self.identity['key']}\0{name}".encode()).hexdigest()
        identity, holder = {**self.identity, "route": f"{self.identity['route']}/part", "key": key}, uuid.uuid4()
        if _claimed(identity, self.digest, holder):
            return Claim(identity, holder, self.digest)
        stored = IdempotencyKey.objects.filter(**identity).first()
        if stored is None or stored.status is None or stored.request_digest != self.digest:
            raise in_progress()
        return bytes(stored.body)

    def keep(self, response: Response) -> None:
        """Store the answer. Raises when another request took the key over."""
        self._write(status=response.status_code, body=JSONRenderer().render(response.data))

    def answer_about_jobs(
        self, make: Callable[[Within], object], show: Callable[[list[int]], Any], *, status: int = 201
    ) -> Response:
        """`status` with `show` of the ids of the jobs that `make` made.

        `make` calls what it is given with their ids inside its transaction, which then commits only for the holder of
        the key. It is not called when an earlier holder made them.
        """
        made = list(self.made or ())

        def within(job_ids: Sequence[int]) -> None:
            made[:] = job_ids
            self._write(made=made)

        if not made:
            make(within)
        response = Response(show(made), status=status)
        self.keep(response)
        return response

    def release(self) -> None:
        """Nothing was made: the key may be used again, also with another body. Otherwise a repeat may answer at once."""
        if self.identity is None:
            return
        try:
            self._mine().filter(made=None).delete()
            self._mine().update(lease_until=Now())
        except DatabaseError as error:
            # The lease runs out by itself; what went wrong before is what the caller must hear of.
            log.warning("key_not_released", error=type(error).__name__)

    def _write(self, **fields: object) -> None:
        if self.identity is not None and self._mine().update(**fields) != 1:
            raise in_progress()

    def _mine(self) -> Any:
        unanswered: dict[str, Any] = {"holder": self.holder, "status": None}
        return IdempotencyKey.objects.filter(**self.identity or {}, **unanswered)


def keyed(create: Create) -> Create:
    """For a view method that makes work: `create(self, request, claim, …)` answers by `claim.answer_about_jobs`, or
    calls `claim.keep(response)` inside the transaction that makes it. A refusal or a crash frees the key."""

    @wraps(create)
    def answer(view: Any, request: Request, **path: Any) -> HttpResponse:
        claim = claim_key(request)
        if isinstance(claim, HttpResponse):
            return claim
        try:
            return create(view, request, claim, **path)
        except BaseException:
            claim.release()
            raise

    return answer


def in_one_transaction(create: Create) -> Create:
    """`keyed`, for work that touches nothing but the database: the whole method is the transaction."""

    @wraps(create)
    def with_answer(view: Any, request: Request, claim: Claim, **path: Any) -> HttpResponse:
        with transaction.atomic():
            response = create(view, request, **path)
            claim.keep(response)
        return response

    return keyed(with_answer)


def claim_key(request: Request) -> Claim | HttpResponse:
    """The claim, or the stored answer; Problem 400, 409 or 422 when it is neither."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return Claim()
    if not key.strip() or len(key) > MAX_KEY_LENGTH or not key.isprintable():
        raise Problem(
            400, "idempotency_key_invalid", "The Idempotency-Key is empty or longer than 255.", "Send a UUID."
        )
    identity = {"user_id": request.user.pk, "route": _route(request), "key": key}
    holder = uuid.uuid4()
    digest = _digest(request)
    claimed = _claimed(identity, digest, holder)
    if claimed:
        return Claim(identity, holder, digest, made=claimed[0])
    return _stored_answer(IdempotencyKey.objects.filter(**identity).first(), digest)


def _claimed(identity: dict[str, Any], digest: str, holder: uuid.UUID) -> tuple[list[int] | None] | None:
    """What an earlier holder made, in a tuple; None when the key is somebody else's."""
    values = {
        "user": identity["user_id"],
        "route": identity["route"],
        "key": identity["key"],
        "digest": digest,
        "holder": holder,
        "lease": LEASE_SECONDS,
        "hours": KEEP_HOURS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, values)
        return cursor.fetchone()


def _stored_answer(stored: IdempotencyKey | None, digest: str) -> HttpResponse:
    if stored is not None and stored.request_digest != digest:
        raise Problem(
            422,
            "idempotency_key_reused",
            "This Idempotency-Key was sent before with another request.",
            "Send a new key with a new request.",
        )
    if stored is None or stored.status is None:  # None: its holder freed it between our two looks
        raise in_progress()
    answer = HttpResponse(bytes(stored.body), status=stored.status, content_type="application/json")
    answer["Idempotent-Replayed"] = "true"
    return answer


def in_progress() -> Problem:
    return Problem(
        409,
        "idempotency_in_progress",
        "The first request with this Idempotency-Key is still running.",
        "Send the same request again in a moment; it gets the first one's answer.",
        headers={"Retry-After": "1"},
    )


def _route(request: Request) -> str:
    match = request.resolver_match
    return match.view_name if match else ""


def _digest(request: Request) -> str:
    # the path holds the ids a route is about; request.body was read once and is kept by Django
    try:
        body = request.body
    except RawPostDataException as error:  # a form was sent, and the CSRF check has read it
        raise UnsupportedMediaType(request.content_type) from error
    return hashlib.sha256(request.get_full_path().encode() + b"\0" + _canonical(body)).hexdigest()


def _canonical(body: bytes) -> bytes:
    """The same JSON in the same bytes, whatever the order of its keys. What is no JSON stays: the parser refuses it."""
    if len(body) > MAX_BODY_BYTES:
        return body
    try:
        return orjson.dumps(orjson.loads(body), option=orjson.OPT_SORT_KEYS)
    except (ValueError, TypeError, RecursionError):
        return body


def sweep() -> int:
    """Forgets the keys that are older than a day; answers how many. Hourly, by `api.sweep`."""
    with connection.cursor() as cursor:
        cursor.execute(_SWEEP, [KEEP_HOURS])
        return cursor.rowcount
