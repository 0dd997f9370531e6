"""What things will cost, before they are asked for.

An image: as WaveSpeed quotes it; else by our dated table; else as the last one of its model cost; else as the dearest
of our table. A prompt: an upper
estimate from the price table, since its tokens are only counted afterwards.
"""

from datetime import timedelta
from uuid import UUID

from django.conf import settings

from apps.accounts.models import User
from apps.core.clock import database_now
from apps.orders.chain import ERROR
from apps.orders.quotes import Item, Price, Quote
from apps.providers import pricing, spending
from apps.providers.errors import ProviderError
from apps.providers.models import Call
from apps.providers.spending import Wanted
from apps.providers.wavespeed import prices
from apps.providers.wavespeed.client import WavespeedClient
from apps.studio.image_inputs import inputs_for
from apps.studio.models import ImageJob, PromptJob, Row
from apps.studio.owned import find_row
from apps.studio.prompting.chain import chain
from apps.studio.prompting.reuse import written_before
from apps.studio.prompting.strategies import MAX_TOKENS, pick, strategy_of, user_text
from apps.studio.rows import references_of
from apps.studio.sizes import output_size

IMAGES, PROMPTS = "wavespeed", "xai"
PATIENCE = 3.0  # seconds for a price that a person waits for
_STILL_TRUE = timedelta(days=7)
_ANY_ADDRESS = "https://pictures.invalid/"  # a price depends on how many pictures there are, not on which


def quote_row(*, user: User, row_id: UUID, count: int | None = None, use_ai_prompt: bool = False) -> Quote:
    """What Generate or AI Generate would cost for a row now. Asks WaveSpeed for its price when it is not known."""
    row = find_row(user, row_id)
    model = row.workspace.generation_model or settings.IMAGE_MODEL
    pictures = len(references_of(row)) + 1
    size = output_size(row, row.target_url) if row.target_url else (row.workspace.output_width,) * 2
    images = count or row.workspace.images_per_generate
    items = [Item("image", IMAGES, model, images, asked_price(model, pictures=pictures, size=size))]
    if use_ai_prompt:
        first = chain()[0].model
        items.append(Item("prompt", PROMPTS, first, 1, prompt_price(first, _asked_of(row))))
    budgets = spending.standings(owner_id=row.workspace.owner_id, providers={item.provider for item in items})
    return Quote(items, budgets)


def asked_price(model: str, *, pictures: int, size: tuple[int, int], seconds: float = PATIENCE) -> Price:
    """Of one image; asks WaveSpeed, which charges nothing for it. Never inside a transaction."""
    try:
        amount = WavespeedClient.from_settings().price(model, _inputs(model, pictures, size), seconds=seconds)
        return Price(amount, "quoted")
    except ProviderError:
        return known_price(model, pictures=pictures, size=size)


def known_price(model: str, *, pictures: int, size: tuple[int, int]) -> Price:
    """Of one image, without asking anybody: nothing may hold up a job that is being queued."""
    told = prices.recall(prices.key_of(settings.PROVIDER_BASES["wavespeed"], model, _inputs(model, pictures, size)))
    if told is not None:
        return Price(told, "quoted")
    listed = pricing.for_output(IMAGES, model)
    if listed is not None:
        return Price(listed, "priced")
    calls = Call.objects.filter(
        provider=IMAGES, model_asked=model, cost_usd__gt=0, created_at__gt=database_now() - _STILL_TRUE
    )
    last = calls.order_by("-created_at").values_list("cost_usd", flat=True).first()
    if last is not None:
        return Price(last, "last")
    dearest = pricing.dearest_output(IMAGES)
    return Price(dearest, "none" if dearest is None else "at_most")


def prompt_price(model: str, asked: PromptJob) -> Price:
    """The most that one answer of a model can cost."""
    pictures = len(asked.ref_urls) + 1
    words = len(strategy_of(asked).system) + len(user_text(asked, references=len(asked.ref_urls)))
    amount = pricing.at_most(PROMPTS, model, pictures=pictures, characters=words, max_tokens=MAX_TOKENS)
    return Price(amount, "none" if amount is None else "at_most")


def _inputs(model: str, pictures: int, size: tuple[int, int]) -> dict[str, object]:
    return inputs_for(model, prompt="-", urls=[_ANY_ADDRESS] * pictures, size=size, seed=0)


def _asked_of(row: Row) -> PromptJob:
    """The prompt job that AI Generate would make; it is not saved."""
    strategy = pick(row.workspace, operation=PromptJob.Operation.GENERATE, row=row.pk, generation=row.generation)
    return PromptJob(
        row=row,
        ref_urls=references_of(row),
        target_url=row.target_url,
        strategy=strategy.name,
        strategy_version=strategy.version,
    )


def wanted_for_prompt(asked: PromptJob, owner_id: int) -> Wanted:
    """What to set aside for it: the cheapest answer of the chain. Before a dearer model is asked, the rest is added.

    A prompt that was written before costs nothing.
    """
    if written_before(asked):
        return Wanted(asked.job_id, owner_id, PROMPTS, spending.ZERO)
    entries = chain()
    models = [entry.model for entry in entries if entry is entries[0] or entry.steps_in_for(ERROR)]
    amounts = [price for model in models if (price := prompt_price(model, asked).amount) is not None]
    return Wanted(asked.job_id, owner_id, PROMPTS, min(amounts, default=spending.ZERO))


def wanted_for_image(asked: ImageJob, owner_id: int) -> Wanted:
    price = known_price(asked.generation_model, pictures=len(asked.image_urls), size=(asked.width, asked.height))
    return Wanted(asked.job_id, owner_id, IMAGES, price.amount or spending.ZERO)
