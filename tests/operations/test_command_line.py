"""The command line says what to do when it is told too little, or told wrong."""

from __future__ import annotations

import json
import shutil
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from kezhi.__main__ import main
from kezhi.home import Home
from kezhi.packs import default_pack
from kezhi.up import next_free_port


def run(*arguments: str, **environment: str) -> tuple[int, str]:
    outcome = CliRunner().invoke(main, list(arguments), env={"KEZHI_AMQP": None, "KEZHI_PG": None, **environment})
    return outcome.exit_code, outcome.output


def test_who_did_not_choose_a_port_is_given_the_next_free_one() -> None:
    said: list[str] = []
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]

        given = next_free_port(taken, said.append)

    assert given > taken
    assert said == [f"port {taken} is taken by another process; taking {given}"]


def test_a_backup_of_nothing_is_refused_and_makes_nothing(tmp_path: Path) -> None:
    code, said = run("backup", str(tmp_path / "file"), "--home", str(tmp_path / "none"))

    assert code == 1
    assert "no installation in" in said
    assert list(tmp_path.iterdir()) == []


def stored(home: Path, **configuration: object) -> None:
    (home / "config.json").write_text(json.dumps({"instance": "", "port": 8080, **configuration}))


@pytest.mark.parametrize("command", [["doctor"], ["dead-letters", "list"], ["resync", "units", "--to", "customer"]])
def test_commands_on_an_embedded_installation_that_is_down_say_how_to_start_it(
    command: list[str], tmp_path: Path
) -> None:
    stored(tmp_path, pg_url=None, amqp_url=None)

    code, said = run(*command, "--home", str(tmp_path))

    assert code == 1
    assert f"{tmp_path} is not running; start it with `kezhi up`" in said


@pytest.mark.parametrize(
    ("option", "said_of"), [("--pg", "the embedded PostgreSQL"), ("--amqp", "the embedded broker")]
)
def test_a_home_of_one_engine_is_not_started_with_another(option: str, said_of: str, tmp_path: Path) -> None:
    stored(tmp_path, pg_url=None, amqp_url=None)

    code, said = run("up", option, "any://server", "--home", str(tmp_path))

    assert code == 1
    assert f"was made with {said_of}" in said
    assert "move with `kezhi backup` and `kezhi restore`" in said


@pytest.mark.parametrize("name", ["Shop", "a b", "x;y", "über"])
def test_an_instance_name_that_no_database_could_bear_is_refused(name: str, tmp_path: Path) -> None:
    code, said = run("status", "--home", str(tmp_path), "--instance", name)

    assert code == 2
    assert "small letters, digits and '-' only" in said


def test_status_of_what_is_just_starting_says_so(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"instance": "", "amqp_url": "a", "pg_url": "p", "port": 8080}))

    with Home(tmp_path).locked():  # `kezhi up` has taken the home and told nothing of its processes yet
        code, said = run("status", "--home", str(tmp_path))

    assert code == 1
    assert "starting" in said


def test_status_of_nothing_says_how_to_start(tmp_path: Path) -> None:
    code, said = run("status", "--home", str(tmp_path / "none"))

    assert code == 1
    assert "start one with `kezhi up`" in said


def test_the_default_pack_is_sound() -> None:
    code, said = run("policy", "check", str(default_pack()))

    assert code == 0
    assert "is sound" in said


def test_a_broken_pack_is_told_with_its_place_and_its_mend(tmp_path: Path) -> None:
    pack = Path(shutil.copytree(default_pack(), tmp_path / "mine"))
    file = pack / "loyalty.yaml"
    file.write_text(file.read_text().replace("bonus: 40%", "bonus: 4000%"))

    code, said = run("policy", "check", str(pack))

    assert code == 1
    assert "mine/loyalty.yaml:" in said
    assert "above the pack's own sanity cap" in said


def test_two_packs_are_compared_in_words(tmp_path: Path) -> None:
    pack = Path(shutil.copytree(default_pack(), tmp_path / "mine"))
    file = pack / "loyalty.yaml"
    file.write_text(file.read_text().replace("at: 5000 growth", "at: 6000 growth"))

    code, said = run("policy", "diff", str(default_pack()), str(pack))

    assert code == 1
    assert "CG-22 tiers.levels.platinum.at: 5000 growth → 6000 growth (harder to reach)" in said


def test_reset_asks_for_a_yes_and_says_what_would_go(tmp_path: Path) -> None:
    servers = ("--amqp", "amqp://guest@127.0.0.1:1//", "--pg", "postgresql://postgres@127.0.0.1:1/postgres")

    code, said = run("reset", "--home", str(tmp_path), "--instance", "shop", *servers)

    assert code == 1
    names = ", ".join(f"kezhi_shop_{name}" for name in ("customer", "complaint", "loyalty", "notify", "gateway"))
    assert f"this would remove {names}" in said
    assert "say --yes if you mean it" in said
