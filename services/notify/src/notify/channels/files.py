"""Messages as files, for evaluation: what has no provider is written where a person can read it.

One file a message, named after it: an attempt made twice leaves one file. Codes and links stand in them in clear, as
they would in the recipient's hands; the folder is for its owner alone.
"""

from __future__ import annotations

import os
from email.headerregistry import Address
from pathlib import Path

import orjson

from notify.channels import mail
from notify.channels.domain import Outcome, Outgoing


class FileChannel:
    """Stands in for a channel: ``.eml`` for mail, which any mail program opens, ``.json`` for the others."""

    idempotent = True

    def __init__(self, name: str, folder: Path, sender: Address) -> None:
        self.name = name
        self._folder = folder
        self._sender = sender

    def send(self, outgoing: Outgoing) -> Outcome:
        """Write one message."""
        try:
            content, ending = self._content(outgoing)
            path = self._folder / f"{self.name}-{outgoing.message_id}.{ending}"
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(path, content)
        except mail.NoAddress as wrong:
            return Outcome("permanent", reason=str(wrong))
        except OSError as broken:
            return Outcome("temporary", reason=f"can't write: {broken.strerror}", our_fault=True)
        return Outcome("delivered", reference=path.name)

    def _content(self, outgoing: Outgoing) -> tuple[bytes, str]:
        rendered = outgoing.rendered
        if self.name == "email":
            return mail.compose(outgoing, self._sender, mail.address(outgoing.address)).as_bytes(), "eml"
        document = {
            "message_id": outgoing.message_id,
            "channel": self.name,
            "to": outgoing.address,
            "template": rendered.key,
            "locale": rendered.locale,
            "subject": rendered.subject,
            "text": rendered.text,
            "at": outgoing.at.isoformat(),
        }
        return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE), "json"


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all."""
    draft = path.with_suffix(f".{os.getpid()}.draft")
    draft.touch(mode=0o600)
    draft.write_bytes(content)
    draft.replace(path)
