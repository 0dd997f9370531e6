"""Differences of colour by the published pairs; amounts as they are typed and as locales write them."""

from decimal import Decimal

import pytest

from apps.listings.imaging.colour import contrast, difference, lab, rgb_of
from apps.listings.units import Amount, amount_of, in_both, number_of, shown, unit_of

# G. Sharma, W. Wu, E. N. Dalal: The CIEDE2000 color-difference formula (2005), table 1.
PAIRS = [
    ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
    ((50.0, 3.1571, -77.2803), (50.0, 0.0, -82.7485), 2.8615),
    ((50.0, 2.8361, -74.0200), (50.0, 0.0, -82.7485), 3.4412),
    ((50.0, -1.3802, -84.2814), (50.0, 0.0, -82.7485), 1.0000),
    ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
    ((50.0, 2.4900, -0.0010), (50.0, -2.4900, 0.0009), 7.1792),
    ((50.0, 2.4900, -0.0010), (50.0, -2.4900, 0.0011), 7.2195),
    ((50.0, 2.5, 0.0), (50.0, 0.0, -2.5), 4.3065),
    ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
    ((50.0, 2.5, 0.0), (61.0, -5.0, 29.0), 22.8977),
    ((50.0, 2.5, 0.0), (56.0, -27.0, -3.0), 31.9030),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((63.0109, -31.0961, -5.8663), (62.8187, -29.7946, -4.0864), 1.2630),
    ((35.0831, -44.1164, 3.7933), (35.0232, -40.0716, 1.5901), 1.8645),
    ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
    ((90.8027, -2.0831, 1.4410), (91.1528, -1.6435, 0.0447), 1.4441),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]


@pytest.mark.parametrize(("first", "second", "expected"), PAIRS)
def test_differences_are_those_of_the_published_pairs(
    first: tuple[float, ...], second: tuple[float, ...], expected: float
) -> None:
    assert float(difference(first, second)) == pytest.approx(expected, abs=1e-4)
    assert float(difference(second, first)) == pytest.approx(expected, abs=1e-4)


def test_colours_come_back_from_lab() -> None:
    for colour in ((165, 64, 27), (255, 255, 255), (0, 0, 0), (12, 200, 180)):
        assert rgb_of(lab(colour)) == colour


def test_contrast_runs_from_one_to_twenty_one() -> None:
    assert contrast((255, 255, 255), (0, 0, 0)) == pytest.approx(21)
    assert contrast((80, 90, 100), (80, 90, 100)) == pytest.approx(1)


@pytest.mark.parametrize(
    ("text", "locale", "amount"),
    [
        ("80 ml", "en-US", ("80", "ml")),
        ("80ml", "en-US", ("80", "ml")),
        ("1,280 °C", "en-US", ("1280", "°C")),
        ("1.280 °C", "de-DE", ("1280", "°C")),
        ("4,7 in", "de-DE", ("4.7", "in")),
        ("4.7″", "en-US", ("4.7", "in")),
        ("1 000 g", "fr-FR", ("1000", "g")),
        ("12", "en-US", ("12", "")),
        ("-5 °C", "en-US", ("-5", "°C")),
        ("٣ cm", "ar-AE", ("3", "cm")),
    ],
)
def test_amounts_are_read_as_they_are_typed(text: str, locale: str, amount: tuple[str, str]) -> None:
    assert amount_of(text, locale) == Amount(Decimal(amount[0]), amount[1])


@pytest.mark.parametrize("text", ["yes", "12 by 7 cm", "about 5 cm", "5 parsecs", "", "1.2.3 cm"])
def test_what_is_no_amount_is_none(text: str) -> None:
    assert amount_of(text) is None


def test_figures_are_written_as_the_locale_writes_them() -> None:
    degrees = Amount(Decimal(1280), "°C")
    assert shown(degrees, "en-US") == "1,280\u00a0°C"
    assert shown(degrees, "de-DE") == "1.280\u00a0°C"
    assert shown(degrees, "fr-FR") == "1\u202f280\u00a0°C"
    assert shown(Amount(Decimal("4.7"), "in"), "de-DE") == "4,7\u00a0in"


def test_measures_are_told_in_both_units_with_no_more_figures_than_were_given() -> None:
    assert in_both(Amount(Decimal(12), "cm"), "de-DE") == "12\u00a0cm · 4,7\u00a0in"
    assert in_both(Amount(Decimal(12), "cm"), "en-US") == "4.7\u00a0in · 12\u00a0cm"
    assert in_both(Amount(Decimal(5), "in"), "en-US") == "5\u00a0in · 13\u00a0cm"
    assert in_both(Amount(Decimal(80), "ml"), "en-US") == "80\u00a0ml"


def test_weights_convert_and_kinds_do_not_mix() -> None:
    pounds = Amount(Decimal(1000), "g").in_unit("lb")
    assert pounds is not None
    assert pounds.value == Decimal("2.2")
    assert Amount(Decimal(1), "g").in_unit("cm") is None
    assert unit_of("Inches") == "in"
    assert unit_of("furlong") is None
    assert number_of("1.280", "en-US") == Decimal("1.280")
