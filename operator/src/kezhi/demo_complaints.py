"""A dozen complaints of the demo, told by the staff who handle them: in every state, some late, one opened again.

Each story is what people did, in order; who may do what, and by when, the complaint service decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from kezhi.api import Api, Refused

FRONT_DESK = "wu.fang"
Deed = tuple[str, str, dict[str, Any]]  # who (or `handler`, whoever that is then), action, body


@dataclass(frozen=True)
class Story:
    """One complaint: what was said (``card``: a customer of the demo), how long ago, and what was done since."""

    subject: str
    description: str
    category: str
    channel: str
    days_ago: float
    card: str | None = None
    said: dict[str, Any] = field(default_factory=dict)
    deeds: tuple[Deed, ...] = ()


ACKNOWLEDGED: tuple[Deed, ...] = (("handler", "acknowledge", {}),)
CONTACTED: tuple[Deed, ...] = (
    *ACKNOWLEDGED,
    ("handler", "contact", {"kind": "first", "reached": True, "note": "已电话联系，说明处理步骤"}),
    ("handler", "triage", {"founded": True, "note": "情况属实"}),
)
RESOLVED: tuple[Deed, ...] = (
    *CONTACTED,
    ("handler", "investigate", {"cause": "storage", "note": "运输途中受热，已复核批次"}),
    ("handler", "propose", {"measures": "换货并致歉", "compensation": {"points": 500}}),
    ("handler", "resolve", {"answer": "已为您更换新品，并补偿 500 积分，感谢您的监督。"}),
)
CLOSED: tuple[Deed, ...] = (*RESOLVED, (FRONT_DESK, "callback", {"satisfaction": 1, "comment": "处理得很快"}))
REOPENED: tuple[Deed, ...] = (*RESOLVED, (FRONT_DESK, "callback", {"satisfaction": 4, "comment": "换来的还是一样"}))

STORIES = (
    Story("纯净水有异味", "昨天买的整箱水有塑料味。", "product.quality", "hotline", 0.02, "1"),
    Story("少发两瓶", "订单写的二十四瓶，到手二十二瓶。", "delivery.wrong", "portal", 0.3, "2", deeds=ACKNOWLEDGED),
    Story("收银多收一元", "小票与货架价格不一致。", "product.price", "store_box", 1, "3", deeds=CONTACTED),
    Story(
        "店员态度不好", "询问活动时爱理不理。", "service.attitude", "visit", 1.2, "4",
        {"against": {"kind": "staff", "ref": "zhou.jie"}}, ACKNOWLEDGED,
    ),
    Story("标签看不清", "生产日期印刷模糊。", "product.label", "message", 4, "5", deeds=CONTACTED),
    Story("瓶身破损", "送到时三瓶已破。", "delivery.damaged", "hotline", 3, "6", deeds=RESOLVED),
    Story("送货晚了两天", "说好周一，周三才到。", "delivery.late", "hotline", 9, "7", deeds=CLOSED),
    Story("水质问题未解决", "同一批次再次出现异味。", "product.quality", "hotline", 6, "8", deeds=REOPENED),
    Story(
        "过期食品", "12315 转来：货架上有过期两天的面包。", "product.expired", "regulator", 2, None,
        {"complainant": {"name": "陈先生", "phone": "13900001111"}}, ACKNOWLEDGED,
    ),
    Story(
        "团购退款", "公司团购取消，要求退还预付款。", "policy", "email", 1.5, "9",
        {"value": {"amount": "1800.00", "currency": "CNY"}, "wanted": "原路退回"}, CONTACTED,
    ),
    Story(
        "询问会员活动", "双十二是否双倍积分？", "other", "message", 0.1, "10", {"type": "inquiry"}, ACKNOWLEDGED,
    ),
    Story("积分没到账", "上周购物积分未到账，后查明是另一张卡。", "other", "portal", 5, "11",
          deeds=(*ACKNOWLEDGED, ("handler", "unfounded", {"reason": "积分已记入另一张卡，已向顾客说明"}))),
)  # fmt: skip


def tell(sign_in: Callable[[str], Api], customers: Mapping[str, str]) -> int:
    """Play every story; answers how many complaints there are. ``customers``: card → id. Repeatable within a day."""
    made = 0
    for number, story in enumerate(STORIES):
        body: dict[str, Any] = {
            "channel": story.channel,
            "subject": story.subject,
            "description": story.description,
            "category": story.category,
            **({"customer_id": customers[story.card]} if story.card else {}),
            **story.said,
        }
        desk = sign_in(FRONT_DESK)
        if desk.get("/complaints", q=story.subject, limit=1)["items"]:
            continue  # told at an earlier start
        body["received_at"] = (datetime.now(UTC) - timedelta(days=story.days_ago)).isoformat(timespec="seconds")
        case = desk.post("/complaints", body, f"demo-complaint-{number}-{body['received_at']}")
        for who, action, told in story.deeds:
            case = _do(sign_in, case, who, action, told)
        made += 1
    return made


def _do(sign_in: Callable[[str], Api], case: dict[str, Any], who: str, action: str, body: dict[str, Any]) -> Any:
    """One deed. A clock that ran out meanwhile may have handed the case on: whoever has it now does it."""
    for _ in range(3):
        doer = case["handler"] if who == "handler" else who
        try:
            return sign_in(doer).post(f"/complaints/{case['id']}/{action}", body, f"demo-{case['id']}-{action}")
        except Refused as refused:
            if who != "handler" or refused.status != HTTPStatus.FORBIDDEN:
                raise
            case = sign_in("zhao.min").get(f"/complaints/{case['id']}")
    raise AssertionError("the case changes hands faster than anybody can work")
