"""The pictures of the READMEs are there, whole, of one size, small; and `make pictures` knows every one of them."""

from __future__ import annotations

import importlib.util
import re
import struct
import sys
from pathlib import Path
from types import ModuleType

import pytest

HOUSE = Path(__file__).resolve().parents[2]
FOLDER = HOUSE / "docs" / "pictures"
READMES = {"en": "README.md", "zh-CN": "README.zh-CN.md"}
EACH, ALL = 200_000, 1_500_000  # bytes: a clone is not for pictures


@pytest.fixture(scope="module")
def made() -> ModuleType:
    """The script; it imports nothing that takes a picture before it is asked."""
    spec = importlib.util.spec_from_file_location("kezhi_pictures", FOLDER / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def size_of(file: Path) -> tuple[int, int]:
    """Width and height of a lossy WebP file, which must be as long as it says."""
    head = file.read_bytes()[:30]
    riff, length, kind, chunk = struct.unpack("<4sI4s4s", head[:16])
    assert (riff, kind) == (b"RIFF", b"WEBP"), f"{file.name} is no WebP picture"
    assert length + 8 == file.stat().st_size, f"{file.name} is cut off"
    if chunk == b"VP8X":
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    assert chunk == b"VP8 ", f"{file.name} was written in another way than `make pictures` does"
    width, height = struct.unpack("<HH", head[26:30])
    return width & 0x3FFF, height & 0x3FFF


def test_every_picture_is_there_whole_and_of_its_size(made: ModuleType) -> None:
    found = {(name, language): made.file_of(name, language) for language, names in made.SHOWN.items() for name in names}

    assert {key: size_of(file) for key, file in found.items()} == {
        key: made.pixels(made.PICTURES[key[0]]) for key in found
    }
    assert max(file.stat().st_size for file in found.values()) < EACH
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < ALL
    assert sorted(FOLDER.glob("*.webp")) == sorted(found.values()), "a picture that nobody takes any more"


@pytest.mark.parametrize("language", READMES)
def test_a_readme_shows_what_the_script_takes(made: ModuleType, language: str) -> None:
    text = (HOUSE / READMES[language]).read_text(encoding="utf-8")
    named = re.findall(r"docs/pictures/[\w-]+\.\w+", text)

    known = {str(made.file_of(name, language).relative_to(HOUSE)) for name in made.SHOWN[language]}
    assert set(named) == known
    assert text.count("<img") == len(re.findall(r'<img [^>]*alt="[^"]{20,}"', text)), "a picture without its words"
