"""The browser of this machine."""

import os
import shutil

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str:
    found = os.environ.get("PRESSROOM_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        words = "This test needs Chromium: install it, or name one in PRESSROOM_CHROMIUM."
        # Where every check must be made, a browser that is missing is a failure and not a reason to look away.
        (pytest.fail if os.environ.get("CI") else pytest.skip)(words)
    return str(found)
