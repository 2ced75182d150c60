"""The file of a backup: a tar of a manifest, the key that makes the dumps readable, and a dump per database.

It holds the key of encrypted fields: whoever has the file can read everything. It is made readable by its owner alone.
"""

from __future__ import annotations

import io
import json
import os
import tarfile
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

FORMAT = 1
_MANIFEST, _SECRETS = "manifest.json", "secrets.json"


class NoBackup(Exception):
    """The file is not what `kezhi backup` writes, or a newer Kezhi wrote it."""


@dataclass(frozen=True)
class Manifest:
    """What a backup is of."""

    made_at: str  # the instant that all dumps show, RFC 3339
    version: str  # of Kezhi
    instance: str
    server_major: int
    roles: dict[str, list[str]]  # service → its role and its owner role, as the dumps' rights name them
    broker: bool  # whether the embedded broker's messages are in it
    waiting: dict[str, int]  # queue → messages that waited in the broker then
    format: int = FORMAT


def write(file: Path, manifest: Manifest, secrets: dict[str, str], dumps: Iterable[Path]) -> None:
    """Write the archive beside ``file`` and rename it: what bears the name is whole."""
    draft = file.with_name(file.name + ".draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as handle, tarfile.open(fileobj=handle, mode="w") as tar:
        for name, content in ((_MANIFEST, asdict(manifest)), (_SECRETS, secrets)):
            body = json.dumps(content, indent=1).encode()
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.mtime = len(body), 0o600, int(time.time())
            tar.addfile(entry, io.BytesIO(body))
        for dump in dumps:
            tar.add(dump, dump.name, filter=_plain)
        handle.flush()
        os.fsync(descriptor)
    draft.rename(file)


def read(file: Path) -> tuple[Manifest, dict[str, str]]:
    """What the archive says of itself, and its secrets. Raises NoBackup."""
    try:
        with tarfile.open(file, "r:") as tar:
            stated, secrets = (json.load(tar.extractfile(name) or io.BytesIO()) for name in (_MANIFEST, _SECRETS))
    except (tarfile.TarError, KeyError, ValueError, OSError) as broken:
        raise NoBackup(f"{file} is no backup of Kezhi: {broken}") from None
    if stated.get("format") != FORMAT:
        raise NoBackup(
            f"{file} has format {stated.get('format')}, this Kezhi reads {FORMAT}: use the one that wrote it"
        )
    return Manifest(**stated), secrets


def unpack(file: Path, folder: Path) -> None:
    """Put the dumps into ``folder``."""
    with tarfile.open(file, "r:") as tar:
        for entry in tar.getmembers():
            if entry.isfile() and entry.name.endswith(".dump"):
                tar.extract(entry, folder, filter="data")


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o600
    return entry
