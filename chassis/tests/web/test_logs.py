"""Secrets are struck out before a line is written."""

from __future__ import annotations

from typing import Any

import pytest
import structlog

from chassis import logs
from chassis.testkit import tokens


@pytest.mark.parametrize(
    "event",
    [
        {"password": "hunter2-secret"},
        {"headers": {"Authorization": "hunter2-secret"}},
        {"detail": "Authorization: Bearer hunter2-secret"},
        {"detail": "key kz_hunter2-secret"},
        {"url": "postgresql://kezhi:hunter2-secret@127.0.0.1/db"},
        {"list": [{"api_key": "hunter2-secret"}]},
        {"refresh_token": "hunter2-secret"},
    ],
)
def test_no_secret_is_ever_written(event: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("shelf", "INFO")

    structlog.get_logger("test").info("something", **event)

    written = capsys.readouterr().err
    assert "something" in written
    assert "hunter2-secret" not in written


def test_tokens_in_running_text_are_struck_out(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("shelf", "INFO")
    token = tokens.issue()

    structlog.get_logger("test").warning("refused", detail=f"the token {token} has expired")

    assert token not in capsys.readouterr().err
