"""Texts over HTTP: read, previewed, changed in versions, and found in the recipient's language."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from chassis.runtime import Runtime
from kezhi_contracts import schemas
from notify.bootstrap import build_service
from notify.delivery.sender import surroundings
from notify.templates import NoTemplate, Shelf, Surroundings, render
from notify.templates.starting import look_over
from notify.templates.use_cases import outdated

AROUND = Surroundings("https://care.example.cn")
SMS = {"key": "complaint_received", "channel": "sms", "locale": "zh-CN", "text": "收到，编号{{ number }}。"}


@pytest.fixture
def runtime(make_runtime: Callable[..., Runtime]) -> Runtime:
    return make_runtime(build_service)


@pytest.fixture
def api(runtime: Runtime, client: Callable[..., Any]) -> Any:
    return client(runtime)


def rendered(runtime: Runtime, key: str, channel: str, locale: str | None, data: Any = None, **more: Any) -> Any:
    if data is None:
        data = schemas.example("complaint.received.v1")["data"]
    with runtime.sessions() as session:
        return render(Shelf(session), key, channel, locale, data, AROUND, **more)


@pytest.mark.rule("CG-14")
def test_a_message_is_told_in_the_recipients_language(runtime: Runtime) -> None:
    english = rendered(runtime, "complaint_received", "sms", "en-GB", recipient="Jane Doe")
    chinese = rendered(runtime, "complaint_received", "sms", "fr", recipient="王芳")

    assert (english.locale, english.version) == ("en", 0)
    assert english.text == "Hello Jane Doe, thank you for telling us. Your case: C-2026-000017."
    assert chinese.locale == "zh-CN"
    assert chinese.text == "王芳，您好！您的反馈已登记，编号C-2026-000017。"
    assert chinese.segments.segments == 1


def test_a_saved_text_is_used_from_then_on_and_the_earlier_ones_stay(runtime: Runtime, api: Any) -> None:
    first = api.post("/api/v1/templates", json=SMS)
    second = api.post("/api/v1/templates", json={**SMS, "text": "编号{{ number }}", "note": "短一些"})

    assert (first.status_code, first.get_json()["version"], second.get_json()["version"]) == (201, 1, 2)
    assert second.headers["Location"] == "/api/v1/templates/complaint_received/sms/zh-CN"
    assert rendered(runtime, "complaint_received", "sms", "zh-CN").text == "编号C-2026-000017"
    assert rendered(runtime, "complaint_received", "sms", "zh-CN").version == 2
    assert rendered(runtime, "complaint_received", "email", "zh-CN").version == 0
    texts = [
        api.get(second.headers["Location"], query_string={"version": version}).get_json()["text"]
        for version in (0, 1, 2)
    ]
    assert texts[1:] == [SMS["text"], "编号{{ number }}"]
    assert "您的反馈已登记" in texts[0]
    assert api.get(second.headers["Location"]).get_json()["saved_by"] == "admin"
    assert api.get(second.headers["Location"], query_string={"version": 3}).status_code == 404
    assert api.get("/api/v1/templates/complaint_received%00/sms/zh-CN").status_code == 404
    assert api.get("/api/v1/templates/complaint_received/%00/zh-CN").status_code == 404


def test_a_language_of_ones_own_comes_before_the_bundled_ones(runtime: Runtime, api: Any) -> None:
    api.post("/api/v1/templates", json={**SMS, "locale": "en-GB", "text": "Cheers, {{ number }}"})

    assert rendered(runtime, "complaint_received", "sms", "en-GB").text == "Cheers, C-2026-000017"
    assert rendered(runtime, "complaint_received", "sms", "en-US").locale == "en"


def test_a_name_that_the_event_does_not_have_is_refused_with_its_line(runtime: Runtime, api: Any) -> None:
    answer = api.post("/api/v1/templates", json={**SMS, "text": "您好\n{{ numbr }}"})

    assert answer.status_code == 422
    assert answer.get_json()["errors"] == {"text": ["line 2: there is no numbr; did you mean number?"]}
    assert rendered(runtime, "complaint_received", "sms", "zh-CN").version == 0


def test_a_key_of_ones_own_is_about_an_event_or_about_variables(runtime: Runtime, api: Any) -> None:
    earned = {**SMS, "key": "points_earned", "text": "+{{ points }}"}
    nothing = api.post("/api/v1/templates", json=earned)
    unknown = api.post("/api/v1/templates", json={**earned, "event": "points.earned.v9"})
    saved = api.post("/api/v1/templates", json={**earned, "event": "points.earned.v1"})
    other = api.post("/api/v1/templates", json={**earned, "locale": "en", "event": "tier.changed.v1"})
    english = api.post("/api/v1/templates", json={**earned, "locale": "en"})
    variables = {"seat": {"example": "A 12"}, "pin": {"example": 1234, "secret": True}}
    invited = api.post(
        "/api/v1/templates", json={**SMS, "key": "invitation", "text": "{{ seat }} {{ pin }}", "variables": variables}
    )

    assert [answer.status_code for answer in (nothing, unknown, other)] == [422, 422, 422]
    assert [answer.status_code for answer in (saved, english, invited)] == [201, 201, 201]
    told = rendered(runtime, "invitation", "sms", "zh-CN", {"seat": "B 1", "pin": "98"})
    assert (told.text, told.stored_text) == ("B 1 98", "B 1 •••")
    with pytest.raises(NoTemplate):
        rendered(runtime, "invitation", "email", "zh-CN", {})
    with pytest.raises(NoTemplate):
        rendered(runtime, "never_saved", "sms", "zh-CN", {})


def test_a_preview_shows_the_schemas_example(api: Any) -> None:
    used = api.post("/api/v1/templates/preview", json={"key": "points_expiring", "channel": "sms", "recipient": "王芳"})
    unsaved = api.post(
        "/api/v1/templates/preview",
        json={"key": "points_expiring", "channel": "email", "locale": "en", "subject": "S", "text": "{{ points }}"},
    )
    wrong = api.post("/api/v1/templates/preview", json={"key": "points_expiring", "channel": "sms", "text": "{{ x }}"})

    assert used.get_json()["text"] == "王芳，您好！您有120积分即将到期，最早2026年12月31日，别忘了使用。"
    assert used.get_json()["segments"] == {"encoding": "UCS-2", "length": 38, "segments": 1}
    assert (unsaved.get_json()["text"], unsaved.get_json()["version"]) == ("120", None)
    assert "<p" in unsaved.get_json()["html"]
    assert wrong.status_code == 422
    assert api.post("/api/v1/templates/preview", json={"key": "nothing", "channel": "sms"}).status_code == 404


def test_the_list_shows_what_is_in_use_page_by_page(api: Any) -> None:
    api.post("/api/v1/templates", json=SMS)
    api.post("/api/v1/templates", json={**SMS, "locale": "fr", "text": "Merci {{ number }}"})
    found, cursor = [], None
    while True:
        page = api.get("/api/v1/templates", query_string={"limit": 50, **({"cursor": cursor} if cursor else {})})
        found += page.get_json()["items"]
        if (cursor := page.get_json()["next"]) is None:
            break
    places = [(item["key"], item["channel"], item["locale"]) for item in found]
    one = api.get("/api/v1/templates", query_string={"key": "complaint_received", "channel": "sms"}).get_json()["items"]

    assert places == sorted(set(places))
    assert len(places) == 18 * 4 * 2 + 1
    assert [(item["locale"], item["version"]) for item in one] == [("en", 0), ("fr", 1), ("zh-CN", 1)]
    assert {"number", "clocks", "case_url", "greeting"} <= set(one[0]["names"])
    assert api.get("/api/v1/templates", query_string={"cursor": "nonsense"}).status_code == 422


def test_who_may_read_and_who_may_change(runtime: Runtime, client: Callable[..., Any]) -> None:
    may = {
        role: (
            client(runtime, [role]).get("/api/v1/templates").status_code,
            client(runtime, [role]).post("/api/v1/templates", json=SMS).status_code,
        )
        for role in ("marketing", "handler", "front_desk", "portal", "integration")
    }

    assert may == {
        "marketing": (200, 201), "handler": (200, 403), "front_desk": (403, 403), "portal": (403, 403),
        "integration": (403, 403),
    }  # fmt: skip


def test_after_an_upgrade_texts_that_no_longer_fit_are_told(runtime: Runtime, api: Any) -> None:
    api.post("/api/v1/templates", json=SMS)
    with runtime.sessions.begin() as session:  # as if the event had lost a member
        session.execute(text("UPDATE template_version SET text = '{{ gone }}'"))
    with runtime.sessions() as session:
        told = outdated(session)

    assert list(told) == ["complaint_received sms zh-CN"]
    shown = api.get("/api/v1/templates/complaint_received/sms/zh-CN").get_json()
    assert shown["findings"]["text"][0].startswith("line 1: there is no gone")


def test_a_saved_text_that_fails_gives_way_to_ours(runtime: Runtime, api: Any) -> None:
    risky = "{% if level > 2 and handler < 3 %}x{% endif %}{{ number }}"  # nobody's example reaches the comparison
    saved = api.post("/api/v1/templates", json={**SMS, "text": risky})
    example = schemas.example("complaint.received.v1")["data"]

    calm = rendered(runtime, "complaint_received", "sms", "zh-CN", example)
    urgent = rendered(runtime, "complaint_received", "sms", "zh-CN", {**example, "level": 3})

    assert saved.status_code == 201
    assert (calm.version, urgent.version) == (1, 0)
    assert "您的反馈已登记" in urgent.text


def test_the_start_tells_what_does_not_fit(runtime: Runtime, api: Any) -> None:
    api.post("/api/v1/templates", json=SMS)
    with runtime.sessions.begin() as session:
        session.execute(text("UPDATE template_version SET text = '{{ gone }}'"))

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            self.set()
            return True

    with capture_logs() as told:
        look_over(runtime, Stop())

    assert [(line["event"], line["template"]) for line in told] == [
        ("template_does_not_fit", "complaint_received sms zh-CN")
    ]


def test_the_pack_says_who_writes(
    make_runtime: Callable[..., Runtime], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    pack = shutil.copytree(request.config.rootpath / "policies" / "consumer-goods", tmp_path / "pack")
    rules = pack / "notify.yaml"
    rules.write_text(rules.read_text("utf-8").replace("zh: 客户服务中心", "zh: 清泉饮水"), "utf-8")
    runtime = make_runtime(build_service, pack=pack)

    around = surroundings(runtime)
    example = schemas.example("complaint.received.v1")["data"]
    with runtime.sessions() as session:
        told = [
            render(Shelf(session), "complaint_received", "email", locale, example, around).text.splitlines()[-1]
            for locale in ("zh-CN", "en-GB")
        ]

    assert told == ["清泉饮水", "Customer Care"]
    assert around.zone.key == "Asia/Shanghai"
