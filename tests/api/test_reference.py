"""The reference in a real browser: it draws every operation with what the server itself sends."""

from typing import Any

import pytest
from playwright.sync_api import Browser


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_reference_draws_every_operation(
    live_server: Any, browser: Browser, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    settings.PUBLIC_REFERENCE = True
    wrong: list[str] = []
    with browser.new_page() as page:
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.on("request", lambda request: None if _own(request.url, live_server.url) else wrong.append(request.url))
        page.goto(f"{live_server.url}/api/docs")
        page.get_by_text("/api/prompt/queue", exact=True).first.wait_for()
        drawn = page.locator(".opblock").count()
    assert drawn >= 29
    assert wrong == []


def _own(url: str, server: str) -> bool:
    return url.startswith((server, "data:", "blob:"))
