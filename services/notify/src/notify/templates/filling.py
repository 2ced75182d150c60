"""Fill a text in: once as it goes out, once as it is stored, with its secrets struck out. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from notify.templates import layout, segments
from notify.templates.catalogue import Vocabulary
from notify.templates.domain import Rendered, Surroundings, Texts
from notify.templates.language import compiled, one_line

LONGEST_SUBJECT = 200
_BLANK_LINES = re.compile(r"\n{3,}")
_CALL = {
    "zh": ("请致电：{}", "请致电{}，转告：\n\n{}"),
    "en": ("Please call: {}", "Please call {} and pass this on:\n\n{}"),
}
_SOMEONE = {"zh": "客户", "en": "the customer"}


def fill(
    texts: Texts,
    key: str,
    channel: str,
    locale: str,
    version: int,
    words: Vocabulary,
    data: Mapping[str, Any],
    around: Surroundings,
    recipient: str | None,
) -> Rendered:
    """The message that these texts make of this data."""
    context = {"_locale": locale, "_zone": around.zone}
    clear = {**words.values(data, around, locale, recipient), **context}
    struck = {**words.values(words.struck_out(data), around, locale, recipient), **context}
    subject, text = _plain(texts, clear, channel)
    stored_subject, stored_text = _plain(texts, struck, channel)
    html = None
    if channel == "email":
        body = compiled(texts.html, markup=True).render(clear) if texts.html else layout.body(text, _addresses(clear))
        html = layout.page(subject or "", body, locale)
    elif channel == "call_task":
        subject, text = stored_subject, stored_text = _to_be_told(stored_subject, stored_text, locale, recipient)
    return Rendered(
        key,
        channel,
        locale,
        version,
        subject,
        text,
        html,
        stored_subject,
        stored_text,
        segments.count(text) if channel == "sms" else None,
    )


def _plain(texts: Texts, values: Mapping[str, Any], channel: str) -> tuple[str | None, str]:
    subject = None if texts.subject is None else one_line(compiled(texts.subject).render(values))[:LONGEST_SUBJECT]
    text = compiled(texts.text).render(values)
    if channel == "sms":
        return None, one_line(text)
    return subject, _BLANK_LINES.sub("\n\n", "\n".join(line.rstrip() for line in text.splitlines())).strip()


def _addresses(values: Mapping[str, Any]) -> list[str]:
    return [value for name, value in values.items() if name.endswith("_url") and isinstance(value, str)]


def _to_be_told(subject: str | None, text: str, locale: str, recipient: str | None) -> tuple[str, str]:
    """A call task is read by staff: whom to call, and what to say. It holds no secret: staff are not to know them."""
    language = "zh" if locale.startswith("zh") else "en"
    title, task = _CALL[language]
    return title.format(subject or ""), task.format(one_line(recipient or "") or _SOMEONE[language], text)
