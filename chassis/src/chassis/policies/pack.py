"""A policy pack: a folder of YAML, laid over the packs it extends, known by the hash of what it says.

The hash covers the merged content in canonical form: comments, order of keys and layout do not change it, and one
hash means one behaviour in every service (decision 22).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from chassis.policies import reading
from chassis.policies.company import Company, read_company
from chassis.policies.document import Node, parse
from chassis.policies.merging import merge
from chassis.policies.problems import Place, PolicyRefused, collecting, note
from chassis.policies.reading import Keys, mapping, text
from chassis.policies.sources import NAME, chain_of, from_archive, placed_names, read_documents, root_of

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


def from_documents(documents: Mapping[str, str], name: str | None = None) -> Pack:
    """Read a pack from texts; ``name`` is its folder, or the only one that no other extends.

    File names are ``pack.yaml`` (one pack) or ``<pack>/pack.yaml``. Raises PolicyRefused with every fault.
    """
    return _read(tuple(sorted(documents.items())), name)


@lru_cache(maxsize=8)  # a pack is a value: the same texts are read once per process
def _read(documents: tuple[tuple[str, str], ...], name: str | None) -> Pack:
    with collecting():
        placed = placed_names(dict(documents))
        root = name or root_of(placed)
        chain = chain_of(placed, root)
        trees = {file: parse(file, content) for file, content in placed.items() if file.split("/")[0] in chain}
    with collecting():
        merged = _merged(trees, chain)
        head = merged.pop("pack", Node(None, "", Place(f"{root}/pack.yaml", 1, 1), "", absent=True))
        keys = mapping(head, _HEAD, _HEAD_OPTIONAL)
        return _read_head(keys, merged, placed)


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
    if keys.sound and not NAME.match(name):
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
