"""Where the company sells: its stores, and the districts around them with their real GB/T 2260 codes.

Streets are invented where they carry numbers; a district's name and code are what the statistics office publishes.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A store's surroundings: ``districts`` as (division code, name); ``weight``: how many live there."""

    store: str
    city: str
    districts: tuple[tuple[str, str], ...]
    streets: tuple[str, ...]
    weight: int


PLACES = (
    Place("SH001", "上海", (("310106", "静安区"), ("310101", "黄浦区")), ("南京西路", "北京西路", "西藏中路"), 20),
    Place("SH002", "上海", (("310110", "杨浦区"), ("310109", "虹口区")), ("淞沪路", "四平路", "大连路"), 16),
    Place("SH003", "上海", (("310115", "浦东新区"),), ("张杨路", "世纪大道", "浦建路"), 12),
    Place("BJ001", "北京", (("110101", "东城区"), ("110105", "朝阳区")), ("王府井大街", "朝阳路", "建国路"), 14),
    Place("BJ002", "北京", (("110108", "海淀区"), ("110102", "西城区")), ("中关村大街", "学院路", "复兴路"), 10),
    Place("GZ001", "广州", (("440106", "天河区"), ("440104", "越秀区")), ("天河路", "中山三路", "黄埔大道"), 12),
    Place("SZ001", "深圳", (("440305", "南山区"), ("440304", "福田区")), ("南海大道", "深南大道", "福华路"), 9),
    Place("CD001", "成都", (("510104", "锦江区"), ("510107", "武侯区")), ("春熙路", "人民南路", "科华北路"), 9),
    Place("HZ001", "杭州", (("330106", "西湖区"), ("330108", "滨江区")), ("文三路", "江南大道", "延安路"), 8),
)
STORES = tuple(place.store for place in PLACES)
WEB = "WEB01"  # the online shop


def source_of(store: str) -> str:
    """Whom a store's purchases come from, as events name it."""
    return "/shop/web" if store == WEB else f"/pos/{store}"
