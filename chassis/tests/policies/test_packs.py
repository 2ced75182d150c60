"""Packs on disk: inheritance with provenance, hashes, units, differences in words."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from chassis.policies.check import check, vocabulary
from chassis.policies.diff import diff
from chassis.policies.document import parse
from chassis.policies.pack import Pack, from_documents, load, read_documents
from chassis.policies.problems import PolicyRefused, collecting
from chassis.policies.section import PolicySection
from chassis.policies.units import Duration, parse_amount, parse_duration, parse_share
from chassis.policies.why import Why

DEFAULT = Path(__file__).parents[3] / "policies" / "consumer-goods"
HEAD = """pack: {name}
title: {{zh: 制度, en: Rules}}
summary: {{zh: 制度, en: Rules}}
version: "1"
source: A regulation
"""
COMPANY = """company:
  time_zone: Asia/Shanghai
  currency: CNY
  calendar: {holidays: china}
  working_hours: {days: [monday], from: "09:00", until: "18:00"}
  roles: {handler: {title: {zh: 处理人, en: Handler}, compensation: 200 CNY}}
"""
LOYALTY = """tiers:
  clause: X-1
  levels:
    - {tier: ordinary}
    - {tier: gold, at: 1000 growth, bonus: 10%}
channels: [store, web]
birthday: {clause: X-2, base: x 2}
"""


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / f"{name}.yaml").write_text(content, encoding="utf-8")
    return folder


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return write(tmp_path / "base", pack=HEAD.format(name="base") + COMPANY, loyalty=LOYALTY)


def extending(base: Path, loyalty: str, head: str = "") -> Pack:
    child = write(base.parent / "child", pack=HEAD.format(name="child") + "extends: base\n" + head, loyalty=loyalty)
    return load(child)


def section(pack: Pack) -> Any:
    return pack.section("loyalty").plain()


def test_a_pack_inherits_what_it_does_not_say(base: Path) -> None:
    pack = extending(base, "channels: [web]\n")

    assert section(pack)["birthday"] == {"clause": "X-2", "base": "x 2"}
    assert section(pack)["channels"] == ["web"], "a plain list replaces the inherited one"
    assert pack.company.currency == "CNY"


def test_items_with_the_same_name_are_merged_and_new_ones_added(base: Path) -> None:
    pack = extending(
        base, "tiers:\n  levels:\n    - {tier: gold, bonus: 20%}\n    - {tier: diamond, at: 9000 growth}\n"
    )

    assert section(pack)["tiers"]["levels"] == [
        {"tier": "ordinary"},
        {"tier": "gold", "at": "1000 growth", "bonus": "20%"},
        {"tier": "diamond", "at": "9000 growth"},
    ]


def test_what_is_inherited_can_be_taken_away(base: Path) -> None:
    pack = extending(base, "birthday: ~\ntiers:\n  levels:\n    - {tier: gold, removed: true}\n")

    assert "birthday" not in section(pack)
    assert section(pack)["tiers"]["levels"] == [{"tier": "ordinary"}]


def test_company_is_inherited_key_by_key_title_and_version_never(base: Path) -> None:
    pack = extending(base, "{}\n", head="company: {currency: USD, roles: {handler: {compensation: 30 USD}}}\n")

    assert pack.company.currency == "USD"
    assert pack.company.roles["handler"].compensation == Decimal(30)
    assert pack.company.time_zone == ZoneInfo("Asia/Shanghai")
    headless = {"base/pack.yaml": HEAD.format(name="base") + COMPANY, "c/pack.yaml": "extends: base\npack: c\n"}
    with pytest.raises(PolicyRefused) as refused:
        from_documents(headless)
    assert any("`version` is missing" in problem.message for problem in refused.value.problems)


def test_every_value_knows_the_file_and_line_it_was_written_in(base: Path) -> None:
    pack = extending(base, "tiers:\n  levels:\n    - {tier: gold, bonus: 20%}\n")

    places = {
        node.path: str(node.place) for node in pack.section("loyalty").walk() if node.text in ("20%", "1000 growth")
    }

    assert sorted(places.values()) == ["base/loyalty.yaml:5:24", "child/loyalty.yaml:3:27"]


def test_an_extended_pack_may_lie_in_the_library(base: Path, tmp_path: Path) -> None:
    elsewhere = write(tmp_path / "elsewhere" / "mine", pack=HEAD.format(name="mine") + "extends: base\n")

    with pytest.raises(PolicyRefused, match="put its folder beside this one"):
        load(elsewhere)
    assert load(elsewhere, library=base.parent).company.currency == "CNY"


def test_a_hash_is_of_what_is_said_not_of_how_it_is_written(base: Path) -> None:
    before = load(base)
    write(base, loyalty="# a remark\n" + LOYALTY.replace("[store, web]", "\n  - store\n  - web"))

    same = load(base)
    write(base, loyalty=LOYALTY.replace("10%", "11%"))
    other = load(base)

    assert before.hash == same.hash != other.hash
    assert before.cited == f"base@1:{before.hash[:12]}"


def test_documents_carry_the_whole_chain(base: Path) -> None:
    pack = extending(base, "channels: [web]\n")

    assert from_documents(pack.documents).hash == pack.hash
    assert sorted(pack.documents) == ["base/loyalty.yaml", "base/pack.yaml", "child/loyalty.yaml", "child/pack.yaml"]


@pytest.mark.parametrize(
    "files",
    [
        {"../pack.yaml": ""},
        {"/etc/pack.yaml": ""},
        {"a/b/pack.yaml": ""},
        {"pack.exe": ""},
        {},
        {"pack.yaml": ""},
        {"pack.yaml": "\ud800"},
        {"pack.yaml": "[]"},
        {"a/pack.yaml": "pack: a", "b/pack.yaml": "pack: b"},
        {"a/pack.yaml": "extends: b", "b/pack.yaml": "extends: a"},
    ],
)
def test_odd_uploads_are_refused_in_words(files: dict[str, str]) -> None:
    with pytest.raises(PolicyRefused) as refused:
        from_documents(files)

    assert refused.value.status == 422
    assert refused.value.errors


def test_a_folder_that_is_no_pack_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "latin").mkdir()
    (tmp_path / "latin" / "pack.yaml").write_bytes(HEAD.format(name="latin").encode() + b"note: caf\xe9\n")

    for folder, words in (("empty", "begins with pack.yaml"), ("nowhere", "no folder nowhere"), ("latin", "not UTF-8")):
        with pytest.raises(PolicyRefused, match=words):
            load(tmp_path / folder)


def test_plain_words_stay_words_and_numbers_stay_exact() -> None:
    with collecting():
        tree = parse("x.yaml", "a: no\nb: 1.10\nc: 012\nd: 2026-01-01\ne: 1e3\nf: true\ng: 0.1\n")

    assert tree is not None
    assert tree.plain() == {"a": "no", "b": "1.1", "c": "012", "d": "2026-01-01", "e": "1e3", "f": True, "g": "0.1"}


@pytest.mark.parametrize("said", ["1 working day", "24 hours", "7 days", "6 months", "1 year", "15 minutes"])
def test_a_duration_is_written_as_people_write_it(said: str) -> None:
    assert str(parse_duration(said)) == said


@pytest.mark.parametrize(
    "said", ["1 days", "7 day", "0 days", "-1 day", "7days", "7  days", "1.5 days", "a day", "7 DAYS", "٣ days", "7"]
)
def test_what_is_nearly_a_duration_is_none(said: str) -> None:
    assert parse_duration(said) is None


@pytest.mark.parametrize(
    ("said", "share"),
    [("15%", "0.15"), ("0.5%", "0.005"), ("100 %", "1"), ("15", None), ("-5%", None), (".5%", None), ("1,5%", None)],
)
def test_a_share_has_a_per_cent_sign(said: str, share: str | None) -> None:
    assert parse_share(said) == (share and Decimal(share))


def test_money_is_a_number_and_its_currency() -> None:
    assert str(parse_amount("2000 CNY")) == "2000 CNY"
    assert [parse_amount(said) for said in ("2,000 CNY", "CNY 2000", "2000CNY", "-5 CNY", "1e3 CNY")] == [None] * 5


def test_months_end_on_the_last_day_and_days_keep_the_wall_clock() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    before_summer_time = datetime(2026, 3, 28, 11, 0, tzinfo=UTC)

    assert Duration(1, "month").later(date(2026, 1, 31)) == date(2026, 2, 28)
    assert Duration(6, "month").earlier(date(2026, 8, 31)) == date(2026, 2, 28)
    assert Duration(1, "day").after(before_summer_time, berlin) == before_summer_time + timedelta(hours=23)
    assert Duration(24, "hour").after(before_summer_time, berlin) == before_summer_time + timedelta(hours=24)


def test_the_company_takes_events_of_the_last_two_years_and_five_minutes_ahead() -> None:
    company = load(DEFAULT).company
    now = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)

    def taken(at: datetime) -> bool:
        return company.window_for("/pos/1").contains(at, now, company.time_zone)

    assert taken(datetime(2024, 11, 20, 2, 0, tzinfo=UTC))
    assert not taken(datetime(2024, 11, 20, 1, 59, tzinfo=UTC))
    assert taken(now + timedelta(minutes=5))
    assert not taken(now + timedelta(minutes=5, seconds=1))


def test_a_day_of_the_company_ends_at_its_own_midnight() -> None:
    company = load(DEFAULT).company

    assert company.end_of(date(2027, 12, 31)) == datetime(2027, 12, 31, 16, 0, tzinfo=UTC)
    assert company.day_of(datetime(2026, 11, 20, 16, 0, tzinfo=UTC)) == date(2026, 11, 21)


def changed(tmp_path: Path, file: str, before: str, after: str) -> list[str]:
    """What diff says of the default pack with one text replaced."""
    texts = {name.split("/")[1]: content for name, content in read_documents(DEFAULT).items()}
    assert before in texts[f"{file}.yaml"]
    texts[f"{file}.yaml"] = texts[f"{file}.yaml"].replace(before, after, 1)
    folder = write(tmp_path / "other", **{name.removesuffix(".yaml"): content for name, content in texts.items()})
    return [str(change) for change in diff(DEFAULT, folder)]


@pytest.mark.parametrize(
    ("file", "before", "after", "said"),
    [
        ("customer", "at: 75", "at: 80", "CG-09 grades.value.levels.platinum.at: 75 → 80 (harder to reach)"),
        ("loyalty", "bonus: 10%", "bonus: 5%", "CG-22 tiers.levels.gold.bonus: 10% → 5% (less bonus)"),
        ("loyalty", "pending: 7 days", "pending: 1 month",
         "CG-22 currencies.points.pending: 7 days → 1 month (spendable later)"),
        ("pack", "200 CNY", "300 CNY", "CG-15 company.roles.handler.compensation: 200 CNY → 300 CNY (may grant more)"),
        ("complaint", "2: 3 working days", "2: 2 working days",
         "CG-14 clocks.progress.every.2: 3 working days → 2 working days (more often)"),
        ("notify", "  care: 4\n", "", "CG-24 frequency_caps.care: gone, was 4"),
        ("loyalty", "    - {tier: gold,", "    - {tier: silver, at: 500 growth}\n    - {tier: gold,",
         "CG-22 tiers.levels.silver: new, {tier: silver, at: 500 growth}"),
        ("loyalty", "mode: unlimited", "mode: only_pending", "CG-22 refunds.mode: unlimited → only_pending"),
        ("loyalty", "clause: CG-24", "clause: CG-25", "CG-25 birthday.clause: CG-24 → CG-25"),
    ],
)  # fmt: skip
def test_a_difference_is_said_in_words_under_its_clause(
    tmp_path: Path, file: str, before: str, after: str, said: str
) -> None:
    assert changed(tmp_path, file, before, after) == [said]


def test_layout_order_and_remarks_are_no_difference(tmp_path: Path) -> None:
    assert changed(tmp_path, "loyalty", "  mode: unlimited   ", "  note: as before\n  mode: unlimited # ") == []


def test_files_without_a_reader_are_looked_over_and_named() -> None:
    report = check(DEFAULT, [PolicySection("loyalty", lambda node, company: None)])

    assert report.problems == ()
    assert [note.split(":")[0] for note in report.notes] == [
        f"consumer-goods/{name}.yaml" for name in ("complaint", "customer", "gateway", "notify")
    ]
    assert report.summary.startswith("consumer-goods@1.0:")


def test_the_page_of_the_vocabulary_lists_all_of_it() -> None:
    page = (DEFAULT.parents[1] / "docs" / "vocabulary.md").read_text(encoding="utf-8")

    assert "\n".join(vocabulary()) in page, "run: python -m chassis.policies.vocabulary > docs/vocabulary.md"


def test_a_reason_is_plain_json() -> None:
    step = Why("+3", {"bonus": Decimal("0.10")}, "CG-22", "p@1:abc")
    why = Why("37 points", {"total": Decimal("34.50"), "on": date(2026, 11, 20)}, "CG-22", "p@1:abc", (step,))

    assert why.as_json() == {
        "decision": "37 points",
        "inputs": {"total": "34.50", "on": "2026-11-20"},
        "clause": "CG-22",
        "policyversion": "p@1:abc",
        "detail": [step.as_json()],
    }
    assert step.as_json()["inputs"] == {"bonus": "0.10"}
