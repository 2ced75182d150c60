"""What four people see of one complaint and of another: front desk, handler, service manager, customer (quality.md).

Each page that a journey comes by is kept as a picture and asked by axe-core whether everybody can use it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from email import message_from_bytes, policy

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESK, PHONE, Visitor
from tests.town import Town, eventually

pytestmark = [pytest.mark.broker, pytest.mark.database, pytest.mark.timeout(420)]
Visit = Callable[..., Visitor]


def do(visitor: Visitor, action: str, **fields: str) -> None:
    """One action of a case page: open its form in place, fill it, send it."""
    page = visitor.page
    opener = page.locator(f'.actions a[href="?do={action}"]').first
    if not opener.is_visible():
        page.locator(".actions details.more summary").click()
    opener.click()
    form = page.locator("#acting form")
    for name, value in fields.items():
        form.locator(f'[name="{name}"]').fill(value)
    form.locator("button[type=submit]").first.click()
    expect(page.locator("#acting form")).to_have_count(0)
    page.wait_for_load_state("networkidle")


@pytest.mark.rule("CG-12")
@pytest.mark.rule("CG-13")
def test_the_front_desk_takes_a_complaint_by_telephone(town: Town, visitor: Visit) -> None:
    desk = visitor(town.house, "wu.fang")
    desk.look("today")
    desk.go("/console/complaints/new")

    desk.page.locator("#who").fill("8801")  # 1: the last digits of the number
    expect(desk.page.locator(".caller strong").first).to_have_text("王芳")
    desk.page.locator("textarea[name=description]").fill("昨天买的纯净水有异味")  # 2: in her words
    desk.look("intake")
    desk.page.locator("form.intake button.btn-primary").click()  # 3: record
    desk.page.wait_for_url(re.compile(r"/console/complaints/[0-9a-f-]{36}"))

    expect(desk.page.locator("h1")).to_have_text("昨天买的纯净水有异味")
    expect(desk.page.locator(".page-title")).to_contain_text("TS2026-")
    expect(desk.page.locator(".clock-sum")).not_to_have_count(0)
    desk.page.locator(".clock-sum summary").first.click()
    desk.look("case")


@pytest.mark.rule("CG-14")
@pytest.mark.rule("FR-08")
def test_handler_and_service_manager_bring_it_to_a_satisfied_answer(town: Town, visitor: Visit) -> None:
    (case,) = [each for each in town.as_("admin").get("/complaints")["items"] if "异味" in each["subject"]]
    at = f"/console/complaints/{case['id']}"
    handler = visitor(town.house, case["handler"])
    handler.go("/console/complaints/")
    handler.look("queue")
    handler.page.get_by_role("link", name="昨天买的纯净水有异味").click()
    handler.page.wait_for_load_state("networkidle")
    handler.page.locator(f'form[action="{at}/acknowledge"] button').click()
    handler.page.wait_for_load_state("networkidle")
    do(handler, "contact", note="已电话联系")
    do(handler, "triage", note="属实")
    do(handler, "investigate", cause="storage", note="运输途中受热")
    do(handler, "propose", measures="换货", points="300")
    handler.look("case-proposed")
    do(handler, "resolve", answer="已换货并补偿 300 积分")
    handler.look("case-calling-back")

    desk = visitor(town.house, "wu.fang")
    desk.go("/console/complaints/callbacks")
    desk.look("callbacks")
    desk.go(f"{at}?do=callback")
    desk.page.locator("#acting textarea[name=comment]").fill("换来的还是一样")
    desk.page.locator('#acting button[name=satisfaction][value="4"]').click()
    desk.page.wait_for_load_state("networkidle")

    manager = visitor(town.house, "qian.li", locale="en-GB")
    manager.go(at)
    expect(manager.page.locator(".page-title")).to_contain_text("round 2")
    expect(manager.page.locator(".page-title")).to_contain_text("Level 2")
    do(manager, "investigate", cause="batch", note="The whole batch is affected")
    do(manager, "propose", measures="Refund", amount="36.00")
    do(manager, "resolve", answer="退款 36 元，整批下架")
    manager.look("case-round-2")
    again = town.as_("wu.fang").post(f"/complaints/{case['id']}/callback", {"satisfaction": 2}, "browser-2")
    assert again["status"] == "closed"
    manager.go(at)
    manager.look("case-closed")


@pytest.mark.rule("CG-12")
@pytest.mark.rule("CG-16")
def test_a_customer_complains_follows_and_answers_without_an_account(town: Town, visitor: Visit) -> None:
    guest = visitor(town.house, size=PHONE)
    guest.go("/portal/")
    guest.look("portal-start")
    guest.go("/portal/complaints/new")
    guest.page.locator("[name=subject]").fill("少了两瓶水")
    guest.page.locator("[name=description]").fill("送来的水少了两瓶，打电话没人接。")
    guest.page.locator("[name=name]").fill("何先生")
    guest.page.locator("[name=email]").fill("he@example.com")
    guest.look("portal-form")
    guest.page.locator("form.form button[type=submit]").click()  # a second of computing, then it is sent
    guest.page.wait_for_url(re.compile(r"/portal/complaints/[\w-]{22,}"))
    guest.look("portal-follow")
    number = guest.page.locator(".number").first.inner_text()

    (case,) = eventually(lambda: town.as_("admin").get("/complaints", q=number)["items"])
    handler = town.as_(case["handler"])
    for action, body in (
        ("acknowledge", {}),
        ("contact", {"kind": "first", "reached": True, "note": "已联系"}),
        ("triage", {"founded": True}),
        ("resolve", {"answer": "两瓶已补送，抱歉。"}),
    ):
        handler.post(f"/complaints/{case['id']}/{action}", body, f"browser-{action}")

    link = eventually(lambda: answer_link(town, number))
    guest.go(link)
    guest.look("portal-answer")
    guest.page.locator(".face.f1").click()
    guest.page.locator("button.button[type=submit]").click()
    guest.page.wait_for_load_state("networkidle")
    guest.look("portal-thanks")
    eventually(lambda: town.as_("admin").get(f"/complaints/{case['id']}")["status"] == "closed")
    guest.page.goto(f"{guest.base}{link}")
    expect(guest.page.locator("form")).to_have_count(0)  # it answers once


def answer_link(town: Town, number: str) -> str | None:
    """The path of the link to answer with, out of the mails that an evaluation writes into its home."""
    for file in (town.house.home / "outgoing").glob("*.eml"):
        mail = message_from_bytes(file.read_bytes(), policy=policy.default)
        body = mail.get_body(("plain",))
        text = body.get_content() if body else ""
        found = re.search(r"(/portal/answers/[\w-]{22,})", text)
        if found and number in f"{mail['Subject']} {text}":
            return found[1]
    return None


PAGES = (
    "/console/",
    "/console/customers/",
    "/console/complaints/",
    "/console/complaints/board",
    "/console/complaints/callbacks",
    "/console/complaints/new",
    "/console/complaints/report",
    "/console/complaints/kpis",
    "/console/members/",
    "/console/rewards/",
    "/console/rewards/voucher",
    "/console/campaigns/",
    "/console/campaigns/new",
    "/console/tiers/",
    "/console/tiers/reviews/",
    "/console/tiers/migration",
    "/console/fraud/",
    "/console/liability/",
    "/console/liability/movements",
    "/console/liability/rebates",
    "/console/simulation/",
    "/console/dead-letters/",
    "/console/audit/",
    "/console/staff/",
    "/console/approvals/",
    "/console/search?q=8801",
)


@pytest.mark.parametrize(("locale", "size"), [("zh-CN", DESK), ("en-GB", PHONE)])
def test_every_page_can_be_used_by_everybody(town: Town, visitor: Visit, locale: str, size: dict[str, int]) -> None:
    chief = visitor(town.house, "admin", locale=locale, size=size)
    customer = town.customers["王芳"]

    for path in (*PAGES, f"/console/customers/{customer}", f"/console/members/{customer}"):
        chief.go(path)
        chief.look(path.removeprefix("/console").replace(customer, "one") or "today")
        assert chief.page.locator("h1").count() == 1, path
