"""A run without a backend says so at its end; where backends are required it fails."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

TEST = "def test_needs_a_database(pg_url):\n    pass\n"


@pytest.mark.parametrize(("required", "status"), [("0", 0), ("1", 1)])
def test_a_missing_backend_is_named_in_the_summary_or_fails(tmp_path, required, status):
    (tmp_path / "test_it.py").write_text(TEST)
    environment = {
        **os.environ,
        "KEZHI_TEST_PG": "postgresql://nobody@127.0.0.1:9/none",
        "KEZHI_REQUIRE_BACKENDS": required,
    }
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), "test_it.py"]
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    assert run.returncode == status, run.stdout + run.stderr
    assert "LEFT OUT: tests that need PostgreSQL - no answer at KEZHI_TEST_PG (127.0.0.1)" in run.stdout
