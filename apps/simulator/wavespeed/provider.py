"""WaveSpeed's endpoints below `/wavespeed/api/v3`, and its downloads below `/wavespeed-cdn`."""

from collections.abc import Awaitable, Callable
from typing import Any

from apps.simulator.messages import Exchange, Handler, Reply
from apps.simulator.scenarios import Subject
from apps.simulator.simulation import Simulation
from apps.simulator.wavespeed import errors
from apps.simulator.wavespeed.account import AccountViews
from apps.simulator.wavespeed.downloads import UPLOADS, Downloads
from apps.simulator.wavespeed.predictions import Predictions

BASE = "/wavespeed/api/v3"
NOT_MODELS = ("predictions", "models", "model/price", "media/", "balance", "webhook/", "billings/", "user/")


class WaveSpeed:
    name = "wavespeed"

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._downloads = Downloads(simulation)
        self._predictions = Predictions(simulation, self._downloads)
        self._account = AccountViews(simulation, self._downloads)

    def reset(self) -> None:
        self._predictions.reset()
        self._downloads.reset()

    def resume(self) -> None:
        self._predictions.resume()

    def routes(self) -> list[tuple[str, str, Handler]]:
        predictions, account = self._predictions, self._account
        with_key = [
            ("GET", "/predictions/{id}/result", predictions.show),
            ("GET", "/predictions/{id}", predictions.show),
            ("POST", "/predictions", predictions.list),
            ("POST", "/predictions/delete", predictions.delete),
            ("GET", "/models", account.list_models),
            ("POST", "/model/price", account.price),
            ("GET", "/balance", account.balance),
            ("GET", "/webhook/secret", account.webhook_secret),
            ("POST", "/media/upload/binary", account.upload),
            ("POST", "/media/uploads", account.announce_upload),
            ("POST", "/{model_id:.+}", predictions.submit),
            ("*", "/{rest:.*}", self.not_found),
        ]
        return [
            ("GET", "/wavespeed-cdn/{id}/{file}", self._downloads.serve),
            ("PUT", f"/wavespeed-cdn/{UPLOADS}/{{file}}", self._downloads.take_upload),
            *((method, BASE + path, self._with_key(handler)) for method, path, handler in with_key),
        ]

    def subject(self, *, method: str, path: str, body: Any) -> Subject:
        model_id = path.removeprefix(BASE + "/")
        if method != "POST" or model_id == path or model_id.startswith(NOT_MODELS):
            return Subject()
        fields = body if isinstance(body, dict) else {}
        return Subject(model=model_id, prompt=str(fields.get("prompt", "")), is_purchase=True)

    def error(self, status: int, message: str | None) -> Reply:
        return errors.reply(status, message)

    def _with_key(self, handler: Handler) -> Callable[[Exchange], Awaitable[Reply]]:
        async def checked(exchange: Exchange) -> Reply:
            key = exchange.bearer
            if key is None or not self._simulation.account(self.name).accepts(key):
                raise errors.refused(401)
            return await handler(exchange)

        return checked

    async def not_found(self, exchange: Exchange) -> Reply:
        raise errors.refused(404)
