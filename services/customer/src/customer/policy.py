"""The customer rules of a policy pack, as the rest of the service reads them. All numbers live in the pack.

Every rule keeps the clause it stands under, so that a decision can cite it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from chassis.policies import reading
from chassis.policies.company import Company
from chassis.policies.document import Node
from chassis.policies.reading import (
    Keys,
    choice,
    code,
    integer,
    listing,
    mapping,
    number,
    share,
    table,
    text,
    unless,
    wrong,
)
from chassis.policies.section import PolicySection
from chassis.policies.units import Duration
from chassis.policies.vocabulary.expression import Expression, read_expression

KINDS = ("individual", "enterprise", "institution")
TIES = ("amount", "frequency", "recency", "quantity", "since", "code")
ATTRIBUTES = ("kind", "business_form", "market_type", "territory", "unit")
CADENCES = ("weekly", "every 2 weeks", "monthly", "every 2 months", "quarterly", "half-yearly", "yearly")


@dataclass(frozen=True)
class Kind:
    """Individual, enterprise or institution, and the fields that must be known."""

    name: str
    title: Mapping[str, str]
    required: tuple[str, ...]
    clause: str


@dataclass(frozen=True)
class Facts:
    """Who collects facts; which are stale when not confirmed for so long."""

    collected_by: tuple[str, ...]
    stale_after: Duration
    clause: str


@dataclass(frozen=True)
class Window:
    """The days every measure looks at: ``span`` up to and including the day before ``as_of``."""

    span: Duration
    net_of_refunds: bool
    leave_out_flagged: bool
    clause: str

    def days(self, as_of: date) -> tuple[date, date]:
        """First and last day, both included."""
        last = as_of - timedelta(days=1)
        return (self.span.earlier(as_of), last)


@dataclass(frozen=True)
class Band:
    """One class: from ``at`` (included) up to the next."""

    name: str
    at: Decimal
    clause: str


@dataclass(frozen=True)
class Scheme:
    """A classification. Exactly one of ``bands``, ``split``, ``attribute``, ``template`` says how.

    ``bands`` fall from the highest threshold; ``split`` is (class, share of the population) from the top.
    """

    name: str
    clause: str
    measure: Expression | None = None
    bands: tuple[Band, ...] = ()
    split: tuple[tuple[str, Decimal], ...] = ()
    within: str | None = None
    ties: tuple[str, ...] = ()
    attribute: str | None = None
    template: str | None = None

    def classes(self) -> tuple[str, ...]:
        """Its closed list of classes; empty for attributes and templates."""
        return tuple(band.name for band in self.bands) or tuple(name for name, _ in self.split)

    def band_of(self, value: Decimal | int) -> Band:
        """The class of a measured value."""
        return next((band for band in self.bands if value >= band.at), self.bands[-1])


@dataclass(frozen=True)
class Level:
    """One grade: from ``at`` of the score; ``quota``: at most this share of the population."""

    name: str
    at: Decimal | None
    quota: Decimal | None
    rights: tuple[str, ...]
    clause: str


@dataclass(frozen=True)
class GradeScheme:
    """Grades by a scorecard. ``levels`` fall from the highest; ``otherwise`` is for customers without a purchase."""

    name: str
    score: Expression
    levels: tuple[Level, ...]
    otherwise: str
    ties: tuple[str, ...]
    reviewed: str
    rises: str
    falls: str
    clause: str

    def level_of(self, score: Decimal | None) -> Level:
        """The grade of a score; of None: ``otherwise``."""
        if score is None:
            return self.named(self.otherwise)
        return next(
            (level for level in self.levels if level.at is None or score >= level.at), self.levels[-1]
        )

    def named(self, name: str) -> Level:
        """The level of that name; the lowest for a name this pack no longer knows."""
        return next((level for level in self.levels if level.name == name), self.levels[-1])

    def rank(self, name: str) -> int:
        """0 for the lowest grade, ascending."""
        return len(self.levels) - 1 - self.levels.index(self.named(name))


@dataclass(frozen=True)
class Blacklist:
    """``valid_for`` by scope; None: until lifted."""

    valid_for: Mapping[str, Duration | None]
    reentry_grade: str
    two_persons: bool
    clause: str


@dataclass(frozen=True)
class Visits:
    """Visits by grade or class, and the return visit after a complaint."""

    frequency: Mapping[str, str]
    after_complaint: Duration | None
    clause: str


@dataclass(frozen=True)
class Surveys:
    """How often, how many, along which strata."""

    a_year: int
    sample: Decimal
    strata: tuple[str, ...]
    methods: tuple[str, ...]
    clause: str


@dataclass(frozen=True)
class EveryDay:
    """Flags a customer with purchases on ``at_least`` of the last ``of_last`` days."""

    at_least: int
    of_last: int
    clause: str


@dataclass(frozen=True)
class OddAmounts:
    """Flags a card with ``purchases`` or more whose median amount has a robust z beyond ``robust_z``."""

    purchases: int
    robust_z: Decimal
    clause: str


@dataclass(frozen=True)
class Cleaning:
    """Who is flagged and left out of the figures."""

    every_day: EveryDay | None
    odd_amounts: OddAmounts | None


@dataclass(frozen=True)
class Insight:
    """``churned_after``: days without a purchase, as an expression over a customer's own measures."""

    churned_after: Expression
    repeat_days: int
    rfm_groups: int
    clause: str


@dataclass(frozen=True)
class Duplicates:
    """Likeness above which a new customer is refused, or put into the review queue."""

    refuse_above: Decimal
    review_above: Decimal
    clause: str


@dataclass(frozen=True)
class Retention:
    """How long history is kept (None: for ever) and a merge can be undone."""

    history: Duration | None
    unmerge_within: Duration
    clause: str


@dataclass(frozen=True)
class CustomerPolicy:
    """customer.yaml, read."""

    kinds: Mapping[str, Kind]
    facts: Facts
    window: Window
    classifications: Mapping[str, Scheme]
    grades: Mapping[str, GradeScheme]
    service_plans: Mapping[str, Mapping[str, tuple[str, ...]]]
    blacklist: Blacklist
    visits: Visits | None
    surveys: Surveys | None
    cleaning: Cleaning
    insight: Insight
    duplicates: Duplicates
    retention: Retention
    company: Company = field(repr=False)

    @property
    def grade_scheme(self) -> GradeScheme:
        """The scheme that sets a customer's ``grade``: the first of the pack."""
        return next(iter(self.grades.values()))


@dataclass(frozen=True)
class Sanity:
    """Figures beyond these are taken for a slip of the pen."""

    longest_window: int
    largest_band: Decimal
    largest_score: Decimal


def load(node: Node, company: Company) -> CustomerPolicy:
    """Read customer.yaml; faults are noted."""
    keys = mapping(
        node,
        (
            "kinds",
            "facts",
            "window",
            "classifications",
            "grades",
            "blacklist",
            "insight",
            "duplicates",
            "retention",
            "sanity",
        ),
        ("service_plans", "visits", "surveys", "cleaning"),
    )
    sanity = _sanity(keys["sanity"], company)
    window = _window(keys["window"], sanity)
    schemes = table(keys["classifications"], lambda item: _scheme(item, company, window, sanity), code)
    grades = table(keys["grades"], lambda item: _grades(item, sanity), code, 1)
    _fits_one_another(keys, schemes, grades)
    return CustomerPolicy(
        kinds=_kinds(keys["kinds"]),
        facts=_facts(keys["facts"]),
        window=window,
        classifications=schemes,
        grades=grades,
        service_plans=keys.read("service_plans", _plans, {}),
        blacklist=_blacklist(keys["blacklist"]),
        visits=keys.read("visits", _visits, None),
        surveys=keys.read("surveys", _surveys, None),
        cleaning=keys.read("cleaning", _cleaning, Cleaning(None, None)),
        insight=_insight(keys["insight"]),
        duplicates=_duplicates(keys["duplicates"]),
        retention=_retention(keys["retention"]),
        company=company,
    )


def _sanity(node: Node, company: Company) -> Sanity:
    keys = mapping(node, ("longest_window", "largest_band", "largest_score"))
    read = Sanity(
        reading.span(keys["longest_window"]).days,
        reading.money(keys["largest_band"], company.currency).value,
        number(keys["largest_score"], 1),
    )
    return read if keys.sound else Sanity(10**6, Decimal(10**12), Decimal(10**12))


def _kinds(node: Node) -> dict[str, Kind]:
    keys = mapping(node, (), KINDS, clause=True)

    def kind(name: str, item: Node) -> Kind:
        inner = mapping(item, ("title", "required"))
        titles = {
            language: text(words)
            for language, words in mapping(inner["title"], ("zh", "en"), marks=False).content.items()
        }
        return Kind(name, titles, listing(inner["required"], code), inner.clause or keys.clause)

    return {name: kind(name, keys[name]) for name in KINDS if name in keys}


def _facts(node: Node) -> Facts:
    keys = mapping(node, ("collected_by", "stale_after"), clause=True)
    return Facts(listing(keys["collected_by"], code, 1), reading.span(keys["stale_after"]), keys.clause)


def _window(node: Node, sanity: Sanity) -> Window:
    keys = mapping(node, ("span", "until"), ("net_of", "leave_out"), clause=True)
    span = reading.span(keys["span"])
    if span.days > sanity.longest_window:
        wrong(
            keys["span"],
            f"a window of {span} is above the pack's own sanity cap of {sanity.longest_window} days",
            "write e.g. 365 days, or raise sanity.longest_window",
        )
    choice(keys["until"], "the day before")
    net = keys.read("net_of", lambda rows: listing(rows, lambda item: choice(item, "refunds")), ())
    out = keys.read(
        "leave_out", lambda rows: listing(rows, lambda item: choice(item, "flagged customers")), ()
    )
    return Window(span, "refunds" in net, "flagged customers" in out, keys.clause)


def _scheme(node: Node, company: Company, window: Window, sanity: Sanity) -> Scheme:
    name = node.path.rsplit(".", 1)[-1]
    keys = mapping(
        node,
        (),
        ("measure", "bands", "split", "within", "order", "ties", "rebuilt", "attribute", "template"),
        clause=True,
    )
    ways = [way for way in ("bands", "split", "attribute", "template") if way in keys]
    if len(ways) != 1:
        said = " and ".join(f"`{way}`" for way in ways) if ways else "nothing"
        wrong(node, f"{said} says how to classify", "write exactly one of bands, split, attribute, template")
        return Scheme(name, keys.clause)
    if "attribute" in keys:
        return Scheme(name, keys.clause, attribute=choice(keys["attribute"], *ATTRIBUTES))
    if "template" in keys:
        return Scheme(name, keys.clause, template=_template(keys["template"]))
    if "measure" not in keys:
        wrong(node, "`measure` is missing", "add e.g. `measure: amount`")
    measure = read_expression(keys["measure"])
    ties = keys.read(
        "ties", lambda rows: listing(rows, lambda item: choice(item, *TIES)), ("amount", "since", "code")
    )
    keys.read("order", lambda item: choice(item, "descending", "ascending"), "descending")
    keys.read("rebuilt", lambda item: choice(item, *CADENCES), "")
    if "bands" in keys:
        return Scheme(
            name, keys.clause, measure, bands=_bands(keys, measure, company, window, sanity), ties=ties
        )
    within = keys.read("within", lambda item: choice(item, *ATTRIBUTES), None)
    return Scheme(name, keys.clause, measure, split=_split(keys["split"]), within=within, ties=ties)


def _template(node: Node) -> str:
    said = text(node)
    if not reading.TEMPLATE.fullmatch(said):
        wrong(
            node, "a code template joins names in braces", 'write e.g. "{market_type}{business_form}{scale}"'
        )
    return said


def _split(node: Node) -> tuple[tuple[str, Decimal], ...]:
    before = reading.mapping(node, (), tuple(node.value) if isinstance(node.value, dict) else (), marks=False)
    shares = {name: share(item) for name, item in before.content.items()}
    total = sum(shares.values())
    if before.sound and total != 1:
        wrong(node, f"the shares add up to {(total * 100).normalize():f}%", "let them add up to 100%")
    return tuple(shares.items())


def _bands(
    keys: Keys, measure: Expression, company: Company, window: Window, sanity: Sanity
) -> tuple[Band, ...]:
    money = measure.text in ("amount", "median_amount")
    largest = sanity.largest_band if money else measure.bounds()[1]

    def threshold(item: Node) -> Decimal:
        value = reading.money(item, company.currency).value if money else number(item)
        most = window.span.days if measure.text in ("frequency", "recency", "since") else largest
        if value > most:
            wrong(item, f"{value} cannot be reached: the measure ends at {most}", "write a smaller threshold")
        return value

    def band(item: Node) -> tuple[Node, Band, Decimal | None]:
        inner = mapping(item, ("class",), ("at", "below"))
        at = inner.read("at", threshold, Decimal(0))
        return (
            item,
            Band(code(inner["class"]), at, inner.clause or keys.clause),
            inner.read("below", threshold, None),
        )

    node = keys["bands"]
    opened = keys.sound
    read = listing(node, band, 2)
    if opened and keys.sound:
        reading.unique([item for item, _, _ in read], [one.name for _, one, _ in read], "class")
        _gapless(node, sorted(read, key=lambda row: row[1].at))
    return tuple(sorted((one for _, one, _ in read), key=lambda one: -one.at))


def _gapless(node: Node, rising: list[tuple[Node, Band, Decimal | None]]) -> None:
    """Every value falls into exactly one band."""
    if rising[0][1].at != 0:
        wrong(
            node,
            f"values below {rising[0][1].at} fall into no class",
            f"leave out `at` of the lowest class `{rising[0][1].name}`",
        )
    for (item, low, below), (above, high, _) in zip(rising, rising[1:], strict=False):
        if low.at == high.at:
            wrong(
                above,
                f"the bands `{low.name}` and `{high.name}` overlap: both begin at {low.at}",
                "give each its own threshold",
            )
        elif below is not None and below > high.at:
            wrong(
                item,
                f"the bands `{low.name}` (below {below}) and `{high.name}` (at {high.at}) overlap",
                f"write `below: {high.at}`",
            )
        elif below is not None and below < high.at:
            wrong(item, f"values from {below} to {high.at} fall into no class", f"write `below: {high.at}`")
    if rising[-1][2] is not None:
        wrong(
            rising[-1][0],
            f"values from {rising[-1][2]} on fall into no class",
            "leave out `below` of the highest class",
        )


def _grades(node: Node, sanity: Sanity) -> GradeScheme:
    keys = mapping(
        node, ("score", "among", "otherwise", "levels", "reviewed", "rises", "falls"), ("ties",), clause=True
    )
    score = read_expression(keys["score"])
    choice(keys["among"], "customers with a purchase in the window")
    levels = listing(keys["levels"], lambda item: _level(item, keys.clause), 2)
    otherwise = code(keys["otherwise"])
    if keys.sound:
        _grades_make_sense(keys, score, levels, otherwise, sanity)
    return GradeScheme(
        name=node.path.rsplit(".", 1)[-1],
        score=score,
        levels=tuple(sorted(levels, key=lambda level: (level.at is None, -(level.at or 0)))),
        otherwise=otherwise,
        ties=keys.read(
            "ties", lambda rows: listing(rows, lambda item: choice(item, *TIES)), ("amount", "since", "code")
        ),
        reviewed=choice(keys["reviewed"], *CADENCES),
        rises=choice(keys["rises"], "at once", "after approval"),
        falls=choice(keys["falls"], "at once", "after approval"),
        clause=keys.clause,
    )


def _level(node: Node, clause: str) -> Level:
    keys = mapping(node, ("grade",), ("at", "quota", "rights"))
    return Level(
        code(keys["grade"]),
        keys.read("at", number, None),
        keys.read("quota", share, None),
        keys.read("rights", lambda rows: listing(rows, code), ()),
        keys.clause or clause,
    )


def _grades_make_sense(
    keys: Keys, score: Expression, levels: tuple[Level, ...], otherwise: str, sanity: Sanity
) -> None:
    nodes = list(reading.items(keys["levels"]))
    names = [level.name for level in levels]
    reading.unique(nodes, names, "grade")
    if otherwise not in names:
        wrong(keys["otherwise"], f"`{otherwise}` is none of the grades", reading.suggestion(otherwise, names))
    if [level.at for level in levels].count(None) != 1:
        wrong(
            keys["levels"],
            "exactly one grade, the lowest, has no threshold",
            "leave out `at` of the lowest grade only",
        )
    highest = Decimal(str(min(score.bounds()[1], float(sanity.largest_score))))
    seen: dict[Decimal, str] = {}
    for item, level in zip(nodes, levels, strict=True):
        if level.at is not None and level.at > highest:
            wrong(
                item,
                f"`{level.name}` cannot be reached: the score ends at {highest.normalize():f}",
                f"write `at:` of at most {highest.normalize():f}",
            )
        if level.at is not None and level.at in seen:
            wrong(
                item,
                f"`{level.name}` can never be given: `{seen[level.at]}` begins at {level.at} as well",
                "give each grade its own threshold",
            )
        seen.setdefault(level.at if level.at is not None else Decimal(-1), level.name)
    quotas = sum((level.quota or Decimal(0) for level in levels), Decimal(0))
    if quotas > 1:
        wrong(
            keys["levels"],
            f"the quotas add up to {(quotas * 100).normalize():f}%",
            "let them add up to at most 100%",
        )


def _fits_one_another(keys: Keys, schemes: dict[str, Scheme], grades: dict[str, GradeScheme]) -> None:
    """Names used in one section exist in another."""
    if not keys.sound:
        return
    names = {level.name for scheme in grades.values() for level in scheme.levels}
    for section, key in (("blacklist", "reentry_grade"),):
        node = keys[section].value.get(key) if isinstance(keys[section].value, dict) else None
        if node is not None and node.text not in names:
            wrong(node, f"`{node.text}` is none of the grades", reading.suggestion(node.text, names))
    visits = keys.get("visits")
    classes = {name for scheme in schemes.values() for name in scheme.classes()}
    if (
        visits is not None
        and isinstance(visits.value, dict)
        and isinstance(visits.value.get("frequency", visits).value, dict)
    ):
        for name, node in visits.value["frequency"].value.items():  # type: ignore[union-attr]
            if name not in names | classes:
                wrong(
                    node,
                    f"`{name}` is no grade or class of this pack",
                    reading.suggestion(name, names | classes),
                )


def _plans(node: Node) -> dict[str, dict[str, tuple[str, ...]]]:
    return table(node, lambda scheme: table(scheme, lambda plan: listing(plan, code, 1), code), code)


def _blacklist(node: Node) -> Blacklist:
    keys = mapping(node, ("valid_for", "reentry_grade", "approval"), clause=True)
    scopes = mapping(keys["valid_for"], ("unit", "company"))
    valid = {scope: unless(scopes[scope], "until lifted", reading.span) for scope in ("unit", "company")}
    two = choice(keys["approval"], "two persons", "one person") == "two persons"
    return Blacklist(valid, code(keys["reentry_grade"]), two, keys.clause)


def _visits(node: Node) -> Visits:
    keys = mapping(node, ("frequency",), ("after_complaint",), clause=True)
    frequency = table(keys["frequency"], lambda item: choice(item, *CADENCES), code)
    return Visits(frequency, keys.read("after_complaint", reading.duration, None), keys.clause)


def _surveys(node: Node) -> Surveys:
    keys = mapping(node, ("a_year", "sample", "strata", "methods"), clause=True)
    strata = listing(keys["strata"], lambda item: choice(item, "kind", "grade", "unit", "class", "tier"), 1)
    return Surveys(
        integer(keys["a_year"], 1, 52),
        share(keys["sample"]),
        strata,
        listing(keys["methods"], code, 1),
        keys.clause,
    )


def _cleaning(node: Node) -> Cleaning:
    keys = mapping(node, (), ("every_day", "odd_amounts"))
    return Cleaning(keys.read("every_day", _every_day, None), keys.read("odd_amounts", _odd_amounts, None))


def _every_day(node: Node) -> EveryDay:
    keys = mapping(node, ("at_least", "of_last"), clause=True)
    at_least, of_last = (
        reading.duration(keys["at_least"], ("day",)).days,
        reading.duration(keys["of_last"], ("day",)).days,
    )
    if keys.sound and at_least > of_last:
        wrong(keys["at_least"], f"there are only {of_last} days to buy on", f"write at most {of_last} days")
    return EveryDay(at_least, of_last, keys.clause)


def _odd_amounts(node: Node) -> OddAmounts:
    keys = mapping(node, ("purchases", "measure", "robust_z"), clause=True)
    choice(keys["measure"], "median_amount")
    return OddAmounts(integer(keys["purchases"], 1), number(keys["robust_z"], 1), keys.clause)


def _insight(node: Node) -> Insight:
    keys = mapping(node, ("churned_after", "repeat", "rfm"), clause=True)
    repeat, rfm = mapping(keys["repeat"], ("purchase_days",)), mapping(keys["rfm"], ("groups",))
    return Insight(
        read_expression(keys["churned_after"]),
        integer(repeat["purchase_days"], 2, 366),
        integer(rfm["groups"], 2, 10),
        keys.clause,
    )


def _duplicates(node: Node) -> Duplicates:
    keys = mapping(node, ("refuse_above", "review_above"), clause=True)
    refuse, review = share(keys["refuse_above"]), share(keys["review_above"])
    if keys.sound and review > refuse:
        wrong(
            keys["review_above"],
            "nothing would ever be reviewed: it is refused before",
            "let review_above be the smaller",
        )
    return Duplicates(refuse, review, keys.clause)


def _retention(node: Node) -> Retention:
    keys = mapping(node, ("history", "unmerge_within"), clause=True)
    return Retention(
        unless(keys["history"], "for ever", reading.span), reading.span(keys["unmerge_within"]), keys.clause
    )


SECTION = PolicySection("customer", load)
