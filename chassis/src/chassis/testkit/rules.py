"""Which rule of the written regulations each test proves: ``@pytest.mark.rule("FR-08")``, and the page that shows it.

``partly="…"`` says what of the rule is still missing: such a rule is shown, and not counted as proven.

``--regulation-coverage FILE`` writes the page from the results of this run. A marker with an id that no regulation has
stops the run: a typing slip must not count as a proof.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

RULES = Path("docs") / "regulations.csv"
_PROPERTY = "rule"
_FAMILIES = {
    "CG": "consumer-goods company", "TR": "tobacco retail network", "ML": "shopping mall", "FR": "franchise brand",
    "WO": "property and paid services", "AD": "admission of trade customers", "PG": "partner grading",
    "IS": "issue handling", "LQ": "liquor producer and dealers", "HT": "hotel", "FP": "freight platform", "BK": "bank",
    "CC": "care along the journey", "UT": "utility projects", "MC": "management and measures",
}  # fmt: skip


@dataclass(frozen=True)
class Rule:
    """One row of the mission."""

    id: str
    pack: str
    where: str
    text: str


def read_rules(file: Path) -> dict[str, Rule]:
    """Every rule by its id."""
    with file.open(encoding="utf-8", newline="") as lines:
        return {row["rule"]: Rule(row["rule"], row["pack"], row["where"], row["text"]) for row in csv.DictReader(lines)}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--regulation-coverage", metavar="FILE", help="write which test proves which rule of the regulations"
    )


def pytest_configure(config: pytest.Config) -> None:
    if (config.rootpath / RULES).exists():
        config.pluginmanager.register(Coverage(config), "kezhi-rules")


class Coverage:
    """Collects the outcomes of marked tests; with several workers, in the process that gathers their reports."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.rules = read_rules(config.rootpath / RULES)
        self.outcomes: dict[str, dict[str, str]] = defaultdict(dict)  # rule → test → passed, failed or skipped
        self.missing: dict[str, str] = {}  # rule → what of it is not there yet

    def pytest_collection_modifyitems(self, items: Sequence[pytest.Item]) -> None:
        """Note each test's rules where its reports carry them along."""
        for item in items:
            for marker in item.iter_markers("rule"):
                for rule in marker.args:
                    if rule not in self.rules:
                        raise pytest.UsageError(f"{item.nodeid}: there is no rule {rule} in {RULES}")
                    item.user_properties.append((_PROPERTY, rule))
                    if partly := marker.kwargs.get("partly"):
                        item.user_properties.append((f"{_PROPERTY}:{rule}", partly))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """The worst of set-up, call and tear-down counts."""
        if report.when == "call" or not report.passed:
            test = report.nodeid.partition("[")[0]
            for name, rule in report.user_properties:
                if name == _PROPERTY:
                    known = self.outcomes[str(rule)].get(test, "passed")
                    self.outcomes[str(rule)][test] = known if known != "passed" else report.outcome
                elif name.startswith(f"{_PROPERTY}:"):
                    self.missing[name.partition(":")[2]] = str(rule)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the page, in the one process that has seen everything."""
        wanted = self.config.getoption("--regulation-coverage")
        if wanted and not hasattr(self.config, "workerinput"):
            Path(wanted).write_text(page(self.rules.values(), self.outcomes, self.missing), encoding="utf-8")


def page(
    rules: Iterable[Rule], outcomes: Mapping[str, Mapping[str, str]], missing: Mapping[str, str] | None = None
) -> str:
    """The page: per regulation, each rule with the tests that name it and what became of them."""
    families: dict[str, list[Rule]] = defaultdict(list)
    for rule in rules:
        families[rule.id[:2]].append(rule)
    every = [rule for members in families.values() for rule in members]
    result = {rule.id: _result(outcomes.get(rule.id, {}), (missing or {}).get(rule.id)) for rule in every}
    proven = sum(said == "passed" for said in result.values())
    lines = [
        "# Regulation coverage",
        "",
        "Generated from the last whole run of `make test`, not written by hand. The rules are those of the regulations",
        'that the packs execute; one is proven when every test that names it (`@pytest.mark.rule("FR-08")`) passed.',
        "",
        f"**{proven} of {len(every)} rules are proven so far,"
        f" {sum(said.startswith('in part') for said in result.values())} more in part.**",
    ]
    for family, members in families.items():
        done = sum(result[rule.id] == "passed" for rule in members)
        lines += ["", f"## {family} — {_FAMILIES.get(family, family)} ({done} of {len(members)})", ""]
        lines += ["| rule | what it says | tests | result |", "|---|---|---|---|"]
        for rule in members:
            tests = outcomes.get(rule.id, {})
            named = "<br>".join(f"`{_short(test)}`" for test in sorted(tests)) or "—"
            lines.append(f"| {rule.id} | {rule.text.replace('|', '/')} | {named} | {result[rule.id]} |")
    return "\n".join(lines) + "\n"


def _result(tests: Mapping[str, str], missing: str | None) -> str:
    if not tests:
        return "not yet"
    passed = f"in part: {missing}" if missing else "passed"
    return next((outcome for outcome in ("failed", "skipped") if outcome in tests.values()), passed)


def _short(test: str) -> str:
    file, _, name = test.partition("::")
    return f"{file.removeprefix('services/')}::{name}"
