"""The only place that wires the gateway: what it declares to the chassis, and what its application adds."""

from __future__ import annotations

from pathlib import Path

from environs import Env, FileAwareEnv

from chassis import people
from chassis.runtime import Context, Runtime
from chassis.service import Schedule, Service, Snapshot
from chassis.web.application import Application
from gateway.api_keys import api as api_keys_api
from gateway.api_keys.exchange import ExchangeDesk
from gateway.codes import api as codes_api
from gateway.codes import use_cases as codes
from gateway.console import backend
from gateway.console.app import Mount, create_console
from gateway.overview import audit as whole_audit
from gateway.overview import customers as overview
from gateway.overview import search
from gateway.overview.asking import OWN, UPSTREAMS
from gateway.people import api as people_api
from gateway.people.announcements import staff_pages, unit_pages
from gateway.people.founding import found_company
from gateway.permissions import PERMISSIONS
from gateway.portal import api as portal_api
from gateway.portal.errands import PortalDesk
from gateway.routing.addresses import upstreams_from_environment
from gateway.routing.proxy import Router
from gateway.routing.switchboard import Switchboard
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
        blueprints=(
            signin_api.blueprint,
            people_api.blueprint,
            api_keys_api.blueprint,
            overview.blueprint,
            search.blueprint,
            whole_audit.blueprint,
            codes_api.blueprint,
            portal_api.blueprint,
        ),
        permissions=PERMISSIONS,
        subscriptions=(people.subscription(),),
        due={codes.SEND: codes.send_code},
        schedules=(
            Schedule("rotate-signing-key", "0 3 1 * *", housekeeping.rotate_monthly),
            Schedule("forget-sign-ins", "20 3 * * *", housekeeping.forget),
            Schedule("forget-codes", "25 3 * * *", codes.forget),
        ),
        snapshots=(Snapshot("units", unit_pages), Snapshot("staff", staff_pages)),
        found=_found,
        extend_app=_extend,
        threads=THREADS,
    )


def _extend(app: Application, runtime: Runtime) -> None:
    if runtime.settings.jwks_url.startswith("http"):
        app.verifier.keys = OwnKeys(runtime)
    signin_api.mount_jwks(app)
    desk = ExchangeDesk(runtime)
    app.extensions["kezhi_exchange"] = desk
    upstreams = upstreams_from_environment()
    # A page asks many at once, with threads of its own: it takes no places of what is carried, and wants for none.
    fanned_out = upstreams_from_environment(places=backend.THREADS)
    app.extensions[UPSTREAMS], app.extensions[OWN] = fanned_out, app.wsgi_app
    console = create_console(app, runtime, fanned_out, Env(prefix="KEZHI_").str("PUBLIC_URL", ""))
    app.extensions["kezhi_console"] = console
    app.extensions["kezhi_portal"] = PortalDesk(runtime, Switchboard(upstreams))
    app.wsgi_app = Router(Mount(console, app.wsgi_app), upstreams, desk)  # type: ignore[method-assign]


def _found(context: Context) -> str | None:
    chosen = FileAwareEnv(prefix="KEZHI_").str("ADMIN_PASSWORD", "")
    password = found_company(context.session, chosen.strip() or None)
    return f"administrator: admin / {password}   (shown once)" if password else None
