"""Every line of a file is accounted for: created, updated or refused with its mend."""

from __future__ import annotations

from sqlalchemy import text

from customer.importing.use_cases import forget_lines

FILE = """name,kind,phone,identity,birthday,profile.zone
李梅,individual,13800138001,card:1;wechat:lm,1988-11-05,east
王芳,individual,12,card:2,,
赵六,individual,13800138003,card:3,5.11.1988,
"某某贸易, 有限公司",enterprise,,card:4,,west
钱七,individual,13800138001,card:5,,
,individual,,card:6,,
"""


def _import(admin, settle, body, query=""):
    answer = admin.post(f"/api/v1/imports{query}", data=body.encode(), content_type="text/csv")
    assert answer.status_code == 202, answer.json
    settle()
    job = admin.get(f"/api/v1/services/customer/jobs/{answer.json['id']}").json
    assert job["status"] == "done", job
    errors = admin.get(job["errors_url"]).json["items"] if job["errors_url"] else []
    return admin.get(job["result_url"]).json["result"], errors


def test_each_line_is_created_updated_or_refused_with_the_mend(admin, settle, registered):
    registered("李美", card="9")
    result, errors = _import(admin, settle, FILE + "李美丽,individual,,card:9,,\n")

    assert result == {"read": 7, "created": 2, "updated": 1, "refused": 4, "dry_run": False}
    assert [error["position"] for error in errors] == [3, 4, 6, 7]
    assert errors[0]["message"].startswith("phone: has too few or too many digits")
    assert errors[1]["message"].startswith("birthday: must be a day of the calendar")
    assert "very like this one" in errors[2]["message"]
    assert errors[3]["message"].startswith("name: ")
    [updated] = admin.get("/api/v1/customers?identity=card:9").json["items"]
    assert updated["name"] == "李美丽"
    [created] = admin.get("/api/v1/customers?identity=wechat:lm").json["items"]
    assert created["profile"] == {"zone": "east"}


def test_a_dry_run_counts_the_same_and_keeps_nothing(admin, settle, runtime, recorded):
    dry, errors = _import(admin, settle, FILE, "?dry_run=true")
    assert admin.get("/api/v1/customers").json["items"] == []
    assert recorded(runtime) == []

    real, again = _import(admin, settle, FILE)

    assert {**dry, "dry_run": False} == real
    assert errors == again


def test_a_file_longer_than_a_piece_is_worked_off_in_pieces(admin, settle):
    lines = "".join(f"客户{n},individual,,card:{n},,\n" for n in range(1200))

    result, _ = _import(admin, settle, FILE.partition("\n")[0] + "\n" + lines)

    assert (result["created"], result["refused"]) == (1200, 0)
    assert admin.get("/api/v1/customers?identity=card:1199").json["items"][0]["code"] == "C-001200"


def test_what_is_no_file_of_customers_is_refused_at_the_door(admin):
    def status(body, content_type="text/csv"):
        return admin.post("/api/v1/imports", data=body, content_type=content_type).status_code

    assert status(b"colour,name\nred,x\n") == 422
    assert status(b"name\n") == 422
    assert status(b"name\n\xff\xfe\n") == 400
    assert status(b"{}", "application/json") == 415


def test_lines_of_an_import_that_was_given_up_are_forgotten_and_no_others(admin, runtime):
    given_up, waiting = (
        admin.post("/api/v1/imports", data=FILE.encode(), content_type="text/csv").json["id"] for _ in range(2)
    )

    with runtime.context() as context:
        context.session.execute(text("UPDATE chassis.job SET status = 'failed' WHERE id = :id"), {"id": given_up})
        assert forget_lines(context) is False

    with runtime.sessions() as session:
        left = {str(job) for job in session.scalars(text("SELECT DISTINCT job_id FROM import_line"))}
    assert left == {waiting}
