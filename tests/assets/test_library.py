"""How uploads and addresses become assets, of one owner each."""

import io
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from apps.accounts.models import User
from apps.assets import fetching, library
from apps.assets.checks import private_urls
from apps.assets.library import data_uri, resolve, store_upload
from apps.assets.models import Asset
from apps.assets.urls import asset_id_of, asset_url, thumbnail_url
from apps.core.errors import Problem
from tests.assets.conftest import drawn
from tests.core.servers import RawServer, always, answer, dripping, serving
from tests.support.stack import wait_until

Photo = Callable[[str], bytes]


def upload(owner: User, data: bytes, name: str = "a.png") -> Asset:
    return store_upload(owner=owner, file=SimpleUploadedFile(name, data), name=name)


def refused(owner: User, url: str, *, seconds: float = 5) -> Problem:
    with pytest.raises(Problem) as problem:
        resolve(owner=owner, url=url, seconds=seconds)
    assert problem.value.status == 422
    assert problem.value.action
    assert not Asset.objects.filter(owner=owner).exists()
    return problem.value


@pytest.fixture
def loopback(settings: Settings) -> None:
    settings.ALLOW_PRIVATE_URLS = True


# --- uploads ---------------------------------------------------------------------------------------


def test_upload_is_stored_with_its_thumbnail(owner: User, media: Path, photo: Photo) -> None:
    asset = upload(owner, photo("coffee.png"), "coffee.png")
    asset.refresh_from_db()
    assert (asset.name, asset.width, asset.height, asset.source_url) == ("coffee.png", 600, 400, "")
    assert asset.file.name == f"assets/{asset.digest[:2]}/{asset.digest[2:4]}/{asset.digest}.jpg"
    assert (media / str(asset.file)).stat().st_size == asset.bytes
    assert (media / str(asset.thumbnail)).read_bytes()[8:12] == b"WEBP"
    assert data_uri(asset).startswith("data:image/jpeg;base64,/9j/")


def test_same_upload_again_is_the_same_asset(owner: User, photo: Photo) -> None:
    assert upload(owner, photo("rocket.jpg")) == upload(owner, photo("rocket.jpg"))
    assert Asset.objects.count() == 1


def test_same_picture_under_another_name_is_another_asset_of_the_same_file(owner: User, photo: Photo) -> None:
    first, second = upload(owner, photo("rocket.jpg"), "left.jpg"), upload(owner, photo("rocket.jpg"), "right.jpg")
    assert (first.name, second.name) == ("left.jpg", "right.jpg")
    assert first.file.name == second.file.name
    assert upload(owner, photo("rocket.jpg"), "left.jpg") == first


def test_two_owners_share_the_file_and_not_the_asset(owner: User, other: User, photo: Photo) -> None:
    mine, theirs = upload(owner, photo("rocket.jpg")), upload(other, photo("rocket.jpg"))
    assert mine != theirs
    assert mine.file.name == theirs.file.name


def test_upload_over_the_limit_is_refused_after_the_limit(owner: User) -> None:
    file = io.BytesIO(bytes(30_000_000))
    with pytest.raises(Problem) as problem:
        store_upload(owner=owner, file=file, name="big.png")
    assert problem.value.code == "image_too_large"
    assert file.tell() == 20_000_001


def test_full_disk_leaves_no_row(owner: User, photo: Photo, settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    settings.MEDIA_ROOT = tmp_path / "file"
    with pytest.raises(Problem) as problem:
        upload(owner, photo("rocket.jpg"))
    assert problem.value.status == 503
    assert not Asset.objects.exists()


# --- our own addresses -----------------------------------------------------------------------------


def test_own_address_means_the_asset(owner: User, photo: Photo) -> None:
    asset = upload(owner, photo("rocket.jpg"))
    for url in (asset_url(asset), thumbnail_url(asset), f"/media/assets/{asset.id}"):
        assert resolve(owner=owner, url=url) == asset


def test_asset_of_somebody_else_looks_like_none(owner: User, other: User, photo: Photo) -> None:
    url = asset_url(upload(other, photo("rocket.jpg")))
    foreign, missing = refused(owner, url), refused(owner, f"/media/assets/{uuid4()}")
    assert foreign == missing


def test_address_on_another_host_is_not_ours(settings: Settings) -> None:
    settings.SITE_URL, settings.ALLOWED_HOSTS = "https://desk.example", ["desk.example", "old.example"]
    path = f"/media/assets/{(number := uuid4())}"
    assert asset_id_of(f"https://desk.example{path}") == number
    assert asset_id_of(f"https://old.example:8000{path}") == number
    for url in (
        f"https://evil.example{path}",
        f"https://desk.example{path}/x",
        f"ftp://desk.example{path}",
        "http://[",
    ):
        assert asset_id_of(url) is None
    settings.ALLOWED_HOSTS = ["*"]
    assert asset_id_of(f"https://evil.example{path}") is None


# --- remote addresses ------------------------------------------------------------------------------


@pytest.mark.usefixtures("loopback")
def test_remote_image_is_fetched_once_for_each_owner(owner: User, other: User, photo: Photo) -> None:
    with serving(always(answer(photo("rocket.jpg")))) as server:
        url = f"{server.url}pictures/rocket.jpg?signature=s3cret"
        asset = resolve(owner=owner, url=url)
        assert resolve(owner=owner, url=url) == asset
        assert len(server.heads) == 1
        assert resolve(owner=other, url=url) != asset
    assert (asset.name, asset.width, asset.height) == ("rocket.jpg", 640, 427)
    assert asset.source_url == f"{server.url}pictures/rocket.jpg"
    assert "s3cret" not in str(Asset.objects.filter(id=asset.id).values())
    assert b"Accept: image/jpeg, image/png, image/webp\r\n" in server.heads[0]


@pytest.mark.usefixtures("loopback")
def test_addresses_that_differ_in_their_query_are_different_images(owner: User) -> None:
    with serving(always(answer(drawn("PNG")))) as server:
        assert resolve(owner=owner, url=f"{server.url}?id=1") != resolve(owner=owner, url=f"{server.url}?id=2")


@pytest.mark.usefixtures("loopback")
def test_two_processes_fetching_at_once_get_one_asset(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    fetch, others = library.fetch, []

    def meanwhile(url: str, **asked: Any) -> fetching.Fetched:
        found = fetch(url, **asked)
        if not others:
            others.append(None)
            others[0] = resolve(owner=owner, url=url)  # in another process, which is there first
        return found

    monkeypatch.setattr(library, "fetch", meanwhile)
    with serving(always(answer(drawn("PNG")))) as server:
        assert resolve(owner=owner, url=server.url) == others[0]
        assert len(server.heads) == 2
    assert Asset.objects.count() == 1


@pytest.mark.usefixtures("loopback")
@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (answer(b"", status="404 Not Found"), "image_unreachable", "127.0.0.1 answered 404 instead of the image."),
        (answer(b"", status="500 Oh"), "image_unreachable", "127.0.0.1 answered 500"),
        (answer(b"<!doctype html>Sign in"), "image_not_readable", "a web page"),
        (answer(b""), "image_empty", "no bytes"),
        (answer(drawn("GIF")), "image_not_readable", "GIF"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 20000001\r\n\r\n", "image_too_large", "20 MB is the most"),
        (answer(b"", "Location: http://10.0.0.1/", status="302 Found"), "image_url_refused", "public internet"),
        (answer(b"", "Location: /", status="302 Found"), "image_unreachable", "answered 302"),
        (answer(b"zip", "Content-Encoding: gzip"), "image_unreachable", "compressed"),
    ],
)
def test_what_is_no_image_is_named(owner: User, data: bytes, code: str, words: str) -> None:
    with serving(always(data)) as server:
        problem = refused(owner, server.url)
    assert problem.code == code
    assert words in problem.detail


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "http://127.0.0.1/a.png", "http://169.254.169.254/", "https://u:p@pictures.example/", "x"],
)
def test_address_inside_is_refused(owner: User, url: str) -> None:
    assert refused(owner, url).code == "image_url_refused"


@pytest.mark.usefixtures("loopback")
def test_refused_connection_is_unreachable(owner: User) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    problem = refused(owner, f"http://127.0.0.1:{port}/")
    assert problem.code == "image_unreachable"
    assert "refused the connection" in problem.detail


@pytest.mark.usefixtures("loopback")
def test_host_slow_at_first_gets_a_second_longer_try(owner: User) -> None:
    def second_time(connection: socket.socket, over: threading.Event) -> None:
        if len(server.heads) == 1:
            over.wait()
        connection.sendall(answer(drawn("PNG")))

    with serving(second_time) as server:
        assert resolve(owner=owner, url=server.url, seconds=2).width == 64
        assert server.accepted == 2


@pytest.mark.usefixtures("loopback")
def test_host_that_drips_is_given_up_at_the_deadline(owner: User) -> None:
    with serving(dripping(b"HTTP/1.1 200 OK\r\n\r\n", b"x", every=0.05)) as server:
        problem = refused(owner, server.url, seconds=1)
        assert server.accepted == 2
    assert problem.code == "image_unreachable"
    assert "did not answer in full within 0.7 s" in problem.detail


def test_setting_for_development_is_warned_of(settings: Settings) -> None:
    assert private_urls(None) == []
    settings.ALLOW_PRIVATE_URLS = True
    assert [message.id for message in private_urls(None)] == ["assets.W001"]


# --- the admin -------------------------------------------------------------------------------------


def test_admin_shows_assets_and_changes_none(owner: User, photo: Photo, admin_client: Client) -> None:
    asset = upload(owner, photo("rocket.jpg"), "rocket.jpg")
    listed = admin_client.get("/admin/assets/asset/").content.decode()
    assert f'src="{thumbnail_url(asset)}"' in listed
    shown = admin_client.get(f"/admin/assets/asset/{asset.id}/change/").content.decode()
    assert "640 × 427" in shown
    assert 'name="_save"' not in shown
    assert admin_client.get("/admin/assets/asset/add/").status_code == 403


# --- slow hosts hold few threads --------------------------------------------------------------------


@pytest.fixture
def held() -> Iterator[Callable[[User], None]]:
    """Lets somebody's fetch begin at a host that answers when the test is over."""
    over, threads = threading.Event(), []

    def slow(connection: socket.socket, _over: threading.Event) -> None:
        over.wait()
        connection.sendall(answer(drawn("PNG")))

    with serving(slow) as server:

        def hold(user: User) -> None:
            before = len(server.heads)
            thread = threading.Thread(
                target=lambda: fetching.fetch(server.url, owner_id=user.pk, seconds=60), daemon=True
            )
            thread.start()
            threads.append(thread)
            wait_until(lambda: len(server.heads) > before, seconds=60, what="the host was asked")

        yield hold
        over.set()
        for thread in threads:
            thread.join()


@pytest.mark.usefixtures("loopback")
def test_a_person_fetches_one_picture_at_a_time(owner: User, other: User, held: Callable[[User], None]) -> None:
    held(owner)
    with serving(always(answer(drawn("PNG")))) as quick:
        with pytest.raises(Problem) as problem:
            resolve(owner=owner, url=quick.url)
        assert (problem.value.status, problem.value.code) == (429, "fetch_underway")
        assert problem.value.headers == {"Retry-After": "3"}
        assert quick.accepted == 0
        assert resolve(owner=other, url=quick.url).width == 64


@pytest.mark.usefixtures("loopback")
def test_two_slow_hosts_hold_two_threads_and_the_rest_is_told(
    owner: User, other: User, held: Callable[[User], None]
) -> None:
    third = User.objects.create_user("cleo", password="wrong engine oil")
    with serving(always(answer(drawn("PNG")))) as quick:
        known = resolve(owner=third, url=quick.url)
        held(owner)
        held(other)
        with pytest.raises(Problem) as problem:
            resolve(owner=third, url=f"{quick.url}new")
        assert (problem.value.status, problem.value.code) == (503, "fetch_busy")
        assert "upload" in problem.value.action
        Asset.objects.update(fetched_at=LONG_AGO)
        assert resolve(owner=third, url=quick.url) == known  # what we have is good enough while others wait


# --- a picture that changes at its address ----------------------------------------------------------


LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def changing() -> Iterator[tuple[RawServer, dict[str, bytes]]]:
    """A host that gives what `now` holds and knows its own ETag; one without a picture answers 500."""
    now = {"data": drawn("PNG"), "etag": b'"1"'}

    def script(connection: socket.socket, _over: threading.Event) -> None:
        if b"If-None-Match: " + now["etag"] in server.heads[-1]:
            connection.sendall(answer(b"", status="304 Not Modified"))
        elif now["data"]:
            connection.sendall(answer(now["data"], f"ETag: {now['etag'].decode()}"))
        else:
            connection.sendall(answer(b"", status="500 Oh"))

    with serving(script) as server:
        yield server, now


@pytest.mark.usefixtures("loopback")
def test_an_unchanged_picture_is_asked_for_and_not_sent_again(
    owner: User, changing: tuple[RawServer, dict[str, bytes]]
) -> None:
    server, _ = changing
    asset = resolve(owner=owner, url=server.url)
    assert resolve(owner=owner, url=server.url) == asset
    assert len(server.heads) == 1  # it is fresh
    Asset.objects.update(fetched_at=LONG_AGO)
    again = resolve(owner=owner, url=server.url)
    assert again == asset
    assert again.fetched_at is not None
    assert again.fetched_at > LONG_AGO
    assert b'If-None-Match: "1"\r\n' in server.heads[1]


@pytest.mark.usefixtures("loopback")
def test_a_changed_picture_is_a_new_asset_and_the_old_one_stays_for_its_jobs(
    owner: User, changing: tuple[RawServer, dict[str, bytes]]
) -> None:
    server, now = changing
    old = resolve(owner=owner, url=server.url)
    now.update(data=drawn("PNG", size=(80, 80)), etag=b'"2"')
    Asset.objects.update(fetched_at=LONG_AGO)
    new = resolve(owner=owner, url=server.url)
    assert (new.width, Asset.objects.count()) == (80, 2)
    assert resolve(owner=owner, url=server.url) == new
    assert resolve(owner=owner, url=asset_url(old)) == old


@pytest.mark.usefixtures("loopback")
def test_the_same_picture_under_another_etag_is_the_same_asset(
    owner: User, changing: tuple[RawServer, dict[str, bytes]]
) -> None:
    server, now = changing
    asset = resolve(owner=owner, url=server.url)
    now["etag"] = b'"2"'
    assert resolve(owner=owner, url=server.url, again=True) == asset
    asset.refresh_from_db()
    assert (asset.etag, Asset.objects.count()) == ('"2"', 1)


@pytest.mark.usefixtures("loopback")
def test_a_host_that_is_away_leaves_what_we_have_unless_it_was_asked_for_again(
    owner: User, changing: tuple[RawServer, dict[str, bytes]]
) -> None:
    server, now = changing
    asset = resolve(owner=owner, url=server.url)
    now.update(data=b"", etag=b'"2"')
    Asset.objects.update(fetched_at=LONG_AGO)
    assert resolve(owner=owner, url=server.url) == asset
    with pytest.raises(Problem, match="answered 500"):
        resolve(owner=owner, url=server.url, again=True)


@pytest.mark.usefixtures("loopback")
def test_an_address_is_one_however_it_was_pasted(owner: User) -> None:
    with serving(always(answer(drawn("PNG")))) as server:
        asset = resolve(owner=owner, url=f"{server.url}my shoe.png")
        assert resolve(owner=owner, url=f" {server.url}my%20shoe.png#top\n") == asset
    assert server.heads[0].startswith(b"GET /my%20shoe.png HTTP/1.1\r\n")
    assert len(server.heads) == 1
