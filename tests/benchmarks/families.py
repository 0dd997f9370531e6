"""How long a parent's children take to be made, in chunks, and to be looked for again when all are there.

python -m tests.benchmarks.families --children 100000
"""

import argparse
import time
from collections.abc import Iterator

from tests.benchmarks.ground import ground, table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--children", type=int, default=100_000)
    count = parser.parse_args().children
    with ground():
        from apps.accounts.models import User
        from apps.jobs import families, lifecycle
        from apps.jobs.models import Job
        from apps.jobs.states import AfterChildren
        from apps.jobs.values import NewJob

        owner = User.objects.create(username="ada")
        new = NewJob(kind="noop", owner_id=owner.pk, after_children=AfterChildren.END)
        parent = lifecycle.enqueue([new])[new.uid]

        def plan() -> Iterator[NewJob]:
            return (NewJob(kind="noop", owner_id=owner.pk, slot=str(number)) for number in range(count))

        rows = []
        for what in ("made", "looked for again"):
            begun, cpu = time.perf_counter(), time.process_time()
            assert families.enqueue_many(parent, plan())
            took, used = time.perf_counter() - begun, time.process_time() - cpu
            rows.append((f"{count:,} children {what}", f"{took:.1f}", f"{count / took:,.0f}", f"{used:.1f}"))
        assert Job.objects.get(pk=parent).open_children == count
        begun = time.perf_counter()
        assert families.progress([parent]) == {parent: {"queued": count}}
        rows.append((f"progress of {count:,}", f"{time.perf_counter() - begun:.2f}", "", ""))
        print(table(["", "s", "children/s", "our CPU s"], rows))


if __name__ == "__main__":
    main()
