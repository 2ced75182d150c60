"""A policy pack: a folder of YAML, laid over the packs it extends, known by the hash of what it says.

The hash covers the merged content in canonical form: comments, order of keys and layout do not change it, and one
hash means one behaviour in every service (decision 22).
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

import orjson

from chassis.policies import reading
from chassis.policies.company import Company, read_company
from chassis.policies.document import MOST_BYTES, Node, parse
from chassis.policies.merging import merge
from chassis.policies.problems import Place, PolicyRefused, collecting, note
from chassis.policies.reading import Keys, mapping, suggestion, text

MOST_FILES = 64
LONGEST_CHAIN = 6
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,59}\Z")
_HEAD = ("pack", "title", "summary", "version", "source")
_HEAD_OPTIONAL = ("extends", "effective_from", "notice_from", "approver", "company")


@dataclass(frozen=True)
class Pack:
    """One version of a regulation, as read.

    ``documents`` are the texts it was read from (``<pack>/<file>`` → text, extended packs included), ``sections`` the
    merged files by name (``loyalty``), ``company`` the part that every service reads.
    """

    name: str
    version: str
    hash: str
    title: Mapping[str, str]
    effective_from: date | None
    notice_from: date | None
    head: Node
    company: Company
    sections: Mapping[str, Node]
    documents: Mapping[str, str]

    @property
    def cited(self) -> str:
        """How decisions and events name this version: ``consumer-goods@1.0:3f2a9c1d4e5f``."""
        return f"{self.name}@{self.version}:{self.hash[:12]}"

    def section(self, name: str) -> Node:
        """The merged content of ``<name>.yaml``; notes a fault when the pack has no such file."""
        if name in self.sections:
            return self.sections[name]
        place = Place(f"{self.name}/{name}.yaml", 1, 1)
        note(place, "the file is missing", f"write {name}.yaml, or `extends:` a pack that has one")
        return Node(None, "", place, name, absent=True)


def load(directory: Path, library: Path | None = None) -> Pack:
    """Read the pack in ``directory``. Raises PolicyRefused with every fault.

    Packs that it extends stand beside it, or in ``library`` (the packs that come with Kezhi).
    """
    return from_documents(read_documents(directory, library), directory.resolve().name)


def read_documents(directory: Path, library: Path | None = None) -> dict[str, str]:
    """The texts of a pack and of the packs it extends, by ``<pack>/<file>``. Raises PolicyRefused."""
    with collecting():
        directory = directory.resolve()
        documents = _folder(directory, directory.name)
        wanted = _extends(documents.get(f"{directory.name}/pack.yaml", ""))
        for _ in range(LONGEST_CHAIN):
            if wanted is None or not _NAME.match(wanted) or f"{wanted}/pack.yaml" in documents:
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


def from_documents(documents: Mapping[str, str], name: str | None = None) -> Pack:
    """Read a pack from texts; ``name`` is its folder, or the only one that no other extends.

    File names are ``pack.yaml`` (one pack) or ``<pack>/pack.yaml``. Raises PolicyRefused with every fault.
    """
    return _read(tuple(sorted(documents.items())), name)


@lru_cache(maxsize=8)  # a pack is a value: the same texts are read once per process
def _read(documents: tuple[tuple[str, str], ...], name: str | None) -> Pack:
    with collecting():
        placed = _placed(dict(documents))
        root = name or _root(placed)
        chain = _chain(placed, root)
        trees = {file: parse(file, content) for file, content in placed.items() if file.split("/")[0] in chain}
    with collecting():
        merged = _merged(trees, chain)
        head = merged.pop("pack", Node(None, "", Place(f"{root}/pack.yaml", 1, 1), "", absent=True))
        keys = mapping(head, _HEAD, _HEAD_OPTIONAL)
        pack = _read_head(keys, merged, placed)
    return pack


def _placed(documents: Mapping[str, str]) -> dict[str, str]:
    placed = {}
    for file, content in documents.items():
        parts = PurePosixPath(file).parts
        known = len(parts) in (1, 2) and parts[-1].endswith(".yaml") and ".." not in parts and not file.startswith("/")
        if not known or len(file) > 120 or (len(parts) == 2 and not _NAME.match(parts[0])):
            note(
                Place(file[:120], 1, 1),
                "this file has no place in a pack",
                "upload <pack>/pack.yaml and its other .yaml files only",
            )
            continue
        placed["/".join(parts) if len(parts) == 2 else f"pack/{file}"] = content
    return placed


def _root(placed: Mapping[str, str]) -> str:
    folders = {file.split("/")[0] for file in placed}
    extended = {_extends(placed.get(f"{folder}/pack.yaml", "")) for folder in folders}
    roots = sorted(folders - extended)  # type: ignore[arg-type]
    if len(roots) == 1:
        return roots[0]
    note(
        Place("pack.yaml", 1, 1),
        f"{len(roots)} packs were given",
        "give one pack, and beside it only what it extends",
    )
    return roots[0] if roots else "pack"


def _chain(placed: Mapping[str, str], root: str) -> list[str]:
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


def _merged(trees: Mapping[str, Node | None], chain: list[str]) -> dict[str, Node]:
    """Sections by name; a pack's own title, version and dates are never inherited."""
    merged: dict[str, Node] = {}
    for folder in reversed(chain):
        for file, tree in trees.items():
            section = file.split("/")[1].removesuffix(".yaml")
            if file.split("/")[0] != folder or tree is None:
                continue
            if not isinstance(tree.value, dict):
                note(tree.place, "the file holds no mapping", "write `section: …`")
            elif section == "pack" and section in merged:
                merged[section] = _over_head(tree, merged[section])
            else:
                merged[section] = merge(tree, merged[section]) if section in merged else tree
    return merged


def _over_head(head: Node, base: Node) -> Node:
    assert isinstance(head.value, dict) and isinstance(base.value, dict)  # noqa: S101, PT018 - _merged() has looked
    if "company" not in base.value:
        return head
    inherited = Node({"company": base.value["company"]}, "", base.place, "", {"company": base.key_places["company"]})
    return merge(head, inherited)


def _read_head(keys: Keys, sections: dict[str, Node], documents: Mapping[str, str]) -> Pack:
    name = text(keys["pack"])
    if keys.sound and not _NAME.match(name):
        reading.wrong(keys["pack"], f"`{name}` is no name of a pack", "use lower-case letters, digits and hyphens")
    version = text(keys["version"], 40)
    titles = {
        language: text(node) for language, node in mapping(keys["title"], ("zh", "en"), marks=False).content.items()
    }
    mapping(keys["summary"], ("zh", "en"), marks=False)
    text(keys["source"])
    keys.read("approver", text, "")
    keys.read("extends", text, "")
    effective = keys.read("effective_from", reading.day, None)
    notice = keys.read("notice_from", reading.day, None)
    if effective and notice and notice > effective:
        reading.wrong(
            keys["notice_from"],
            "customers would be told after the pack is in force",
            "put notice_from before effective_from",
        )
    company = read_company(keys["company"]) if "company" in keys else None
    if company is None:
        reading.wrong(
            keys.node,
            "`company` is missing",
            "add `company:` with time_zone, currency, calendar, working_hours, roles",
        )
        company = read_company(keys["company"])
    content: dict[str, Any] = {file: tree.plain() for file, tree in sections.items()}
    content["pack"] = keys.node.plain()
    digest = hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return Pack(name, version, digest, titles, effective, notice, keys.node, company, sections, dict(documents))


__all__ = ["Pack", "PolicyRefused", "from_archive", "from_documents", "load", "read_documents"]
