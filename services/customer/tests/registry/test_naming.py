"""How names are read, phones are written and likeness is judged: rules without a database."""

from __future__ import annotations

import pytest

from customer.registry import domain


@pytest.mark.parametrize(
    ("name", "reading"),
    [("单小明", "shan xiao ming"), ("曾国藩", "zeng guo fan"), ("仇英", "qiu ying"), ("解缙", "xie jin"),
     ("尉迟恭", "yu chi gong"), ("Li Ming", "li ming"), ("张伟", "zhang wei")],
)  # fmt: skip
def test_a_persons_surname_is_read_as_a_surname(name, reading):
    assert domain.pinyin(name, person=True) == reading


def test_a_company_has_no_surname():
    assert domain.pinyin("乐购超市", person=False) == "le gou chao shi"


@pytest.mark.parametrize(
    ("written", "kept"),
    [("138 0013 8000", "+8613800138000"), ("+86-138-0013-8000", "+8613800138000"),
     ("１３８００１３８０００", "+8613800138000"),
     ("021 6438 1234", "+862164381234"), ("12315", "12315"), ("+1 415 555 2671", "+14155552671")],
)  # fmt: skip
def test_a_phone_is_kept_in_one_way_of_writing(written, kept):
    assert domain.phone_number(written) == kept


@pytest.mark.parametrize("written", ["12", "call me", "+86", "1" * 30])
def test_what_is_no_phone_is_refused_with_a_mend(written):
    with pytest.raises(ValueError, match="country code"):
        domain.phone_number(written)


def test_every_search_term_of_a_found_text_is_among_its_terms():
    hay = domain.haystack(["单小明", "shan xiao ming", "sxm", "C-SH001-000017", "+8613800138000"])
    terms = set(domain.terms(hay, []))

    for query in ("小明", "单", "xiaoming", "SXM", "sh001", "8000", "c-", "单小明"):
        needed, needle = domain.search_terms(query)
        assert needle in hay
        assert set(needed) <= terms


def test_a_shared_phone_is_likeness_and_the_same_name_makes_it_more():
    known = {"name": "李梅", "pinyin": "li mei", "birthday": None, "phones": ["+8613800138000"], "emails": []}

    couple = domain.likeness({**known, "name": "王强", "pinyin": "wang qiang"}, known)
    same = domain.likeness({**known, "name": "李媒"}, known)
    stranger = domain.likeness({**known, "phones": []}, known)

    assert couple[0] < same[0] <= 1.0
    assert same[1] == ("phone", "name")
    assert stranger == (0.0, ())


def test_masks_keep_the_ends_only():
    assert domain.masked_phone("+8613800138000") == "+86138****8000"
    assert domain.masked_phone("12315") == "12****"
    assert domain.masked_email("li.ming@example.com") == "l****@example.com"
