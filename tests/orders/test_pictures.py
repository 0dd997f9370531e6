"""Pictures that come with their answer: kept before the ledger says so, paid once, and never asked for again unheard."""

import base64
import hashlib
import io
from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.conf import LazySettings
from PIL import Image, ImageDraw

from apps.core.errors import Problem
from apps.jobs import lifecycle
from apps.jobs.handlers import Run
from apps.orders import pictures
from apps.orders.pictures import CUT_OUT, EDIT, Made
from apps.providers.errors import ContentRefused, OutcomeUnknown, TransientNetwork
from apps.providers.models import Call
from apps.providers.types import EditRequest, ImagePart
from tests.factories import JobFactory
from tests.support.simulator import SimulatorProcess

pytestmark = pytest.mark.django_db(transaction=True)
MODEL = "gpt-image-2.6-flare"


@pytest.fixture(scope="module")
def process() -> Iterator[SimulatorProcess]:
    with SimulatorProcess() as running:
        yield running


@pytest.fixture
def simulator(process: SimulatorProcess, settings: LazySettings) -> SimulatorProcess:
    process.reset()
    named = ("openai", "removebg")
    settings.PROVIDER_KEYS = settings.PROVIDER_KEYS | dict.fromkeys(named, "simulator")
    settings.PROVIDER_BASES = settings.PROVIDER_BASES | {name: process.base(name) for name in named}
    return process


@pytest.fixture
def run() -> Run:
    lease = lifecycle.claim(lane=JobFactory(kind="prompt").lane, worker="tests")
    assert lease is not None
    return Run(lease=lease, ends=float("inf"))


class Shelf:
    """Keeps files by their content; `full` so often before there is room."""

    def __init__(self, *, full: int = 0) -> None:
        self.files: dict[str, bytes] = {}
        self.full = full
        self.in_ledger: list[str] = []

    def __call__(self, data: bytes, content_type: str) -> str:
        if self.full:
            self.full -= 1
            raise Problem(503, "storage_full", "There is no room.", "Make some.")
        self.in_ledger.append(Call.objects.latest("created_at").state)
        name = f"{hashlib.sha256(data).hexdigest()}.{content_type.partition('/')[2]}"
        self.files[name] = data
        return name


def cup() -> bytes:
    picture = Image.new("RGB", (300, 200), "#e8e6e2")
    ImageDraw.Draw(picture).ellipse((100, 40, 200, 180), fill="#a03020")
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def cut(run: Run, shelf: Shelf) -> Made:
    return pictures.cut_out(
        run, cup(), name="cup.png", content_type="image/png", inputs={"photo": "sha256:1"}, keep=shelf
    )


def edited(run: Run, shelf: Shelf) -> Made:
    part = ImagePart(f"data:image/png;base64,{base64.b64encode(cup()).decode()}")
    request = EditRequest(model=MODEL, prompt="On a table.", pictures=(part,), quality="low", count=2)
    return pictures.edit(run, request, inputs={"prompt": request.prompt}, keep=shelf)


def test_a_cut_out_is_kept_before_the_ledger_says_that_it_came(run: Run, simulator: SimulatorProcess) -> None:
    shelf = Shelf()
    made = cut(run, shelf)

    call = Call.objects.get()
    assert shelf.in_ledger == ["intent"]
    assert (call.state, call.provider, call.purpose, call.cost_usd) == (
        "succeeded",
        "removebg",
        CUT_OUT,
        Decimal("0.20"),
    )
    assert call.result["files"] == list(made.files) == list(shelf.files)
    assert len(simulator.ledger("removebg")) == 1


def test_pictures_of_an_edit_cost_what_their_tokens_say(run: Run, simulator: SimulatorProcess) -> None:
    shelf = Shelf()
    made = edited(run, shelf)

    call = Call.objects.get()
    (purchase,) = simulator.ledger("openai")
    assert len(made.files) == 2
    assert call.cost_usd == Decimal(purchase["cost"])
    assert call.estimate_usd is not None
    assert call.cost_usd < call.estimate_usd
    assert call.usage["output_tokens"] > 0


def test_a_later_attempt_uses_what_an_earlier_one_paid_for(run: Run, simulator: SimulatorProcess) -> None:
    made = cut(run, Shelf())
    assert list(pictures.made_before(run.lease.job_id, purpose=CUT_OUT)) == [made]
    assert list(pictures.made_before(run.lease.job_id, purpose=EDIT)) == []


def test_an_answer_that_nobody_heard_is_not_bought_again_by_itself(run: Run, simulator: SimulatorProcess) -> None:
    simulator.scenario("removebg", create_then_timeout="drop")
    with pytest.raises(TransientNetwork):
        cut(run, Shelf())
    assert list(pictures.made_before(run.lease.job_id, purpose=CUT_OUT)) == []
    with pytest.raises(OutcomeUnknown):
        cut(run, Shelf())
    assert len(simulator.ledger("removebg")) == 1
    assert Call.objects.get().state == "unknown"


def test_a_worker_that_died_before_the_file_was_kept_leaves_it_to_a_person(
    run: Run, simulator: SimulatorProcess
) -> None:
    def dies(data: bytes, content_type: str) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cut(run, dies)  # type: ignore[arg-type]
    assert Call.objects.get().state == "intent"
    assert list(pictures.made_before(run.lease.job_id, purpose=CUT_OUT)) == []
    assert Call.objects.get().state == "unknown"
    with pytest.raises(OutcomeUnknown):
        cut(run, Shelf())


def test_room_is_waited_for_since_the_picture_is_paid(
    run: Run, simulator: SimulatorProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "STORAGE_PAUSE_SECONDS", 0.01)
    shelf = Shelf(full=3)
    assert cut(run, shelf).files == tuple(shelf.files)
    assert len(simulator.ledger("removebg")) == 1


def test_a_refusal_costs_nothing_and_is_told(run: Run, simulator: SimulatorProcess) -> None:
    simulator.scenario("openai", refusal=True)
    with pytest.raises(ContentRefused):
        edited(run, Shelf())
    assert Call.objects.values_list("state", "cost_usd").get()[0] == "failed"
