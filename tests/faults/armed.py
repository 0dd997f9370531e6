"""A stack whose failpoints a test arms while it runs."""

from pathlib import Path

from apps.jobs.models import Job
from tests.faults import scene
from tests.support.stack import Stack, wait_until

QUICKER = {"PRESSROOM_RECONCILE_SECONDS": "0.5", "PRESSROOM_LOOKUP_GRACE_SECONDS": "2"}


class FaultStack(Stack):
    def __init__(self, folder: Path, **environment: str) -> None:
        self.plan = folder / "failpoints"
        armable = {"PRESSROOM_FAILPOINTS": f"@{self.plan}", "PRESSROOM_FAILPOINTS_DIR": str(folder)}
        super().__init__(folder, **(QUICKER | armable | environment))

    def start_over(self) -> None:
        """Nothing armed, nothing bought, and every image one small picture: drawing must not use up the machine."""
        self.disarm()
        self.simulator.reset()
        self._result = scene.upload_result(self.simulator)
        self._rest = self._results()

    def spoil(self, *, times: int | None = 1, **effect: object) -> None:
        """What the next orders of images meet; the simulator obeys the scenario that came first."""
        self.simulator.end_scenario(self._rest)
        self.simulator.scenario(
            "wavespeed", match={"model": scene.MODEL}, times=times, **({"output_url": self._result} | effect)
        )
        self._rest = self._results()

    def _results(self) -> str:
        return self.simulator.scenario("wavespeed", match={"model": scene.MODEL}, times=None, output_url=self._result)

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

    def process_at(self, place: str, job: Job) -> int:
        """The process that this failpoint stopped."""
        self.wait_used(place, job)
        return int((self.folder / f"failpoint.{place}@{job.uid}.0").read_text())

    def is_busy(self, process: int) -> bool:
        """Whether it still works on what it was stopped at: an idle child only reads its pipe."""
        try:
            state = Path("/proc", str(process), "wchan").read_text()
        except OSError:
            return False
        return "pipe_read" not in state and "unix_stream" not in state

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
