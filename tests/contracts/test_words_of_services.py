"""What a service says in English, and the console in Chinese: neither imports the other, a test holds them together."""

from __future__ import annotations

from gateway.console.simulation.views import ASSUMED
from gateway.console.words import catalogue
from loyalty.simulation.use_cases import EVERY_ASSUMPTION


def test_the_console_knows_what_a_trial_of_a_policy_rests_on_and_nothing_that_it_does_not() -> None:
    assert set(ASSUMED) == set(EVERY_ASSUMPTION)


def test_every_assumption_of_a_trial_is_told_in_chinese() -> None:
    assert [text for text in EVERY_ASSUMPTION if catalogue().gettext(text) == text] == []
