"""A request as the application sees it: PEP 3333's environment, and whose it is."""

from urllib.parse import unquote_to_bytes, urlsplit

from aiohttp.web import BaseRequest

from apps.core.client import client_address
from apps.front.bodies import Body
from apps.front.refusals import unreadable
from apps.front.threads import Environ, base_environ

_BASE = base_environ()
_OWN_NAMES = {"CONTENT_TYPE", "CONTENT_LENGTH"}


def target_of(request: BaseRequest) -> tuple[str, str]:
    """Path and query as they were sent, still encoded; `GET http://host/path` names a path too. Raises Refused."""
    target = request.raw_path.partition("#")[0]
    if not target.startswith("/"):
        parts = urlsplit(target) if target.startswith(("http://", "https://")) else None
        if parts is None:
            raise unreadable("The request names no path.")
        target = f"{parts.path or '/'}?{parts.query}"
    path, _, query = target.partition("?")
    return path, query


def client_of(request: BaseRequest) -> str:
    """The client's address, as the application reads it from the same request."""
    forwarded = ",".join(request.headers.getall("X-Forwarded-For", ()))
    return client_address({"REMOTE_ADDR": _peer(request), "HTTP_X_FORWARDED_FOR": forwarded})


def _peer(request: BaseRequest) -> str:
    peer = request.transport.get_extra_info("peername") if request.transport else None
    return str(peer[0]) if peer else ""


def environ_of(request: BaseRequest, path: str, query: str, body: Body) -> Environ:
    sock = request.transport.get_extra_info("sockname") if request.transport else None
    environ = _BASE | {
        "REQUEST_METHOD": request.method,
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_PROTOCOL": f"HTTP/{request.version.major}.{request.version.minor}",
        "SERVER_NAME": sock[0] if sock else "",
        "SERVER_PORT": str(sock[1]) if sock else "",
        "REMOTE_ADDR": _peer(request),
        "wsgi.input": body.file,
    }
    for raw_name, raw_value in request.raw_headers:
        if b"_" in raw_name:  # X_Forwarded_Proto would read like X-Forwarded-Proto, which a proxy has taken off
            continue
        name = raw_name.decode("latin-1").upper().replace("-", "_")
        key = name if name in _OWN_NAMES else f"HTTP_{name}"
        value = raw_value.decode("latin-1")
        separator = "; " if name == "COOKIE" else ","
        environ[key] = f"{environ[key]}{separator}{value}" if key in environ else value
    environ["CONTENT_LENGTH"] = str(body.size)
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    return environ
