"""The catalogue, prices, the balance, the webhook secret and uploads."""

from apps.simulator.messages import Exchange, Reply
from apps.simulator.simulation import Simulation
from apps.simulator.wavespeed import errors
from apps.simulator.wavespeed.catalogue import BY_ID, MODELS
from apps.simulator.wavespeed.downloads import Downloads
from apps.simulator.wavespeed.uploads import uploaded_file
from apps.simulator.wavespeed.webhooks import SECRET

SHOWN_WHEN_ENDLESS = 1_000_000.0  # USD


class AccountViews:
    def __init__(self, simulation: Simulation, downloads: Downloads) -> None:
        self._simulation = simulation
        self._downloads = downloads

    async def list_models(self, exchange: Exchange) -> Reply:
        return errors.success([model.as_json() for model in MODELS])

    async def price(self, exchange: Exchange) -> Reply:
        body = exchange.json if isinstance(exchange.json, dict) else {}
        model = BY_ID.get(body.get("model_id", ""))
        if model is None:
            raise errors.refused(404, f"model not found: {body.get('model_id')}")
        price = float(model.cost(body.get("inputs") or {}))
        return errors.success(
            {"model_id": model.id, "price": price, "discounted_price": price, "discount_rate": 1, "currency": "USD"}
        )

    async def balance(self, exchange: Exchange) -> Reply:
        left = self._simulation.account("wavespeed").balance
        return errors.success({"balance": SHOWN_WHEN_ENDLESS if left is None else float(left)})

    async def webhook_secret(self, exchange: Exchange) -> Reply:
        return errors.success({"secret": SECRET})

    async def announce_upload(self, exchange: Exchange) -> Reply:
        return self._downloads.announce_upload(exchange)

    async def upload(self, exchange: Exchange) -> Reply:
        filename, data = uploaded_file(exchange)
        url = self._downloads.keep_upload(data, filename)
        return errors.success({"type": "image", "download_url": url, "filename": filename, "size": len(data)})
