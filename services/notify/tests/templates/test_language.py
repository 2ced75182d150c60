"""What a text may say, and what somebody's name may not do to it."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes, policy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify.channels import Outgoing, mail
from notify.templates import Surroundings, catalogue, words
from notify.templates.checking import check
from notify.templates.domain import Rendered, Texts, fallbacks
from notify.templates.filling import fill

RECEIVED = catalogue.over_event("complaint.received.v1")
NOW = datetime(2026, 11, 20, 2, tzinfo=UTC)
AROUND = Surroundings("https://care.example.cn")
EVIL = 'A\r\nBcc: all@example.com\r\n\r\n<script>alert(1)</script>"\u202e{{ 7*7 }}'


def said(text: str, channel: str = "email", title: str | None = "x", html: str | None = None, **data: Any) -> Rendered:
    name = data.pop("recipient", None)
    whole = {**RECEIVED.example, **data}
    return fill(Texts(text, title, html), "k", channel, "zh-CN", 1, RECEIVED, whole, AROUND, name)


def wrong(text: str, channel: str = "sms", vocabulary: catalogue.Vocabulary = RECEIVED) -> list[str]:
    subject = None if channel == "sms" else "x"
    return check(Texts(text, subject), channel, vocabulary).get("text", [])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{{ numbr }}", "line 1: there is no numbr; did you mean number?"),
        ("ok\n{{ complainant.nmae }}", "line 2: there is no nmae in it; did you mean name?"),
        ("{% for c in clocks %}{{ c.due }}{% endfor %}", "line 1: there is no due in it; did you mean due_at?"),
        ("{% for c in clocks %}{% endfor %}{{ c.kind }}", "line 1: there is no c"),
        ("{{ clocks }}", "line 1: is a group of values: name one of them"),
        ("{{ complainant }}", "line 1: is a group of values: name one of them"),
        ("{% for c in number %}x{% endfor %}", "line 1: only a list can be gone through"),
        ("{{ subject | moment }}", "line 1: moment does not fit here"),
        ("{{ number | number }}", "line 1: number does not fit here"),
        ("{{ number | safe }}", "line 1: there is no filter safe"),
        ("{{ number | shout }}", "line 1: there is no filter shout"),
        ("{{ number is iterable }}", "line 1: there is no test iterable"),
        ("{{ number", "line 1: unexpected end of template"),
        ("{% if number %}", "line 1: Unexpected end of template"),
        ("{% set x = 1 %}", "line 1: assign is not part of the language of texts"),
        ("{% include 'x' %}", "line 1: include is not part of the language of texts"),
        ("{% macro m() %}{% endmacro %}", "line 1: macro is not part of the language of texts"),
        ("{{ number.__class__ }}", "line 1: there is no __class__ in it"),
        ("{{ number['__class__'] }}", "line 1: there is no __class__ in it"),
        ("{{ ''.__class__.__mro__ }}", "line 1: there is no"),
        ("{{ range(10) }}", "line 1: call is not part of the language of texts"),
        ("{{ self }}", "line 1: there is no self"),
        ("{{ cycler }}", "line 1: there is no cycler"),
        ("{{ 'a' * 1000000000 }}", "line 1: mul is not part of the language of texts"),
        ("{{ 9 ** 9 ** 9 }}", "line 1: pow is not part of the language of texts"),
        ("{{ _locale }}", "line 1: there is no _locale"),
        (
            "{% for a in clocks %}{% for b in clocks %}{% for c in clocks %}x{% endfor %}{% endfor %}{% endfor %}",
            "line 1: loops go 2 deep at most",
        ),
        (
            "{% if handler %}{{ handler }}{% endif %}",
            "filled in with the least that the event may say, nothing is left",
        ),
        ("{{ 'x' | number }}", "line 1: number does not fit here"),
        ("{% if level == 3 %}{{ 'x' | moment }}{% endif %}x", "line 1: moment does not fit here"),
        ("{{ " + "(" * 5000 + "number" + ")" * 5000 + " }}", "is nested too deeply"),
        ("{{ " + "not " * 40 + "number }}", "is nested too deeply"),
        ("{% if number %}" * 40 + "x" + "{% endif %}" * 40, "is nested too deeply"),
        ("   ", "filled in with the example, nothing is left"),
    ],
)
def test_a_text_that_is_wrong_says_where_and_why(text: str, why: str) -> None:
    assert why in wrong(text)[0]


@pytest.mark.parametrize(
    "text",
    [
        "{{ number }}", "{{ greeting }}{{ sender }}", "{{ received_at | moment }}", "{{ level | number }}",
        "x{% for c in clocks if c.kind == 'answer' %}{{ loop.index }}{{ c.due_at | day }}{% else %}y{% endfor %}",
        "x{% if complainant.name is defined and level > 1 %}{{ complainant.name | upper }}{% endif %}",
        "{{ handler | default('nobody', true) }}", "{{ case_url }}", "{{ (clocks | first).kind | clock }}x",
        "{{ 'a' ~ number }}", "{{ number if level in [1, 2] else subject }}", "{{ clocks | length }}",
    ],
)  # fmt: skip
def test_a_text_that_is_right(text: str) -> None:
    assert wrong(text) == []


def test_subject_and_html_stand_where_they_belong() -> None:
    assert check(Texts("x", "y"), "sms", RECEIVED) == {"subject": ["an SMS has none"]}
    assert check(Texts("x"), "email", RECEIVED) == {"subject": ["is missing"]}
    assert check(Texts("x", "y", "<p>z</p>"), "inbox", RECEIVED) == {"html": ["only a mail has one"]}
    assert check(Texts("x", "y", "{{ nobody }}"), "email", RECEIVED)["html"][0].startswith("line 1: there is no nobody")
    assert check(Texts("x", "{{ handler }}"), "inbox", RECEIVED) == {
        "subject": ["filled in with the least that the event may say, nothing is left"]
    }


def test_a_name_breaks_neither_lines_nor_headers() -> None:
    rendered = said(
        "编号 {{ number }}\n{{ complainant.name }}", title="{{ complainant.name }}", complainant={"name": EVIL}
    )

    sender = mail.sender("Kezhi <care@example.cn>")
    outgoing = Outgoing("0192d3c4", "wang.fang@example.com", rendered, "k", NOW)
    read = message_from_bytes(
        mail.compose(outgoing, sender, mail.address("wang.fang@example.com")).as_bytes(), policy=policy.default
    )
    assert read["Bcc"] is None
    assert read["To"] == "wang.fang@example.com"
    assert read["Subject"] == 'A Bcc: all@example.com <script>alert(1)</script>"{{ 7*7 }}'
    assert rendered.text.count("\n") == 1
    assert "\u202e" not in rendered.text
    assert "49" not in rendered.text


@given(name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300))
def test_whatever_the_name_a_mail_has_its_headers_and_no_others(name: str) -> None:
    rendered = said("x {{ complainant.name }}", title="x {{ complainant.name }}", complainant={"name": name})
    to, by = mail.address("wang.fang@example.com"), mail.sender("客至 <care@example.cn>")

    written = mail.compose(Outgoing("0192d3c4", "wang.fang@example.com", rendered, "k", NOW), by, to).as_bytes()

    read = message_from_bytes(written, policy=policy.default)
    assert sorted(read.keys()) == [
        "Auto-Submitted", "Content-Language", "Content-Type", "Date", "From", "MIME-Version", "Message-ID",
        "Subject", "To",
    ]  # fmt: skip
    assert "".join(str(read["Subject"]).split()) == "".join(str(rendered.subject).split())
    assert read.get_body(("plain",)).get_content().rstrip("\r\n") == rendered.text
    assert str(rendered.html).count("<p") == 1
    assert len(rendered.text.splitlines()) == 1


def test_a_name_breaks_no_markup_whether_the_mail_was_written_in_html_or_made_from_its_text() -> None:
    data = {"complainant": {"name": EVIL}, "subject": '" onmouseover="x'}
    made = said("{{ complainant.name }}\n\n{{ subject }}", **data)
    written = said("x", html='<b title="{{ subject }}">{{ complainant.name }}</b>', **data)

    for html in (made.html, written.html):
        assert html is not None
        assert "<script" not in html
        assert "&lt;script&gt;" in html
    assert '<b title="&#34; onmouseover=&#34;x">' in str(written.html)


def test_only_our_own_addresses_become_links() -> None:
    rendered = said("{{ subject }}\n\n{{ case_url }}", subject="https://evil.example/")

    assert str(rendered.html).count("<a ") == 1
    assert '<a href="https://care.example.cn/console/complaints/019aa3c2' in str(rendered.html)


def test_texts_of_several_lines_keep_them_where_the_template_says_so() -> None:
    note = "第一行\r\n第二行 <b>\n\n"
    rendered = said("{{ subject | lines }}|{{ subject }}", html="<p>{{ subject | lines }}</p>", subject=note)

    assert rendered.text == "第一行\n第二行 <b>|第一行 第二行 <b>"
    assert "<p>第一行<br>\n第二行 &lt;b&gt;</p>" in str(rendered.html)


@pytest.mark.parametrize(
    ("name", "greets"),
    [
        ("王芳", "王芳，您好！"), ("阿布都·热合曼", "阿布都·热合曼，您好！"), ("  王 芳 ", "王 芳，您好！"),
        ("Mary O'Neil-Smith", "Mary O'Neil-Smith，您好！"), (None, "您好！"), ("", "您好！"), ("...", "您好！"),
        ("http://evil.example", "您好！"), ("evil.example", "您好！"), ("加微信12345", "您好！"),
        ("王芳\n点击", "王芳 点击，您好！"), ("<b>王芳</b>", "您好！"),
        ("恭喜您中奖了请马上联系我们的客服领取您的奖金", "您好！"), ("a" * 41, "您好！"),
    ],
)  # fmt: skip
def test_only_a_name_is_greeted(name: str | None, greets: str) -> None:
    """Whoever complains types a name and a number of their choice: our SMS must not carry their words to it."""
    assert said("{{ greeting }}", "sms", None, recipient=name).text == greets


def test_a_call_task_tells_staff_whom_to_call_and_what_to_say_but_no_secret() -> None:
    link = catalogue.over_event("link.issued.v1")
    texts = catalogue.bundled("complaint_answer_link", "call_task", "zh-CN")
    assert texts is not None

    task = fill(texts, "k", "call_task", "zh-CN", 0, link, link.example, AROUND, "王芳")

    assert task.subject == "请致电：请评价反馈 C-2026-000017 的处理"
    assert task.text.startswith("请致电王芳，转告：\n\n王芳，您好！反馈 C-2026-000017 已处理完毕")
    assert str(link.example["token"]) not in task.text


@pytest.mark.parametrize(
    ("wanted", "chain"),
    [
        (None, ("zh-CN", "zh", "en")), ("en", ("en", "zh-CN")), ("en-GB", ("en-GB", "en", "zh-CN")),
        ("zh_TW", ("zh-TW", "zh", "zh-CN", "en")), ("fr", ("fr", "zh-CN", "en")),
    ],
)  # fmt: skip
def test_languages_are_looked_for_in_order(wanted: str | None, chain: tuple[str, ...]) -> None:
    assert fallbacks(wanted) == chain


def test_dates_and_numbers_are_said_as_people_say_them() -> None:
    zone = AROUND.zone
    assert words.moment("2026-02-13T09:20:00Z", "zh-CN", zone) == "2月13日（周五）17:20"
    assert words.moment("2026-02-13T09:20:00Z", "en", zone) == "17:20 on Fri 13 February"
    assert words.day("2026-12-31T16:30:00Z", "zh-CN", zone) == "2027年1月1日"
    assert words.number("1234567.50") == "1,234,567.50"
    assert (words.lateness(7380, "zh-CN"), words.lateness(59, "en")) == ("2 小时 3 分钟", "1 min")
    assert words.word("clock", "first_contact", "zh-CN") == "首次联系"
    assert words.word("tier", "jade", "en") == "jade"  # a company's own tier is said as it is
