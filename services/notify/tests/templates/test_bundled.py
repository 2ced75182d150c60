"""The texts that come with the release: there for every route, in both languages, and fit to be read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from kezhi_contracts import schemas
from notify.templates import Surroundings, catalogue
from notify.templates.checking import check, check_bundled, least
from notify.templates.domain import CHANNELS, LOCALES, Texts
from notify.templates.filling import fill

AROUND = Surroundings("https://care.example.cn")
NAMES = {"zh-CN": "王芳", "en": "Jane Doe"}
EVERY = [pytest.param(*found, id=" ".join(found[:3])) for found in catalogue.every_bundled()]


def test_every_route_of_the_default_pack_has_its_texts(request: pytest.FixtureRequest) -> None:
    pack = request.config.rootpath / "policies" / "consumer-goods" / "notify.yaml"
    routes = yaml.safe_load(pack.read_text("utf-8"))["routes"]
    wanted = {route.get("template", route["name"]): f"{route['event']}.v1" for route in routes}

    assert wanted.items() <= catalogue.KEYS.items()
    missing = [
        (key, channel, locale)
        for key in catalogue.KEYS
        for channel in (*CHANNELS, "call_task", "file")
        for locale in LOCALES
        if catalogue.bundled(key, channel, locale) is None
    ]
    assert missing == []


def test_every_text_fits_its_event() -> None:
    check_bundled()


def test_a_release_with_a_wrong_text_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(catalogue.KEYS, "points_expiring", "tier.changed.v1")  # type: ignore[arg-type]
    check_bundled.cache_clear()

    with pytest.raises(ValueError, match=r"points_expiring email zh-CN subject: line 1: there is no points"):
        check_bundled()
    check_bundled.cache_clear()


@pytest.mark.parametrize(("key", "channel", "locale", "texts"), EVERY)
def test_every_text_can_be_read(key: str, channel: str, locale: str, texts: Any) -> None:
    words = catalogue.vocabulary(key)
    assert words is not None
    for data in (words.example, least(words.schema)):
        said = fill(texts, key, channel, locale, 0, words, data, AROUND, NAMES[locale])
        whole = f"{said.subject or ''}\n{said.text}"
        assert re.search(r"\{[{%]|[}%]\}|None|\bnull\b|undefined", whole) is None, whole
        assert re.search(r"  |\n\n\n|[，。：] *[，。：]|\( *\)|（ *）", said.text) is None, said.text
        assert bool(re.search("[㐀-鿿]", said.subject or said.text)) == (locale == "zh-CN"), whole
        assert "•" not in (said.subject or "")


@pytest.mark.parametrize("locale", LOCALES)
def test_an_sms_without_a_link_fits_into_one_segment(locale: str) -> None:
    long = {
        (key, said.segments.segments): said.text
        for key in catalogue.KEYS
        if not key.endswith("_link")
        for said in [_sms(key, locale)]
        if said.segments is not None and said.segments.segments > 1
    }
    assert long == {}


def test_links_and_codes_are_nowhere_in_what_is_stored() -> None:
    checked = 0
    for key, channel, locale, texts in catalogue.every_bundled():
        words = catalogue.vocabulary(key)
        assert words is not None
        said = fill(texts, key, channel, locale, 0, words, words.example, AROUND, None)
        for secret in (str(words.example[name]) for name in words.secrets):
            assert secret in said.text
            assert secret not in f"{said.stored_subject}{said.stored_text}"
            checked += 1
    assert checked == 3 * len(CHANNELS) * len(LOCALES)


@pytest.mark.parametrize("type_", schemas.types())
def test_every_event_can_be_written_about(type_: str) -> None:
    words = catalogue.over_event(type_)

    single = [name for name, schema in words.declared.items() if not {"properties", "items"} & set(schema)]
    assert {"greeting", "sender"} <= set(single)
    assert set(words.secrets) <= set(words.declared)
    assert check(Texts(" ".join(f"x{{{{ {name} }}}}" for name in single)), "sms", words) == {}


def _sms(key: str, locale: str) -> Any:
    words, texts = catalogue.vocabulary(key), catalogue.bundled(key, "sms", locale)
    assert words is not None
    assert texts is not None
    return fill(texts, key, "sms", locale, 0, words, words.example, AROUND, NAMES[locale])


def test_the_texts_are_kept_where_the_package_can_find_them() -> None:
    folder = Path(catalogue.__file__).with_name("bundled")

    assert sorted(path.stem for path in folder.glob("*.yaml")) == sorted(LOCALES)


@pytest.mark.parametrize(
    ("measured", "zh", "en"),
    [
        ({}, "再积 300 成长值", "Earn 300 more growth value"),
        ({"measure": "growth"}, "再积 300 成长值", "Earn 300 more growth value"),
        ({"measure": "amount", "currency": "CNY"}, "再消费 300 元", "Spend 300 CNY more"),
        ({"measure": "amount", "currency": "USD"}, "再消费 300 USD", "Spend 300 USD more"),
        ({"measure": "count"}, "再购买 300 次", "Make 300 more purchases"),
        ({"measure": "count", "missing": 1}, "再购买 1 次", "Make 1 more purchase "),
    ],
)
def test_what_is_missing_to_a_tier_is_told_in_what_the_pack_counts(measured: dict[str, Any], zh: str, en: str) -> None:
    words = catalogue.vocabulary("tier_at_risk")
    assert words is not None
    data = {**least(words.schema), "missing": 300, **measured}

    for locale, phrase in (("zh-CN", zh), ("en", en)):
        for channel in ("email", "inbox"):
            texts = catalogue.bundled("tier_at_risk", channel, locale)
            assert texts is not None
            said = fill(texts, "tier_at_risk", channel, locale, 0, words, data, AROUND, NAMES[locale])
            assert phrase in said.text
