"""A worker of the budget tests, as a process: `python -m tests.providers.spender OWNER NUMBER` spends until it is told to wait."""

import sys
from decimal import Decimal

import django

django.setup()

from apps.providers import calls, spending  # noqa: E402

IMAGE = Decimal("0.04")


def main(owner_id: int, number: int) -> None:
    for job_id in range(number * 1000, number * 1000 + 20):
        if spending.cover(spending.Wanted(job_id, owner_id, "wavespeed", IMAGE)):
            continue
        call = calls.begin(
            job_id=job_id,
            attempt=1,
            owner_id=owner_id,
            provider="wavespeed",
            purpose="submit",
            model="m",
            inputs={},
            product="studio",
            estimate_usd=IMAGE,
        )
        calls.accepted(call, provider_id=f"task-{job_id}")
        calls.set_cost(call, cost_usd=IMAGE, cost_source="quoted")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
