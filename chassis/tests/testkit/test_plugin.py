"""A run without servers stands on an embedded one and says what it left out; where they are required it fails."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TESTS = """
import pytest
from chassis.messaging.broker import connect

@pytest.mark.parametrize("number", [1, 2])
def test_needs_rabbitmq(rabbitmq_url, number):
    pass

def test_needs_a_database_and_a_broker(databases, amqp_url):
    databases.drop(databases.create("kezhi_test_of_a_test") or "kezhi_test_of_a_test")
    with connect(amqp_url) as connection:
        connection.channel().queue_declare("q", durable=True, auto_delete=False)
"""
NOWHERE = {"KEZHI_TEST_PG": "postgresql://nobody@127.0.0.1:9/none", "KEZHI_TEST_AMQP": "amqp://guest@127.0.0.1:9//"}


def run(folder: Path, *options: str, **told: str) -> subprocess.CompletedProcess[str]:
    """A test run of its own, as somebody starts it on a machine without servers."""
    (folder / "test_it.py").write_text(TESTS)
    known = {name: value for name, value in os.environ.items() if not name.startswith(("KEZHI_", "PYTEST_"))}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", str(folder), "test_it.py"]
    return subprocess.run(
        [*command, *options], cwd=folder, env={**known, **NOWHERE, **told}, capture_output=True, text=True, check=False
    )


def test_without_servers_an_embedded_one_stands_in_and_what_it_can_not_do_is_counted(tmp_path: Path) -> None:
    done = run(tmp_path, "-n", "2")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "tests run on an embedded PostgreSQL of this run and the embedded broker on it" in done.stdout
    assert "1 passed, 2 skipped" in done.stdout
    assert "LEFT OUT: 2 tests that need RabbitMQ itself - this run has the embedded broker in its place" in done.stdout


def test_whoever_requires_servers_is_told_which_is_missing(tmp_path: Path) -> None:
    for told in ({"KEZHI_REQUIRE_BACKENDS": "1"}, {"KEZHI_TEST_ENGINE": "servers"}):
        done = run(tmp_path, **told)

        assert done.returncode == 1, done.stdout + done.stderr
        assert "PostgreSQL is required" in done.stdout
        assert "no answer at KEZHI_TEST_PG (127.0.0.1)" in done.stdout
