"""The only place that wires the gateway: what it declares to the chassis, and what its application adds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from environs import Env, FileAwareEnv

from chassis import people
from chassis.runtime import Context, Runtime
from chassis.service import Schedule, Service, Snapshot
from chassis.web.application import Application
from gateway.api_keys import api as api_keys_api
from gateway.api_keys.exchange import ExchangeDesk
from gateway.console.app import Mount, create_console
from gateway.people import api as people_api
from gateway.people.announcements import staff_pages, unit_pages
from gateway.people.founding import found_company
from gateway.permissions import PERMISSIONS
from gateway.routing.proxy import Router
from gateway.routing.table import SEGMENTS
from gateway.routing.upstream import Upstream
from gateway.signin import api as signin_api
from gateway.signin import housekeeping
from gateway.signin.keys import OwnKeys

THREADS = 16  # they mostly wait for the services behind


def build_service() -> Service:
    """Declare the gateway."""
    return Service(
        name="gateway",
        title="Kezhi gateway: sign-in, staff and units, the way to every service",
        version="0.1.0",
        migrations=Path(__file__).parent / "migrations",
        blueprints=(signin_api.blueprint, people_api.blueprint, api_keys_api.blueprint),
        permissions=PERMISSIONS,
        subscriptions=(people.subscription(),),
        schedules=(
            Schedule("rotate-signing-key", "0 3 1 * *", housekeeping.rotate_monthly),
            Schedule("forget-sign-ins", "20 3 * * *", housekeeping.forget),
        ),
        snapshots=(Snapshot("units", unit_pages), Snapshot("staff", staff_pages)),
        found=_found,
        extend_app=_extend,
        threads=THREADS,
    )


def upstreams_from_environment() -> Mapping[str, Upstream]:
    """``KEZHI_SERVICE_<NAME>_URL`` for every service of the routing table; ``…_SECONDS`` bounds the wait."""
    env = Env(prefix="KEZHI_SERVICE_")
    seconds, places = env.float("SECONDS", 30.0), env.int("PLACES", THREADS // 2)
    addresses = {name: env.str(f"{name.upper()}_URL", "") for name in SEGMENTS}
    return {
        name: Upstream(name, address, seconds=seconds, places=places) for name, address in addresses.items() if address
    }


def _extend(app: Application, runtime: Runtime) -> None:
    if runtime.settings.jwks_url.startswith("http"):
        app.verifier.keys = OwnKeys(runtime)
    signin_api.mount_jwks(app)
    desk = ExchangeDesk(runtime)
    app.extensions["kezhi_exchange"] = desk
    upstreams = upstreams_from_environment()
    console = create_console(app, runtime, upstreams)
    app.extensions["kezhi_console"] = console
    app.wsgi_app = Router(Mount(console, app.wsgi_app), upstreams, desk)  # type: ignore[method-assign]


def _found(context: Context) -> str | None:
    chosen = FileAwareEnv(prefix="KEZHI_").str("ADMIN_PASSWORD", "")
    password = found_company(context.session, chosen.strip() or None)
    return f"administrator: admin / {password}   (shown once)" if password else None
