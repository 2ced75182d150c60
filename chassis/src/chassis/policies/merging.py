"""How a pack that `extends` another one is laid over it. Every node keeps the file and line it was written in.

- mappings merge key by key; `key: ~` takes an inherited key away;
- lists whose items are all mappings that begin with the same identifying key (`tier`, `grade`, `class`, …) merge
  item by item by that key: known ones merge, new ones are added, `{tier: gold, removed: true}` takes one away;
- everything else (texts, numbers, other lists) replaces what was inherited.
"""

from __future__ import annotations

from dataclasses import replace

from chassis.policies.document import Node

IDENTIFYING = (
    "tier",
    "level",
    "grade",
    "class",
    "code",
    "name",
    "kind",
    "event",
    "band",
    "channel",
    "scheme",
    "plan",
)


def merge(over: Node, under: Node) -> Node:
    """``over`` (the extending pack) laid over ``under`` (the extended one)."""
    if isinstance(over.value, dict) and isinstance(under.value, dict):
        content = dict(under.value)
        places = dict(under.key_places)
        for key, node in over.value.items():
            if node.value is None and key in content:
                del content[key], places[key]
                continue
            content[key] = merge(node, content[key]) if key in content else node
            places[key] = over.key_places[key]
        return replace(over, value=content, key_places=places)
    if isinstance(over.value, list) and isinstance(under.value, list):
        return _merge_lists(over, under)
    return over


def identifying_key(node: Node) -> str | None:
    """The key that names the items of a list, when all are mappings that carry the same one."""
    if not isinstance(node.value, list) or not node.value:
        return None
    for key in IDENTIFYING:
        if all(isinstance(item.value, dict) and next(iter(item.value), None) == key for item in node.value):
            return key
    return None


def by_identity(node: Node, key: str) -> dict[str, Node]:
    """The items of a list by their identifying value."""
    assert isinstance(node.value, list)  # noqa: S101 - identifying_key() has looked
    return {item.value[key].text: item for item in node.value if isinstance(item.value, dict)}


def _merge_lists(over: Node, under: Node) -> Node:
    key = identifying_key(over)
    if key is None or identifying_key(under) != key:
        return over
    if len(by_identity(over, key)) != len(over.value):  # type: ignore[arg-type]
        return over  # a name twice: the readers will refuse it where it stands
    merged = by_identity(under, key)
    for name, item in by_identity(over, key).items():
        assert isinstance(item.value, dict)  # noqa: S101
        removed = item.value.get("removed")
        if removed is not None and removed.value is True:
            merged.pop(name, None)
        else:
            merged[name] = merge(item, merged[name]) if name in merged else item
    return replace(over, value=list(merged.values()))
