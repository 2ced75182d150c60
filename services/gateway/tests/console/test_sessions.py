"""Sessions, CSRF, CSP, where one is sent after signing in."""

from __future__ import annotations

from typing import Any


def test_a_stranger_is_sent_to_sign_in_and_back(browser: Any) -> None:
    stranger = browser(signed_in=False)
    sent = stranger.get("/console/customers/?q=wang")
    assert sent.status_code == 303
    assert sent.headers["Location"] == "/console/sign-in?next=/console/customers/%3Fq%3Dwang"
    assert stranger.sign_in(next="/console/customers/?q=wang").headers["Location"] == "/console/customers/?q=wang"
    assert stranger.get("/console/customers/").status_code == 200
