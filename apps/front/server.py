"""The server of pages and API: aiohttp's parser and connections, our limits, Django in threads."""

import asyncio
import resource
import signal
from collections.abc import Callable
from io import BytesIO
from typing import Any

import structlog
from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from django.conf import settings

from apps.api.jobs.webhooks import refusal_by_headers
from apps.core.client import client_address
from apps.front import limits
from apps.front.answers import in_time, send
from apps.front.bodies import Body, whole_body
from apps.front.limits import Shares, most_body_bytes, network_of
from apps.front.refusals import OWN, Refused, busy, refusal, unreadable
from apps.front.requests import client_of, environ_of, target_of
from apps.front.threads import Answer, Threads, Wsgi

log = structlog.get_logger(__name__)
OPEN_FILES = 65_536
_WORDS = b"Too many connections are open from here. Try again later.\r\n"
_TOO_MANY = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nRetry-After: 5\r\n"
    b"Connection: close\r\n\r\n%s"
) % (len(_WORDS), _WORDS)


class Connection(RequestHandler):
    """One client's connection."""

    __slots__ = ()

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """What is not HTTP is answered with 400 and told in no log: anybody can send it as often as he likes."""
        if status == 400 and request.writer.output_size == 0:
            return refusal(unreadable("The request is not well-formed HTTP."), request.path)
        return super().handle_error(request, status, exc, message)


class Front(web.Server):
    """Accepts connections within the limits and answers requests; `/health/live` waits for nobody."""

    def __init__(self, application: Wsgi) -> None:
        super().__init__(
            self.handle,
            handler_cancellation=True,  # who is gone and asked to see something waits no longer for a thread
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=limits.HEAD_SECONDS,
            lingering_time=limits.LINGER_SECONDS,
        )
        self.connections_taken = Shares(total=limits.MOST_CONNECTIONS, each=limits.CONNECTIONS_EACH)
        self.requests_taken = Shares(total=limits.MOST_CONNECTIONS, each=limits.REQUESTS_EACH)
        self.networks: dict[RequestHandler, str] = {}
        self.answering: set[RequestHandler] = set()
        threads, waiting = limits.REQUEST_THREADS, limits.MOST_WAITING
        self.threads = Threads(application, count=threads, most_waiting=waiting, name="request")
        self.prober = Threads(application, count=1, most_waiting=1, name="ready")
        self.probe: asyncio.Future[Answer] | None = None

    def __call__(self) -> RequestHandler:
        return Connection(self, loop=self._loop, **self._kwargs)

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        # Behind a proxy all connections are the proxy's; its clients are told apart by their requests.
        peer = transport.get_extra_info("peername")
        network = "" if settings.BEHIND_PROXY or not peer else network_of(client_address({"REMOTE_ADDR": peer[0]}))
        if not self.connections_taken.take(network) and not self.make_room(network):
            transport.write(_TOO_MANY)
            transport.close()
            return
        self.networks[handler] = network
        transport.set_write_buffer_limits(high=0)  # drain() means: the system has taken all of it

    def make_room(self, network: str) -> bool:
        """Whether a newcomer took the place of a connection that has no request, of the address that has most of all.

        Else sixteen addresses that send nothing keep everybody out, and who asks for `/health/live` with them.
        """
        most = self.connections_taken.largest()
        if self.connections_taken.of(network) + 1 >= self.connections_taken.of(most):
            return False
        theirs = (each for each, its in self.networks.items() if its == most and each not in self.answering)
        oldest = next(theirs, None)
        if oldest is None:
            return False
        del self.networks[oldest]
        self.connections_taken.give(most)
        oldest.force_close()
        return self.connections_taken.take(network)

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        super().connection_lost(handler, exc)
        network = self.networks.pop(handler, None)
        if network is not None:
            self.connections_taken.give(network)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        connection = request.protocol
        self.answering.add(connection)
        try:
            return await self.answer(request)
        finally:
            self.answering.discard(connection)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.raw_path
        try:
            path, query = target_of(request)
            if path in ("/health/live", "/health/ready"):
                response = await self.health(request, path)
                await in_time(request, response)
                return response
            network = network_of(client_of(request))
            if not self.requests_taken.take(network):
                raise busy("Too many requests from this address are being answered.")
            try:
                return await self.serve(request, path, query, network)
            finally:
                self.requests_taken.give(network)
        except Refused as refused:
            response = refusal(refused, path)
            if request.headers.get("Expect"):
                response.force_close()  # the body was never asked for, so where the next request begins is not known
            await in_time(request, response)
            return response

    async def serve(self, request: web.BaseRequest, path: str, query: str, network: str) -> web.StreamResponse:
        if path == "/api/webhooks/wavespeed" and (problem := refusal_by_headers(request.headers)):
            raise Refused(problem)
        async with whole_body(request, most=most_body_bytes(path), network=network) as body:
            answer = await self.threads.answer(environ_of(request, path, query, body))
        return await send(request, answer)

    async def health(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        """Alive: this loop answers. Ready: Django says so, on a thread of its own; all who ask at once share the answer."""
        if request.method not in ("GET", "HEAD"):
            return web.Response(status=405, headers=OWN | {"Allow": "GET, HEAD"})
        headers = OWN | {"Content-Type": "application/json"}
        if path == "/health/live":
            return web.Response(body=b'{"status":"ok"}', headers=headers)
        if self.probe is None or self.probe.done():
            environ = environ_of(request, path, "", Body(BytesIO(), 0)) | {"REQUEST_METHOD": "GET"}
            self.probe = asyncio.ensure_future(self.prober.answer(environ))
        try:
            answer = await asyncio.wait_for(asyncio.shield(self.probe), limits.READY_SECONDS)
        except TimeoutError:
            return web.Response(status=503, body=b'{"status":"unavailable"}', headers=headers | {"Retry-After": "5"})
        return web.Response(status=answer.status, body=answer.body, headers=dict(answer.headers) | OWN)


async def run(application: Wsgi, *, host: str, port: int, started: Callable[[], Any] = lambda: None) -> None:
    """Serves until TERM or INT; requests under way then have STOP_SECONDS. Raises OSError when the port is taken."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    front = Front(application)
    listening = await loop.create_server(front, host, port, backlog=1024)
    started()
    await ended.wait()
    listening.close()
    front.pre_shutdown()
    await front.shutdown(limits.STOP_SECONDS)
