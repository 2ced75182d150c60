"""The organisation of the demo: units with their heads, and somebody in every role to sign in as."""

from __future__ import annotations

from typing import Any

from kezhi.api import Api

UNITS = (
    ("HQ", "总公司", None),
    ("SH", "上海分公司", "HQ"),
    ("BJ", "北京分公司", "HQ"),
    ("SH001", "上海一店", "SH"),
    ("SH002", "上海二店", "SH"),
)
# username, name, roles, unit, superior: superiors before those who work under them
STAFF = (
    ("zhao.min", "赵敏", ("director",), "HQ", None),
    ("qian.li", "钱丽", ("service_manager",), "SH", "zhao.min"),
    ("sun.hao", "孙浩", ("store_manager",), "SH001", "zhao.min"),
    ("li.wei", "李伟", ("handler",), "SH001", "sun.hao"),
    ("zhou.jie", "周洁", ("handler",), "SH001", "sun.hao"),
    ("wu.fang", "吴芳", ("front_desk",), "SH001", "sun.hao"),
    ("zheng.yu", "郑宇", ("account_manager",), "SH001", "qian.li"),
    ("wang.tao", "王涛", ("handler",), "SH002", "qian.li"),
    ("feng.xue", "冯雪", ("marketing",), "HQ", "zhao.min"),
    ("chen.jing", "陈静", ("finance",), "HQ", "zhao.min"),
    ("chu.yi", "褚毅", ("supervisor",), "HQ", "zhao.min"),
    ("wei.lan", "卫兰", ("auditor",), "HQ", None),
)
HEADS = {"HQ": "zhao.min", "SH": "qian.li", "SH001": "sun.hao"}


def found(api: Api, password: str) -> None:
    """Units, staff and heads, all with one password. Repeatable: what exists stays as it is."""
    known = {unit["code"] for unit in api.get("/units", limit=200)["items"]}
    for code, name, parent in UNITS:
        if code not in known:
            api.post("/units", {"code": code, "name": name} | ({"parent": parent} if parent else {}))
    employed = {one["username"] for one in api.get("/staff", limit=200)["items"]}
    for username, name, roles, unit, superior in STAFF:
        if username not in employed:
            person: dict[str, Any] = {"username": username, "name": name, "roles": list(roles), "unit": unit}
            api.post("/staff", {**person, "superior": superior, "password": password})
    for unit in api.get("/units", limit=200)["items"]:
        head = HEADS.get(unit["code"])
        if head and unit["head"] != head:
            api.patch(f"/units/{unit['id']}", {"head": head})
