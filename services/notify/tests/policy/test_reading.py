"""notify.yaml is read strictly: what would reach nobody, or everybody, is refused where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from chassis.policies.check import check
from chassis.policies.pack import read_documents
from notify.policy import SECTION

PACK = Path(__file__).resolve().parents[4] / "policies" / "consumer-goods"


@pytest.mark.parametrize(
    ("there", "instead", "said"),
    [
        ("  marketing: required", "  marketing: always", "marketing without consent is against the law"),
        ('  until: "08:00"', '  until: "21:00"', "the quiet hours last all day or not at all"),
        ("event: complaint.breached", "event: complaint.breeched", "did you mean `complaint.breached`?"),
        ("to: [handler, superior]", "to: [handler, king]", "`king` is not known here"),
        ("to: [account_manager]", "to: [receiver]", "visit.planned names no receiver"),
        ("to: [account_manager]", "to: [{role: wizard}]", "`wizard` is not known here"),
        ("when: {purpose: follow}", "when: {purpos: follow}", "did you mean `purpose`?"),
        ("name: complaint_closed", "name: complaint_resolved", "is there twice"),
        ("order: [sms, email", "order: [sms, sms", "is there twice"),
        ("retry_at_most: 1 hour", "retry_at_most: 1 second", "cannot be counted in seconds here"),
        ("  care: 4\n", "  care: 4\n  service: 9\n", "service messages are never counted"),
    ],
)
def test_a_slip_of_the_pen_is_told_with_its_mend(tmp_path, there, instead, said):
    folder = tmp_path / "consumer-goods"
    folder.mkdir()
    for file, content in read_documents(PACK).items():
        if file.endswith("/notify.yaml"):
            assert there in content, f"{there!r} no longer stands in notify.yaml"
            content = content.replace(there, instead, 1)  # noqa: PLW2901
        (folder / file.split("/")[1]).write_text(content, encoding="utf-8")

    told = [f"{one}" for one in check(folder, [SECTION]).problems]

    assert any(said in one for one in told), told


def test_the_default_pack_is_sound_and_every_route_has_its_clause():
    report = check(PACK, [SECTION])
    assert report.problems == ()
    rules = SECTION.read(report.pack)
    assert {route.clause for route in rules.routes} >= {"CG-13", "CG-14", "CG-16", "CG-22", "FR-07"}
