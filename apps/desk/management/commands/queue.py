"""`manage.py queue`: see how the queue stands, and steer it."""

import json
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from apps.accounts.audit import AuditEntry, machine_user, record
from apps.desk import operations
from apps.desk.operations import LaneFacts, Redrive
from apps.jobs import lanes

MOST_REDRIVEN = 1000


class Command(BaseCommand):
    help = "See how the queue stands; pause, resume, drain or stop it; hold a provider or a person; redrive failures."

    def add_arguments(self, parser: CommandParser) -> None:
        shared = CommandParser(add_help=False)
        shared.add_argument("--json", action="store_true", help="for programs: one JSON document")
        shared.add_argument("--by", default="", help="who does it (default: the user of this machine)")
        shared.add_argument("--why", default="", help="a word for those who see it")
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        verbs.add_parser("stats", parents=[shared], help="every lane: what waits and runs, its limits, what holds it")
        for verb, words in {
            "pause": "start nothing more of a lane; what runs goes on",
            "resume": "go on",
            "drain": "pause, and wait until what runs has ended",
        }.items():
            one = verbs.add_parser(verb, parents=[shared], help=words)
            one.add_argument("lane", choices=settings.LANES)
            if verb == "drain":
                one.add_argument("--seconds", type=float, default=600, help="how long to wait (default: 600)")
        verbs.add_parser("stop", parents=[shared], help="pause every lane and ask what runs to stop")
        for verb, words in {
            "hold": "start nothing of a provider or a person",
            "release": "put right: lift every hold, close its breakers",
        }.items():
            one = verbs.add_parser(verb, parents=[shared], help=words)
            one.add_argument("what", choices=["provider", "owner"])
            one.add_argument("name")
        self._add_redrive(verbs, shared)

    def _add_redrive(self, verbs: Any, shared: CommandParser) -> None:
        redrive = verbs.add_parser("redrive", parents=[shared], help="try failed jobs again")
        redrive.add_argument("--dry-run", action="store_true", help="only say how many and what they may cost")
        redrive.add_argument("--code", default="", help="only those that failed with this code")
        redrive.add_argument("--lane", default="", choices=["", *settings.LANES])
        redrive.add_argument("--owner", default="", help="only this person's")
        redrive.add_argument("--hours", type=float, default=24, help="that failed within so many hours (default: 24)")
        redrive.add_argument("--most", type=int, default=MOST_REDRIVEN, help="the newest so many (default: 1000)")

    def handle(self, *, verb: str, **options: Any) -> None:
        said, options["by"] = options["by"], options["by"] or machine_user()
        try:
            answer, words = getattr(self, f"_{verb}")(options)
        except ValueError as error:
            raise CommandError(str(error)) from error
        if verb != "stats" and not options.get("dry_run"):
            subject = options.get("name") or options.get("lane") or ""
            record(
                via=AuditEntry.Via.COMMAND,
                action=f"queue {verb}",
                subject=subject,
                detail={"by": said, "why": options["why"]},
            )
        self.stdout.write(json.dumps(answer, cls=DjangoJSONEncoder, indent=2) if options["json"] else words)

    def _stats(self, options: dict[str, Any]) -> tuple[object, str]:
        facts = operations.stats()
        return [asdict(lane) for lane in facts], "\n".join([_HEAD, *(_line(lane) for lane in facts), *_matters(facts)])

    def _pause(self, options: dict[str, Any]) -> tuple[object, str]:
        lanes.pause(options["lane"], by=options["by"], note=options["why"])
        return {"lane": options["lane"], "paused": True}, f"{options['lane']} is paused. What runs goes on."

    def _resume(self, options: dict[str, Any]) -> tuple[object, str]:
        lanes.resume(options["lane"])
        return {"lane": options["lane"], "paused": False}, f"{options['lane']} goes on."

    def _drain(self, options: dict[str, Any]) -> tuple[object, str]:
        lane = options["lane"]
        drained = operations.drain(lane, by=options["by"], note=options["why"], seconds=options["seconds"])
        words = f"{drained.running} still run" if drained.running else "nothing runs any more"
        return asdict(drained), f"{lane} is paused; {words}. `manage.py queue resume {lane}` lets it go on."

    def _stop(self, options: dict[str, Any]) -> tuple[object, str]:
        asked = operations.stop(by=options["by"], note=options["why"])
        words = f"No job starts until its lane is resumed. {asked} running jobs were asked to stop."
        return {"stopped": list(settings.LANES), "asked": asked}, words

    def _hold(self, options: dict[str, Any]) -> tuple[object, str]:
        hold = operations.hold_provider if options["what"] == "provider" else operations.hold_owner
        hold(options["name"], by=options["by"], note=options["why"])
        return _held(options, True), f"Nothing of {options['name']} starts until it is released."

    def _release(self, options: dict[str, Any]) -> tuple[object, str]:
        release = operations.release_provider if options["what"] == "provider" else operations.release_owner
        release(options["name"])
        return _held(options, False), f"{options['name']} goes on, at once."

    def _redrive(self, options: dict[str, Any]) -> tuple[object, str]:
        since = timezone.now() - timedelta(hours=options["hours"])
        failed = operations.failed_jobs(
            code=options["code"], lane=options["lane"], owner=options["owner"], since=since
        ).select_related("owner")
        redriven = operations.redrive(failed[: options["most"]], dry_run=options["dry_run"])
        return asdict(redriven) | {"dry_run": options["dry_run"]}, _redriven(redriven, dry_run=options["dry_run"])


_HEAD = f"{'lane':<12}{'queued':>8}{'waiting':>9}{'sched.':>8}{'running':>9}{'limit':>7}{'processes':>11}  {'wait':<12} held by"


def _line(lane: LaneFacts) -> str:
    wait = "not known" if lane.wait_p50 is None else f"{lane.wait_p50:.0f}–{lane.wait_p90:.0f} s"
    held = "; ".join(
        f"{hold.scope} {hold.key}: {hold.reason}" + (f" by {hold.by}" if hold.by else "") for hold in lane.holds
    )
    limit = "–" if lane.limit is None else lane.limit
    return (
        f"{lane.lane:<12}{lane.queued:>8}{lane.waiting:>9}{lane.scheduled:>8}{lane.running:>9}{limit:>7}"
        f"{lane.processes:>11}  {wait:<12} {held}"
    )


def _matters(facts: list[LaneFacts]) -> list[str]:
    """A line for each thing that is the matter with a provider: what, when it is tried next, what to do."""
    told = {(hold.key, hold.cause): hold for lane in facts for hold in lane.holds if hold.cause}
    return [
        f"{hold.said} {f'Tried next at {hold.until:%H:%M:%S} UTC. ' if hold.until else ''}{hold.action}"
        for hold in told.values()
    ]


def _held(options: dict[str, Any], held: bool) -> dict[str, object]:
    return {"what": options["what"], "name": options["name"], "held": held}


def _redriven(redriven: Redrive, *, dry_run: bool) -> str:
    codes = ", ".join(f"{count} {code}" for code, count in sorted(redriven.by_code.items())) or "none"
    cost = "a cost that is not known" if redriven.cost_usd is None else f"about ${redriven.cost_usd:.4f}"
    if dry_run:
        return f"{redriven.count} failed jobs would be tried again ({codes}), for {cost}. Nothing was done."
    left = f" {redriven.left} could not be." if redriven.left else ""
    return f"{redriven.made} of {redriven.count} failed jobs are tried again ({codes}), for {cost}.{left}"
