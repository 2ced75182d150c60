"""From one major PostgreSQL to the next, by itself, at the next start; a crash leaves the old data or the new."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from tests.quick import of_the_long_run, quick_folder

from kezhi.engine import cluster, programs, tools, upgrade
from kezhi.engine.server import Engine, EngineFailure
from kezhi.home import Home

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.skipif(len(programs.carried()) < 2, reason="the wheel carries one major version only"),
]
NEW = max(programs.carried())
OLD = min(programs.carried())

UPGRADER = """
import sys, time
from pathlib import Path
from kezhi.engine.server import Engine
from kezhi.home import Home
with Engine(Home(Path(sys.argv[1]))).running(lambda said: print(said, flush=True)):
    print("up", flush=True)
"""


class Crash(BaseException):
    """The machine's power went."""


def connect(home: Home, database: str = "shop") -> psycopg.Connection:
    return psycopg.connect(cluster.url(home.engine()["port"], home.secrets()["engine"], database), autocommit=True)


@pytest.fixture(scope="module")
def of_old() -> Iterator[Path]:
    """A folder with a home whose data an older major made: a database with owner, rights, rows and a sequence."""
    with quick_folder() as folder:
        made = Home(folder / "客至 home")
        made.create()
        patched = pytest.MonkeyPatch()
        patched.setenv(programs.MAJOR_VARIABLE, str(OLD))
        with Engine(made).running(print):
            with connect(made, "postgres") as server:
                server.execute("CREATE ROLE keeper LOGIN PASSWORD 'secret'")
                server.execute("CREATE ROLE reader")
                server.execute("CREATE DATABASE shop OWNER keeper TEMPLATE template0 ENCODING 'UTF8'")
            with connect(made) as shop:
                shop.execute("SET ROLE keeper")
                shop.execute("CREATE SCHEMA till AUTHORIZATION keeper")
                shop.execute("CREATE TABLE till.sale (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, who text)")
                shop.execute("INSERT INTO till.sale (who) SELECT '客' || n FROM generate_series(1, 30000) AS n")
                shop.execute("GRANT USAGE ON SCHEMA till TO reader")
                shop.execute("GRANT SELECT ON till.sale TO reader")
        patched.undo()
        yield folder


@pytest.fixture
def home(of_old: Path) -> Iterator[Home]:
    """A copy of it for the test."""
    with quick_folder() as folder:
        subprocess.run(["cp", "-a", f"{of_old}/.", folder], check=True)
        made = Home(folder / "客至 home")
        yield made
        Engine(made).remove()


def assert_level(home: Home) -> None:
    """All that the old server held is in the new one."""
    with connect(home) as shop:
        assert shop.info.server_version // 10_000 == NEW
        assert shop.execute("SELECT count(*), max(who) FROM till.sale").fetchone() == (30000, "客9999")
        shop.execute("SET ROLE keeper")
        assert shop.execute("INSERT INTO till.sale (who) VALUES ('new') RETURNING id").fetchone() == (30001,)
        shop.execute("DELETE FROM till.sale WHERE id = 30001")
        shop.execute("RESET ROLE; SET ROLE reader")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            shop.execute("DELETE FROM till.sale")
    port = home.engine()["port"]
    psycopg.connect(f"postgresql://keeper:secret@127.0.0.1:{port}/shop").close()


def test_the_next_start_upgrades_and_removes_the_old_data_once_it_runs(home: Home) -> None:
    said: list[str] = []

    with Engine(home).running(said.append) as engine:
        assert_level(home)
        assert {path.name for path in engine.folder.iterdir() if path.is_dir()} == {"data", f"server-{NEW}"}

    assert [word.split(":")[0] for word in said] == [
        f"upgrading PostgreSQL {OLD} to {NEW}",
        f"the embedded PostgreSQL is {NEW} now; the data of {OLD} is removed",
    ]
    with Engine(home).running(said.append):
        assert len(said) == 2


@of_the_long_run
@pytest.mark.parametrize("step", range(5))
def test_a_crash_at_any_step_leaves_what_the_next_start_goes_on_with(
    home: Home, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps: before loading, after it, and before, within and after the swap by rename."""
    left = iter(range(step + 1))
    rename, carry, make = Path.rename, upgrade.carry, cluster.make

    def fails_in_time() -> None:
        if next(left, None) == step:
            raise Crash

    def crashing_rename(self: Path, target: Path) -> Path:
        if self.name in ("data.loading", "data", "data.loaded"):
            fails_in_time()
        return rename(self, target)

    def crashing_make(*arguments: object) -> None:
        fails_in_time()
        make(*arguments)  # type: ignore[arg-type]

    def crashing_carry(*arguments: object) -> None:
        fails_in_time()
        carry(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", crashing_rename)
        patched.setattr(cluster, "make", crashing_make)
        patched.setattr(upgrade, "carry", crashing_carry)
        with pytest.raises(Crash), Engine(home).running(print):
            pass

    with Engine(home).running(print) as engine:
        assert_level(home)
        assert {path.name for path in engine.folder.iterdir() if path.is_dir()} == {"data", f"server-{NEW}"}


@pytest.mark.parametrize("after", [0.5, 2.0])
def test_an_upgrade_killed_in_the_middle_goes_on_at_the_next_start(home: Home, after: float) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", UPGRADER, str(home.path)], stdout=subprocess.PIPE, start_new_session=True
    ) as upgrading:
        time.sleep(after)
        os.killpg(upgrading.pid, signal.SIGKILL)

    with Engine(home).running(print):
        assert_level(home)


def test_an_upgrade_that_fails_leaves_the_old_server_in_charge(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    def full_disk(*_: object) -> None:
        raise tools.ToolFailed("pg_restore: No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(upgrade, "carry", full_disk)
        with Engine(home).running(said.append), connect(home) as shop:
            assert shop.info.server_version // 10_000 == OLD
            assert shop.execute("SELECT count(*) FROM till.sale").fetchone() == (30000,)
    assert f"PostgreSQL {OLD} goes on, its data is as it was" in said[-1]
    assert "No space left" in said[-1]

    with Engine(home).running(print):
        assert_level(home)


def test_a_running_server_of_the_old_major_is_stopped_for_it(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = UPGRADER + "    time.sleep(600)\n"
    environment = os.environ | {programs.MAJOR_VARIABLE: str(OLD)}
    with subprocess.Popen(
        [sys.executable, "-c", owner, str(home.path)], stdout=subprocess.PIPE, text=True, env=environment
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "up\n"
        running.kill()
    orphan = Engine(home).look()
    assert orphan is not None
    assert orphan.major == OLD

    with Engine(home).running(print):
        assert_level(home)


def test_newer_data_is_served_by_the_server_beside_it(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with Engine(home).running(print):
        pass
    monkeypatch.setattr(programs, "carried", lambda: {OLD: programs.Programs(OLD, Path("/nowhere"))})

    with Engine(home).running(print):
        assert_level(home)


def test_old_data_whose_server_is_gone_is_left_as_it_is(home: Home) -> None:
    folder = Engine(home).folder
    shutil.rmtree(folder / f"server-{OLD}")
    upgrade_of = programs.carried

    def without_the_old() -> dict[int, programs.Programs]:
        return {NEW: upgrade_of()[NEW]}

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(programs, "carried", without_the_old)
        with pytest.raises(EngineFailure, match=f"is PostgreSQL {OLD}'s, and its programs beside the data are gone"):
            Engine(home).running(print).__enter__()
    assert cluster.major_of(folder / "data") == OLD
