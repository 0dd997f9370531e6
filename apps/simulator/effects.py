"""Sending a reply, faithfully or not: cut, dripped, endless, reset, never."""

import asyncio
import gzip
import http
import socket
import struct

from aiohttp import web

from apps.simulator.messages import Exchange, Reply

PIECE = 64 * 1024
LOOK_FOR_DISCONNECT_EVERY = 0.05  # seconds
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s: the kernel sends RST instead of FIN


def html_page(status: int) -> Reply:
    title = f"{status} {http.HTTPStatus(status).phrase}"
    page = f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
    page += "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    return Reply(status=status, body=page.encode(), headers={"Content-Type": "text/html"})


def reset(exchange: Exchange) -> web.StreamResponse:
    exchange.entry.outcome = "dropped"
    if transport := exchange.request.transport:
        if connection := transport.get_extra_info("socket"):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        transport.abort()
    return web.Response()


async def hang(exchange: Exchange) -> web.StreamResponse:
    """Until the client gives up."""
    exchange.entry.outcome = "hung"
    await disconnected(exchange)
    return web.Response()


async def disconnected(exchange: Exchange) -> None:
    while (transport := exchange.request.transport) is not None and not transport.is_closing():
        await asyncio.sleep(LOOK_FOR_DISCONNECT_EVERY)


async def send(exchange: Exchange, reply: Reply) -> web.StreamResponse:
    effect = exchange.effect
    reply.headers.update(effect.headers)
    if effect.gzip and reply.stream is None:
        reply.body = gzip.compress(reply.body)
        reply.headers["Content-Encoding"] = "gzip"
    if effect.truncate_after_bytes is not None:
        return await truncate(exchange, reply, effect.truncate_after_bytes)
    if effect.drip_header_ms or effect.drip_body_ms:
        return await drip(exchange, reply)
    if effect.endless or effect.chunked or reply.stream is not None:
        return await stream(exchange, reply)
    return web.Response(status=reply.status, body=reply.body, headers=reply.headers)


async def stream(exchange: Exchange, reply: Reply) -> web.StreamResponse:
    response = web.StreamResponse(status=reply.status, headers=reply.headers)
    response.enable_chunked_encoding()
    try:
        await response.prepare(exchange.request)
        await _write_pieces(exchange, reply, response)
        await response.write_eof()
    except ConnectionError:
        exchange.entry.outcome = "left by the client"
    return response


async def _write_pieces(exchange: Exchange, reply: Reply, response: web.StreamResponse) -> None:
    if reply.stream is not None:
        async for piece in reply.stream:
            await response.write(piece)
    for start in range(0, len(reply.body), PIECE):
        await response.write(reply.body[start : start + PIECE])
    while exchange.effect.endless:
        await response.write(b" " * PIECE)


async def truncate(exchange: Exchange, reply: Reply, length: int) -> web.StreamResponse:
    """Promises the whole body, sends `length` bytes of it and closes."""
    exchange.entry.outcome = "truncated"
    body = await _whole(reply)
    return await _raw(exchange, head(reply, len(body)) + body[:length])


async def drip(exchange: Exchange, reply: Reply) -> web.StreamResponse:
    """One byte at a time, the head or the body or both."""
    effect, body = exchange.effect, await _whole(reply)
    if await _drip(exchange, head(reply, len(body)), effect.drip_header_ms):
        await _drip(exchange, body, effect.drip_body_ms)
    return await _raw(exchange, b"")


async def _drip(exchange: Exchange, data: bytes, pause_ms: float) -> bool:
    """False when the client has left."""
    step = 1 if pause_ms else len(data)
    for start in range(0, len(data), step or 1):
        transport = exchange.request.transport
        if transport is None or transport.is_closing():
            exchange.entry.outcome = "left by the client"
            return False
        transport.write(data[start : start + step])
        await asyncio.sleep(pause_ms / 1000)
    return True


async def _raw(exchange: Exchange, data: bytes) -> web.StreamResponse:
    """Writes past aiohttp and closes; the response returned finds the connection gone."""
    if transport := exchange.request.transport:
        transport.write(data)
        transport.close()
    return web.Response()


async def _whole(reply: Reply) -> bytes:
    if reply.stream is None:
        return reply.body
    return b"".join([piece async for piece in reply.stream])


def head(reply: Reply, length: int) -> bytes:
    phrase = http.HTTPStatus(reply.status).phrase
    lines = [f"HTTP/1.1 {reply.status} {phrase}", *(f"{name}: {value}" for name, value in reply.headers.items())]
    return "\r\n".join([*lines, f"Content-Length: {length}", "Connection: close", "", ""]).encode()
