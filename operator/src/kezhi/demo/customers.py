"""The customers of the demo: each a pure function of the seed and a number, so that none need be kept.

All of them are invented. Telephone numbers have the form of Chinese mobile numbers and nobody is called: an evaluation
installation writes its messages to files. Mail addresses lie in example.com, which is nobody's (RFC 2606).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from kezhi.demo import names
from kezhi.demo.places import PLACES, Place

SEED = 20261122
FOUNDERS = 0.45  # customers from before the first day, taken over from the old card system
_PREFIXES = (
    "130",
    "131",
    "133",
    "135",
    "136",
    "137",
    "138",
    "139",
    "150",
    "151",
    "158",
    "159",
    "177",
    "180",
    "186",
    "189",
)
_DAYS = (date(2005, 12, 31) - date(1946, 1, 1)).days
_PEAK = (date(1988, 6, 1) - date(1946, 1, 1)).days
_TAGS = ("团购", "会员日", "母婴", "控糖", "送货上门", "社区团", "老客户")
_TASTES = ("纯净水", "茶饮料", "果汁", "坚果", "饼干", "酸奶", "婴儿辅食")
_OWNERS = {"enterprise": 0.9, "institution": 0.9, "individual": 0.04}  # who has an account manager


@dataclass(frozen=True)
class Customer:
    """What a line of the import says of one customer, and what their purchases are drawn by."""

    number: int
    kind: str
    name: str
    place: Place
    since: float  # share of the year at whose passing they registered; founders: 0
    card: str
    phone: str
    email: str
    birthday: date | None
    division: str
    address: str
    tags: tuple[str, ...]
    taste: str
    owned: bool

    @property
    def founder(self) -> bool:
        """Registered on the first day, and bought before."""
        return self.since == 0.0

    def row(self, owners: dict[str, str]) -> dict[str, str]:
        """The line of the import file; ``owners``: city → account manager."""
        return {
            "name": self.name,
            "kind": self.kind,
            "phone": self.phone,
            "email": self.email,
            "identity": f"card:{self.card}",
            "unit": self.place.store,
            "owner": owners[self.place.city] if self.owned else "",
            "birthday": self.birthday.isoformat() if self.birthday else "",
            "stage": "maintenance" if self.founder else "development",
            "address": self.address,
            "division": self.division,
            "tags": ";".join(self.tags),
            "department": "sales",
            "profile.taste": self.taste,
        }


def customer(number: int, seed: int = SEED) -> Customer:
    """The customer of a number, from 1."""
    chance = Random(f"{seed}/customer/{number}")  # noqa: S311 - a town of invented people, not a secret
    place = chance.choices(PLACES, [place.weight for place in PLACES])[0]
    division, district = chance.choice(place.districts)
    kind = chance.choices(("individual", "enterprise", "institution"), (90, 8, 2))[0]
    since = 0.0 if chance.random() < FOUNDERS else chance.random()
    house = f"{place.city}市{district}{chance.choice(place.streets)}{chance.randint(1, 999)}号"
    birthday: date | None = None
    if kind == "individual":
        birthday = _birthday(chance, number)
        name = names.person(chance, birthday.year, chance.random() < 0.58)
        house += f"{chance.randint(1, 30)}幢{chance.randint(1, 6)}0{chance.randint(1, 4)}室"
    elif kind == "enterprise":
        name = names.enterprise(chance, place.city)
    else:
        name = names.institution(chance, place.city, district)
    return Customer(
        number=number,
        kind=kind,
        name=name,
        place=place,
        since=since,
        card=f"{88_000_000 + number}",
        phone=_PREFIXES[number % len(_PREFIXES)] + f"{(number * 48_611_937 + 24_680_135) % 10**8:08}",
        email=f"guest{number}@example.com" if kind != "individual" or chance.random() < 0.3 else "",
        birthday=birthday,
        division=division,
        address=house if kind != "individual" or chance.random() < 0.7 else "",
        tags=(chance.choice(_TAGS),) if chance.random() < 0.12 else (),
        taste=chance.choice(_TASTES),
        owned=chance.random() < _OWNERS[kind],
    )


def founders(count: int, kind: str, places: tuple[str, ...] = (), seed: int = SEED) -> Iterator[Customer]:
    """Who is there from the first day, of a kind and of some stores (none: of all)."""
    for number in range(1, count + 1):
        one = customer(number, seed)
        if one.founder and one.kind == kind and (not places or one.place.store in places):
            yield one


def _birthday(chance: Random, number: int) -> date:
    """Between 1946 and 2005, most around 1988; no two of some thousands on the same day, so that namesakes differ."""
    around = chance.triangular(0, _DAYS, _PEAK)
    step = 97
    day = int(around) // step * step + number % step
    return date(1946, 1, 1) + timedelta(days=min(day, _DAYS))
