"""A stack whose failpoints a test arms while it runs."""

from pathlib import Path

from apps.jobs.models import Job
from tests.support.stack import Stack, wait_until

QUICKER = {"PRESSROOM_RECONCILE_SECONDS": "0.5", "PRESSROOM_LOOKUP_GRACE_SECONDS": "2"}


class FaultStack(Stack):
    def __init__(self, folder: Path, **environment: str) -> None:
        self.plan = folder / "failpoints"
        armable = {"PRESSROOM_FAILPOINTS": f"@{self.plan}", "PRESSROOM_FAILPOINTS_DIR": str(folder)}
        super().__init__(folder, **(QUICKER | armable | environment))

    def arm(self, **actions: str) -> None:
        """`arm(after_submit="kill")`: whoever gets there first."""
        self._add(actions)

    def arm_for(self, job: Job, place: str, action: str) -> None:
        """Only for this job, which may be on its way already: arm before it can get there."""
        self._add({f"{place}@{job.uid}": action})

    def used(self, place: str, job: Job | None = None) -> int:
        name = f"{place}@{job.uid}" if job else place
        return len(list(self.folder.glob(f"failpoint.{name}.*")))

    def wait_used(self, place: str, job: Job | None = None) -> None:
        wait_until(lambda: self.used(place, job), seconds=60, what=f"the failpoint {place} is reached")

    def disarm(self) -> None:
        self.plan.unlink(missing_ok=True)
        for file in self.folder.glob("failpoint.*"):
            file.unlink()

    def _add(self, actions: dict[str, str]) -> None:
        given = self.plan.read_text() if self.plan.exists() else ""
        entries = [given, *(f"{place}={action}" for place, action in actions.items())]
        # In one piece: a worker may be reading it.
        unfinished = self.plan.with_suffix(".new")
        unfinished.write_text(",".join(entry for entry in entries if entry))
        unfinished.replace(self.plan)
