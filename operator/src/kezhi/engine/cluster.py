"""One data folder: how it is made, and how a small machine's PostgreSQL is set up."""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
from pathlib import Path
from urllib.parse import quote

from kezhi.engine.place import Account
from kezhi.engine.programs import Programs

SUPERUSER = "postgres"
HOST = "127.0.0.1"
# Below the ranges from which systems give ports to outgoing connections: such a port could be gone after a restart.
_PORTS = range(20_000, 32_000)

# A laptop's settings. What protects data is PostgreSQL's default: fsync, full pages, synchronous commit.
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",  # a socket's path may have 107 bytes, a home's path any number
    "max_connections": "300",  # ten processes with pools of 5 + 5, two of them where reads are apart, and the broker
    "superuser_reserved_connections": "5",
    "shared_buffers": "64MB",
    "effective_cache_size": "512MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "512MB",
    "min_wal_size": "80MB",
    "wal_level": "minimal",  # nothing replicates from here; less is written
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "max_parallel_workers_per_gather": "0",  # shared memory of containers is small, and so are these tables
    "autovacuum_max_workers": "2",
    "jit": "off",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "cluster_name": "kezhi",
    # The log tells what is wrong with the server. Statements and values of ours hold personal data: never here.
    "log_min_messages": "log",
    "log_checkpoints": "off",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_line_prefix": "%m [%p] %d ",
}
_ONLY_FROM = {18: {"io_method": "sync"}}  # three processes fewer; ours reads little at a time


def major_of(data: Path) -> int | None:
    """The major version that made a data folder; None where there is none."""
    try:
        return int((data / "PG_VERSION").read_text())
    except FileNotFoundError:
        return None


def make(programs: Programs, data: Path, runner: Account, password: str) -> None:
    """Make an empty cluster in ``data``, beside and renamed, so that half of one is never taken for it."""
    draft, secret = data.with_suffix(".draft"), data.with_suffix(".secret")
    shutil.rmtree(draft, ignore_errors=True)
    runner.own(draft)
    descriptor = os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        handle.write(password)
        if runner.credentials():
            os.fchown(descriptor, runner.uid, runner.gid)
    # Sorting is by bytes; what people read sorted has its own stored order (decision 37).
    locale = ["--locale=C"]
    if programs.major >= 17:
        locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]  # upper and lower case beyond ASCII
    try:
        done = subprocess.run(  # noqa: S603 - PostgreSQL's own program, no shell
            [
                programs.path("initdb"),
                f"--pgdata={draft}",
                f"--username={SUPERUSER}",
                f"--pwfile={secret}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--data-checksums",
                "--no-instructions",
                *locale,
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd=data.parent,
            env=environment(),
            **runner.credentials(),  # type: ignore[call-overload]
        )
    finally:
        secret.unlink()
    if done.returncode:
        raise RuntimeError(f"initdb failed: {done.stderr.strip()}")
    draft.rename(data)


def configure(folder: Path, major: int, port: int, runner: Account) -> Path:
    """Write the settings of an engine's folder anew; an operator's own go into ``local.conf`` beside them and win."""
    told = {**SETTINGS, "port": str(port), "hba_file": str(folder / "pg_hba.conf")}
    for since, settings in _ONLY_FROM.items():
        if major >= since:
            told |= settings
    lines = [name + " = '" + value.replace("'", "''") + "'" for name, value in told.items()]
    if (folder / "local.conf").exists():
        lines.append("include 'local.conf'")
    _write(folder / "pg_hba.conf", f"host all all {HOST}/32 scram-sha-256\n", runner)
    file = folder / "postgresql.conf"
    _write(file, "\n".join([*lines, ""]), runner)
    return file


def url(port: int, password: str, database: str = "postgres") -> str:
    """How the superuser connects."""
    return f"postgresql://{SUPERUSER}:{quote(password, safe='')}@{HOST}:{port}/{database}"


def is_free(port: int) -> bool:
    """Whether nobody listens on a port of the loopback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A port that nobody listens on now."""
    return next(port for port in random.sample(_PORTS, len(_PORTS)) if is_free(port))


def environment() -> dict[str, str]:
    """What PostgreSQL's programs see of ours: no PG* variable may tell them another server, no locale other words."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return {**kept, "LC_ALL": "C"}


def _write(file: Path, content: str, runner: Account) -> None:
    draft = file.with_suffix(".draft")
    draft.write_text(content)
    draft.chmod(0o640 if runner.credentials() else 0o600)
    if runner.credentials():
        os.chown(draft, -1, runner.gid)
    draft.replace(file)
