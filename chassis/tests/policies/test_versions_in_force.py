"""Which version decides, who may change that, and what survives when things go wrong."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from chassis.clock import FakeClock
from chassis.errors import Unavailable
from chassis.jobs import JobRow, runs
from chassis.policies import reading
from chassis.policies.book import PolicyBook
from chassis.policies.company import Company
from chassis.policies.document import Node
from chassis.policies.pack import read_documents
from chassis.policies.section import PolicySection
from chassis.policies.simulation import JOB, simulation_step
from chassis.policies.use_cases import found_policy, stage
from chassis.runtime import Runtime
from chassis.service import Service
from chassis.timing.due import DuePoller

PACK = Path(__file__).parents[3] / "policies" / "consumer-goods"
POLICIES = "/api/v1/services/loyalty/policies"


def bonus_of_gold(node: Node, company: Company) -> str:
    """The smallest section: one number of loyalty.yaml."""
    gold = next(item for item in node.walk() if isinstance(item.value, dict) and item.path.endswith("levels[2]"))
    return str(reading.share(gold.value["bonus"]))  # type: ignore[call-overload,index]


def service(name: str = "loyalty", simulate: Any = None) -> Service:
    return Service(
        name,
        "A service",
        "1",
        Path(__file__).parent / "migrations",
        policy=PolicySection("loyalty", bonus_of_gold, simulate),
        due={f"job:{JOB}": runs(simulation_step)},
    )


@pytest.fixture
def runtime(make_runtime: Callable[..., Runtime], tmp_path: Path) -> Runtime:
    return make_runtime(service())


def documents(bonus: str = "10%", version: str = "1.0") -> dict[str, str]:
    """The default pack with another bonus for gold."""
    texts = read_documents(PACK)
    for file, content in texts.items():
        if file.endswith("loyalty.yaml"):
            texts[file] = content.replace("at: 1000 growth, bonus: 10%", f"at: 1000 growth, bonus: {bonus}")
        if file.endswith("pack.yaml"):
            texts[file] = content.replace('version: "1.0"', f'version: "{version}"')
    return texts


def staged(client: Any, bonus: str = "15%", version: str = "1.1") -> str:
    answer = client.post(POLICIES, json={"files": documents(bonus, version)})
    assert answer.status_code == 201, answer.json
    return str(answer.json["hash"])


def activated(proposer: Any, approver: Any, hash: str, effective_from: str | None = None) -> Any:
    proposal = proposer.post(f"{POLICIES}/activate", json={"hash": hash, "effective_from": effective_from})
    assert proposal.status_code == 202, proposal.json
    return approver.post(f"/api/v1/services/loyalty/approvals/{proposal.json['id']}/approve", json={})


def test_the_first_version_covers_all_earlier_time(runtime: Runtime, clock: FakeClock) -> None:
    now, long_ago = runtime.policies.in_force(), runtime.policies.in_force(clock.now() - timedelta(days=900))

    assert now is long_ago
    assert now.rules == "0.1"
    assert now.cite("CG-22") == {"clause": "CG-22", "policyversion": now.version}
    assert now.version.startswith("consumer-goods@1.0:")


def test_founding_twice_changes_nothing(runtime: Runtime, clock: FakeClock) -> None:
    with runtime.context() as context:
        again = found_policy(context.session, runtime.service, PACK, clock)
        rows = context.session.execute(text("SELECT count(*) FROM chassis.policy_activation")).scalar()

    assert again == runtime.policies.in_force().version
    assert rows == 1


def test_an_installation_without_a_version_says_so(fresh_database: Any, clock: FakeClock, make_runtime: Any) -> None:
    runtime = make_runtime(service())
    with runtime.engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("DELETE FROM chassis.policy_activation"))

    with pytest.raises(Unavailable, match="no policy in force yet"):
        PolicyBook(runtime.service, runtime.sessions, clock).in_force()


def test_versions_and_activations_cannot_be_changed(runtime: Runtime) -> None:
    for statement in (
        "UPDATE chassis.policy_version SET author = 'me'",
        "DELETE FROM chassis.policy_activation",
        "TRUNCATE chassis.policy_activation",
    ):
        with pytest.raises(DBAPIError, match="never changed"), runtime.engine.begin() as connection:
            connection.execute(text(statement))


def test_a_new_version_decides_once_a_second_person_agreed(
    runtime: Runtime, client: Any, recorded: Any, clock: FakeClock
) -> None:
    li, wang = client(runtime, username="li"), client(runtime, username="wang")
    before = clock.now()
    clock.advance(hours=1)

    answer = activated(li, wang, staged(li))

    assert answer.status_code == 200, answer.json
    assert runtime.policies.in_force().rules == "0.15"
    assert runtime.policies.in_force(before).rules == "0.1", (
        "what happened before is decided by the version of its time"
    )
    [event] = recorded(runtime, "policy.activated.v1")
    assert (event.data["by"], event.data["approved_by"]) == ("li", "wang")
    assert event.data["previous_hash"] == runtime.policies.in_force(before).hash


def test_a_version_takes_effect_at_its_moment_and_not_before(runtime: Runtime, client: Any, clock: FakeClock) -> None:
    li, wang = client(runtime, username="li"), client(runtime, username="wang")
    monday = clock.now() + timedelta(days=3)
    assert activated(li, wang, staged(li), monday.isoformat()).status_code == 200

    assert runtime.policies.in_force().rules == "0.1"
    clock.travel_to(monday)
    assert runtime.policies.in_force().rules == "0.15"
    assert runtime.policies.in_force(monday - timedelta(seconds=1)).rules == "0.1"


def test_going_back_is_activating_the_older_version(runtime: Runtime, client: Any, clock: FakeClock) -> None:
    li, wang = client(runtime, username="li"), client(runtime, username="wang")
    first = runtime.policies.in_force().hash
    clock.advance(hours=1)
    activated(li, wang, staged(li))
    clock.advance(hours=1)

    assert activated(li, wang, first).status_code == 200
    assert runtime.policies.in_force().hash == first
    versions = li.get(POLICIES).json["items"]
    assert [(version["version"], version["in_force"]) for version in versions] == [
        ("1.1", False),
        ("1.0", True),
    ]


def test_of_two_proposals_over_the_same_state_one_wins(runtime: Runtime, client: Any, clock: FakeClock) -> None:
    li, wang = client(runtime, username="li"), client(runtime, username="wang")
    proposals = [
        li.post(f"{POLICIES}/activate", json={"hash": staged(li, bonus, bonus)}).json["id"] for bonus in ("15%", "16%")
    ]

    answers = [wang.post(f"/api/v1/services/loyalty/approvals/{id}/approve", json={}) for id in proposals]

    assert [answer.status_code for answer in answers] == [200, 409]
    assert "propose it again" in answers[1].json["detail"]


def test_a_policy_never_reaches_back(runtime: Runtime, client: Any, clock: FakeClock) -> None:
    li = client(runtime, username="li")

    answer = li.post(f"{POLICIES}/activate", json={"hash": staged(li), "effective_from": "2026-01-01T00:00:00Z"})

    assert answer.status_code == 422
    assert "effective_from" in str(answer.json["errors"])


def test_a_broken_pack_is_refused_with_its_places_and_changes_nothing(runtime: Runtime, client: Any) -> None:
    li = client(runtime, username="li")

    answer = li.post(POLICIES, json={"files": documents(bonus="ten")})

    assert answer.status_code == 422
    assert any(place.startswith("consumer-goods/loyalty.yaml:") for place in answer.json["errors"]), answer.json
    assert len(li.get(POLICIES).json["items"]) == 1


def test_a_zip_is_staged_as_its_files_are(runtime: Runtime, client: Any) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, content in documents("15%", "1.1").items():
            archive.writestr(file, content)
    li = client(runtime, username="li")

    answer = li.post(POLICIES, json={"archive": base64.b64encode(packed.getvalue()).decode()})

    assert answer.status_code == 201, answer.json
    assert answer.json["hash"] == staged(li)
    files = li.get(f"{POLICIES}/{answer.json['hash']}").json["files"]
    assert files["consumer-goods/pack.yaml"] == documents("15%", "1.1")["consumer-goods/pack.yaml"]
    assert li.post(POLICIES, json={"archive": base64.b64encode(b"not a zip").decode()}).status_code == 422


def test_a_version_this_release_cannot_read_leaves_the_one_before_in_force(runtime: Runtime, clock: FakeClock) -> None:
    lenient = Service("loyalty", "An older release", "0", runtime.service.migrations, policy=None)
    with runtime.context() as context:
        row = stage(context.session, lenient, documents("ten", "9"), "an older release", clock)
        context.session.execute(
            text(
                "INSERT INTO chassis.policy_activation (hash, effective_from, activated_at, activated_by, alone)"
                " VALUES (:hash, :at, :at, 'li', false)"
            ),
            {"hash": row.hash, "at": clock.now()},
        )
    book = PolicyBook(runtime.service, runtime.sessions, clock)

    assert book.in_force().rules == "0.1"
    assert "share" in str(book.refused[row.hash][0])


def test_what_was_in_force_stays_in_force_while_the_database_is_away(runtime: Runtime, monkeypatch: Any) -> None:
    book = runtime.policies
    before = book.in_force()

    def away() -> Any:
        raise DBAPIError("SELECT", {}, ConnectionError("the database is away"))

    monkeypatch.setattr(book, "sessions", away)
    book.refresh()

    assert book.in_force() is before


def test_simulation_is_refused_by_a_service_that_has_none(runtime: Runtime, client: Any) -> None:
    li = client(runtime, username="li")

    answer = li.post(f"{POLICIES}/simulate", json={"hash": staged(li)})

    assert answer.status_code == 409
    assert "cannot simulate" in answer.json["detail"]


def test_a_simulation_compares_step_by_step_what_was_in_force_when_it_was_asked_for(
    make_runtime: Any, client: Any, clock: FakeClock
) -> None:
    def compare(context: Any, current: Any, tried: Any, job: JobRow) -> bool:
        seen = [*job.params.get("seen", ()), [current.rules, tried.rules]]
        job.params, job.done, job.total = {**job.params, "seen": seen}, len(seen), 2
        if len(seen) == 1:
            activated(li, wang, staged(li, "20%", "1.2"))
            context.policies.refresh()
        job.result = {"seen": seen}
        return len(seen) < 2

    runtime = make_runtime(service(simulate=compare))
    li, wang = client(runtime, username="li"), client(runtime, username="wang")
    begun = li.post(f"{POLICIES}/simulate", json={"hash": staged(li)})

    DuePoller(runtime).drain()

    assert (begun.status_code, begun.json["status"]) == (202, "queued")
    job = li.get(begun.headers["Location"]).json
    assert (job["status"], job["done"], job["total"]) == ("done", 2, 2)
    assert li.get(job["result_url"]).json["result"] == {"seen": [["0.1", "0.15"]] * 2}
    assert runtime.policies.in_force().rules == "0.2"
