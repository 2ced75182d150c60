"""What keeps the run short: folders in memory for clusters of a test's own, and what only a long run does."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from chassis.testkit import engine

_MEMORY = Path("/dev/shm")  # noqa: S108 - the folder itself is the test's own
_ENOUGH = 1 << 30
_LONG = bool(os.environ.get("KEZHI_LONG")) or len(engine.embedded()) == 2

Test = TypeVar("Test")


def of_the_long_run(test: Test) -> Test:
    """A test of minutes: part of `make faults` and of a run without servers (`make test ENGINE=embedded`)."""
    why = "takes minutes: `make faults` or `make test ENGINE=embedded`"
    return pytest.mark.faults(pytest.mark.skipif(not _LONG, reason=why)(test))  # type: ignore[return-value]


@contextmanager
def quick_folder() -> Iterator[Path]:
    """A folder with a blank in its name that every user may pass; gone after the block."""
    roomy = _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ENOUGH
    folder = Path(tempfile.mkdtemp(prefix="kezhi ", dir=_MEMORY if roomy else None))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
