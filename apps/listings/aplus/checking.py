"""Everything that is said of a page: what keeps it from being taken, what Amazon rejects, and what no fact proves."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from apps.listings.aplus.claims import facts_told, unproven
from apps.listings.aplus.linting import BLOCK, Finding, findings_in
from apps.listings.aplus.pages import Fault, Page, faults_of
from apps.listings.models import Project


@dataclass(frozen=True)
class Checked:
    faults: Sequence[Fault]
    findings: Sequence[Finding]

    @property
    def ready(self) -> bool:
        return not self.faults and not any(finding.severity == BLOCK for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        return {
            "ready": self.ready,
            "faults": [fault.as_json() for fault in self.faults],
            "findings": [finding.as_json() for finding in self.findings],
        }


def checked(project: Project, page: Page, *, locale: str) -> Checked:
    facts = facts_told(list(project.facts.all()))
    pairs = [(key, value) for key, _, value in facts]
    findings = findings_in(page, locale=locale, brand=project.brand or project.name, facts=pairs)
    return Checked(faults_of(page), [*findings, *unproven(page, locale=locale, facts=facts)])
