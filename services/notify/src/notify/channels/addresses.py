"""Where a webhook may go: pure rules on URLs and on the addresses that a name stands for (decision 17).

Private, loopback, link-local, multicast and reserved addresses are refused, also where an IPv6 address merely wraps
one (mapped, 6to4, NAT64, Teredo), unless the installation lists their network. Plain http only goes there too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from urllib.parse import urlsplit

IpAddress = IPv4Address | IPv6Address
_NAT64 = ip_network("64:ff9b::/96")
_NAT64_LOCAL = ip_network("64:ff9b:1::/48")
LONGEST_URL = 2000


class Refused(ValueError):
    """This URL is not asked, and why."""


@dataclass(frozen=True)
class Target:
    """A URL taken apart."""

    tls: bool
    host: str  # ASCII
    port: int
    path: str  # with its query

    @property
    def authority(self) -> str:
        """As the Host header says it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"


@dataclass(frozen=True)
class Reach:
    """Which addresses may be asked. ``anywhere``: the URL comes from who runs this installation, not from its data."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    anywhere: bool = False

    @classmethod
    def of(cls, networks: Sequence[str]) -> Reach:
        """From settings, e.g. ``10.20.0.0/16``. Raises ValueError."""
        return cls(tuple(ip_network(network) for network in networks))

    def check(self, target: Target, addresses: Sequence[str]) -> str:
        """The address to connect to. Every address of the name must be fit, not only the first. Raises Refused."""
        if not addresses:
            raise Refused("the name stands for no address")
        if not self.anywhere:
            for written in addresses:
                self._check(target, ip_address(written.partition("%")[0]))
        return addresses[0]

    def _check(self, target: Target, address: IpAddress) -> None:
        inner = unwrapped(address)
        if any(inner in network or address in network for network in self.networks):
            return
        if not public(inner):
            raise Refused("leads to a private address")
        if not target.tls:
            raise Refused("must be https")


def target(url: str) -> Target:
    """Take a URL apart. Raises Refused for what is no plain http(s) URL."""
    if len(url) > LONGEST_URL or not url.isascii() or any(character <= " " or character == "\x7f" for character in url):
        raise Refused("must be an ASCII URL without blanks")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Refused("is no URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Refused("must be https://host/…")
    if "@" in parts.netloc or "\\" in url or parts.fragment:
        raise Refused("must hold no user, no backslash and no fragment")
    tls = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(tls, parts.hostname, port or (443 if tls else 80), path)


def unwrapped(address: IpAddress) -> IpAddress:
    """The IPv4 address that an IPv6 address stands for, or the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address in _NAT64 or int(address) >> 32 == 0:  # the latter: "IPv4-compatible", long deprecated, ::1 among them
        return IPv4Address(int(address) & 0xFFFFFFFF) if int(address) > 1 else address
    return address


def public(address: IpAddress) -> bool:
    """Whether anyone on the internet could be meant."""
    if isinstance(address, IPv6Address) and (address.teredo is not None or address in _NAT64_LOCAL):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)
