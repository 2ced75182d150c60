"""The page of regulation coverage says what was proven, and nothing more."""

from __future__ import annotations

from pathlib import Path

import pytest

from chassis.testkit.rules import RULES, Rule, page, read_rules

pytest_plugins = ["pytester"]
FR_08 = Rule("FR-08", "franchise-complaints", "P", "Dissatisfied raises | the case")
FR_09 = Rule("FR-09", "franchise-complaints", "P", "Accountability")
CG_01 = Rule("CG-01", "consumer-goods", "C", "Every fact keeps who collected it")


def test_a_rule_is_proven_when_every_test_that_names_it_passed() -> None:
    text = page(
        [CG_01, FR_08, FR_09],
        {"FR-08": {"services/complaint/tests/a.py::test_x": "passed"}, "FR-09": {"b::y": "passed", "b::z": "failed"}},
    )

    assert "**1 of 3 rules are proven so far, 0 more in part.**" in text
    assert "| CG-01 | Every fact keeps who collected it | — | not yet |" in text
    assert "| FR-08 | Dissatisfied raises / the case | `complaint/tests/a.py::test_x` | passed |" in text
    assert "| `b::y`<br>`b::z` | failed |" in text
    assert "## FR — franchise brand (1 of 2)" in text


def test_a_rule_that_is_proven_in_part_says_what_is_missing_and_does_not_count() -> None:
    text = page([FR_08], {"FR-08": {"a::x": "passed"}}, {"FR-08": "the form"})

    assert "**0 of 1 rules are proven so far, 1 more in part.**" in text
    assert "| in part: the form |" in text


def test_the_house_knows_the_181_rules(pytestconfig: pytest.Config) -> None:
    rules = read_rules(pytestconfig.rootpath / RULES)

    assert len(rules) == 181
    assert rules["FR-08"].pack == "franchise-complaints"
    assert rules["TR-11"].where == "P"


def test_the_page_is_written_from_a_run_and_a_slip_of_the_pen_stops_it(pytester: pytest.Pytester) -> None:
    pytester.mkdir("docs")
    Path(pytester.path, RULES).write_text("rule,pack,where,text\nFR-08,f,P,Raise\nFR-09,f,P,Account\n")
    tests = (
        "import pytest\n@pytest.mark.rule('FR-08')\n@pytest.mark.parametrize('n', [1, 2])\ndef test_it(n): assert n\n"
    )
    pytester.makepyfile(tests)

    done = pytester.runpytest_subprocess("--regulation-coverage", "docs/page.md", "-p", "no:cacheprovider")
    pytester.makepyfile(test_slip=tests.replace("FR-08", "FR-80"))
    slipped = pytester.runpytest_subprocess("-p", "no:cacheprovider")

    assert done.ret == 0
    assert "::test_it` | passed |" in Path(pytester.path, "docs/page.md").read_text()
    assert slipped.ret == pytest.ExitCode.USAGE_ERROR
    slipped.stderr.fnmatch_lines(["*there is no rule FR-80*"])
