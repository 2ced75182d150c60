"""Dead letters, audit, approvals, staff: seen, decided and corrected in place."""

from __future__ import annotations

from typing import Any

LETTER = "019aa3c2-7b10-7c4e-9d57-1f0a5be3d001"
PROPOSAL = "019aa3c2-7b10-7c4e-9d57-1f0a5be3e001"
DEAD = {
    "id": LETTER, "queue": "loyalty.purchases", "source": "/pos/1", "event_id": "e1", "type": "purchase.completed.v1",
    "publisher": "pos", "reason": "data.total: 12 is no decimal string", "first_error": None, "attempts": 1, "times": 2,
    "status": "waiting", "first_at": "2026-11-20T01:00:00Z", "last_at": "2026-11-20T01:05:00Z", "decided_at": None,
    "decided_by": None, "note": None,
}  # fmt: skip
LETTERS = "services/loyalty/dead-letters"


def proposed(by: str = "someone-else", **more: Any) -> dict[str, Any]:
    return {
        "id": PROPOSAL, "kind": "blacklist", "description": "Blacklist 王芳", "status": "proposed",
        "content": {"reason": "fraud", "until": None}, "content_hash": "abc", "permission": "blacklist:approve",
        "proposed_by": {"id": by, "username": "li"}, "proposed_at": "2026-11-20T01:00:00Z",
        "expires_at": "2026-11-27T01:00:00Z", "decided_by": None, "decided_at": None, "note": None, "alone": False,
        "result": None, **more,
    }  # fmt: skip


def test_a_dead_letter_is_sent_again_by_one_click_on_its_row(browser: Any, services: Any) -> None:
    services["loyalty"].answers |= {LETTERS: {"items": [DEAD]}, f"POST {LETTERS}/replay": {"items": [DEAD]}}
    reader = browser()

    seen = reader.get("/console/dead-letters/").text
    sent = reader.post("/console/dead-letters/replay", {"one": f"loyalty:{LETTER}", "next": "/console/dead-letters/"})

    assert "data.total: 12 is no decimal string" in seen
    assert f'name="one" value="loyalty:{LETTER}"' in seen
    assert (sent.status_code, sent.headers["Location"]) == (303, "/console/dead-letters/")
    method, path, _, body, headers = services["loyalty"].seen[-1]
    assert (method, path, body) == ("POST", f"{LETTERS}/replay", {"ids": [LETTER]})
    assert headers["Idempotency-Key"]


def test_ticked_letters_go_to_their_services_and_none_ticked_is_said(browser: Any, services: Any) -> None:
    for name in ("loyalty", "customer"):
        services[name].answers[f"POST services/{name}/dead-letters/replay"] = {"items": [DEAD]}
    reader = browser()

    nothing = reader.post("/console/dead-letters/replay", {})
    reader.post("/console/dead-letters/replay", {"letter": [f"loyalty:{LETTER}", f"customer:{LETTER}"]})

    assert nothing.status_code == 303
    posted = [seen[1] for name in ("customer", "loyalty") for seen in services[name].seen if seen[0] == "POST"]
    assert posted == ["services/customer/dead-letters/replay", f"{LETTERS}/replay"]


def test_a_letter_is_given_up_with_a_reason(browser: Any, services: Any) -> None:
    drop = f"POST {LETTERS}/{LETTER}/drop"
    services["loyalty"].answers[drop] = (422, {"title": "Invalid", "errors": {"reason": ["must not be empty"]}})
    reader = browser()
    reader.get(f"/console/dead-letters/loyalty/{LETTER}/drop")

    refused = reader.post(f"/console/dead-letters/loyalty/{LETTER}/drop", {"reason": ""})
    services["loyalty"].answers[drop] = DEAD
    given_up = reader.post(f"/console/dead-letters/loyalty/{LETTER}/drop", {"reason": "a test of the till"})

    assert (refused.status_code, "must not be empty" in refused.text) == (422, True)
    assert given_up.status_code == 303
    assert services["loyalty"].seen[-1][3] == {"reason": "a test of the till"}


def test_a_letters_body_is_shown_and_never_obeyed(browser: Any, services: Any) -> None:
    body = '{"name": "<script>alert(1)</script>"}'
    services["loyalty"].answers[f"{LETTERS}/{LETTER}"] = {**DEAD, "content_type": "x", "headers": {}, "body": body}

    seen = browser().part(f"/console/dead-letters/loyalty/{LETTER}").text

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in seen
    assert "<script>alert" not in seen


def test_unknown_services_are_not_asked(browser: Any, services: Any) -> None:
    reader = browser()

    assert reader.get(f"/console/dead-letters/elsewhere/{LETTER}").status_code == 404
    assert reader.post("/console/dead-letters/replay", {"one": f"../staff:{LETTER}"}).status_code == 404
    assert reader.post(f"/console/approvals/elsewhere/{PROPOSAL}/approve").status_code == 404


def test_what_changes_something_needs_the_forms_token(browser: Any, services: Any) -> None:
    reader = browser()
    for path in (
        "/console/dead-letters/replay", f"/console/dead-letters/loyalty/{LETTER}/drop", "/console/staff/new",
        f"/console/approvals/customer/{PROPOSAL}/approve", "/console/staff/absence",
    ):  # fmt: skip
        assert reader.post(path, {}, csrf="guessed").status_code == 403, path
    assert not any(seen[0] == "POST" for fake in services.values() for seen in fake.seen)


def test_a_proposal_is_approved_as_it_was_read(browser: Any, services: Any) -> None:
    base = "services/customer/approvals"
    services["customer"].answers |= {base: {"items": [proposed()]}, f"POST {base}/{PROPOSAL}/approve": proposed()}
    reader = browser()

    seen = reader.get("/console/approvals/").text
    form = {"note": "seen the receipts", "content_hash": "abc"}
    done = reader.post(f"/console/approvals/customer/{PROPOSAL}/approve", form)

    assert "Blacklist 王芳" in seen
    assert "fraud" in seen
    assert done.status_code == 303
    assert services["customer"].seen[-1][3] == {"note": "seen the receipts", "content_hash": "abc"}


def test_ones_own_proposal_can_be_withdrawn_but_not_approved(browser: Any, services: Any, company: Any) -> None:
    me = company.get("staff/me").json["id"]
    services["customer"].answers["services/customer/approvals"] = {"items": [proposed(by=me)]}

    seen = browser().get("/console/approvals/").text

    assert "Withdraw" in seen
    assert "Approve</button>" not in seen


def test_a_compensation_is_approved_by_whom_the_case_allows(browser: Any, services: Any) -> None:
    case = {"id": PROPOSAL, "number": "TS2026-000007", "subject": "瓶盖", "level": 2, "handler": "li"}
    whole = {**case, "allowed": ["approve"]}
    services["complaint"].answers |= {
        "complaints": {"items": [case]},
        f"complaints/{PROPOSAL}": whole,
        f"POST complaints/{PROPOSAL}/approve": whole,
    }
    reader = browser()

    assert "TS2026-000007" in reader.get("/console/approvals/").text
    assert reader.post(f"/console/approvals/cases/{PROPOSAL}/approve", {}).status_code == 303
    services["complaint"].answers[f"complaints/{PROPOSAL}"] = {**case, "allowed": []}
    assert "TS2026-000007" not in reader.get("/console/approvals/").text


def test_the_audit_tells_who_did_what_and_whether_the_chain_is_whole(browser: Any, company: Any) -> None:
    company.post("units", {"code": "SH", "name": "上海"})
    reader = browser()

    assert "people.open_unit" in reader.get("/console/audit/?service=gateway").text
    assert "people.open_unit" not in reader.get("/console/audit/?service=gateway&action=other").text
    assert "whole" in reader.part("/console/audit/inspection").text


def test_someone_is_taken_on_moved_and_sent_away_with_a_deputy(browser: Any, company: Any) -> None:
    company.post("units", {"code": "SH", "name": "上海分公司"})
    reader = browser()
    new = {"username": "li", "name": "李伟", "unit": "SH", "roles": ["handler"], "password": "nine-quiet-herons"}

    assert reader.post("/console/staff/new", new).status_code == 303
    li = company.get("staff?username=li").json["items"][0]
    shown = reader.get(f"/console/staff/{li['id']}/edit").text
    etag = company.get(f"staff/{li['id']}").headers["ETag"]
    away = {"away_from": "2026-12-01T09:00", "away_until": "2026-12-05T18:00", "deputy": "admin"}
    change = {"name": "李伟", "unit": "root", "roles": ["handler", "front_desk"], "enabled": "true", "etag": etag}
    changed = reader.post(f"/console/staff/{li['id']}/edit", {**change, **away})

    assert 'value="李伟"' in shown
    assert changed.status_code == 303
    now = company.get(f"staff/{li['id']}").json
    assert (now["unit"], now["roles"]) == ("root", ["front_desk", "handler"])
    assert now["absence"] == {"from": "2026-12-01T01:00:00Z", "until": "2026-12-05T10:00:00Z", "deputy": "admin"}
    assert "away from 1 Dec 2026" in reader.get("/console/staff/").text


def test_what_is_wrong_stands_at_its_field(browser: Any, company: Any) -> None:
    reader = browser()
    wrong = {"username": "li", "name": "Li", "unit": "root", "roles": ["handler"], "password": "short"}

    refused = reader.post("/console/staff/new", wrong)
    backwards = reader.post(
        "/console/staff/absence", {"away_from": "2026-12-05T18:00", "away_until": "2026-12-01T09:00"}
    )

    assert (refused.status_code, 'id="password-error"' in refused.text) == (422, True)
    assert (backwards.status_code, 'id="away_until-error"' in backwards.text) == (422, True)


def test_everyone_says_themselves_when_they_are_away_and_back(browser: Any, company: Any) -> None:
    reader = browser()
    reader.get("/console/staff/")

    gone = reader.post("/console/staff/absence", {"away_from": "2026-12-01T09:00", "away_until": "2026-12-05T18:00"})
    assert gone.status_code == 303
    assert company.get("staff/me").json["absence"]["from"] == "2026-12-01T01:00:00Z"
    assert 'value="2026-12-01T09:00"' in reader.part("/console/staff/absence").text

    reader.post("/console/staff/absence", {})
    assert company.get("staff/me").json["absence"] is None


def test_a_unit_is_opened_and_given_a_head(browser: Any, company: Any) -> None:
    reader = browser()

    assert reader.post("/console/staff/units/new", {"code": "SH", "name": "上海"}).status_code == 303
    unit = next(one for one in company.get("units").json["items"] if one["code"] == "SH")
    etag = company.get(f"units/{unit['id']}").headers["ETag"]
    body = {"name": "上海分公司", "head": "admin", "etag": etag}
    assert reader.post(f"/console/staff/units/{unit['id']}/edit", body).status_code == 303
    assert (company.get(f"units/{unit['id']}").json["name"], company.get(f"units/{unit['id']}").json["head"]) == (
        "上海分公司", "admin",
    )  # fmt: skip
