"""What remove.bg cuts out, by size. Source: its price page, pay as you go, read 22 Nov 2026; a subscription's credits cost less."""

from datetime import date
from decimal import Decimal

from apps.providers.catalogue import Model, OutputPrice

CREDIT_USD = Decimal("0.20")
_READ = date(2026, 11, 22)

MODELS: tuple[Model, ...] = (
    Model("full", "removebg", max_images=1, output_prices=(OutputPrice(_READ, CREDIT_USD),)),
    Model("preview", "removebg", max_images=1, output_prices=(OutputPrice(_READ, CREDIT_USD / 4),)),
)
