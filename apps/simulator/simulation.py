"""Everything the providers share while the process lives: clock, records, accounts, pictures."""

from concurrent.futures import ThreadPoolExecutor

from apps.simulator.accounts import OPENING_BALANCE, Account
from apps.simulator.clock import Clock
from apps.simulator.journal import Journal, Ledger, Traffic
from apps.simulator.latency import Latency
from apps.simulator.magic import Magic
from apps.simulator.options import Options
from apps.simulator.photographs import Photographs
from apps.simulator.scenarios import Scenarios

DRAWING_THREADS = 2


class Simulation:
    """`url` is the address replies name; it is known only once the port is bound."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.url = options.public_url
        self.clock = Clock()
        self.latency = Latency(scale=options.latency_scale, seed=options.seed)
        self.ledger = Ledger(options.ledger_file)
        self.journal = Journal()
        self.scenarios = Scenarios()
        self.magic = Magic()
        self.threads = ThreadPoolExecutor(max_workers=DRAWING_THREADS, thread_name_prefix="pictures")
        self.photographs = Photographs(self.threads)
        self.accounts: dict[str, Account] = {}
        self.traffic: dict[str, Traffic] = {}

    def account(self, provider: str) -> Account:
        if provider not in self.accounts:
            self.accounts[provider] = Account(keys=self.options.accept_keys, balance=OPENING_BALANCE.get(provider))
        return self.accounts[provider]

    def traffic_of(self, provider: str) -> Traffic:
        return self.traffic.setdefault(provider, Traffic())

    def reset(self) -> None:
        self.clock.reset()
        self.journal.clear()
        self.ledger.clear()
        self.scenarios.clear()
        self.magic.clear()
        self.accounts.clear()
        self.traffic.clear()
