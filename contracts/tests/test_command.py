"""``python -m kezhi_contracts`` from a shell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kezhi_contracts import schemas
from kezhi_contracts.__main__ import main

RIGHT = schemas.example("purchase.completed.v1")
WRONG = {**RIGHT, "id": ""}


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (json.dumps(RIGHT), 0, "1 read, 1 right, 0 wrong"),
        (json.dumps(RIGHT, indent=2), 0, "1 read, 1 right, 0 wrong"),
        (json.dumps([RIGHT, WRONG]), 1, "2 read, 1 right, 1 wrong"),
        (f"{json.dumps(WRONG)}\n\n{json.dumps(RIGHT)}\n", 1, "2 read, 1 right, 1 wrong"),
    ],
)
def test_one_event_a_list_or_one_per_line(
    content: str, code: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "events.json"
    file.write_text(content)

    assert main(["validate", str(file)]) == code
    assert capsys.readouterr().out.splitlines()[-1] == said


def test_a_file_that_is_no_json_is_said_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "events.json"
    file.write_text('{"specversion": ')

    assert main(["validate", str(file)]) == 2
    assert "not JSON" in capsys.readouterr().err


def test_a_missing_file_is_said_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", str(tmp_path / "none.json")]) == 2
    assert "No such file" in capsys.readouterr().err


def test_types_and_examples_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    main(["types"])
    assert capsys.readouterr().out.split() == schemas.types()
    main(["example", "points.earned.v1"])
    assert json.loads(capsys.readouterr().out) == schemas.example("points.earned.v1")
