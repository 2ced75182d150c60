"""The organisation of the demo: 云溪食品, its branches, stores and departments, and somebody in every role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from kezhi.api import Api
from kezhi.demo.places import WEB

HANDS = 3  # requests at the same time


@dataclass(frozen=True)
class Person:
    """Somebody to sign in as; ``sees``: what the closing lines say of them."""

    username: str
    name: str
    roles: tuple[str, ...]
    unit: str
    superior: str | None
    sees: str = ""


@dataclass(frozen=True)
class Company:
    """Units as (code, name, parent), parents first; staff, superiors first; the heads of units."""

    units: Sequence[tuple[str, str, str | None]]
    staff: Sequence[Person]
    heads: Mapping[str, str]

    def found(self, api: Api, password: str) -> None:
        """Make it, all with one password. Repeatable: what exists stays as it is."""
        known = {unit["code"] for unit in api.get("/units", limit=200)["items"]}
        for code, name, parent in self.units:
            if code not in known:
                api.post("/units", {"code": code, "name": name} | ({"parent": parent} if parent else {}))
        self._employ(api, password)
        for unit in api.get("/units", limit=200)["items"]:
            head = self.heads.get(unit["code"])
            if head and unit["head"] != head:
                api.patch(f"/units/{unit['id']}", {"head": head})

    def _employ(self, api: Api, password: str) -> None:
        """Level by level, those of one level at a time: the gateway spends its while on each one's password."""

        def employ(person: Person) -> None:
            body: dict[str, Any] = {"username": person.username, "name": person.name, "roles": list(person.roles)}
            api.post("/staff", {**body, "unit": person.unit, "superior": person.superior, "password": password})

        employed = {one["username"] for one in api.get("/staff", limit=200)["items"]}
        waiting = [person for person in self.staff if person.username not in employed]
        with ThreadPoolExecutor(HANDS) as pool:
            while level := [one for one in waiting if one.superior is None or one.superior in employed]:
                list(pool.map(employ, level))
                employed |= {one.username for one in level}
                waiting = [one for one in waiting if one.username not in employed]


def _person(username: str, name: str, role: str, unit: str, superior: str | None, sees: str = "") -> Person:
    return Person(username, name, (role,), unit, superior, sees)


YUNXI = Company(
    units=(
        ("HQ", "云溪食品总公司", None),
        ("EC", "电子商务部", "HQ"),
        ("SH", "上海分公司", "HQ"),
        ("SH001", "上海南京西路店", "SH"),
        ("SH002", "上海五角场店", "SH"),
        ("SH003", "上海陆家嘴店", "SH"),
        ("HZ001", "杭州文三路店", "SH"),
        ("BJ", "北京分公司", "HQ"),
        ("BJ001", "北京王府井店", "BJ"),
        ("BJ002", "北京中关村店", "BJ"),
        ("GZ", "华南分公司", "HQ"),
        ("GZ001", "广州天河店", "GZ"),
        ("SZ001", "深圳南山店", "GZ"),
        ("CD001", "成都春熙路店", "GZ"),
    ),
    staff=(
        _person("zhao.min", "赵敏", "director", "HQ", None, "the whole company; approves what is beyond others"),
        _person("qian.li", "钱丽", "service_manager", "SH", "zhao.min", "the complaints of Shanghai and Hangzhou"),
        _person("jiang.bo", "江波", "service_manager", "BJ", "zhao.min"),
        _person("he.shan", "何珊", "service_manager", "GZ", "zhao.min"),
        _person("sun.hao", "孙浩", "store_manager", "SH001", "zhao.min", "one store: customers, complaints, approvals"),
        _person("gu.wen", "顾雯", "store_manager", "SH002", "zhao.min"),
        _person("meng.fei", "孟飞", "store_manager", "BJ001", "zhao.min"),
        _person("lu.ping", "陆萍", "store_manager", "GZ001", "zhao.min"),
        _person("li.wei", "李伟", "handler", "SH001", "sun.hao", "the cases in hand: clocks, next steps"),
        _person("zhou.jie", "周洁", "handler", "SH001", "sun.hao"),
        _person("wang.tao", "王涛", "handler", "SH002", "gu.wen"),
        _person("tang.rui", "唐瑞", "handler", "SH", "qian.li"),
        _person("cao.ning", "曹宁", "handler", "BJ001", "meng.fei"),
        _person("deng.kai", "邓凯", "handler", "BJ", "jiang.bo"),
        _person("liang.yan", "梁燕", "handler", "GZ001", "lu.ping"),
        _person("xie.lin", "谢琳", "handler", "GZ", "he.shan"),
        _person("wu.fang", "吴芳", "front_desk", "HQ", "zhao.min", "the hotline: takes calls, calls customers back"),
        _person("pan.xi", "潘曦", "front_desk", "SH001", "sun.hao", "the till of one store: customers, points, holds"),
        _person("zheng.yu", "郑宇", "account_manager", "SH", "qian.li", "customers of Shanghai, archives, points"),
        _person("ding.lei", "丁磊", "account_manager", "BJ", "jiang.bo"),
        _person("fang.qin", "方琴", "account_manager", "GZ", "he.shan"),
        _person("feng.xue", "冯雪", "marketing", "HQ", "zhao.min", "classes, grades, imports, templates; no contacts"),
        _person("chen.jing", "陈静", "finance", "HQ", "zhao.min", "points liability, reconciliation"),
        _person("chu.yi", "褚毅", "supervisor", "HQ", "zhao.min", "all complaints and reports, handles none"),
        _person("wei.lan", "卫兰", "auditor", "HQ", None, "reads everything, masked, and the audit"),
    ),
    heads={
        "HQ": "zhao.min", "SH": "qian.li", "BJ": "jiang.bo", "GZ": "he.shan", "SH001": "sun.hao", "SH002": "gu.wen",
        "BJ001": "meng.fei", "GZ001": "lu.ping",
    },
)  # fmt: skip
OWNERS = {
    "上海": "zheng.yu", "杭州": "zheng.yu", "北京": "ding.lei",
    "广州": "fang.qin", "深圳": "fang.qin", "成都": "fang.qin",
}  # fmt: skip
STORES = {
    **{code: code for code, _, _ in YUNXI.units if code[-3:].isdigit()},
    WEB: "EC",
}
