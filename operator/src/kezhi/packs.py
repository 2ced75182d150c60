"""Where the policy packs that come with Kezhi lie: in the source tree, or inside the installed package."""

from __future__ import annotations

from pathlib import Path

_INSTALLED = Path(__file__).parent / "policies"
_SOURCE_TREE = Path(__file__).resolve().parents[3] / "policies"


def library() -> Path:
    """The folder of all packs that came with Kezhi: what other packs may extend."""
    for root in (_INSTALLED, _SOURCE_TREE):
        if (root / "consumer-goods" / "pack.yaml").is_file():
            return root
    raise FileNotFoundError("no policy packs beside this installation of kezhi; give --policy DIR")


def default_pack() -> Path:
    """The folder of ``consumer-goods``, the pack that an installation starts with."""
    return library() / "consumer-goods"
