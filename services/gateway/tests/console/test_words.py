"""Every text that a page or a module of the console shows has its Chinese; no catalogue carries what nobody shows."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

import gateway

SOURCE = Path(gateway.__file__).parent
PACK = Path(__file__).resolve().parents[4] / "policies" / "consumer-goods"
KEYWORDS = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2)}
CATALOGUES = sorted((SOURCE / "console" / "words").glob("*.po"))
_PLACE = re.compile(r"%\((\w+)\)s")


def texts() -> dict[str, str]:
    """Every msgid (singular) with the file that shows it."""
    found: dict[str, str] = {}
    for path, method in _sources():
        options = {"silent": "false"} if method == "jinja2" else {}
        for _, message, _, _ in extract_from_file(method, str(path), keywords=KEYWORDS, options=options):
            found.setdefault(message[0] if isinstance(message, tuple) else message, str(path.relative_to(SOURCE)))
    return found


def _sources() -> Iterator[tuple[Path, str]]:
    yield from ((path, "python") for folder in ("console", "portal") for path in (SOURCE / folder).rglob("*.py"))
    yield from ((path, "jinja2") for path in (SOURCE / "templates").rglob("*.html"))


def translations() -> dict[str, set[str]]:
    """msgid → what the catalogues say."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in CATALOGUES:
        for message in read_po(path.open("rb"), locale="zh_Hans_CN"):
            if message.id:
                singular = message.id[0] if isinstance(message.id, tuple) else message.id
                told = message.string[0] if isinstance(message.string, tuple) else message.string
                found[singular].add("" if message.fuzzy else told)
    return found


def test_every_text_is_translated() -> None:
    known = translations()
    untranslated = {text: place for text, place in texts().items() if not any(known.get(text, ()))}
    assert untranslated == {}


def test_the_catalogues_do_not_contradict_each_other() -> None:
    assert {text: told for text, told in translations().items() if len(told) > 1} == {}


def test_a_translation_takes_the_same_values() -> None:
    wrong = {
        text: told
        for text, all_told in translations().items()
        for told in all_told
        if set(_PLACE.findall(text)) != set(_PLACE.findall(told))
    }
    assert wrong == {}


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_no_catalogue_carries_what_nobody_shows(path: Path) -> None:
    shown = texts()
    carried = [m.id[0] if isinstance(m.id, tuple) else m.id for m in read_po(path.open("rb")) if m.id]
    assert [text for text in carried if text not in shown] == []


def pack_codes() -> set[str]:
    """Every code of the default pack that a page may show."""
    told = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in PACK.glob("*.yaml")}
    complaint, customer, loyalty = told["complaint"], told["customer"], told["loyalty"]
    groups = {name: found for name, found in complaint["categories"].items() if isinstance(found, list)} | {
        "policy": []
    }
    groups.pop("ours", None)
    return {
        *(route["name"] for route in told["notify"]["routes"]),
        *(plan["plan"] for plan in told["notify"]["care_plans"]),
        *told["pack"]["company"]["roles"],
        *complaint["channels"]["accepted"], *complaint["clocks"],
        *groups, *(code for codes in groups.values() for code in codes),
        *(level["tier"] for level in loyalty["tiers"]["levels"]),
        *(level["grade"] for level in customer["grades"]["value"]["levels"]),
        *(band["class"] for name in ("frequency", "amount") for band in customer["classifications"][name]["bands"]),
        *customer["classifications"],
    }  # fmt: skip


def test_no_code_of_the_default_pack_is_shown_raw() -> None:
    known = translations()
    raw = {code for code in pack_codes() if not any(known.get(code.replace("_", " ").capitalize(), ()))}
    assert raw - {"integration"} == set()  # an API key's role: nobody reads it
