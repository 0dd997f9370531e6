"""What templates say with one word: icons, amounts, times."""

from datetime import datetime
from decimal import Decimal

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.pages import words
from apps.providers.registry import provider_name

register = template.Library()

GLYPHS = {
    "idle": "idle",
    "queued": "queued",
    "waiting": "waiting",
    "held": "held",
    "running": "running",
    "done": "done",
    "partial": "partial",
    "failed": "failed",
    "cancelled": "cancelled",
    "skipped": "skipped",
    "you": "you",
}


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    """One glyph of the sprite (parts/icons.html). Decoration: its meaning must stand beside it in words."""
    classes = f"icon {css}".strip()
    return format_html('<svg class="{}" aria-hidden="true"><use href="#i-{}"/></svg>', classes, name)


@register.simple_tag
def badge(look: str, word: str) -> SafeString:
    glyph = icon(GLYPHS.get(look, "idle"))
    return format_html('<span class="badge" data-s="{}">{}<span class="word">{}</span></span>', look, glyph, word)


@register.filter
def money(amount: Decimal | None) -> str:
    return words.money(amount)


@register.filter
def duration(seconds: float | None) -> str:
    return "" if seconds is None else words.duration(seconds)


@register.filter
def clock(at: datetime | None) -> SafeString:
    return words.clock(at)


@register.filter
def model_name(model: str) -> str:
    return words.model_name(model)


@register.filter
def provider(name: str) -> str:
    return {"xai": "xAI"}.get(name, provider_name(name))


@register.simple_tag
def quantity(number: int, one: str, many: str = "") -> str:
    """`3 rows`, `1 row`."""
    return words.count(number, one, many)
