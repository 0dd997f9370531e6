"""Where the engine finds Redis: apps/core/broker.py."""

from apps.core.broker import BREAK_SECONDS as BREAK_SECONDS
from apps.core.broker import Hints as Hints
from apps.core.broker import hints as hints
