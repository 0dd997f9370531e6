"""Three neighbouring ports: the page, its live stream, and the simulator."""

import http.client
import socket
from dataclasses import dataclass

from apps.launch.errors import LaunchError

EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, not bound to


@dataclass(frozen=True)
class Address:
    """Where `up` listens: `port` for pages and API, the next for the live stream, the one after for the simulator."""

    host: str
    port: int

    @property
    def live_port(self) -> int:
        return self.port + 1

    @property
    def simulator_port(self) -> int:
        return self.port + 2

    @property
    def local_host(self) -> str:
        """A host that reaches it from this machine."""
        return EVERYWHERE.get(self.host, self.host)


def url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def check_free(address: Address, *, simulator: bool) -> None:
    """Raises LaunchError, naming the option to change, when a port cannot be listened on."""
    if not 1 <= address.port <= 65533:
        raise LaunchError(f"--port {address.port} does not work: choose 1 to 65533; the next two are used too.")
    check(address.host, address.port, "the pages", "--port")
    check(address.host, address.live_port, "the live stream (one above --port)", "--port")
    if simulator:
        check("127.0.0.1", address.simulator_port, "the simulator (two above --port)", "--port")


def check(host: str, port: int, purpose: str, option: str) -> None:
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise LaunchError(f"--host {host} is not an address of this machine: {error.strerror}.") from error
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(where)
        except OSError as error:
            raise LaunchError(
                f"Port {port} on {host} is needed for {purpose} and cannot be used: {error.strerror}. "
                f"Choose another {option}, or stop what uses it."
            ) from error


def why_silent(host: str, port: int) -> str:
    """Empty when something listens there."""
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError as error:
        return f"port {port} does not answer ({error.strerror or error})"
    return ""


def why_no_page(host: str, port: int, path: str, *, name: str) -> str:
    """Empty when the page comes without a server error; `name` is the Host that it is asked for as."""
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", path, headers={"Host": name})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"{path} does not answer ({error})"
    finally:
        connection.close()
    return f"{path} answers with an error {status}" if status >= 500 else ""
