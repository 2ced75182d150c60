"""Reading classification and grade schemes: every value falls into one class, every grade can be reached."""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import pairwise

from chassis.policies import reading
from chassis.policies.company import Company
from chassis.policies.document import Node
from chassis.policies.reading import Keys, choice, code, listing, mapping, number, share, text, wrong
from chassis.policies.vocabulary.expression import Expression, read_expression
from customer.policy.rules import Band, GradeScheme, Level, Sanity, Scheme, Window

TIES = ("amount", "frequency", "recency", "quantity", "since", "code")
ATTRIBUTES = ("kind", "business_form", "market_type", "territory", "unit")
_TEMPLATE = re.compile(r"(\{[a-z_]+\}|[A-Z0-9-])+")
CADENCES = ("weekly", "every 2 weeks", "monthly", "every 2 months", "quarterly", "half-yearly", "yearly")


def read_scheme(node: Node, company: Company, window: Window, sanity: Sanity) -> Scheme:
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
    ties = keys.read("ties", lambda rows: listing(rows, lambda item: choice(item, *TIES)), ("amount", "since", "code"))
    keys.read("order", lambda item: choice(item, "descending", "ascending"), "descending")
    keys.read("rebuilt", lambda item: choice(item, *CADENCES), "")
    if "bands" in keys:
        return Scheme(name, keys.clause, measure, bands=_bands(keys, measure, company, window, sanity), ties=ties)
    within = keys.read("within", lambda item: choice(item, *ATTRIBUTES), None)
    return Scheme(name, keys.clause, measure, split=_split(keys["split"]), within=within, ties=ties)


def _template(node: Node) -> str:
    said = text(node)
    if not _TEMPLATE.fullmatch(said):
        wrong(node, "a code template joins names in braces", 'write e.g. "{market_type}{business_form}{scale}"')
    return said


def _split(node: Node) -> tuple[tuple[str, Decimal], ...]:
    before = reading.mapping(node, (), tuple(node.value) if isinstance(node.value, dict) else (), marks=False)
    shares = {name: share(item) for name, item in before.content.items()}
    total = sum(shares.values(), Decimal(0))
    if before.sound and total != 1:
        wrong(node, f"the shares add up to {(total * 100).normalize():f}%", "let them add up to 100%")
    return tuple(shares.items())


def _bands(keys: Keys, measure: Expression, company: Company, window: Window, sanity: Sanity) -> tuple[Band, ...]:
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
    for (item, low, below), (above, high, _) in pairwise(rising):
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


def read_grades(node: Node, sanity: Sanity) -> GradeScheme:
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
