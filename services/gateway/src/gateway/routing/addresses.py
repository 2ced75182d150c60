"""Where the services are: ``KEZHI_SERVICE_<NAME>_URL`` for every service of the routing table."""

from __future__ import annotations

from collections.abc import Mapping

from environs import Env

from gateway.routing.table import SEGMENTS
from gateway.routing.upstream import Upstream

PLACES = 8  # requests that may wait for one service, in each process: half of a worker's threads


def upstreams_from_environment(places: int | None = None) -> Mapping[str, Upstream]:
    """The services that have an address here; ``…_SECONDS`` bounds the wait, ``…_PLACES`` how many wait.

    ``places`` is for whom the number is given by something else: the pages ask with threads of their own.
    """
    env = Env(prefix="KEZHI_SERVICE_")
    seconds, places = env.float("SECONDS", 30.0), places or env.int("PLACES", PLACES)
    addresses = {name: env.str(f"{name.upper()}_URL", "") for name in SEGMENTS}
    return {
        name: Upstream(name, address, seconds=seconds, places=places) for name, address in addresses.items() if address
    }
