"""Which addresses a request may go to: parsing of URLs, one bounded DNS lookup, and what counts as public."""

import ipaddress
import re
import socket
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Thread

from django.conf import settings
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
PORTS = {"http": 80, "https": 443}

_MISLEADING = re.compile(r"[\x00-\x20\x7f\\]")
# What a browser writes as %.. on its way: all but the characters that RFC 3986 knows, and a % that begins no such code.
_UNWRITTEN = re.compile(r"%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]")
_SPLIT = re.compile(r"(?P<start>[A-Za-z][A-Za-z0-9+.\-]*://[^/?#]*)(?P<rest>[^#]*)(?P<fragment>#.*)?", re.DOTALL)
_ENDS_IN_NUMBER = re.compile(r"(?:^|\.)(?:\d+|0[xX][0-9a-fA-F]*)\.?$")
# Python calls these global, though they reach inside a network or carry an IPv4 address that may (RFC 6052, 3056,
# 4380, 7526, 3879, 9602, 9637).
_NOT_PUBLIC = [
    ipaddress.ip_network(network)
    for network in (
        "192.88.99.0/24",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2002::/16",
        "2001::/32",
        "::/96",
        "fec0::/10",
        "5f00::/16",
        "3fff::/20",
    )
]
_UNICAST_IPV6 = ipaddress.IPv6Network("2000::/3")


class AddressRefused(Exception):
    """The address may not be used; the text says why, in words for whoever gave it."""


class NameNotFound(Exception):
    """DNS gave no address for the host."""


@dataclass(frozen=True)
class Target:
    """Where one request goes. `host` is a name or an IP address without brackets; `path` includes the query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def secure(self) -> bool:
        return self.scheme == "https"

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port


def as_browsers_send_it(url: str) -> str:
    """An address as people paste it, as a browser would ask for it.

    Without blanks around it and without its fragment; what is no ASCII, a space or another odd character in path and
    query becomes a %-code. The host stays as it is, and so do backslashes and control characters, which are refused.
    """
    url = url.strip(" \t\r\n\f")
    parts = _SPLIT.fullmatch(url)
    if parts is None:
        return url
    return parts["start"] + _UNWRITTEN.sub(_written, parts["rest"])


def _written(match: re.Match[str]) -> str:
    character = match.group()
    if _MISLEADING.match(character) and character != " ":
        return character
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))


def parse_target(url: str) -> Target:
    """The parts of an absolute http or https URL; AddressRefused for anything that readers could take two ways."""
    url = as_browsers_send_it(url)
    if _MISLEADING.search(url):
        raise AddressRefused("The address contains a space, a backslash or a control character.")
    try:
        parts = parse_url(url)
    except LocationParseError as error:
        raise AddressRefused("The address cannot be read as a URL.") from error
    if parts.scheme not in PORTS or not parts.host:
        raise AddressRefused("The address does not start with https:// or http:// and a host.")
    if parts.auth is not None:
        raise AddressRefused("The address contains a user name or password.")
    host = parts.host.strip("[]")
    if "%" in host:
        raise AddressRefused("The address names a network interface.")
    port = PORTS[parts.scheme] if parts.port is None else parts.port
    return Target(parts.scheme, host, port, parts.request_uri)


def public_addresses(target: Target, *, seconds: float) -> list[IPAddress]:
    """Every address of a host on the public internet, looked up once: the caller connects to these and no others.

    One answer that is not public refuses the host, so a name cannot lead inside on a later try. With
    ALLOW_PRIVATE_URLS (development and tests) a host whose answers are all loopback passes, on any port.
    """
    odd_port = _check_form(target)
    try:
        addresses = look_up(target.host, seconds=seconds)
    except NameNotFound as error:
        # In the words for a host that is there and not public: nobody learns which names exist inside.
        raise not_public(target.host) from error
    if settings.ALLOW_PRIVATE_URLS and all(address.is_loopback for address in addresses):
        return addresses
    if odd_port or not all(is_public(address) for address in addresses):
        raise not_public(target.host)
    return addresses


def _check_form(target: Target) -> bool:
    """Whether it names an odd port; AddressRefused where that, or its IP address, is not one to fetch from."""
    if _ENDS_IN_NUMBER.search(target.host) and _literal(target.host) is None:
        raise AddressRefused("The address writes an IP address in an unusual way.")
    odd_port = target.port not in PORTS.values()
    if odd_port and not settings.ALLOW_PRIVATE_URLS:
        raise AddressRefused(f"The address names port {target.port}; only 80 and 443 are fetched from.")
    return odd_port


def not_public(host: str) -> AddressRefused:
    return AddressRefused(f"There is no host named {host} on the public internet.")


def check_public(url: str) -> None:
    """Whether an address could be a public one, as far as it says itself: asks nobody. AddressRefused if not."""
    target = parse_target(url)
    _check_form(target)
    literal = _literal(target.host)
    allowed = settings.ALLOW_PRIVATE_URLS and literal is not None and literal.is_loopback
    if literal and not is_public(literal) and not allowed:
        raise not_public(target.host)


def is_public(address: IPAddress) -> bool:
    """Whether an address is an ordinary one on the public internet (neither `is_private` nor `is_global` says so)."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return is_public(address.ipv4_mapped)
        if address not in _UNICAST_IPV6:
            return False
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return not any(address in network for network in _NOT_PUBLIC if network.version == address.version)


def look_up(host: str, *, seconds: float) -> list[IPAddress]:
    """The addresses of a host, in the resolver's order; NameNotFound, or TimeoutError after `seconds`."""
    literal = _literal(host)
    if literal:
        return [literal]
    answer: Future[list[IPAddress]] = Future()
    # getaddrinfo takes no time limit: a resolver that hangs keeps its own thread, never the caller.
    Thread(target=_resolve, args=(host, answer), name="dns", daemon=True).start()
    return answer.result(timeout=max(seconds, 0))


def _resolve(host: str, answer: Future[list[IPAddress]]) -> None:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        texts = dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found)
        answer.set_result([ipaddress.ip_address(text) for text in texts])
    except (OSError, UnicodeError) as error:
        answer.set_exception(NameNotFound(str(error)))


def _literal(host: str) -> IPAddress | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
