"""The rules on images whose faults are known: nothing bad passes where it matters, and few false alarms."""

from tests.listings.judged import STRICT, judge


def test_the_rules_find_what_was_put_in_and_leave_the_rest_alone() -> None:
    scores, wrong, count = judge()
    assert count >= 60
    assert {rule: scores[rule].missed for rule in STRICT} == dict.fromkeys(STRICT, 0), wrong
    assert all(scores[rule].hits for rule in STRICT)
    alarms = sum(score.alarms for score in scores.values())
    judged = alarms + sum(score.quiet for score in scores.values())
    assert alarms <= 0.05 * judged, wrong
    missed = sum(score.missed for score in scores.values())
    found = sum(score.hits for score in scores.values())
    assert missed <= 0.1 * (missed + found), wrong
