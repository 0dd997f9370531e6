"""The reference in a real browser: it draws every operation with what the server itself sends."""

import os
import shutil
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

CHROMIUM = os.environ.get("PRESSROOM_CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_the_reference_draws_every_operation(live_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    wrong: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.on(
            "request", lambda request: wrong.append(request.url) if not _own(request.url, live_server.url) else None
        )
        page.goto(f"{live_server.url}/api/docs")
        page.get_by_text("/api/prompt/queue", exact=True).first.wait_for()
        drawn = page.locator(".opblock").count()
        browser.close()
    assert drawn >= 29
    assert wrong == []


def _own(url: str, server: str) -> bool:
    return url.startswith((server, "data:", "blob:"))
