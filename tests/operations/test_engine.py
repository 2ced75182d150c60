"""The embedded PostgreSQL of a home: first start, ports, deaths, adoption, users, folders. No server is needed."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from tests.quick import quick_folder

from kezhi.engine import cluster, place, postmaster, programs
from kezhi.engine.server import Engine, EngineFailure
from kezhi.home import Home

pytestmark = pytest.mark.timeout(120)

OWNER = """
import sys, time
from pathlib import Path
from kezhi.engine.server import Engine
from kezhi.home import Home
with Engine(Home(Path(sys.argv[1]))).running(print):
    print("up", flush=True)
    time.sleep(600)
"""
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to leave its rights behind")


def silent(_: str) -> None:
    """Nobody listens."""


def until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def home() -> Iterator[Home]:
    """A home with blanks and Chinese in its path, in a folder that everybody may pass."""
    with quick_folder() as folder:
        made = Home(folder / "客至 home")
        made.create()
        yield made
        Engine(made).remove()


def ask(home: Home, question: str) -> str:
    url = cluster.url(home.engine()["port"], home.secrets()["engine"])
    with psycopg.connect(url, connect_timeout=5) as server:
        return str(server.execute(question).fetchone()[0])  # type: ignore[index, arg-type]


def tell(home: Home, statement: str) -> None:
    with psycopg.connect(cluster.url(home.engine()["port"], home.secrets()["engine"])) as server:
        server.execute(statement)  # type: ignore[arg-type]


def answers(home: Home) -> bool:
    try:
        return ask(home, "SELECT 1") == "1"
    except psycopg.OperationalError:
        return False


def test_a_first_start_makes_a_utf8_cluster_that_only_this_machine_reaches(home: Home) -> None:
    with Engine(home).running(silent):
        assert ask(home, "SHOW server_encoding") == "UTF8"
        assert ask(home, "SHOW data_checksums") == "on"
        assert ask(home, "SHOW fsync") == "on"
        assert ask(home, "SHOW listen_addresses") == "127.0.0.1"
        assert ask(home, "SELECT upper('é')") == "É"
        assert ask(home, "SHOW server_version").startswith(f"{programs.newest().major}.")
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(cluster.url(home.engine()["port"], "wrong"))


def test_a_second_start_keeps_port_and_data(home: Home) -> None:
    with Engine(home).running(silent):
        tell(home, "CREATE TABLE kept AS SELECT 7 AS n")
        port = home.engine()["port"]

    with Engine(home).running(silent):
        assert home.engine()["port"] == port
        assert ask(home, "SELECT n FROM kept") == "7"
    assert Engine(home).look() is None


def test_a_port_that_was_taken_meanwhile_is_chosen_anew(home: Home) -> None:
    with Engine(home).running(silent):
        port = home.engine()["port"]

    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        with Engine(home).running(silent):
            assert home.engine()["port"] != port
            assert ask(home, "SELECT 1") == "1"


def test_a_killed_postmaster_comes_back_on_its_port(home: Home) -> None:
    with Engine(home).running(silent) as engine:
        port, first = home.engine()["port"], engine.state()["pid"]
        with psycopg.connect(cluster.url(port, home.secrets()["engine"])) as busy:
            os.kill(first, signal.SIGKILL)
            until(lambda: engine.state()["restarts"] == 1 and answers(home))
            with pytest.raises(psycopg.OperationalError):
                busy.execute("SELECT 1")

        assert engine.state()["pid"] != first
        assert home.engine()["port"] == port


def test_a_postmaster_that_outlived_its_owner_is_adopted_and_stopped_in_the_end(home: Home) -> None:
    with subprocess.Popen([sys.executable, "-c", OWNER, str(home.path)], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "up\n"
        owner.kill()
    orphan = Engine(home).look()
    assert orphan is not None
    assert answers(home)

    with Engine(home).running(silent) as engine:
        assert engine.state()["pid"] == orphan.pid
        assert answers(home)
        os.kill(orphan.pid, signal.SIGKILL)  # an adopted one is kept alive like one's own
        until(lambda: engine.state()["restarts"] == 1 and answers(home))

    assert Engine(home).look() is None
    assert f"adopted the PostgreSQL that still ran ({orphan.pid})" in home.log.read_text()


def test_a_stale_pid_file_that_names_a_stranger_fools_nobody(home: Home) -> None:
    with Engine(home).running(silent) as engine:
        data = engine.data
        content = (data / "postmaster.pid").read_text().splitlines()
    with psutil.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as stranger:
        (data / "postmaster.pid").write_text("\n".join([str(stranger.pid), *content[1:]]))
        assert Engine(home).look() is None

        with Engine(home).running(silent):
            assert answers(home)
        assert stranger.is_running()
        stranger.kill()


def test_what_a_crash_left_of_a_first_start_is_begun_again(home: Home) -> None:
    folder = Engine(home).folder
    (folder / "data.draft" / "base").mkdir(parents=True)
    (folder / "server-18.draft" / "half").mkdir(parents=True)

    with Engine(home).running(silent):
        assert answers(home)


def test_a_postmaster_of_a_first_start_that_was_killed_is_found_again(home: Home) -> None:
    with subprocess.Popen([sys.executable, "-c", OWNER, str(home.path)], stdout=subprocess.PIPE, text=True) as owner:
        until(lambda: Engine(home).look() is not None)  # it may not serve yet, and its owner has told nobody its port
        owner.kill()

    Engine(home).remove()

    assert Engine(home).look() is None


def test_data_that_is_gone_is_not_replaced_by_nothing(home: Home) -> None:
    with Engine(home).running(silent) as engine:
        data = engine.data
    shutil.rmtree(data)

    with pytest.raises(EngineFailure, match="is gone; put it back"), Engine(home).running(silent):
        pass
    assert not data.exists()


def test_what_does_not_start_says_why_and_where_to_read_on(home: Home) -> None:
    with Engine(home).running(silent) as engine:
        folder = engine.folder
    (folder / "local.conf").write_text("shared_buffers = 'plenty'\n")

    with (
        pytest.raises(EngineFailure, match=r"shared_buffers.*whole story in .*postgresql.log"),
        Engine(home).running(silent),
    ):
        pass


def test_a_path_longer_than_any_socket_may_have(home: Home) -> None:
    deep = Home(home.path.joinpath(*["一个很长的名字" * 3] * 8))
    deep.path.mkdir(parents=True)
    for folder in [deep.path, *deep.path.parents][:9]:
        folder.chmod(0o755)
    with Engine(deep).running(silent):
        assert len(os.fsencode(deep.path)) > 500
        assert answers(deep)


def test_the_home_carries_its_server_and_nothing_that_others_may_read(home: Home) -> None:
    with Engine(home).running(silent) as engine:
        copy = programs.beside(engine.folder, programs.newest().major)
        running = psutil.Process(engine.state()["pid"]).exe()

        assert running == copy.path("postgres")
        assert home.path.stat().st_mode & 0o007 == 0
        assert (engine.data.stat().st_mode & 0o077) == 0
        size = sum(file.stat().st_size for file in copy.root.parents[1].rglob("*") if file.is_file())
        assert size < 30e6


@needs_root
def test_root_leaves_it_to_an_unprivileged_user_who_can_change_data_and_nothing_else(home: Home) -> None:
    with Engine(home).running(silent) as engine:
        process = psutil.Process(engine.state()["pid"])

        assert process.username() == "nobody"
        assert process.gids().effective == pwd.getpwnam("nobody").pw_gid
        assert engine.folder == home.path / "postgresql"
        theirs = {path.name for path in engine.folder.iterdir() if path.stat().st_uid == process.uids().real}
        assert theirs == {"data"}


@pytest.fixture
def careful_umask() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


@needs_root
def test_below_a_closed_folder_root_puts_the_data_where_the_user_can_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, careful_umask: None
) -> None:
    """On a machine that has seen no Kezhi yet, and as `kezhi up` starts: nothing is for others unless it is said."""
    system = place.SYSTEM_FOLDER.with_name(f"kezhi-{os.getpid()}")
    monkeypatch.setattr(place, "SYSTEM_FOLDER", system)
    closed = tmp_path / "private"
    closed.mkdir(mode=0o700)
    home = Home(closed / "Home of Kezhi")
    home.create()
    try:
        with Engine(home).running(silent) as engine:
            assert engine.folder.parent == system
            assert engine.folder.name.startswith("home-of-kezhi-")
            assert engine.folder.stat().st_mode & 0o007 == 0
            assert answers(home)
            folder = engine.folder
        assert closed.stat().st_mode & 0o777 == 0o700
        with Engine(home).running(silent) as engine:
            assert engine.folder == folder
    finally:
        Engine(home).remove()
        system.rmdir()


@needs_root
def test_an_ordinary_user_keeps_everything_in_the_home(home: Home) -> None:
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    if python is None:
        pytest.skip("no Python that another user may run")
    user = pwd.getpwnam("nobody")
    os.chown(home.path, user.pw_uid, user.pw_gid)
    theirs = home.path / "their home 客至"
    with subprocess.Popen(
        [python, "-c", OWNER.replace("with Engine", "Home(Path(sys.argv[1])).create()\nwith Engine"), str(theirs)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        user=user.pw_uid,
        group=user.pw_gid,
        extra_groups=[],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(filter(None, sys.path)), "HOME": str(theirs)},
    ) as owner:
        assert owner.stdout is not None
        said = owner.stdout.readline()
        assert said == "up\n", said + owner.stdout.read()
        made = Home(theirs)
        found = Engine(made).look()
        assert found is not None
        assert psutil.Process(found.pid).username() == "nobody"
        assert Engine(made).folder == theirs / "postgresql"
        assert theirs.stat().st_mode & 0o777 == 0o700
        assert answers(made)
        owner.kill()
    Engine(made).remove()
    until(lambda: postmaster.find(theirs / "postgresql" / "data") is None)
