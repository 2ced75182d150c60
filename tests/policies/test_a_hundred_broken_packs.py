"""Over a hundred broken packs: each fault is told with file, line, column and its mend; none is a traceback."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from chassis.policies.check import check
from chassis.policies.document import Node, parse
from chassis.policies.pack import from_documents, read_documents
from chassis.policies.problems import PolicyProblem, PolicyRefused, gathering
from customer.policy import SECTION as CUSTOMER
from loyalty.policy import SECTION as LOYALTY

PACK = Path(__file__).parents[2] / "policies" / "consumer-goods"

# (file, what stands there, what a hand wrote instead, words of the message or the mend)
BROKEN = [
    # YAML itself
    ("loyalty", "tiers:\n", "tiers\n", "this is not YAML"),
    ("loyalty", "tiers:\n", "tiers: [\n", "this is not YAML"),
    ("loyalty", "tiers:\n", "\ttiers:\n", "this is not YAML"),
    ("loyalty", "tiers:\n", 'tiers: "\n', "this is not YAML"),
    ("loyalty", "tiers:\n", "tiers: &t\n", "anchors and aliases"),
    ("loyalty", "tiers:\n", "tiers: *t\n", "aliases"),
    ("loyalty", "tiers:\n", "tiers: !!python/object:os.system\n", "the tag"),
    ("loyalty", "tiers:\n", "---\ntiers:\n", "second document"),
    ("loyalty", "tiers:\n", "? [a, b]\n: 1\ntiers:\n", "a key must be one word"),
    ("loyalty", "tiers:\n", "<<: {a: 1}\ntiers:\n", "merge keys"),
    ("loyalty", "tiers:\n", "deep: " + "[" * 40 + "]" * 40 + "\ntiers:\n", "nested deeper"),
    ("loyalty", "tiers:\n", "many: [" + "1," * 21000 + "]\ntiers:\n", "more than 20000 values"),
    ("loyalty", "tiers:\n", "big: " + "x" * 5000 + "\ntiers:\n", "more than 4000 characters"),
    ("loyalty", "tiers:\n", "# " + "x" * 600_000 + "\ntiers:\n", "larger than 512 KiB"),
    ("loyalty", "tiers:\n", "a: \x07\ntiers:\n", "U+0007"),
    ("loyalty", "refunds:\n", "tiers: {}\nrefunds:\n", "`tiers` is written twice"),
    ("loyalty", "  points: 100 points\n", "  points: 100 points\n  points: 10 points\n", "`points` is written twice"),
    # the head
    ("pack", 'version: "1.0"', "version: 1.0", "a text belongs here"),
    ("pack", 'version: "1.0"\n', "", "`version` is missing"),
    ("pack", "pack: consumer-goods", "pack: Consumer Goods", "no name of a pack"),
    ("pack", "effective_from: 2026-01-01", "effective_from: 1 January", "a date belongs here"),
    ("pack", "effective_from: 2026-01-01", "effective_from: 2026-02-30", "a date belongs here"),
    ("pack", "notice_from: 2025-12-01", "notice_from: 2026-12-01", "told after"),
    ("pack", "approver:", "aprover:", "did you mean `approver`?"),
    ("pack", "  zh: 消费品公司客户管理制度\n", "", "`zh` is missing"),
    ("pack", "company:\n", "firm:\n", "unknown key"),
    ("pack", "pack: consumer-goods", "extends: nobody\npack: consumer-goods", "`nobody` that this one extends"),
    ("pack", "pack: consumer-goods", "extends: consumer-goods\npack: consumer-goods", "in a circle"),
    # changes by hand, and rewards
    ("loyalty", "second_person_above: 1000 points", "second_person_above: 20000 points", "be the larger"),
    ("loyalty", "second_person_above: 1000 points", "second_person_above: 1000.5 points", "points are whole"),
    ("loyalty", "by_role: {} ", "by_role: {hander: 200 points} ", "did you mean `handler`?"),
    ("loyalty", "by_role: {} ", "by_role: {handler: 20000 points} ", "what a director must agree to"),
    ("loyalty", "same_person_within: 1 day ", "same_person_within: 1 ", "a duration belongs here"),
    ("loyalty", "same_person_within: 1 day ", "same_persons_within: 1 day ", "did you mean `same_person_within`?"),
    ("loyalty", "reasons: [goodwill,", "reasons: [goodwill, goodwill,", "there twice"),
    ("loyalty", "reasons: [goodwill,", "reasons: [Good Will,", "a code belongs here"),
    ("loyalty", "  survey_answered:", "  survey_answerd:", "did you mean `survey_answered`?"),
    ("loyalty", "to: [referrer, referred]", "to: [referer, referred]", "did you mean `referrer`?"),
    # the company
    ("pack", "Asia/Shanghai", "Asia/Shangai", "did you mean `Asia/Shanghai`?"),
    ("pack", "currency: CNY", "currency: yuan", "no currency code"),
    ("pack", "holidays: china", "holidays: chinese", "did you mean `china`?"),
    ("pack", "monday, tuesday", "monda, tuesday", "did you mean `monday`?"),
    ("pack", 'from: "09:00"', "from: 9 am", "a time of day belongs here"),
    ("pack", 'from: "09:00"', 'from: "19:00"', "the day ends before it begins"),
    ("pack", 'until: "18:00" ', 'until: "24:00" ', "a time of day belongs here"),
    ("pack", "back: 2 years", "back: 2 year", "a duration belongs here"),
    ("pack", "ahead: 5 minutes", "ahead: 5 months", "cannot be counted in months"),
    ("pack", "compensation: 200 CNY", "compensation: 200", "an amount of money belongs here"),
    ("pack", "compensation: 200 CNY", "compensation: 200 USD", "not the company's currency"),
    ("pack", "compensation: 200 CNY", "compensation: no limit", "an amount of money belongs here"),
    ("pack", "approves: true ", "approves: yes ", "true or false belongs here"),
    ("pack", "    front_desk: ", "    Front Desk: ", "a code belongs here"),
    ("pack", "{title: {zh: 督导, en: Supervisor}}", "{title: 督导}", "a mapping belongs here"),
    # customers
    ("customer", "window:  ", "windows:  ", "did you mean `window`?"),
    ("customer", "kinds:\n  clause: CG-08\n", "kinds:\n", "names no clause"),
    ("customer", "  individual:  {", "  person:  {", "unknown key"),
    ("customer", "stale_after: 12 months", "stale_after: a year", "a duration belongs here"),
    ("customer", "stale_after: 12 months", "stale_after: 12 working days", "cannot be counted in working days"),
    ("customer", "ours: [stale_after]", "ours: [stale]", "stands nowhere in this rule"),
    ("customer", "ours: [stale_after]", "ours: maybe", "`ours` is true or a list"),
    ("customer", "span: 365 days", "span: 365", "a duration belongs here"),
    ("customer", "span: 365 days", "span: 3650 days", "sanity cap"),
    ("customer", "until: the day before", "until: today", "not known here"),
    ("customer", "net_of: [refunds]", "net_of: refunds", "a list belongs here"),
    ("customer", "measure: frequency ", "measure: frequenzy ", "did you mean `frequency`?"),
    ("customer", "measure: frequency ", "measures: frequency ", "did you mean `measure`?"),
    ("customer", "{class: high, at: 12}", "{class: high, at: 4}", "overlap"),
    ("customer", "{class: high, at: 12}", "{class: high, at: 400}", "cannot be reached"),
    ("customer", "{class: high, at: 12}", "{class: mid, at: 12}", "the class `mid` is there twice"),
    ("customer", "at: 4, below: 12", "at: 4, below: 14", "overlap"),
    ("customer", "at: 4, below: 12", "at: 4, below: 10", "fall into no class"),
    ("customer", "{class: low, below: 4}", "{class: low, at: 1, below: 4}", "fall into no class"),
    ("customer", "{class: high, at: 12}", "{class: high, at: 12, below: 99}", "fall into no class"),
    ("customer", "{class: high, at: 12}", "{class: high, at: -12}", "not between"),
    ("customer", "{class: large, at: 10000 CNY}", "{class: large, at: 10000}", "an amount of money belongs here"),
    ("customer", "{class: large, at: 10000 CNY}", "{class: large, at: 10.000 EUR}", "not the company's currency"),
    ("customer", "large, at: 10000 CNY}", 'large, at: "10,000 CNY"}', "an amount of money belongs here"),
    ("customer", "attribute: kind\n", "attribute: size\n", "not known here"),
    ("customer", "attribute: kind\n", "attribute: kind\n    bands: []\n", "exactly one of"),
    ("customer", "50*pr(amount)", "50*pr(amuont)", "did you mean `amount`?"),
    ("customer", "50*pr(amount)", "50 pr(amount)", "does not belong here"),
    ("customer", "50*pr(amount)", "50*eval(amount)", "no function"),
    ("customer", "20*pr(recency) ", "20*pr(recency ", "`)` is missing"),
    ("customer", "otherwise: ordinary", "otherwise: ordinery", "did you mean `ordinary`?"),
    ("customer", "        at: 90\n", "        at: 190\n", "`diamond` cannot be reached: the score ends at 100"),
    ("customer", "        at: 90\n", "        at: 75\n", "can never be given"),
    ("customer", "        at: 90\n", "        at: 90\n        quota: 101%\n", "more than 100%"),
    ("customer", "        at: 90\n", "        at: ninety\n", "a number belongs here"),
    ("customer", "        at: 50\n", "", "exactly one grade, the lowest"),
    ("customer", "reviewed: monthly", "reviewed: montly", "did you mean `monthly`?"),
    ("customer", "falls: after approval", "falls: never", "not known here"),
    ("customer", "unit: 6 months", "unit: six months", "a duration belongs here"),
    ("customer", "reentry_grade: ordinary", "reentry_grade: silver", "none of the grades"),
    ("customer", "frequency: {diamond: monthly", "frequency: {diamand: monthly", "did you mean `diamond`?"),
    ("customer", "diamond: monthly", "diamond: daily", "not known here"),
    ("customer", "sample: 5%", "sample: 5", "write a per cent sign"),
    ("customer", "sample: 5%", "sample: 500%", "more than 100%"),
    ("customer", "sample: 5%", "sample: 5%%", "a share belongs here"),
    ("customer", "a_year: 2", "a_year: 2.5", "a whole number belongs here"),
    ("customer", "a_year: 2", "a_year: 0", "not between"),
    ("customer", "at_least: 25 days", "at_least: 35 days", "there are only 30 days"),
    ("customer", "churned_after: max(90 days, 2*median_gap)", "churned_after: longest(90 days)", "no function"),
    ("customer", "review_above: 75%", "review_above: 95%", "ever be reviewed"),
    ("customer", "history: for ever", "history: forever", "a duration belongs here"),
    ("customer", "sanity:  ", "insanity:  ", "did you mean `sanity`?"),
    # loyalty
    ("loyalty", "pending: 7 days", "pending: 7", "a duration belongs here"),
    ("loyalty", "pending: 7 days", "pending: 7 dayz", "a duration belongs here"),
    ("loyalty", "expires: end of next year", "expires: end of year", "no expiry"),
    ("loyalty", "    points: 1\n", "    points: 100\n", "sanity cap of 10"),
    ("loyalty", "    growth: 1\n", "    growth: 0\n", "cannot be reached: purchases earn no growth"),
    ("loyalty", "    points: 1\n", "    points: one\n", "a number belongs here"),
    ("loyalty", "rates: {} ", "rates: {dollar: 7} ", "no currency code"),
    ("loyalty", "rounding: down", "rounding: up", "not known here"),
    ("loyalty", "caps: {purchase: none, day: none", "caps: {purchase: 500 points, day: 100 points", "would hide it"),
    ("loyalty", "mode: unlimited", "mode: unlimitted", "did you mean `unlimited`?"),
    ("loyalty", "bonus: 10%", "bonus: 1000%", "above the pack's own sanity cap of 100%"),
    ("loyalty", "bonus: 10%", "bonus: 0.1", "write a per cent sign"),
    ("loyalty", "bonus: 10%", "bonus: 30%", "smaller bonus than the tier below"),
    ("loyalty", "at: 1000 growth", "at: 1000", "an amount in growth belongs here"),
    ("loyalty", "at: 1000 growth", "at: 1000 points", "an amount in growth belongs here"),
    ("loyalty", "at: 1000 growth", "at: 5000 growth", "can never be held"),
    ("loyalty", "    - {tier: ordinary}\n", "", "no tier begins at nothing"),
    ("loyalty", "tier: gold,", "tier: platinum,", "the tier `platinum` is there twice"),
    ("loyalty", "tier: gold,", "teir: gold,", "did you mean `tier`?"),
    ("loyalty", "kept_for: 365 days", "kept_for: forever", "a duration belongs here"),
    ("loyalty", "when: birthday month", "when: birthday moon", "did you mean `birthday month`?"),
    ("loyalty", "base: x 2", "base: x 20", "sanity cap of x 5"),
    ("loyalty", "base: x 2", "base: double", "no multiplier"),
    ("loyalty", "points: 100 points", "points: 0 points", "nothing cannot be redeemed"),
    ("loyalty", "worth: 1.00 CNY", "worth: 100.00 CNY", "sanity cap of 0.10"),
    ("loyalty", "worth: 1.00 CNY", "worth: 1.00 USD", "not the company's currency"),
    ("loyalty", "to: [referrer, referred]", "to: [referer, referred]", "did you mean `referrer`?"),
    ("loyalty", "director_above: 10000 points", "director_above: 100 points", "before the second person"),
    ("loyalty", "notices: [30 days", "notices: [30", "a duration belongs here"),
    ("loyalty", "  bonus: 100%\n", "", "`bonus` is missing"),
    ("loyalty", "multiplier_up_to: x 3", "multiplier_up_to: 3", "no multiplier"),
    ("loyalty", "multiplier_up_to: x 3", "multiplier_up_to: x 30", "sanity cap of x 5"),
    ("loyalty", "bonus_up_to: 1000 points", "bonus_up_to: 1000", "an amount in points belongs here"),
    ("loyalty", "control_group: 10%", "control_group: 60%", "more than 50%"),
    ("loyalty", "control_group: 10%", "control_grop: 10%", "did you mean `control_group`?"),
    ("loyalty", "purchases_a_day: none", "purchases_a_day: 0", "not between 1 and"),
    ("loyalty", "points_a_day: none", "points_a_day: 500", "an amount in points belongs here"),
    ("loyalty", "amount_above: none", "amount_above: 2000", "an amount of money belongs here"),
    ("loyalty", "outlier: none", "outlier: {times: 1, after: 5 purchases}", "the usual purchase would be an outlier"),
    ("loyalty", "outlier: none", "outlier: {times: 20, after: 5}", "an amount in purchases belongs here"),
    ("loyalty", "above: 10000 points      # nobody", "above: 10000 CNY # nobody", "an amount in points belongs here"),
    ("loyalty", "clause: CG-24", "clause: {a: b}", "a clause is the number of an article"),
    # files without a reader yet
    ("complaint", "within: 1 working day, clause", "within: 1 workng day, clause", "write `1 working day`"),
    ("complaint", "2: 3 working days", "2: 3 working day", "no duration"),
    ("complaint", "warn_at: 75%", "warn_at: 75%%", "write e.g. 15%"),
    ("complaint", "value_from: 2000 CNY", 'value_from: "2,000 CNY"', "without separators"),
    ("complaint", "ours: [anonymous, backdated_by]", "ours: [anonymus]", "did you mean `anonymous`?"),
    ("notify", "  marketing: 2\n", "  marketing:\n", "nothing stands here"),
    ("gateway", "clause: CG-26", "clause: [CG-26, {}]", "a clause is the number of an article"),
]  # fmt: skip


@cache
def sound() -> dict[str, str]:
    return read_documents(PACK)


def problems(tmp_path: Path, texts: dict[str, str]) -> tuple[PolicyProblem, ...]:
    """What ``kezhi policy check`` finds in a folder with these files."""
    folder = tmp_path / "consumer-goods"
    folder.mkdir(exist_ok=True)
    for file, content in texts.items():
        (folder / file.split("/")[1]).write_text(content, encoding="utf-8")
    return check(folder, [CUSTOMER, LOYALTY]).problems


def broken(file: str, there: str, instead: str) -> dict[str, str]:
    name = f"consumer-goods/{file}.yaml"
    assert there in sound()[name], f"{there!r} no longer stands in {name}"
    return {**sound(), name: sound()[name].replace(there, instead, 1)}


def test_the_default_pack_is_sound(tmp_path: Path) -> None:
    assert problems(tmp_path, sound()) == ()


def test_there_are_over_a_hundred_of_them() -> None:
    assert len(BROKEN) > 120


@pytest.mark.parametrize(
    ("file", "there", "instead", "words"), BROKEN, ids=[f"{b[0]}-{n}" for n, b in enumerate(BROKEN)]
)
def test_a_broken_pack_is_told_where_and_how_to_mend(
    tmp_path: Path, file: str, there: str, instead: str, words: str
) -> None:
    found = problems(tmp_path, broken(file, there, instead))

    assert [problem for problem in found if words in str(problem)], [str(problem) for problem in found]
    for problem in found:
        assert re.fullmatch(r"consumer-goods/\w+\.yaml:[1-9]\d*:[1-9]\d*", problem.place)
        assert problem.message
        assert problem.mend


def test_the_place_is_the_place_of_the_fault(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, broken("loyalty", "bonus: 10%", "bonus: ten"))

    lines = sound()["consumer-goods/loyalty.yaml"].splitlines()
    line = next(number for number, content in enumerate(lines, 1) if "bonus: 10%" in content)
    assert (problem.line, problem.column) == (line, lines[line - 1].index("10%") + 1)


def test_a_fault_inside_an_expression_has_its_own_column(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, broken("customer", "30*pr(frequency)", "30*pr(frequenzy)"))

    line = sound()["consumer-goods/customer.yaml"].splitlines()[problem.line - 1]
    assert problem.column == line.index("frequency") + 1


def test_all_faults_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    texts = broken("loyalty", "bonus: 10%", "bonus: ten")
    texts["consumer-goods/loyalty.yaml"] = texts["consumer-goods/loyalty.yaml"].replace("7 days", "seven days")
    texts["consumer-goods/customer.yaml"] = sound()["consumer-goods/customer.yaml"].replace("12 months", "a year")

    found = problems(tmp_path, texts)

    assert [problem.file for problem in found] == ["consumer-goods/customer.yaml"] + ["consumer-goods/loyalty.yaml"] * 3


GARBAGE = [
    "~",
    "[]",
    "{}",
    "-5",
    "99999999999999999999",
    "'  '",
    "1e999",
    "true",
    "0x10",
    "[[{}]]",
    "{a: {b: c}}",
    "100000%",
    "٣ days",
]


def scalars(file: str) -> list[Node]:
    with gathering():
        tree = parse(file, sound()[file])
    assert tree is not None
    return [node for node in tree.walk() if not isinstance(node.value, dict | list) and node.text]


@pytest.mark.parametrize("file", ["pack", "customer", "loyalty"])
def test_garbage_in_any_place_is_read_or_refused_never_a_traceback(file: str) -> None:
    name = f"consumer-goods/{file}.yaml"
    refused = 0
    for number, node in enumerate(scalars(name)):
        lines = sound()[name].split("\n")
        line, start = lines[node.place.line - 1], node.place.column - 1
        written = len(node.text) + (2 if line[start] in "\"'" else 0)
        for garbage in (GARBAGE[number % len(GARBAGE)], GARBAGE[(number * 5 + 3) % len(GARBAGE)]):
            mutated = [*lines]
            mutated[node.place.line - 1] = line[:start] + garbage + line[start + written :]
            refused += refusals({**sound(), name: "\n".join(mutated)}, name, node.place.line)
    assert refused > 50


@pytest.mark.parametrize("file", ["pack", "customer", "loyalty"])
def test_any_misspelt_key_is_noticed(file: str) -> None:
    name = f"consumer-goods/{file}.yaml"
    lines = sound()[name].split("\n")
    noticed = 0
    for number, line in enumerate(lines):
        if (key := re.match(r"^( *(?:- )?)([a-z_]{4,})(:.*)$", line)) and key[2] not in ("clause",):
            mutated = [*lines]
            mutated[number] = f"{key[1]}{key[2]}x{key[3]}"
            noticed += refusals({**sound(), name: "\n".join(mutated)}, name, number + 1)
    assert noticed > 15


def refusals(texts: dict[str, str], file: str, line: int) -> int:
    """1 if this pack is refused; every problem has a place within its file and a mend. Other exceptions fly."""
    found: list[PolicyProblem] = []
    try:
        pack = from_documents(texts)
        CUSTOMER.read(pack)
        LOYALTY.read(pack)
    except PolicyRefused as refused:
        found = refused.problems
    for problem in found:
        assert problem.line > 0, str(problem)
        assert problem.column > 0, str(problem)
        assert problem.message, str(problem)
        assert problem.mend, str(problem)
    assert not found or any(problem.file == file for problem in found), (line, [str(each) for each in found])
    return min(len(found), 1)
