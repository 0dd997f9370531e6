"""Which rows of a workspace are in which state: what filters, search, numbers and pages need, without the rows themselves.

A row's state is not stored but follows from its jobs, so it is read for all rows of the workspace: six small queries,
however many rows there are.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from uuid import UUID

from django.db.models import F, Max

from apps.jobs.models import Job
from apps.studio.models import GeneratedImage, ImageJob, PromptJob, Row, Workspace
from apps.studio.rows import latest_tries, status_of

# What the filter says, and the states it means. A person is needed where something failed, too.
FILTERS = {
    "": ("All", frozenset[str]()),
    "needs-you": ("Needs you", frozenset({"needs_you", "error", "partial"})),
    "working": ("Working", frozenset({"queued", "running"})),
    "done": ("Done", frozenset({"done"})),
}


@dataclass(frozen=True)
class Entry:
    """`number` is the row's place in the workspace, from 1, whatever is filtered."""

    id: UUID
    number: int
    status: str
    text: str


@dataclass(frozen=True)
class RowIndex:
    entries: list[Entry]

    def counts(self) -> dict[str, int]:
        tally = Counter(entry.status for entry in self.entries)
        return {
            key: sum(tally[state] for state in states) if states else len(self.entries)
            for key, (_, states) in FILTERS.items()
        }

    def matching(self, *, state: str = "", query: str = "") -> list[Entry]:
        states = FILTERS[state][1] if state in FILTERS else frozenset()
        wanted = query.casefold().strip()
        return [
            entry
            for entry in self.entries
            if (not states or entry.status in states) and (not wanted or wanted in entry.text)
        ]


def index_of(workspace: Workspace) -> RowIndex:
    rows = workspace.rows.order_by("position", "created_at").values_list(
        "id", "label", "target_url", "prompt_override", "written_prompt"
    )
    jobs, prompts, with_images = _image_jobs(workspace), _prompt_jobs(workspace), _with_images(workspace)
    for job in _unfinished(workspace):
        row_id = UUID(job.subject.removeprefix("row:"))
        (prompts if job.kind == "prompt" else jobs)[row_id].append(job)
    return RowIndex(
        [
            Entry(
                id=row_id,
                number=number,
                status=status_of(latest_tries(jobs[row_id]), prompts[row_id], has_images=row_id in with_images),
                text=" ".join(words).casefold(),
            )
            for number, (row_id, *words) in enumerate(rows, 1)
        ]
    )


def _image_jobs(workspace: Workspace) -> dict[UUID | None, list[Job]]:
    found: dict[UUID | None, list[Job]] = defaultdict(list)
    details = ImageJob.objects.filter(row__workspace=workspace, generation=F("row__generation"))
    for detail in details.select_related("job").only("row_id", "job__status", "job__reason", "job__retry_of"):
        found[detail.row_id].append(detail.job)
    return found


def _unfinished(workspace: Workspace) -> list[Job]:
    """Of runs before the latest, too. The owner's other workspaces come with them: they fit in no row here."""
    ours = Job.objects.live().filter(owner_id=workspace.owner_id, subject__startswith="row:")
    return list(ours.only("subject", "kind", "status", "reason", "retry_of"))


def _prompt_jobs(workspace: Workspace) -> dict[UUID | None, list[Job]]:
    ours = PromptJob.objects.filter(row__workspace=workspace)
    newest = ours.values("row").annotate(newest=Max("job_id")).values("newest")
    details = PromptJob.objects.filter(job_id__in=newest).select_related("job")
    found: dict[UUID | None, list[Job]] = defaultdict(list)
    for detail in details.only("row_id", "job__status", "job__reason"):
        found[detail.row_id].append(detail.job)
    return found


def _with_images(workspace: Workspace) -> set[UUID | None]:
    made = GeneratedImage.objects.filter(row__workspace=workspace, late=False)
    return set(made.order_by().values_list("row_id", flat=True).distinct())


def number_of(row: Row) -> int:
    """The row's place in its workspace, from 1."""
    ahead = row.workspace.rows.filter(position__lt=row.position).count()
    same = row.workspace.rows.filter(position=row.position, created_at__lt=row.created_at).count()
    return ahead + same + 1
