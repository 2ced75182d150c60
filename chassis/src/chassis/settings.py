"""Everything a process is told from outside, parsed once at start.

Every setting is an environment variable; ``docs/operations.md`` lists them with their defaults. A name with ``_FILE``
behind it gives the path of a file that holds the value: so secrets reach a container.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from environs import FileAwareEnv


@dataclass(frozen=True)
class Settings:
    """The outside world of one service process."""

    service: str
    database_url: str
    amqp_url: str
    instance: str = ""
    mode: str = "production"  # or "evaluation": open publisher, no rate limits on loopback
    http_host: str = "127.0.0.1"
    http_port: int = 8080
    http_workers: int = 2
    work_port: int = 0  # where `work` answers /metrics and /health; 0: nowhere
    jwks_url: str = "http://127.0.0.1:8080/.well-known/jwks.json"
    policy_dir: Path | None = None
    clock_file: Path | None = None
    publishers_file: Path | None = None
    field_keys: tuple[str, ...] = ()
    log_level: str = "INFO"
    otlp_endpoint: str = ""
    batch_size: int = 500
    prefetch: int = 1000
    relay_window: int = 500
    partitions: int = 0  # consistent-hash queues per ordered subscription; 0: one plain queue
    pool_size: int = 5
    trusted_proxies: tuple[str, ...] = ("127.0.0.0/8", "::1/128")  # whose X-Forwarded-For is believed
    redis_url: str = ""  # rate limits shared by several replicas

    @classmethod
    def from_environment(cls, service: str) -> Settings:
        """Read ``KEZHI_*``; a missing or malformed one stops the process with its name."""
        env = FileAwareEnv(prefix="KEZHI_")
        settings = cls(
            service=service,
            database_url=with_password(env.str("DATABASE_URL"), env.str("DATABASE_PASSWORD", "")),
            amqp_url=with_password(
                env.str("AMQP_URL", "amqp://guest:guest@127.0.0.1:5672//"), env.str("AMQP_PASSWORD", "")
            ),
            instance=env.str("INSTANCE", ""),
            mode=env.str("MODE", "production"),
            http_host=env.str("HTTP_HOST", "127.0.0.1"),
            http_port=env.int("HTTP_PORT", 8080),
            http_workers=env.int("HTTP_WORKERS", 2),
            work_port=env.int("WORK_PORT", 0),
            jwks_url=env.str("JWKS_URL", "http://127.0.0.1:8080/.well-known/jwks.json"),
            policy_dir=env.path("POLICY_DIR", None),
            clock_file=env.path("CLOCK", None),
            publishers_file=env.path("PUBLISHERS", None),
            field_keys=tuple(env.list("FIELD_KEYS", [])),
            log_level=env.str("LOG_LEVEL", "INFO"),
            otlp_endpoint=env.str("OTLP_ENDPOINT", ""),
            batch_size=env.int("BATCH_SIZE", 500),
            prefetch=env.int("PREFETCH", 1000),
            relay_window=env.int("RELAY_WINDOW", 500),
            partitions=env.int("PARTITIONS", 0),
            pool_size=env.int("POOL_SIZE", 5),
            trusted_proxies=tuple(env.list("TRUSTED_PROXIES", ["127.0.0.0/8", "::1/128"])),
            redis_url=env.str("REDIS_URL", ""),
        )
        env.seal()
        return settings


def with_password(url: str, password: str) -> str:
    """The URL with a password that was told apart, so that URLs can be written into plain configuration."""
    if not password.strip():
        return url
    scheme, separator, rest = url.partition("://")
    credentials, at, place = rest.rpartition("@")
    if not at:
        raise ValueError("a URL whose password is told apart needs a user: scheme://user@host/…")
    user = credentials.partition(":")[0]
    return f"{scheme}{separator}{user}:{quote(password.strip(), safe='')}@{place}"
