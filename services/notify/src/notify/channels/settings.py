"""What the channels are told from outside: addresses and secrets come from the environment, never from the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from environs import FileAwareEnv

from notify.channels.domain import Limits


@dataclass(frozen=True)
class ChannelSettings:
    """``KEZHI_*`` of the notify service."""

    smtp_url: str = ""  # smtp://user:password@host:587?starttls=required|offered|never, or smtps://…
    smtp_from: str = ""  # "Kezhi <care@example.com>"
    webhook_secrets: tuple[str, ...] = ()  # the first one signs; receivers may still know the others
    webhook_networks: tuple[str, ...] = ()  # private networks that webhooks may reach all the same, and over plain http
    sms_adapter: Path | None = None  # YAML: how the SMS provider wants to be asked
    outgoing_dir: Path | None = None  # evaluation: what has no provider is written here
    public_url: str = ""
    limits: Mapping[str, Limits] = field(default_factory=dict)

    @classmethod
    def from_environment(cls) -> ChannelSettings:
        """Read ``KEZHI_SMTP_URL``, ``KEZHI_SMTP_FROM``, ``KEZHI_WEBHOOK_SECRET``, ``KEZHI_OUTGOING_DIR`` …"""
        env = FileAwareEnv(prefix="KEZHI_")

        def said(name: str) -> str:  # a file ends with a line break, and a compose file says "nothing" as an empty text
            return env.str(name, "").strip()

        def listed(name: str) -> tuple[str, ...]:
            return tuple(part.strip() for part in said(name).split(",") if part.strip())

        def path(name: str) -> Path | None:
            return Path(said(name)) if said(name) else None

        return cls(
            smtp_url=said("SMTP_URL"),
            smtp_from=said("SMTP_FROM"),
            webhook_secrets=listed("WEBHOOK_SECRET"),
            webhook_networks=listed("WEBHOOK_NETWORKS"),
            sms_adapter=path("SMS_ADAPTER"),
            outgoing_dir=path("OUTGOING_DIR"),
            public_url=said("PUBLIC_URL").rstrip("/"),
            limits={
                name: Limits(per_minute=env.int(f"{name.upper()}_PER_MINUTE", Limits.per_minute))
                for name in ("email", "sms", "webhook")
            },
        )
