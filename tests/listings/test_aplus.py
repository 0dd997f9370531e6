"""A+ pages: written from facts, checked as Amazon would, and exported as the document that its API takes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from apps.core.errors import Problem
from apps.listings.aplus.claims import unproven
from apps.listings.aplus.document import document, uploads
from apps.listings.aplus.linting import findings_of
from apps.listings.aplus.making import process, save_page
from apps.listings.aplus.modules import MODULES
from apps.listings.aplus.pages import faults_of
from apps.listings.keeping import read
from apps.listings.models import APlusPage, ListingImage, Project
from apps.listings.packs import start_pack
from apps.providers.models import Call
from tests.listings.test_pack import ended
from tests.support.stack import Stack

FACTS = [
    ("volume", "Volume", "80 ml"),
    ("wall", "Wall", "6 mm"),
    ("oven-safe", "Oven-safe", "yes"),
    ("saucer", "Saucer", "12 cm"),
]


def kinds(text: str, locale: str) -> set[str]:
    return {
        finding.kind
        for finding in findings_of(text, locale=locale, brand="Best & Sons", facts=[])
        if finding.severity == "block"
    }


@pytest.mark.parametrize(
    ("text", "locale", "kind"),
    [
        ("The best cup there is", "en-US", "superlative"),
        ("Only $9 today", "en-US", "price"),
        ("Mit Garantie", "de-DE", "guarantee"),
        ("Herstellergarantie inklusive", "de-DE", "guarantee"),
        ("Livraison gratuite", "fr-FR", "shipping"),
        ("Una oferta", "es-ES", "promotion"),
        ("Con sconto", "it-IT", "promotion"),
        ("最安値", "ja-JP", "price"),
        ("Better than other brands", "en-GB", "competitor"),
        ("Write to ada@example.com", "en-US", "contact"),
        ("Five stars", "en-US", "review"),
        ("An eco-friendly cup", "en-US", "environment"),
        ("Add to cart", "en-US", "call_to_buy"),
        ("Our latest cup", "en-US", "time"),
        ("Antibakteriell", "de-DE", "health"),
        ("An Amazon's Choice product", "en-US", "amazon"),
    ],
)
def test_words_that_amazon_rejects_are_found(text: str, locale: str, kind: str) -> None:
    assert kind in kinds(text, locale)


@pytest.mark.parametrize(
    ("text", "locale"),
    [
        ("A free-standing shelf", "en-US"),
        ("BPA-free and sugar free", "en-US"),
        ("freihändig zu bedienen", "de-DE"),
        ("in neutralem Grau, neun Zentimeter", "de-DE"),
        ("in order to pour well", "en-US"),
        ("aus zwei Teilen bestehend", "de-DE"),
        ("une prise en main", "fr-FR"),
        ("a lift-off lid of new wool", "en-US"),
        ("the delivery nozzle", "en-US"),
        ("Made by Best & Sons", "en-US"),
    ],
)
def test_harmless_words_are_left_alone(text: str, locale: str) -> None:
    assert kinds(text, locale) == set()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Holds 80 ml", []),
        ("Holds 2.7 fl oz", []),
        ("Keeps hot for 40 minutes", ["40 minutes"]),
        ("Keeps hot for forty minutes", ["forty minutes"]),
        ("A wall of 6 mm and a saucer of 12 cm", []),
        ("A wall of 8 mm", ["8 mm"]),
        ("Goes into the dishwasher", ["dishwasher"]),
        ("Goes into the oven", []),
    ],
)
def test_claims_need_a_fact(text: str, found: list[str]) -> None:
    page = [{"id": "m1", "type": "STANDARD_TEXT", "texts": {"body": text}}]
    assert [finding.words for finding in unproven(page, locale="en-US", facts=FACTS)] == found


def test_a_fact_that_comes_clears_the_claim() -> None:
    page = [{"id": "m1", "type": "STANDARD_TEXT", "texts": {"body": "Keeps hot for 40 minutes"}}]
    assert unproven(page, locale="en-US", facts=[*FACTS, ("hot", "Keeps hot", "40 min")]) == []


def test_every_module_becomes_what_amazons_model_knows() -> None:
    """The exact member names and nestings of the model of 2020-11-01, written out here."""
    for kind, known in MODULES.items():
        if known.premium:
            continue
        module = _full(kind)
        told = document([module], name="Cup", locale="en-US")["contentDocument"]["contentModuleList"][0]
        assert set(told) == {"contentModuleType", known.key}
        _check_texts(told[known.key])
        faults = [fault for fault in faults_of([module]) if fault.code not in ("same_alt",)]
        assert faults == [], kind


def _full(kind: str) -> dict[str, Any]:
    known = MODULES[kind]
    texts: dict[str, Any] = {text.name: ["One line"] if text.items else "Some words" for text in known.texts}
    texts |= {picture.alt: f"A cup on a saucer, view {n}" for n, picture in enumerate(known.pictures)}
    pictures = {picture.name: {"path": "x", "width": 10, "height": 10} for picture in known.pictures}
    rows = [{"label": f"Row {n}", "value": "1"} for n in range(4)]
    columns = [{"title": f"Cup {n}", "values": {"Volume": "1 ml"}} for n in range(2)]
    return {
        "id": "m1",
        "type": kind,
        "texts": texts,
        "pictures": pictures,
        "rows": rows,
        "columns": columns,
        "labels": ["Volume"],
    }


def _check_texts(value: Any) -> None:
    """A text is {value}, a paragraph {textList: [{value}]}, a list item {position, text}; pictures name all three parts."""
    if isinstance(value, list):
        for each in value:
            _check_texts(each)
    elif isinstance(value, dict):
        if "uploadDestinationId" in value:
            assert set(value) == {"uploadDestinationId", "imageCropSpecification", "altText"}
            assert 1 <= len(value["altText"]) <= 100
            size = value["imageCropSpecification"]["size"]
            assert {side: set(size[side]) for side in size} == {
                "width": {"value", "units"},
                "height": {"value", "units"},
            }
            return
        for name, each in value.items():
            if name == "textList":
                assert all(set(item) in ({"value"}, {"position", "text"}) for item in each)
            _check_texts(each)


def test_lengths_counts_and_alternative_texts_are_judged() -> None:
    module = _full("STANDARD_HEADER_IMAGE_TEXT")
    module["texts"] |= {"headline": "x" * 61, "block.body": "", "block.image.altText": "cup"}
    told = {fault.code: (fault.pointer, fault.limit, fault.measured) for fault in faults_of([module])}
    assert told["too_long"] == ("/0/texts/headline", 60, 61)
    assert told["missing"][0] == "/0/texts/block.body"
    assert told["too_short"] == ("/0/texts/block.image.altText", 20, 3)
    assert "too_many_modules" in {fault.code for fault in faults_of([_full("STANDARD_TEXT")] * 8)}
    assert "mixed" in {fault.code for fault in faults_of([_full("STANDARD_TEXT"), _full("PREMIUM_QA")])}


@pytest.mark.workers
@pytest.mark.django_db(transaction=True)
def test_a_page_is_written_from_facts_and_ready_for_amazon(stack: Stack, make_cup: Callable[..., Project]) -> None:
    project = make_cup()
    start_pack(project)
    ended(project)
    page = process(project, pictures=True)
    ended(project)
    page.refresh_from_db()
    assert page.report == {"ready": True, "faults": [], "findings": []}
    assert page.status == APlusPage.Status.READY
    assert Call.objects.filter(provider="gemini").count() == 1
    files = {path: read(path) for path in page.paths()}
    assert not files.keys() & set(ListingImage.objects.values_list("file", flat=True))
    told = uploads(page.modules, files)
    assert len({each["contentMD5"] for each in told}) == len(told) >= 5
    body = json.dumps(document(page.modules, name="Cup", locale=page.locale))
    assert all(each["placeholder"] in body for each in told)
    assert all(len(data) < 2_000_000 for data in files.values())


@pytest.mark.workers
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("trouble", ["sim-long", "sim-invent", "sim-forbidden"])
def test_what_is_wrong_is_given_back_once(stack: Stack, make_cup: Callable[..., Project], trouble: str) -> None:
    project = make_cup(name=f"Espresso cup {trouble}")
    page = process(project)
    ended(project)
    page.refresh_from_db()
    assert Call.objects.filter(provider="gemini", state="succeeded").count() == 2
    assert page.report["findings"] == []
    assert {fault["code"] for fault in page.report["faults"]} == {"picture_missing"}  # there is no cut-out yet


@pytest.mark.django_db
def test_two_who_save_at_once_are_told(make_cup: Callable[..., Project]) -> None:
    page = APlusPage.objects.create(project=make_cup(), locale="en-US")
    text = [{"type": "STANDARD_TEXT", "texts": {"body": "Eighty millilitres."}}]
    assert save_page(page, text, revision=0).revision == 1
    with pytest.raises(Problem, match="revision_conflict"):
        save_page(page, text, revision=0)


def test_the_lists_are_data_with_a_version() -> None:
    import apps.listings.aplus.linting as linting

    told = json.loads((Path(linting.__file__).parent / "words.json").read_text())
    assert told["version"]
    assert all(
        len({"en", "de", "fr", "es", "it", "ja"} - each.keys()) == 0 or "any" in each
        for each in told["classes"].values()
    )
