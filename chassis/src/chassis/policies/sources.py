"""The texts of a pack: from folders, a zip or an upload; which packs extend which. Nothing is interpreted here."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from chassis.policies.document import MOST_BYTES
from chassis.policies.problems import Place, collecting, note
from chassis.policies.reading import suggestion

MOST_FILES = 64
LONGEST_CHAIN = 6
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,59}\Z")


def read_documents(directory: Path, library: Path | None = None) -> dict[str, str]:
    """The texts of a pack and of the packs it extends, by ``<pack>/<file>``. Raises PolicyRefused."""
    with collecting():
        directory = directory.resolve()
        documents = _folder(directory, directory.name)
        wanted = _extends(documents.get(f"{directory.name}/pack.yaml", ""))
        for _ in range(LONGEST_CHAIN):
            if wanted is None or not NAME.match(wanted) or f"{wanted}/pack.yaml" in documents:
                break
            places = [place / wanted for place in (directory.parent, library) if place is not None]
            found = next((place for place in places if (place / "pack.yaml").is_file()), None)
            if found is None:
                break  # from_documents says what is wrong, at its line
            documents.update(_folder(found, wanted))
            wanted = _extends(documents[f"{wanted}/pack.yaml"])
    return documents


def _folder(folder: Path, name: str) -> dict[str, str]:
    place = Place(f"{name}/pack.yaml", 1, 1)
    if not folder.is_dir():
        note(place, f"there is no folder {folder.name}", "give the folder of a policy pack")
        return {}
    if not (folder / "pack.yaml").is_file():
        note(
            place,
            "a policy pack begins with pack.yaml, which is missing",
            "write pack.yaml with pack, title, version",
        )
        return {}
    files = sorted(path for path in folder.iterdir() if path.suffix in (".yaml", ".yml") and path.is_file())
    if len(files) > MOST_FILES:
        note(place, f"more than {MOST_FILES} files", "keep one file per service")
        return {}
    documents = {}
    for path in files:
        try:
            raw = path.read_bytes()
            documents[f"{name}/{path.stem}.yaml"] = raw[: MOST_BYTES + 1].decode(
                "utf-8-sig", "strict" if len(raw) <= MOST_BYTES else "ignore"
            )
        except UnicodeDecodeError as wrong:
            note(
                _undecodable(f"{name}/{path.name}", raw, wrong),
                "this byte is not UTF-8",
                "save the file as UTF-8",
            )
    return documents


def _undecodable(file: str, raw: bytes, wrong: UnicodeDecodeError) -> Place:
    before = raw[: wrong.start]
    return Place(file, before.count(b"\n") + 1, wrong.start - before.rfind(b"\n"))


def _extends(head: str) -> str | None:
    """The pack that a pack.yaml extends, by its plain line; the strict reading comes later."""
    found = re.search(r"^extends:[ \t]*['\"]?([^\s'\"#]+)", head, re.MULTILINE)
    return found[1] if found else None


def from_archive(content: bytes) -> dict[str, str]:
    """The texts of an uploaded zip. Raises PolicyRefused: too many or too large files, odd names, not a zip."""
    with collecting():
        place = Place("upload.zip", 1, 1)
        documents: dict[str, str] = {}
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                members = [info for info in archive.infolist() if not info.is_dir()]
                if len(members) > MOST_FILES:
                    note(
                        place,
                        f"more than {MOST_FILES} files",
                        "upload the pack and what it extends, nothing else",
                    )
                    members = []
                for info in members:
                    with archive.open(info) as member:
                        raw = member.read(MOST_BYTES + 1)  # never more than this, whatever the header promises
                    if len(raw) > MOST_BYTES:
                        note(
                            place,
                            f"{info.filename} is larger than {MOST_BYTES // 1024} KiB",
                            "leave the data out",
                        )
                    else:
                        documents[info.filename] = raw.decode("utf-8-sig")
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as wrong:
            note(place, f"not a readable zip file: {wrong}", "zip the pack's folder without a password")
        except UnicodeDecodeError:
            note(place, "a file is not UTF-8", "save the files as UTF-8")
    return documents


def placed_names(documents: Mapping[str, str]) -> dict[str, str]:
    placed = {}
    for file, content in documents.items():
        parts = PurePosixPath(file).parts
        known = len(parts) in (1, 2) and parts[-1].endswith(".yaml") and ".." not in parts and not file.startswith("/")
        if not known or len(file) > 120 or (len(parts) == 2 and not NAME.match(parts[0])):
            note(
                Place(file[:120], 1, 1),
                "this file has no place in a pack",
                "upload <pack>/pack.yaml and its other .yaml files only",
            )
            continue
        placed["/".join(parts) if len(parts) == 2 else f"pack/{file}"] = content
    return placed


def root_of(placed: Mapping[str, str]) -> str:
    folders = {file.split("/")[0] for file in placed}
    extended = {_extends(placed.get(f"{folder}/pack.yaml", "")) for folder in folders}
    roots = sorted(folders - extended)
    if len(roots) == 1:
        return roots[0]
    note(
        Place("pack.yaml", 1, 1),
        f"{len(roots)} packs were given",
        "give one pack, and beside it only what it extends",
    )
    return roots[0] if roots else "pack"


def chain_of(placed: Mapping[str, str], root: str) -> list[str]:
    """The pack and what it extends, nearest first."""
    chain = [root]
    if f"{root}/pack.yaml" not in placed:
        note(
            Place(f"{root}/pack.yaml", 1, 1),
            "the file is missing",
            "write pack.yaml with pack, title, version",
        )
        return chain
    while (base := _extends(placed.get(f"{chain[-1]}/pack.yaml", ""))) is not None:
        head = placed[f"{chain[-1]}/pack.yaml"]
        line = head[: head.find("extends:")].count("\n") + 1
        place = Place(f"{chain[-1]}/pack.yaml", line, 1)
        if base in chain:
            note(
                place,
                f"the packs extend each other in a circle: {' → '.join([*chain, base])}",
                "let one of them stand alone",
            )
            break
        if len(chain) >= LONGEST_CHAIN:
            note(place, f"more than {LONGEST_CHAIN} packs extend each other", "merge some of them")
            break
        if f"{base}/pack.yaml" not in placed:
            known = sorted({file.split("/")[0] for file in placed} - set(chain))
            note(
                place,
                f"the pack `{base}` that this one extends is not here",
                f"put its folder beside this one; {suggestion(base, known)}"
                if known
                else "put its folder beside this one",
            )
            break
        chain.append(base)
    return chain
