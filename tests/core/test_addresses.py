"""Addresses that people give lead to the public internet or nowhere."""

import ipaddress
import socket
from collections.abc import Callable, Iterator

import pytest
from pytest_django import Settings

from apps.core import connections
from apps.core.addresses import AddressRefused, Target, is_public, parse_target, public_addresses
from apps.core.http import Blocked, HttpFailure, NotSent, Reply, send
from tests.core.servers import RawServer, always, answer, serving

PUBLIC = "93.184.215.14"

NOT_PUBLIC = [
    *["0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254"],
    *["172.16.0.1", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1"],
    *["203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"],
    *["::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1"],
    *["100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254"],
    *["fe80::1", "fec0::1", "ff02::1", "4000::1"],
]

Resolver = Callable[..., None]


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    """Scripts DNS: each call takes the next list of answers, the last one for ever."""

    def script(*answers: list[str]) -> None:
        left = list(answers)

        def resolve(*_args: object, **_options: object) -> list[tuple[object, ...]]:
            now = left.pop(0) if len(left) > 1 else left[0]
            return [(None, None, None, "", (address, 0)) for address in now]

        monkeypatch.setattr(socket, "getaddrinfo", resolve)

    return script


@pytest.fixture
def dialled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that connections went to; none is really opened."""
    seen: list[str] = []

    def refuse(address: object, _port: int, _seconds: float) -> socket.socket:
        seen.append(str(address))
        raise ConnectionRefusedError

    monkeypatch.setattr(connections, "_connect_one", refuse)
    return seen


@pytest.fixture
def canary() -> Iterator[RawServer]:
    """A server inside that nothing may reach."""
    with serving(always(answer(b"inside"))) as server:
        yield server


def fetch(url: str, *, hops: int = 0) -> bytes:
    return send("GET", url, seconds=2, max_bytes=1000, public_only=True, allow_redirects=hops).body


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_address_is_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:8.8.8.8"])
def test_address_is_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_literal_that_is_not_public_is_blocked(address: str, dialled: list[str]) -> None:
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(Blocked):
        fetch(f"http://{host}/")
    assert dialled == []


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_name_that_leads_inside_is_blocked(address: str, resolver: Resolver, dialled: list[str]) -> None:
    resolver([address])
    with pytest.raises(Blocked, match=r"no host named pictures\.example on the public internet"):
        fetch("https://pictures.example/a.jpg")
    assert dialled == []


@pytest.mark.parametrize(
    "url",
    [
        "http://2130706433/",
        "http://017700000001/",
        "http://0x7f000001/",
        "http://0x7f.1/",
        "http://127.1/",
        "http://127.0.1/",
        "http://0177.0.0.1/",
        "http://127.0.0.0x1/",
        "http://127.0.0.1./",
        "http://0/",
        "http://localhost/",
        "http://LOCALHOST./",
        "http://%6c%6fcalhost/",
        "http://１２７.０.０.１/",
        "http://①②⑦.⓪.⓪.①/",
        "http://[::]/",
        "http://[::1]/",
        "http://[::ffff:7f00:1]/",
        "http://[fe80::1%25lo]/",
        "http://user@127.0.0.1/",
        "http://user:pass@example.com/",
        "http://example.com@127.0.0.1/",
        "http://127.0.0.1#@example.com/",
        "http://127.0.0.1?@example.com/",
        "http://127.0.0.1\\@example.com/",
        "http://example.com\\@127.0.0.1/",
        "http:\\\\127.0.0.1/",
        "http://127.0.0.1\t/",
        "http://127.0.0.1\r\nHost: example.com/",
        "http:///127.0.0.1/",
        "http:127.0.0.1/",
        "//127.0.0.1/",
        "127.0.0.1",
        "",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "data:image/png;base64,AAAA",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:x/",
    ],
)
def test_trick_reaches_nothing(url: str, canary: RawServer, monkeypatch: pytest.MonkeyPatch) -> None:
    # Every connection that is let through goes to the canary, whichever port the trick names.
    dial = connections._connect_one
    monkeypatch.setattr(connections, "_connect_one", lambda address, _port, s: dial(address, canary.port, s))
    with pytest.raises(HttpFailure) as failure:
        fetch(url)
    assert isinstance(failure.value, Blocked | NotSent)
    assert canary.accepted == 0


@pytest.mark.parametrize("port", [0, 21, 22, 25, 81, 6379, 8000, 8443])
def test_odd_port_is_blocked(port: int, resolver: Resolver, dialled: list[str]) -> None:
    resolver([PUBLIC])
    with pytest.raises(Blocked, match=f"port {port}; only 80 and 443"):
        fetch(f"https://pictures.example:{port}/")
    assert dialled == []


def test_one_answer_inside_blocks_the_host(resolver: Resolver, dialled: list[str]) -> None:
    resolver([PUBLIC, "10.0.0.1"])
    with pytest.raises(Blocked):
        fetch("https://pictures.example/")
    assert dialled == []


def test_rebinding_finds_no_second_lookup(resolver: Resolver, dialled: list[str]) -> None:
    resolver([PUBLIC], ["127.0.0.1"])
    with pytest.raises(NotSent):
        fetch("http://rebind.example/")
    assert dialled == [PUBLIC]


def test_connection_goes_to_the_checked_address_and_names_the_host(
    resolver: Resolver, canary: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolver([PUBLIC], ["127.0.0.1"])
    dial, seen = connections._connect_one, []

    def to_canary(address: object, port: int, seconds: float) -> socket.socket:
        seen.append((str(address), port))
        return dial(ipaddress.ip_address("127.0.0.1"), canary.port, seconds)

    monkeypatch.setattr(connections, "_connect_one", to_canary)
    assert fetch("http://pictures.example/a.jpg") == b"inside"
    assert seen == [(PUBLIC, 80)]
    assert b"Host: pictures.example\r\n" in canary.heads[0]


@pytest.mark.parametrize(
    "location",
    ["http://127.0.0.1/", "http://[::1]/", "//10.0.0.1/", "http://user@public.example/", "http://public.example:22/"],
)
def test_redirect_inside_is_blocked(location: str, resolver: Resolver, monkeypatch: pytest.MonkeyPatch) -> None:
    resolver([PUBLIC])
    redirect = always(answer(b"", f"Location: {location}", status="302 Found"))
    with serving(redirect) as outside, serving(always(answer(b"inside"))) as inside:
        dial = connections._connect_one

        def stand_in(address: object, _port: int, seconds: float) -> socket.socket:
            server = outside if str(address) == PUBLIC else inside
            return dial(ipaddress.ip_address("127.0.0.1"), server.port, seconds)

        monkeypatch.setattr(connections, "_connect_one", stand_in)
        with pytest.raises(Blocked):
            fetch("http://public.example/", hops=3)
        assert (outside.accepted, inside.accepted) == (1, 0)


def test_redirects_are_followed_within_their_number_and_leave_headers_behind(settings: Settings) -> None:
    settings.ALLOW_PRIVATE_URLS = True
    with serving(always(answer(b"there"))) as there:
        onward = always(answer(b"", f"Location: http://localhost:{there.port}/b", status="302 Found"))
        with serving(onward) as here:
            assert _with_secret(here.url, hops=0).status == 302
            assert _with_secret(here.url, hops=1).body == b"there"
    assert b"secret" in here.heads[-1]
    assert b"secret" not in there.heads[0]
    assert b"Accept: image/png" in there.heads[0]


def _with_secret(url: str, *, hops: int) -> Reply:
    headers = {"Authorization": "Bearer secret", "Accept": "image/png"}
    return send("GET", url, headers=headers, seconds=5, max_bytes=100, public_only=True, allow_redirects=hops)


def test_redirect_loop_ends() -> None:
    with serving(always(answer(b"", "Location: /again", status="302 Found"))) as server:
        reply = send("GET", server.url, seconds=5, max_bytes=100, allow_redirects=3)
        assert (reply.status, len(server.heads)) == (302, 4)


def test_post_is_never_redirected() -> None:
    with serving(always(answer(b"", "Location: /again", status="307 Temporary Redirect"))) as server:
        assert send("POST", server.url, json={}, seconds=5, max_bytes=100, allow_redirects=3).status == 307
        assert len(server.heads) == 1


def test_setting_for_development_allows_loopback_and_nothing_else(
    settings: Settings, resolver: Resolver, canary: RawServer
) -> None:
    with pytest.raises(Blocked):
        fetch(canary.url)
    settings.ALLOW_PRIVATE_URLS = True
    assert fetch(canary.url) == b"inside"
    resolver(["127.0.0.1", "10.0.0.1"])
    for url in ("http://10.0.0.1/", "http://169.254.169.254/", "http://mixed.example/", f"http://{PUBLIC}:8000/"):
        with pytest.raises(Blocked):
            fetch(url)


def test_names_in_other_scripts_are_encoded() -> None:
    assert parse_target("https://bücher.example/ü?q=ü") == Target(
        "https", "xn--bcher-kva.example", 443, "/%C3%BC?q=%C3%BC"
    )


def test_lookup_keeps_every_answer_in_order(resolver: Resolver) -> None:
    resolver([PUBLIC, "8.8.8.8", PUBLIC])
    found = public_addresses(parse_target("https://pictures.example/"), seconds=1)
    assert [str(address) for address in found] == [PUBLIC, "8.8.8.8"]


def test_refusal_says_why() -> None:
    with pytest.raises(AddressRefused, match="user name or password"):
        parse_target("https://me:secret@pictures.example/")


def test_a_name_that_exists_inside_is_told_in_the_words_for_one_that_does_not(
    resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusal() -> HttpFailure:
        with pytest.raises(HttpFailure) as failure:
            fetch("https://payroll.internal/")
        return failure.value

    resolver(["10.0.0.1"])
    inside = refusal()

    def unknown(*_args: object, **_options: object) -> list[tuple[object, ...]]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    nowhere = refusal()
    assert (type(inside), inside.detail) == (type(nowhere), nowhere.detail)


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("https://p.example/my shoe.jpg", "p.example", 443, "/my%20shoe.jpg"),
        ("  https://p.example/a.jpg\n", "p.example", 443, "/a.jpg"),
        ("https://p.example/a.jpg#top", "p.example", 443, "/a.jpg"),
        ("https://p.example/a.jpg?q=1 2#top", "p.example", 443, "/a.jpg?q=1%202"),
        ("https://p.example/schöne.jpg", "p.example", 443, "/sch%C3%B6ne.jpg"),
        ("https://p.example/靴.jpg?色=赤", "p.example", 443, "/%E9%9D%B4.jpg?%E8%89%B2=%E8%B5%A4"),
        ("https://p.example/a%20b.jpg", "p.example", 443, "/a%20b.jpg"),
        ("https://p.example/a%20b 100%.jpg", "p.example", 443, "/a%20b%20100%25.jpg"),
        ('https://p.example/{a}|"b".jpg', "p.example", 443, "/%7Ba%7D%7C%22b%22.jpg"),
        ("HTTPS://P.Example:443/A.jpg", "p.example", 443, "/A.jpg"),
        ("http://p.example:80/", "p.example", 80, "/"),
        ("http://p.example:/a.jpg", "p.example", 80, "/a.jpg"),
        ("https://p.example", "p.example", 443, "/"),
        ("https://p.example?a=b", "p.example", 443, "/?a=b"),
        ("https://bücher.example/x.jpg", "xn--bcher-kva.example", 443, "/x.jpg"),
        ("https://BÜCHER.example/x.jpg", "xn--bcher-kva.example", 443, "/x.jpg"),
    ],
)
def test_addresses_are_asked_for_as_browsers_do(url: str, host: str, port: int, path: str) -> None:
    target = parse_target(url)
    assert (target.host, target.port, target.path) == (host, port, path)


@pytest.mark.parametrize(
    "url", ["https://p .example/", "https://p.example\t/", "https://p.example/a\\b", "http://a\n.b/"]
)
def test_what_could_be_read_two_ways_is_still_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        parse_target(url)


@pytest.mark.parametrize(
    ("location", "asked"),
    [
        (b"/ok file.jpg", b"GET /ok%20file.jpg HTTP/1.1"),
        ("/schöne.jpg".encode(), b"GET /sch%C3%B6ne.jpg HTTP/1.1"),
        ("/schöne.jpg".encode("latin-1"), b"GET /sch%C3%B6ne.jpg HTTP/1.1"),
        (b"/sch%C3%B6ne.jpg#part", b"GET /sch%C3%B6ne.jpg HTTP/1.1"),
        (b"?size=2", b"GET /?size=2 HTTP/1.1"),
    ],
)
def test_redirects_lead_where_browsers_go(location: bytes, asked: bytes) -> None:
    def script(connection: socket.socket, _over: object) -> None:
        first = len(server.heads) == 1
        head = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + location + b"\r\n\r\n"
        connection.sendall(head if first else answer(b"there"))

    with serving(script) as server:
        reply = send("GET", server.url, seconds=5, max_bytes=100, allow_redirects=1)
    assert reply.body == b"there"
    assert server.heads[1].split(b"\r\n")[0] == asked


def test_a_redirect_that_cannot_be_followed_is_said_to_be_one(settings: Settings) -> None:
    settings.ALLOW_PRIVATE_URLS = True
    onward = always(answer(b"", "Location: https://me:secret@x.example/", status="302 Found"))
    with serving(onward) as server, pytest.raises(Blocked, match="redirects to an address that cannot") as blocked:
        fetch(server.url, hops=1)
    assert "secret" not in blocked.value.detail
