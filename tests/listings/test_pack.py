"""A pack of six with real workers: one cut-out for all, each image a job, what is lacking named, nothing paid twice."""

from collections.abc import Callable

import pytest

from apps.jobs.models import Job
from apps.jobs.states import FINAL
from apps.listings.facts import set_facts
from apps.listings.models import Cutout, ImageType, ListingImage, Project
from apps.listings.packs import finish_what_facts_allow, make_image, start_pack
from apps.listings.standing import stand_of
from apps.providers.models import Call
from tests.listings.conftest import FACTS
from tests.support.stack import Stack, wait_until

pytestmark = [pytest.mark.workers, pytest.mark.django_db(transaction=True)]


def ended(project: Project) -> None:
    wait_until(
        lambda: not Job.objects.exclude(status__in=FINAL).filter(subject=f"project:{project.pk}").exists(),
        seconds=120,
        what=f"the end of {list(Job.objects.values_list('kind', 'status', 'stage', 'error_code', 'error_message'))}",
    )


def test_a_pack_is_six_images_and_one_cut_out(stack: Stack, make_cup: Callable[..., Project]) -> None:
    project = make_cup()
    started = start_pack(project)
    again = start_pack(project)
    assert (again.pack, again.existing) == (started.pack, True)
    assert list(started.children) == ImageType.values
    ended(project)

    stand = stand_of(project)
    trouble = list(Job.objects.exclude(error_code="").values_list("kind", "error_code", "error_message"))
    assert trouble == []
    assert (stand.status, stand.ready) == ("completed", 6)
    assert Call.objects.filter(provider="removebg").count() == 1
    assert Call.objects.filter(provider="openai").count() == 2
    assert {call.state for call in Call.objects.all()} == {"succeeded"}
    main = ListingImage.objects.get(image_type=ImageType.MAIN)
    assert main.report["summary"]["fail"] == 0, main.report["rules"]
    assert main.source_type.endswith("algorithmicallyEnhanced")


def test_what_lacks_facts_waits_and_is_made_when_they_come(stack: Stack, make_cup: Callable[..., Project]) -> None:
    project = make_cup(facts=[fact for fact in FACTS if fact.get("key") != "height"], compared=False)
    started = start_pack(project)
    assert started.pack.lacking == {ImageType.COMPARISON: ["compare_with"], ImageType.DIMENSIONS: ["height"]}
    ended(project)
    assert stand_of(project).status == "partial"
    assert {slot.image_type: slot.state for slot in stand_of(project).slots}[ImageType.DIMENSIONS] == "needs_facts"

    set_facts(project, FACTS)
    assert [job.kind for job in finish_what_facts_allow(project)] == ["picture"]
    ended(project)
    assert stand_of(project).ready == 5


def test_one_image_made_again_leaves_the_others(stack: Stack, make_cup: Callable[..., Project]) -> None:
    project = make_cup()
    start_pack(project)
    ended(project)
    before = {image.image_type: image.digest for image in ListingImage.objects.all()}

    make_image(project, ImageType.LIFESTYLE, anew=True)
    ended(project)
    versions = list(ListingImage.objects.filter(image_type=ImageType.LIFESTYLE).order_by("number"))
    assert [image.number for image in versions] == [1, 2]
    others = {image.image_type: image.digest for image in ListingImage.objects.exclude(image_type=ImageType.LIFESTYLE)}
    assert others == {kind: digest for kind, digest in before.items() if kind != ImageType.LIFESTYLE}
    assert Call.objects.filter(provider="removebg").count() == 1
    assert Cutout.objects.count() == 1
