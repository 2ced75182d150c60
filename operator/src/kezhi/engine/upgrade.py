"""From one major version of PostgreSQL to the next: dump from the old server, load into a new cluster beside it, swap.

A crash at any point leaves the old data or the new, never half of either. What lies in an engine's folder says where
the next start goes on:

| `data` | `data.loaded` | `data.before` | the crash was | the next start |
|---|---|---|---|---|
| old | | | while loading (`data.loading`) | begins again |
| old | new | | before the swap | begins again |
| | new | old | within the swap | finishes the swap |
| new | | old | after the swap | removes the old data once the new server has started |
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import psycopg

from kezhi.engine import cluster, postmaster, programs
from kezhi.engine.place import Account
from kezhi.engine.programs import Programs
from kezhi.engine.tools import ToolFailed, carry, run

_LOADING, _LOADED, _BEFORE = "data.loading", "data.loaded", "data.before"
_DATABASES = (
    "SELECT datname, pg_database_size(oid) FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres'"
    " ORDER BY datname"
)


class UpgradeFailed(Exception):
    """The old data is as it was; what is left of the new is removed at the next start."""


def loading(folder: Path) -> Path:
    """Where the new data lies while it is made."""
    return folder / _LOADING


def finish_interrupted(folder: Path) -> None:
    """Finish a swap that a crash cut in two; remove what never got that far."""
    data, loaded, before = folder / "data", folder / _LOADED, folder / _BEFORE
    if not data.exists() and loaded.exists():
        loaded.rename(data)
    elif not data.exists() and before.exists():
        before.rename(data)
    for unfinished in (folder / _LOADING, loaded):
        if (left := postmaster.find(unfinished)) is not None:
            left.stop()  # the server of a load whose owner was killed
        shutil.rmtree(unfinished, ignore_errors=True)


def upgrade(
    folder: Path, major: int, wanted: Programs, runner: Account, password: str, log: Path, say: Callable[[str], None]
) -> None:
    """Bring ``data`` from ``major`` to ``wanted``. Raises UpgradeFailed, NotStarted; the old data is untouched then."""
    data, fresh = folder / "data", loading(folder)
    new = programs.copy_beside(wanted, folder)
    cluster.make(new, fresh, runner, password)
    old_server = _serve(programs.beside(folder, major), data, folder, runner, password, log)
    try:
        new_server = _serve(new, fresh, folder, runner, password, log)
        try:
            _carry_over(wanted, old_server.port, new_server.port, password, major, say)
        finally:
            new_server.stop()
    finally:
        old_server.stop()
    fresh.rename(folder / _LOADED)
    data.rename(folder / _BEFORE)
    (folder / _LOADED).rename(data)


def forget_old(folder: Path, say: Callable[[str], None]) -> None:
    """After the first start of the upgraded server: remove the data from before, and the server that made it."""
    before = folder / _BEFORE
    major = cluster.major_of(before)
    if major is not None:
        shutil.rmtree(before)
        shutil.rmtree(folder / f"server-{major}", ignore_errors=True)
        say(f"the embedded PostgreSQL is {cluster.major_of(folder / 'data')} now; the data of {major} is removed")


def _serve(of: Programs, data: Path, folder: Path, runner: Account, password: str, log: Path) -> postmaster.Postmaster:
    port = cluster.free_port()
    settings = cluster.configure(folder, of.major, port, runner)
    server = postmaster.start(of, data, settings, port, runner, log)
    try:
        postmaster.await_ready(server, password, log)
    except BaseException:
        server.stop()
        raise
    return server


def _carry_over(tools: Programs, old: int, new: int, password: str, major: int, say: Callable[[str], None]) -> None:
    from_url, to_url = cluster.url(old, password), cluster.url(new, password)
    try:
        roles = run(tools, "pg_dumpall", from_url, "--roles-only").splitlines()
        made = [line for line in roles if line != f"CREATE ROLE {cluster.SUPERUSER};"]  # initdb made this one
        run(tools, "psql", to_url, "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", given="\n".join(made))
        with psycopg.connect(from_url) as server:
            known = server.execute(_DATABASES).fetchall()
        size = sum(row[1] for row in known) / 2**20
        say(f"upgrading PostgreSQL {major} to {tools.major}: {len(known)} databases, {size:,.0f} MB …")
        for name, _ in known:
            carry(tools, cluster.url(old, password, name), to_url)
            with psycopg.connect(cluster.url(new, password, name), autocommit=True) as database:
                database.execute("ANALYZE")
    except ToolFailed as failed:
        raise UpgradeFailed(str(failed)) from None
