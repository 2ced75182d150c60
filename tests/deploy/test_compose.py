"""What docker-compose.yml, the Dockerfiles and the scripts beside them say agrees with what the code reads and needs.

No Docker is needed: the files are read, the scripts run against stand-ins or against nodes of the test's own.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from cryptography.fernet import Fernet

from chassis.messaging.names import BrokerNames
from chassis.messaging.publishers import Publishers
from chassis.messaging.topology import PROBE
from chassis.messaging.topology_plan import make_plan
from chassis.settings import Settings
from chassis.testkit.private_postgres import PrivatePostgres
from gateway.routing.addresses import upstreams_from_environment
from kezhi.databases import create_databases
from kezhi.home import Configuration, Home
from kezhi.installation import SERVICES, Installation, build_service

HOUSE = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((HOUSE / "docker-compose.yml").read_text())
CONTAINERS: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: told for name, told in CONTAINERS.items() if told["image"].startswith("kezhi/")}
SCRIPTS = sorted((HOUSE / "deploy").rglob("*.sh"))


def service_of(container: str) -> str:
    return CONTAINERS[container]["image"].removeprefix("kezhi/").partition(":")[0]


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("deploy") / "secrets"
    subprocess.run(["bash", HOUSE / "deploy/make-secrets.sh", folder], check=True, capture_output=True)
    return folder


def test_every_service_has_its_three_verbs() -> None:
    verbs = {(service_of(name), told["command"][0]) for name, told in OURS.items()}

    assert verbs == {(service, verb) for service in SERVICES for verb in ("serve", "work", "migrate")}
    assert all(told["read_only"] and told["tmpfs"] == ["/tmp"] for told in OURS.values())  # noqa: S108


def test_every_container_waits_for_what_exists_and_can_be_waited_for() -> None:
    for name, told in CONTAINERS.items():
        for target, condition in told.get("depends_on", {}).items():
            assert target in CONTAINERS, f"{name} waits for {target}"
            if condition["condition"] == "service_healthy":
                assert "healthcheck" in CONTAINERS[target], f"{name} waits for the health of {target}"
            else:
                assert CONTAINERS[target]["restart"] == "no", f"{name} waits for the end of {target}"


def test_every_secret_is_declared_made_and_used(secrets: Path) -> None:
    declared = {Path(told["file"]).name for told in COMPOSE["secrets"].values()}
    granted = {secret for told in CONTAINERS.values() for secret in told.get("secrets", [])}

    assert declared == set(COMPOSE["secrets"]) == granted == {file.name for file in secrets.iterdir()}
    for name, told in OURS.items():
        read = {
            str(value).removeprefix("/run/secrets/")
            for key, value in told["environment"].items()
            if key.endswith("_FILE")
        }
        assert read == set(told["secrets"]), name
    for container, script in (("postgres", "postgres/init.sh"), ("rabbitmq-users", "rabbitmq/users.sh")):
        text = (HOUSE / "deploy" / script).read_text().replace("${service}", "$service")
        read = {
            part.replace("$service", service)
            for part in re.findall(r"\$secrets/([\w$]+)", text)
            for service in SERVICES
        }
        assert read <= set(CONTAINERS[container]["secrets"]) <= read | {"postgres_password"}


def test_only_migrate_knows_the_owners_password() -> None:
    for name, told in OURS.items():
        owner = told["command"] == ["migrate"]
        assert ("_owner@" in told["environment"]["KEZHI_DATABASE_URL"]) == owner, name
        assert any(secret.endswith("_owner_password") for secret in told["secrets"]) == owner, name


def test_secrets_are_random_and_never_overwritten(secrets: Path) -> None:
    values = {file.name: file.read_text() for file in secrets.iterdir()}

    again = subprocess.run(
        ["bash", HOUSE / "deploy/make-secrets.sh", secrets], capture_output=True, text=True, check=False
    )

    assert again.returncode == 1
    assert "nothing was changed" in again.stderr
    assert values == {file.name: file.read_text() for file in secrets.iterdir()}
    assert len(set(values.values())) == len(values)
    assert all(len(value) >= 40 for value in values.values())
    Fernet(values["field_keys"])


@pytest.mark.parametrize("name", sorted(OURS))
def test_the_environment_of_a_container_is_one_that_its_process_accepts(
    name: str, secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for known in [known for known in os.environ if known.startswith("KEZHI_")]:
        monkeypatch.delenv(known)
    for key, value in OURS[name]["environment"].items():
        given = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(value))  # what Compose puts where the shell says nothing
        monkeypatch.setenv(key, given.replace("/run/secrets", str(secrets)))
    service = service_of(name)

    settings = Settings.from_environment(service)

    assert settings.mode == "production"
    assert (secrets / "broker_password").read_text() in settings.amqp_url
    assert settings.amqp_url.startswith(f"amqp://kezhi-{service}:")
    assert settings.database_url.endswith(f"@postgres:5432/kezhi_{service}")
    assert settings.jwks_url == "http://gateway:8080/.well-known/jwks.json"
    assert settings.policy_dir is not None
    assert (HOUSE / settings.policy_dir.relative_to("/")).is_dir()
    mounted = {volume.split(":")[1]: volume.split(":")[0] for volume in OURS[name]["volumes"]}
    assert (HOUSE / mounted[str(settings.publishers_file)]).is_file()
    if service == "gateway":
        assert settings.field_keys
    if name == "gateway":
        assert {each: at.host_header for each, at in upstreams_from_environment().items()} == {
            other: f"{other}-serve:8080" for other in SERVICES if other != "gateway"
        }
    elif OURS[name]["command"] == ["serve"]:
        assert "172.16.0.0/12" in settings.trusted_proxies


def test_every_variable_is_documented_and_every_documented_one_is_read() -> None:
    documented = set(re.findall(r"^\| `(KEZHI_\w+)`(?:, `(KEZHI_\w+)`)?", _operations(), re.MULTILINE))
    known = {name for pair in documented for name in pair if name}
    settings = (HOUSE / "chassis/src/chassis/settings.py").read_text()
    read = {f"KEZHI_{name}" for name in re.findall(r'env\.\w+\("([A-Z_]+)"', settings)}
    told = {key.removesuffix("_FILE") for container in OURS.values() for key in container["environment"]}

    assert read <= known
    assert {name for name in told if not re.fullmatch(r"KEZHI_SERVICE_\w+_URL", name)} <= known
    channels = (HOUSE / "services/notify/src/notify/channels/settings.py").read_text()
    of_notify = {f"KEZHI_{name}" for name in re.findall(r'(?:said|listed|path)\("([A-Z_]+)"', channels)}
    of_gateway = {"KEZHI_ADMIN_PASSWORD", "KEZHI_DEMO_PASSWORD", "KEZHI_SERVICE_SECONDS", "KEZHI_SERVICE_PLACES"}
    assert known - read == of_gateway | of_notify | {"KEZHI_EMAIL_PER_MINUTE", "KEZHI_SMS_PER_MINUTE"}


def _operations() -> str:
    return (HOUSE / "docs/operations.md").read_text(encoding="utf-8")


def test_every_mounted_and_copied_file_exists() -> None:
    for name, told in CONTAINERS.items():
        for volume in told.get("volumes", []):
            source = volume.split(":")[0]
            assert source in COMPOSE["volumes"] or (HOUSE / source).is_file(), f"{name}: {volume}"
        if "build" in told:
            assert (HOUSE / told["build"]["dockerfile"]).is_file()
    context = (HOUSE / ".dockerignore").read_text().split("\n")
    for service in SERVICES:
        dockerfile = (HOUSE / "services" / service / "Dockerfile").read_text()
        for line in re.findall(r"^COPY (?!--from)(.+)$", dockerfile, re.MULTILINE):
            for source in shlex.split(line)[:-1]:
                assert (HOUSE / source).exists(), f"{service}: COPY {source}"
                assert f"!{source}" in context, f".dockerignore hides {source} from {service}"
        assert f'"-m", "{service}"' in dockerfile
        assert f"--package kezhi-{service}" in dockerfile


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_scripts_are_valid_bash(script: Path) -> None:
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", script], check=True)


def test_the_publishers_file_can_be_read_and_knows_the_services_and_the_publishing_user() -> None:
    settings = Settings("customer", "", "", publishers_file=HOUSE / "deploy/rabbitmq/publishers.yaml")

    publishers = Publishers.of(settings)

    assert publishers.internal == {f"kezhi-{service}" for service in SERVICES}
    assert set(publishers.known) == {"pos"}
    assert not publishers.open


@pytest.fixture(scope="module")
def permissions(secrets: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, re.Pattern[str]]]:
    """User → configure, write, read, as users.sh asks rabbitmqctl for them."""
    folder = tmp_path_factory.mktemp("stand-in")
    asked = folder / "asked"
    stand_in = folder / "rabbitmqctl"
    stand_in.write_text(f'#!/bin/bash\nprintf "%s\\t" "$@" >>{asked}\necho >>{asked}\n')
    stand_in.chmod(0o755)
    environment = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}", "KEZHI_SECRETS": str(secrets)}
    subprocess.run(["bash", HOUSE / "deploy/rabbitmq/users.sh"], env=environment, check=True)
    calls = [line.rstrip("\t").split("\t") for line in asked.read_text().splitlines()]
    assert ["-q", "delete_user", "guest"] in calls
    return {
        call[2]: dict(zip(("configure", "write", "read"), map(re.compile, call[3:]), strict=True))
        for call in calls
        if call[1] == "set_permissions"
    }


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_may_touch_what_it_needs_of_the_broker_and_nothing_else(
    service: str, permissions: dict[str, dict[str, re.Pattern[str]]]
) -> None:
    its = permissions[f"kezhi-{service}"]
    needed = names_of([service])
    everybodys = names_of([]) | {"amq.default", "amq.topic", PROBE}
    others = names_of([other for other in SERVICES if other != service]) - names_of([])

    assert all(pattern.search(name) for pattern in its.values() for name in needed)
    assert its["configure"].search(PROBE)
    assert its["write"].search("amq.default")
    assert not [name for name in others for pattern in its.values() if pattern.search(name)]
    assert {name for name in everybodys if its["configure"].search(name)} == names_of([]) | {PROBE}
    assert {name for name in everybodys if its["write"].search(name)} == names_of([]) | {"amq.default"}
    assert {name for name in everybodys if its["read"].search(name)} == names_of([])


def names_of(services: list[str]) -> set[str]:
    """Every exchange and queue of the services, ordered ones whole and split; without services, what all share."""
    plans = [make_plan(BrokerNames(), [build_service(name) for name in services], split) for split in (0, 3)]
    return {each.name for plan in plans for each in (*plan.exchanges, *plan.queues)}


def test_a_publishing_system_may_write_to_one_exchange_and_nothing_else(
    permissions: dict[str, dict[str, re.Pattern[str]]],
) -> None:
    everything = names_of(list(SERVICES)) | {"amq.default", PROBE}

    assert {name for name in everything if permissions["pos"]["write"].search(name)} == {"kezhi.purchases"}
    assert not [n for n in everything for kind in ("configure", "read") if permissions["pos"][kind].search(n)]
    assert set(permissions) == {"pos", *(f"kezhi-{service}" for service in SERVICES)}


@pytest.fixture(scope="module")
def server() -> Iterator[PrivatePostgres]:
    with PrivatePostgres() as node:
        yield node


def test_the_first_day_of_postgres_makes_what_kezhi_up_makes(
    server: PrivatePostgres, secrets: Path, tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    home.create()
    up = Installation(home, Configuration("up", "amqp://nowhere", server.url, 0))
    create_databases(up)

    subprocess.run(
        ["bash", HOUSE / "deploy/postgres/init.sh"],
        env=os.environ
        | {
            "POSTGRES_USER": "postgres",
            "PGHOST": "127.0.0.1",
            "PGPORT": str(server.port),
            "KEZHI_SECRETS": str(secrets),
        },
        check=True,
        capture_output=True,
    )

    for service in SERVICES:
        assert rights(server, f"kezhi_{service}") == rights(server, up.database_name(service))


def rights(server: PrivatePostgres, database: str) -> list[tuple[Any, ...]]:
    """Everything that tells two databases' roles and rights apart, the names made alike."""
    with psycopg.connect(server.url, dbname=database) as connection:
        found = connection.execute(
            """
            SELECT 'role', rolname::text, concat(rolsuper, rolcreatedb, rolcreaterole, rolcanlogin) FROM pg_roles
            WHERE rolname IN (%(name)s::text, %(name)s::text || '_owner')
            UNION ALL SELECT 'database', pg_get_userbyid(datdba)::text, concat(datacl, pg_encoding_to_char(encoding))
            FROM pg_database WHERE datname = %(name)s::text
            UNION ALL SELECT 'schema', nspname::text, nspacl::text FROM pg_namespace WHERE nspname = 'public'
            UNION ALL SELECT 'default', defaclobjtype::text, defaclacl::text FROM pg_default_acl
            ORDER BY 1, 2, 3
            """,
            {"name": database},
        ).fetchall()
    plain = [tuple(str(value).replace(database, "kezhi") for value in row) for row in found]
    return sorted((*row[:-1], *sorted(row[-1].strip("{}").split(","))) for row in plain)
