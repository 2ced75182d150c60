"""Reasons in the reader's language: what the complaint service really says, and nothing guessed."""

from __future__ import annotations

import pytest
from flask import Flask, g

from gateway.console.reasons import reason


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("category product.expired", "类别：商品 · 已过期"),
        ("value 1800.00 at or above 500 CNY", "涉及金额 1800.00，达到 500 CNY"),
        ("the same matter again within 30 days", "30 天内同一事项再次投诉"),
        ("category service.attitude; the complainant insists on a superior", "类别：服务 · 态度；客户坚持找上级"),
        ("the answer 4 (dissatisfied) opens the next round at level 2 instead of 1",
         "评价 4（不满意），进入下一轮，级别由 1 级升为 2 级"),
        ("50.00 CNY in this case: above the limit of 0.00 CNY; handler, director may approve it",
         "本单补偿合计 50.00 CNY，超出权限 0.00 CNY；可由处理人、总监审批"),
        ("1 of the 6 periods needed before this one", "此前只有 1 期，满 6 期方可判断"),
        ("11 lies between 0.0 and 14.2, as chance lets it", "11 件在 0.0 与 14.2 之间，属正常波动"),
        ("the clock answer of round 2 was missed: due Sat 2026-11-14 15:30",
         "第 2 轮的答复时限已超：应于 Sat 2026-11-14 15:30 完成"),
        ("Lower the grade of 61 customers, as of 2026-11-02", "下调 61 位客户的等级（截至 2026-11-02）"),
        ("compensation for complaint TS2026-000006", "投诉 TS2026-000006 的补偿"),
        ("rebate 2026-Q3", "2026年第3季度返利"),
        ("something that nobody has said before", "something that nobody has said before"),
    ],
)  # fmt: skip
def test_a_reason_is_said_in_chinese(said: str, shown: str) -> None:
    with Flask(__name__).test_request_context():
        g.language = "zh-CN"
        assert reason(said) == shown


def test_in_english_it_stays_as_the_service_said_it() -> None:
    with Flask(__name__).test_request_context():
        g.language = "en"
        assert reason("category product.expired") == "category product.expired"
