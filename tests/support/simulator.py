"""The simulator as a child process, for every suite that needs providers."""

import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

import requests

from apps.providers.registry import PROVIDERS

ROOT = Path(__file__).resolve().parents[2]
READY = "simulator ready "
PATIENCE = 20  # seconds for a control call


class SimulatorProcess:
    """Use as a context manager. `arguments` go to `python -m apps.simulator`.

    A latency scale of 0 answers at once; `url`, `xai_base` and `wavespeed_base` are valid while it runs.
    """

    def __init__(self, *arguments: str, latency_scale: float = 0, port: int = 0) -> None:
        self._command = [
            sys.executable, "-m", "apps.simulator", "--port", str(port), "--latency-scale", str(latency_scale),
            *arguments,
        ]  # fmt: skip
        self.process: subprocess.Popen[str] | None = None
        self.url = ""

    def __enter__(self) -> "SimulatorProcess":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Raises RuntimeError when it does not come up."""
        self.process = subprocess.Popen(self._command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line.startswith(READY):
            self.stop()
            raise RuntimeError(f"The simulator did not start; it said {line!r}.")
        self.url = line.removeprefix(READY).strip()

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=10)
            if self.process.stdout is not None:
                self.process.stdout.close()
            self.process = None

    def kill(self) -> None:
        """No chance to say goodbye: what a power cut leaves."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(timeout=10)

    @property
    def xai_base(self) -> str:
        return f"{self.url}/xai/v1"

    @property
    def wavespeed_base(self) -> str:
        return f"{self.url}/wavespeed"

    def base(self, provider: str) -> str:
        """What stands for a provider's own address."""
        return self.url + PROVIDERS[provider].simulated_at

    def scenario(
        self,
        provider: str,
        *,
        match: dict[str, Any] | None = None,
        times: int | None = 1,
        **effect: Any,
    ) -> str:
        """The next `times` calls that fit `match` misbehave (None = for ever). Returns the scenario's id."""
        body = {"provider": provider, "match": match or {}, "effect": effect, "times": times}
        return self._call("POST", "/__sim/scenario", json=body)["id"]

    def end_scenario(self, scenario_id: str) -> None:
        self._call("DELETE", f"/__sim/scenario/{scenario_id}")

    def account(self, provider: str, **limits: Any) -> None:
        """`level`, `requests_per_minute`, `requests_per_second`, `concurrent`, `over_concurrent`, `balance`, `key`."""
        self._call("POST", "/__sim/account", json={"provider": provider, **limits})

    def advance(self, seconds: float) -> None:
        self._call("POST", "/__sim/clock", json={"advance_s": seconds})

    def skew(self, seconds: float) -> None:
        """The time its answers tell is off by so much from now on; what it does keeps its own time."""
        self._call("POST", "/__sim/clock", json={"skew_s": seconds})

    def requests(self, provider: str = "", *, path: str = "", since: int = 0) -> list[dict[str, Any]]:
        query = {"provider": provider, "path": path, "since": since}
        return self._call("GET", "/__sim/requests", params=query)["requests"]

    def ledger(self, provider: str | None = None) -> list[dict[str, Any]]:
        """One entry for each accepted paid call, oldest first."""
        return self._call("GET", "/__sim/ledger", params={"provider": provider} if provider else {})["purchases"]

    def stats(self, provider: str | None = None) -> dict[str, Any]:
        stats = self._call("GET", "/__sim/stats")
        return stats if provider is None else stats.get(provider, {})

    def reset(self) -> None:
        self._call("POST", "/__sim/reset")

    def _call(self, method: str, path: str, **arguments: Any) -> Any:
        reply = requests.request(method, self.url + path, timeout=PATIENCE, **arguments)
        if reply.status_code >= 400:
            raise ValueError(f"The simulator refused {method} {path}: {reply.text}")
        return reply.json() if reply.content else None
