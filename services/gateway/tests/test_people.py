"""Units and staff: the tree, who may see whom, what may not happen, and what the other services hear of it."""

from __future__ import annotations

import concurrent.futures
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chassis.runtime import Runtime
from gateway.bootstrap import build_service
from gateway.people.announcements import staff_pages, unit_pages
from gateway.people.domain import child_path, within
from gateway.people.founding import found_company
from kezhi_contracts.validation import validate

from .conftest import ADMIN_PASSWORD, Company


@pytest.fixture
def shanghai(company: Company) -> Company:
    """Units SH and, below it, SH001; chen heads the branch, li works in the store."""
    company.post("units", {"code": "SH", "name": "上海分公司"})
    company.post("units", {"code": "SH001", "name": "上海一店", "parent": "SH"})
    company.post("staff", staff("chen", "SH", ["store_manager"]))
    company.post("staff", staff("li", "SH001", ["handler"], superior="chen"))
    return company


def staff(username: str, unit: str, roles: list[str], **more: Any) -> dict[str, Any]:
    return {"username": username, "name": username.title(), "unit": unit, "roles": roles, **more}


def find(company: Company, username: str) -> dict[str, Any]:
    return dict(company.get(f"staff?username={username}").json["items"][0])


def test_units_form_a_tree_below_the_company(company: Company) -> None:
    branch = company.post("units", {"code": "SH", "name": "上海分公司"})
    store = company.post("units", {"code": "SH001", "name": "上海一店", "parent": "SH"})

    assert branch.status_code == 201
    assert (branch.json["code"], branch.json["path"], branch.json["parent"]) == ("SH", "/SH", "root")
    assert (store.json["path"], store.json["parent"]) == ("/SH/SH001", "SH")
    assert [unit["path"] for unit in company.get("units").json["items"]] == ["/", "/SH", "/SH/SH001"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"code": "SH", "name": "again"}, 409),
        ({"code": "X", "name": "orphan", "parent": "nowhere"}, 422),
        ({"code": "a/b", "name": "slash"}, 422),
        ({"code": "a b", "name": "space"}, 422),
        ({"name": "no code"}, 422),
        ({"code": "X", "name": "x", "colour": "red"}, 422),
    ],
)
def test_a_unit_that_does_not_fit_is_refused(company: Company, body: dict[str, Any], status: int) -> None:
    company.post("units", {"code": "SH", "name": "上海分公司"})

    assert company.post("units", body).status_code == status


def test_someone_is_taken_on_and_can_sign_in(company: Company) -> None:
    company.post("units", {"code": "SH", "name": "上海分公司"})

    answer = company.post("staff", staff("Chen.Jie", "SH", ["director", "handler"], password="nine-quiet-herons"))

    assert answer.status_code == 201
    assert answer.json["username"] == "chen.jie"
    assert (answer.json["unit"], answer.json["unit_path"], answer.json["enabled"]) == ("SH", "/SH", True)
    assert "password" not in json.dumps(answer.json)
    assert company.sign_in("chen.jie", "nine-quiet-herons").status_code == 200


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"username": "LI"}, 409),
        ({"unit": "nowhere"}, 422),
        ({"roles": ["king"]}, 422),
        ({"roles": []}, 422),
        ({"superior": "nobody"}, 422),
        ({"password": "short"}, 422),
        ({"username": "a\tb"}, 422),
    ],
)
def test_someone_who_does_not_fit_is_refused(shanghai: Company, change: dict[str, Any], status: int) -> None:
    answer = shanghai.post("staff", staff("wang", "SH", ["handler"]) | change)

    assert answer.status_code == status
    if status == 422:
        assert list(answer.json["errors"]) == list(change)


def test_staff_are_seen_within_ones_own_unit_and_below(shanghai: Company) -> None:
    shanghai.post("units", {"code": "SH0", "name": "not below SH"})
    shanghai.post("staff", staff("wang", "SH0", ["handler"], password="nine-quiet-herons"))
    chen = find(shanghai, "chen")
    shanghai.patch(f"staff/{chen['id']}", {"password": "nine-quiet-herons"})
    as_chen, as_wang = (shanghai.bearer(who, "nine-quiet-herons") for who in ("chen", "wang"))

    def seen(headers: dict[str, str]) -> list[str]:
        return [one["username"] for one in shanghai.http.get("/api/v1/staff", headers=headers).json["items"]]

    assert seen(as_chen) == ["chen", "li"]
    assert seen(as_wang) == ["wang"]
    assert seen(shanghai.admin) == ["admin", "chen", "li", "wang"]
    assert shanghai.http.get(f"/api/v1/staff/{chen['id']}", headers=as_wang).status_code == 404
    assert shanghai.http.get(f"/api/v1/staff/{chen['id']}", headers=as_chen).status_code == 200


def test_the_staff_list_is_paged_and_filtered(shanghai: Company) -> None:
    first = shanghai.get("staff?limit=2").json
    rest = shanghai.get(f"staff?limit=2&cursor={first['next']}").json

    assert [one["username"] for one in first["items"] + rest["items"]] == ["admin", "chen", "li"]
    assert rest["next"] is None
    assert [one["username"] for one in shanghai.get("staff?role=handler&enabled=true").json["items"]] == ["li"]
    assert [one["username"] for one in shanghai.get("staff?unit=SH").json["items"]] == ["chen"]
    assert shanghai.get("staff?colour=red").status_code == 422


def test_a_change_needs_the_version_it_was_made_for(shanghai: Company) -> None:
    path = f"/api/v1/staff/{find(shanghai, 'li')['id']}"
    body = {"name": "李伟"}

    without = shanghai.http.patch(path, json=body, headers=shanghai.admin)
    stale = shanghai.http.patch(path, json=body, headers={**shanghai.admin, "If-Match": '"99"'})

    assert (without.status_code, stale.status_code) == (428, 412)


def test_a_merge_patch_leaves_what_it_does_not_name(shanghai: Company) -> None:
    before = find(shanghai, "li")

    moved = shanghai.patch(f"staff/{before['id']}", {"unit": "SH", "superior": None}).json

    assert moved == before | {"unit": "SH", "unit_path": "/SH", "superior": None}


def test_absence_has_an_end_and_perhaps_a_deputy(shanghai: Company, clock: Any) -> None:
    path = f"staff/{find(shanghai, 'li')['id']}"
    begin, end = clock.now().isoformat(), (clock.now() + timedelta(days=14)).isoformat()

    away = shanghai.patch(path, {"absence": {"from": begin, "until": end, "deputy": "chen"}})
    backwards = shanghai.patch(path, {"absence": {"from": end, "until": begin}})
    herself = shanghai.patch(path, {"absence": {"from": begin, "until": end, "deputy": "li"}})
    back = shanghai.patch(path, {"absence": None})

    assert (away.json["absence"]["deputy"], away.json["absence"]["from"]) == ("chen", "2026-11-20T02:00:00Z")
    assert (backwards.status_code, herself.status_code) == (422, 422)
    assert back.json["absence"] is None


def test_a_change_beside_an_absence_is_announced(
    shanghai: Company, clock: Any, recorded: Callable[..., list[Any]]
) -> None:
    path = f"staff/{find(shanghai, 'li')['id']}"
    span = {"from": clock.now().isoformat(), "until": (clock.now() + timedelta(days=1)).isoformat()}
    shanghai.patch(path, {"absence": {**span, "deputy": "chen"}})
    shanghai.patch(path, {"name": "李伟"})

    told = recorded(shanghai.runtime)[-1].data

    assert (told["name"], told["deputy"], told["away_from"]) == ("李伟", "chen", "2026-11-20T02:00:00Z")


def test_nobody_is_their_own_superior_however_long_the_way(shanghai: Company) -> None:
    chen = find(shanghai, "chen")

    assert shanghai.patch(f"staff/{chen['id']}", {"superior": "li"}).status_code == 422


def test_the_last_administrator_cannot_be_shut_out(company: Company) -> None:
    admin = f"staff/{find(company, 'admin')['id']}"

    disabled = company.patch(admin, {"enabled": False})
    demoted = company.patch(admin, {"roles": ["handler"]})
    company.post("staff", staff("second", "root", ["administrator"]))
    allowed = company.patch(admin, {"roles": ["handler"]})

    assert (disabled.status_code, demoted.status_code, allowed.status_code) == (409, 409, 200)


def test_ones_own_password_is_not_reset_by_oneself(company: Company) -> None:
    admin = f"staff/{find(company, 'admin')['id']}"

    assert company.patch(admin, {"password": "nine-quiet-herons"}).status_code == 403


def test_a_unit_is_renamed_and_given_a_head(shanghai: Company) -> None:
    unit = next(unit for unit in shanghai.get("units").json["items"] if unit["code"] == "SH")

    changed = shanghai.patch(f"units/{unit['id']}", {"name": "上海", "head": "chen"}).json

    assert changed == unit | {"name": "上海", "head": "chen"}


def test_every_change_is_announced_whole_with_a_rising_sequence(
    shanghai: Company, recorded: Callable[..., list[Any]]
) -> None:
    li = find(shanghai, "li")
    shanghai.patch(f"staff/{li['id']}", {"enabled": False})
    shanghai.patch(f"staff/{li['id']}", {"enabled": False})  # nothing changes, nothing is said

    mine = [event for event in recorded(shanghai.runtime, type="staff.changed.v1") if event.subject == li["id"]]

    assert [int(event.sequence) for event in mine] == [1, 2]
    assert mine[-1].data["enabled"] is False
    assert (mine[-1].data["unit_path"], mine[-1].data["superior"]) == ("/SH/SH001", "chen")
    assert mine[-1].source == "/kezhi/gateway"


def test_every_event_keeps_its_contract(shanghai: Company, recorded: Callable[..., list[Any]]) -> None:
    events = recorded(shanghai.runtime)

    assert {event.type for event in events} == {"staff.changed.v1", "unit.changed.v1"}
    assert [problems for event in events if (problems := validate(json.loads(event.to_json())))] == []


def test_snapshots_repeat_the_last_state_under_its_own_id(
    shanghai: Company, recorded: Callable[..., list[Any]]
) -> None:
    latest = {event.subject: event for event in recorded(shanghai.runtime)}
    with shanghai.runtime.sessions() as session:
        told = [event for pages in (unit_pages, staff_pages) for page in pages(session) for event in page]

    assert {event.subject for event in told} == set(latest)
    for event in told:
        was = latest[event.subject]
        assert (event.id, event.sequence, event.data) == (was.id, was.sequence, was.data)


def test_the_company_is_founded_once_however_many_start_together(make_runtime: Callable[..., Runtime]) -> None:
    runtime = make_runtime(build_service)

    def found() -> str | None:
        with runtime.context() as at:
            return found_company(at.session)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        passwords = [password for password in pool.map(lambda _: found(), range(4)) if password]

    assert len(passwords) == 1
    assert len(passwords[0]) >= 20


def test_a_chosen_password_is_not_shown(make_runtime: Callable[..., Runtime]) -> None:
    runtime = make_runtime(build_service)

    with runtime.context() as at:
        assert found_company(at.session, ADMIN_PASSWORD) is None


def test_roles_come_from_the_pack_in_force(company: Company) -> None:
    roles = {role["role"]: role for role in company.get("roles").json["items"]}

    assert roles["store_manager"]["title"] == {"zh": "店长", "en": "Store manager"}
    assert (roles["store_manager"]["compensation"], roles["director"]["compensation"]) == ("10000", None)
    assert "staff:write" in roles["administrator"]["permissions"]
    assert "staff:write" not in roles["handler"]["permissions"]


def test_paths_do_not_mistake_a_prefix_for_a_parent() -> None:
    assert child_path("/", "SH") == "/SH"
    assert within("/SH/SH001", "/SH")
    assert within("/anything", "/")
    assert not within("/SH001", "/SH")


def span(clock: Any, begins: int, ends: int, **more: Any) -> dict[str, Any]:
    """An absence between two days from now."""
    now = clock.now()
    return {
        "from": (now + timedelta(days=begins)).isoformat(), "until": (now + timedelta(days=ends)).isoformat(), **more
    }  # fmt: skip


def give_password(company: Company, username: str) -> dict[str, str]:
    company.patch(f"staff/{find(company, username)['id']}", {"password": "nine-quiet-herons"})
    return company.bearer(username, "nine-quiet-herons")


def test_everyone_says_themselves_when_they_are_away(
    shanghai: Company, clock: Any, recorded: Callable[..., list[Any]]
) -> None:
    li = give_password(shanghai, "li")

    away = shanghai.http.put("/api/v1/staff/me/absence", json=span(clock, 1, 14, deputy="chen"), headers=li)

    assert away.status_code == 200
    assert (away.json["username"], away.json["absence"]["deputy"]) == ("li", "chen")
    told = recorded(shanghai.runtime, type="staff.changed.v1")[-1]
    assert (told.data["username"], told.data["away_from"], told.data["deputy"]) == (
        "li", "2026-11-21T02:00:00Z", "chen",
    )  # fmt: skip
    assert not validate(json.loads(told.to_json()))
    assert shanghai.http.get("/api/v1/staff/me", headers=li).json == away.json

    back = shanghai.http.delete("/api/v1/staff/me/absence", headers=li)

    assert back.json["absence"] is None
    assert recorded(shanghai.runtime, type="staff.changed.v1")[-1].data["away_from"] is None


def test_a_deputy_is_here_all_the_while_and_has_access(shanghai: Company, clock: Any) -> None:
    shanghai.post("staff", staff("wang", "SH", ["handler"]))
    shanghai.post("staff", staff("zhao", "SH", ["handler"]))
    shanghai.patch(f"staff/{find(shanghai, 'wang')['id']}", {"absence": span(clock, 5, 8)})
    shanghai.patch(f"staff/{find(shanghai, 'zhao')['id']}", {"enabled": False})
    li = give_password(shanghai, "li")

    def go(begins: int, ends: int, deputy: str) -> Any:
        body = span(clock, begins, ends, deputy=deputy)
        return shanghai.http.put("/api/v1/staff/me/absence", json=body, headers=li)

    assert [go(1, 5, "wang").status_code, go(8, 9, "wang").status_code] == [200, 200], "back on the very day is in time"
    for answer in (go(1, 6, "wang"), go(7, 9, "wang"), go(1, 2, "zhao"), go(1, 2, "li"), go(1, 2, "nobody")):
        assert answer.status_code == 422
        assert list(answer.json["errors"]) == ["absence.deputy"]


def test_a_deputy_who_left_does_not_stand_in_the_way_of_other_changes(shanghai: Company, clock: Any) -> None:
    li, chen = (f"staff/{find(shanghai, who)['id']}" for who in ("li", "chen"))
    shanghai.patch(li, {"absence": span(clock, 1, 14, deputy="chen")})
    shanghai.patch(chen, {"enabled": False})

    assert shanghai.patch(li, {"name": "李伟"}).status_code == 200


def test_a_machine_is_not_among_the_staff(company: Company) -> None:
    key = company.post("api-keys", {"name": "erp", "roles": ["integration"], "sources": []}).json["key"]
    desk = company.http.application.extensions["kezhi_exchange"]
    machine = {"Authorization": desk.token_for(f"Bearer {key}")}

    assert company.http.get("/api/v1/staff/me", headers=machine).status_code == 404
