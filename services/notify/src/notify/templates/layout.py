"""The one look of our mails: readable in any mail program, without pictures, scripts or anything from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

_PAGE = Markup(
    """<!doctype html>
<html lang="{locale}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{subject}</title></head>
<body style="margin:0;background:#f4f6f8;color:#1f2933;font:16px/1.6 'PingFang SC','Microsoft YaHei',sans-serif">
<div style="max-width:560px;margin:24px auto;padding:28px;background:#fff;border-radius:8px">
{body}
</div>
</body>
</html>
"""
)
_PARAGRAPH = Markup('<p style="margin:0 0 16px">{}</p>')
_BUTTON = Markup('<p style="margin:0 0 16px"><a href="{0}" style="color:#066fd1;word-break:break-all">{0}</a></p>')


def body(text: str, addresses: Iterable[str]) -> Markup:
    """The plain text as paragraphs; a paragraph that is one of our own addresses becomes a link, and nothing else."""
    ours = set(addresses)
    paragraphs = [paragraph for paragraph in text.split("\n\n") if paragraph]
    return Markup("\n").join(
        _BUTTON.format(paragraph) if paragraph in ours else _PARAGRAPH.format(_broken(paragraph))
        for paragraph in paragraphs
    )


def page(subject: str, inner: str, locale: str) -> str:
    """A whole HTML document. ``inner`` is markup already."""
    return str(_PAGE.format(locale=locale, subject=subject, body=Markup(inner)))  # noqa: S704 - escaped where it was filled in


def _broken(paragraph: str) -> Markup:
    return Markup("<br>\n").join(escape(line) for line in paragraph.split("\n"))
