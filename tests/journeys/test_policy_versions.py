"""Old and new policy side by side: every decision rests on the version in force when its fact happened, and says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chassis.runtime import Runtime
from chassis.testkit.builders import Purchase
from tests.pair import Pair

pytestmark = pytest.mark.database

PACK = Path(__file__).resolve().parents[2] / "policies" / "consumer-goods"
OLD, NEW = "consumer-goods 1.0", "consumer-goods 2.0"
TOMORROW = datetime(2026, 11, 21, tzinfo=UTC)


def changed_pack(**changes: tuple[str, str]) -> dict[str, str]:
    """The default pack as files of version 2.0, with one text of a file exchanged for another."""
    files = {path.name: path.read_text(encoding="utf-8") for path in PACK.glob("*.yaml")}
    for name, (before, after) in {"pack": ('version: "1.0"', 'version: "2.0"'), **changes}.items():
        assert files[f"{name}.yaml"].count(before) == 1, f"{name}.yaml has no single {before!r}"
        files[f"{name}.yaml"] = files[f"{name}.yaml"].replace(before, after)
    return {f"consumer-goods/{name}": content for name, content in files.items()}


def activate(pair: Pair, runtime: Runtime, hash: str, effective_from: datetime) -> None:
    """One person proposes, another agrees."""
    under = f"services/{runtime.service.name}"
    wanted = {"hash": hash, "effective_from": effective_from.isoformat()}
    proposed = pair.post(runtime, f"{under}/policies/activate", wanted)
    assert proposed["status"] == "proposed"
    approved = pair.post(runtime, f"{under}/approvals/{proposed['id']}/approve", username="second")
    assert approved["status"] == "approved"
    assert approved["decided_by"]["username"] == "second"


def versions(pair: Pair, runtime: Runtime) -> dict[str, dict[str, Any]]:
    """What the service knows, by the short name that decisions cite."""
    found = pair.get(runtime, f"services/{runtime.service.name}/policies")["items"]
    return {f"{version['pack']} {version['version']}": version for version in found}


def test_points_cite_the_version_of_the_moment_they_were_earned_for(pair: Pair) -> None:
    customer = pair.register("8801")
    new = changed_pack(loyalty=("    points: 1\n    growth: 1", "    points: 3\n    growth: 1"))
    hash = pair.post(pair.loyalty, "services/loyalty/policies", {"files": new})["hash"]
    activate(pair, pair.loyalty, hash, TOMORROW)
    known = versions(pair, pair.loyalty)
    assert (known[OLD]["in_force"], known[NEW]["in_force"]) == (True, False)

    before = Purchase(total="10.00", occurred_at=pair.clock.now())
    pair.tell(before.event())
    pair.clock.travel_to(TOMORROW + timedelta(hours=5))
    after = Purchase(total="10.00", occurred_at=TOMORROW)
    late = Purchase(total="20.00", occurred_at=TOMORROW - timedelta(seconds=1))
    pair.tell(after.event(), late.event())

    known = versions(pair, pair.loyalty)
    assert (known[OLD]["in_force"], known[NEW]["in_force"]) == (False, True)
    assert known[NEW]["activations"][0]["approved_by"] == "second"
    expected = {before.purchase_id: (10, OLD), after.purchase_id: (30, NEW), late.purchase_id: (20, OLD)}
    entries = pair.entries(customer)
    for purchase_id, (points, version) in expected.items():
        entry = entries[f"purchase:{purchase_id}"]
        why = entry["why"]
        assert entry["points"] == points
        assert why["policyversion"] == known[version]["cited"]
        assert why["clause"] == "CG-22"
        assert {step["clause"] for step in why["breakdown"] if step["points"]} == {"CG-22"}
    earned = {event.data["purchase_id"]: event for event in pair.recorded(pair.loyalty, "points.earned.v1")}
    assert {key: event.policyversion for key, event in earned.items()} == {
        purchase_id: known[version]["cited"] for purchase_id, (_, version) in expected.items()
    }
    assert pair.purse(customer)["pending"] == 60

    # The way back: the older one is activated again.
    back = TOMORROW + timedelta(days=1)
    activate(pair, pair.loyalty, known[OLD]["hash"], back)
    pair.clock.travel_to(back + timedelta(hours=1))
    again = Purchase(total="10.00", occurred_at=back)
    between = Purchase(total="10.00", occurred_at=back - timedelta(seconds=1))
    pair.tell(again.event(), between.event(), after.refund("10.00").event())

    entries = pair.entries(customer)
    told = [entries[f"purchase:{each.purchase_id}"] for each in (again, between)]
    assert [entry["points"] for entry in told] == [10, 30]
    assert [entry["why"]["policyversion"] for entry in told] == [known[OLD]["cited"], known[NEW]["cited"]]
    assert pair.purse(customer)["pending"] == 60 - 30 + 40, "a refund takes back what its purchase gave"
    assert pair.in_balance()


def test_grades_cite_the_version_that_their_run_used(pair: Pair) -> None:
    buyers = {name: pair.register(name) for name in ("b0", "b1", "b2", "b3")}
    days = {"b0": [2], "b1": [2], "b2": [2], "b3": [2, 3]}
    pair.tell(
        *(
            Purchase(
                identity=f"card:{name}",
                total=f"{100 + 100 * place}.00",
                occurred_at=pair.clock.now() - timedelta(days=ago),
            ).event()
            for place, name in enumerate(buyers)
            for ago in days[name]
        )
    )
    hash = pair.post(
        pair.customer,
        "services/customer/policies",
        {
            "files": changed_pack(
                customer=("      - grade: gold\n        at: 50", "      - grade: gold\n        at: 20")
            )
        },
    )["hash"]
    activate(pair, pair.customer, hash, TOMORROW)
    known = versions(pair, pair.customer)

    def graded() -> tuple[str, dict[str, dict[str, Any]]]:
        job = pair.post(pair.customer, "gradings", {"scheme": "value"})
        pair.settle(pair.customer)
        run = pair.client(pair.customer).get(job["result_url"]).json
        assert run["status"] == "done"
        details = {name: pair.get(pair.customer, f"customers/{id}")["grade_detail"] for name, id in buyers.items()}
        assert {detail["clause"] for detail in details.values()} == {"CG-09"}
        return run["id"], details

    first, old = graded()
    pair.clock.travel_to(TOMORROW + timedelta(hours=5))
    second, new = graded()

    # b3 is first by amount and frequency, 80; b2 second by amount, 33.3: gold by the new version only.
    ordinary = dict.fromkeys(buyers, "ordinary")
    assert {name: detail["value"] for name, detail in old.items()} == ordinary | {"b3": "platinum"}
    assert {name: detail["value"] for name, detail in new.items()} == ordinary | {"b3": "platinum", "b2": "gold"}
    assert (old["b3"]["run"], old["b3"]["policyversion"]) == (first, known[OLD]["cited"])
    assert (new["b2"]["run"], new["b2"]["policyversion"]) == (second, known[NEW]["cited"])
    assert new["b3"] == old["b3"], "what a run did not change keeps the decision that it rests on"
