"""Pictures are opened apart, one after another, under limits: what that process does not survive, this one does."""

import io
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin
from pytest_django import Settings

from apps.assets import decoder
from apps.core.errors import Problem
from tests.assets.conftest import drawn
from tests.support.stack import wait_until


@pytest.fixture(autouse=True)
def apart(monkeypatch: pytest.MonkeyPatch) -> Iterator[decoder._Decoder]:
    """A decoder of the test's own, ended with it."""
    mine = decoder._Decoder()
    monkeypatch.setattr(decoder, "_decoder", mine)
    yield mine
    mine._end()


def pid_of(apart: decoder._Decoder) -> int:
    assert apart._running
    return apart._running.process.pid


def killed(running: decoder._Process) -> decoder._Process:
    running.process.kill()
    return running


def refused(data: bytes) -> Problem:
    with pytest.raises(Problem) as problem:
        decoder.prepare(data)
    assert problem.value.action
    return problem.value


def until(true: Callable[[], bool]) -> None:
    wait_until(true, seconds=60)


def test_a_picture_is_prepared_in_another_process(apart: decoder._Decoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", lambda *_: pytest.fail("decoded in this process"))
    prepared = decoder.prepare(drawn("PNG", size=(800, 600)))
    assert (prepared.encoded.suffix, prepared.encoded.width, prepared.encoded.height) == (".jpg", 800, 600)
    assert prepared.thumbnail[8:12] == b"WEBP"
    assert pid_of(apart) != os.getpid()


def test_one_process_opens_them_all(apart: decoder._Decoder) -> None:
    looked = decoder.look(drawn("WEBP"))
    first = pid_of(apart)
    assert (looked.width, looked.height) == (64, 48)
    assert decoder.data_uri(drawn("JPEG")).startswith("data:image/jpeg;base64,/9j/")
    assert pid_of(apart) == first


def test_what_is_refused_is_refused_in_the_same_words(apart: decoder._Decoder) -> None:
    assert refused(b"hello").detail == "This is not an image, or not one we can open."
    assert refused(drawn("PNG", size=(15, 64))).code == "image_too_small"
    with pytest.raises(Problem) as problem:
        decoder.look(drawn("PNG"), max_bytes=10)
    assert problem.value.code == "image_too_large"


def test_it_holds_no_secret(apart: decoder._Decoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XAI_API_KEY", "xai-secret")
    decoder.look(drawn("PNG"))
    names = {line.partition(b"=")[0] for line in Path(f"/proc/{pid_of(apart)}/environ").read_bytes().split(b"\0")}
    assert names - {b""} <= {b"PATH", b"LD_LIBRARY_PATH"}


def test_a_picture_that_needs_more_memory_is_refused_and_the_next_is_taken(
    apart: decoder._Decoder, settings: Settings
) -> None:
    settings.DECODER_MEMORY_MB = 192
    out = io.BytesIO()
    Image.new("RGBA", (5000, 4990), (255, 0, 0, 128)).save(out, "PNG")
    problem = refused(out.getvalue())
    assert (problem.status, problem.code) == (422, "image_too_large")
    assert "192 MB of memory" in problem.detail
    assert decoder.look(drawn("PNG")).width == 64


def test_the_largest_pictures_fit(apart: decoder._Decoder) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    out = io.BytesIO()
    Image.new("RGBA", (5000, 5000), (255, 0, 0, 128)).save(out, "PNG", exif=exif)
    assert decoder.prepare(out.getvalue()).encoded.suffix == ".png"


def test_a_picture_is_not_blamed_for_a_death_before_it(apart: decoder._Decoder) -> None:
    """As when the system ends the decoder for want of memory."""
    decoder.look(drawn("PNG"))
    first = pid_of(apart)
    os.kill(first, signal.SIGKILL)
    assert decoder.look(drawn("PNG")).width == 64
    assert pid_of(apart) != first


def test_nor_for_one_death_in_the_middle(apart: decoder._Decoder) -> None:
    decoder.look(drawn("PNG"))
    first = pid_of(apart)
    os.kill(first, signal.SIGSTOP)
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(decoder.look, drawn("PNG"))
        until(lambda: apart._busy)
        os.kill(first, signal.SIGKILL)
        assert asked.result(timeout=60).width == 64


def test_the_picture_it_dies_of_is_refused_and_the_next_gets_another(
    apart: decoder._Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        start = decoder._start
        patched.setattr(decoder, "_start", lambda: killed(start()))
        assert refused(drawn("PNG")).code == "image_not_readable"
    assert decoder.look(drawn("PNG")).width == 64


def test_one_that_went_home_is_started_again_without_a_word(apart: decoder._Decoder) -> None:
    decoder.look(drawn("PNG"))
    first = pid_of(apart)
    assert apart._running
    apart._running.channel.shutdown(1)  # as after a time without work: it reads the end, and ends with 0
    assert apart._running.process.wait(timeout=60) == 0
    assert decoder.look(drawn("PNG")).width == 64
    assert pid_of(apart) != first


def test_one_that_hangs_is_ended(apart: decoder._Decoder, monkeypatch: pytest.MonkeyPatch) -> None:
    decoder.look(drawn("PNG"))
    first = pid_of(apart)
    os.kill(first, signal.SIGSTOP)
    with monkeypatch.context() as patched:
        patched.setattr(decoder, "WORK_SECONDS", 0.2)
        problem = refused(drawn("PNG"))
    assert (problem.status, problem.code, problem.headers) == (503, "decoder_slow", {"Retry-After": "30"})
    assert decoder.look(drawn("PNG")).width == 64
    assert pid_of(apart) != first


def test_few_wait_for_it_and_the_others_are_sent_away(apart: decoder._Decoder) -> None:
    decoder.look(drawn("PNG"))
    os.kill(pid_of(apart), signal.SIGSTOP)
    widths: list[int] = []
    threads = [
        threading.Thread(target=lambda: widths.append(decoder.look(drawn("PNG")).width), daemon=True)
        for _ in range(decoder.MOST_INSIDE)
    ]
    for thread in threads:
        thread.start()
    until(lambda: apart._inside == decoder.MOST_INSIDE)
    problem = refused(drawn("PNG"))
    os.kill(pid_of(apart), signal.SIGCONT)
    assert (problem.status, problem.code, problem.headers) == (503, "decoder_busy", {"Retry-After": "2"})
    for thread in threads:
        thread.join()
    assert widths == [64] * decoder.MOST_INSIDE
    assert decoder.look(drawn("PNG")).width == 64


def test_nobody_has_all_the_places(apart: decoder._Decoder) -> None:
    decoder.look(drawn("PNG"))
    os.kill(pid_of(apart), signal.SIGSTOP)
    widths: list[int] = []

    def bring(person: int) -> None:
        widths.append(decoder.prepare(drawn("PNG"), person=person).encoded.width)

    threads = [threading.Thread(target=bring, args=(1,), daemon=True) for _ in range(decoder.MOST_EACH)]
    for thread in threads:
        thread.start()
    until(lambda: apart._inside == decoder.MOST_EACH)
    with pytest.raises(Problem, match="decoder_busy"):
        decoder.prepare(drawn("PNG"), person=1)
    threads.append(threading.Thread(target=bring, args=(2,), daemon=True))
    threads[-1].start()
    until(lambda: apart._inside == decoder.MOST_INSIDE)
    os.kill(pid_of(apart), signal.SIGCONT)
    for thread in threads:
        thread.join()
    assert widths == [64] * decoder.MOST_INSIDE
    assert not apart._of


def test_who_waits_too_long_is_sent_away(apart: decoder._Decoder, monkeypatch: pytest.MonkeyPatch) -> None:
    decoder.look(drawn("PNG"))
    os.kill(pid_of(apart), signal.SIGSTOP)
    first = threading.Thread(target=lambda: decoder.look(drawn("PNG")), daemon=True)
    first.start()
    until(lambda: apart._busy)
    with monkeypatch.context() as patched:
        patched.setattr(decoder, "WAIT_SECONDS", 0.05)
        assert refused(drawn("PNG")).code == "decoder_busy"
    os.kill(pid_of(apart), signal.SIGCONT)
    first.join()
    assert decoder.look(drawn("PNG")).width == 64


def test_it_ends_with_the_process_that_asks(apart: decoder._Decoder) -> None:
    asker = os.fork()
    if not asker:
        decoder.look(drawn("PNG"))
        Path(str(os.environ["PRESSROOM_DATA_DIR"]) + ".decoder").write_text(str(pid_of(apart)))
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(asker, 0)
    theirs = int(Path(str(os.environ["PRESSROOM_DATA_DIR"]) + ".decoder").read_text())
    until(lambda: not _lives(theirs))


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
