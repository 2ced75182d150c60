"""The peer of `intake`: tickets created through the API of django-helpdesk, on the same PostgreSQL, in the same run.

It is installed into a virtual environment of its own that lives as long as the benchmark: nothing of it is in our lock.
What is written there is less than what a complaint writes here: a ticket and its first follow-up; no handler, no
clocks, no events, and no mail, because none is given an address.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy.engine import make_url

from benchmarks.api import served_by

NEEDED = ("django-helpdesk==2.6.1", "django==5.2.19", "psycopg[binary]", f"gunicorn=={version('gunicorn')}")
PROJECT = Path(__file__).with_name("helpdesk")
PATH = "/helpdesk/api/tickets/"
_PREPARE = """
import django; django.setup()
from django.contrib.auth import get_user_model
from django.core.management import call_command
from helpdesk.models import Queue
from rest_framework.authtoken.models import Token
call_command("migrate", verbosity=0)
staff = get_user_model().objects.create_superuser("fei", "", "unused")
queue = Queue.objects.create(title="Complaints", slug="complaints")
print(Token.objects.create(user=staff).key, queue.id)
"""


class NotThere(Exception):
    """The peer can't be installed here, for example without a network."""


@dataclass(frozen=True)
class Peer:
    """django-helpdesk, served."""

    url: str
    token: str
    queue: int
    database: str

    @property
    def headers(self) -> dict[str, str]:
        """Who creates the tickets."""
        return {"Authorization": f"Token {self.token}"}

    def ticket(self, complaint: dict[str, Any]) -> dict[str, Any]:
        """A complaint, as this system takes it."""
        return {"queue": self.queue, "title": complaint["subject"], "description": complaint["description"],
                "priority": 2 if complaint["insists"] else 3}  # fmt: skip


@contextmanager
def installed() -> Iterator[Path]:
    """A virtual environment with the peer; answers its Python. Raises NotThere."""
    with tempfile.TemporaryDirectory(prefix="kezhi-peer-") as folder:
        python, uv = Path(folder, "bin", "python"), Path(sys.executable).with_name("uv")
        steps = ([str(uv), "venv", "--quiet", "--python", sys.executable, folder],
                 [str(uv), "pip", "install", "--quiet", "--python", str(python), *NEEDED])  # fmt: skip
        for step in steps:
            done = subprocess.run(step, capture_output=True, text=True, check=False)
            if done.returncode:
                raise NotThere(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else " ".join(step))
        yield python


@contextmanager
def serving(python: Path, server: str) -> Iterator[Peer]:
    """The peer on a fresh database of ``server``, under gunicorn as we are."""
    name = f"kezhi_bench_helpdesk_{uuid.uuid4().hex[:8]}"
    at = make_url(server).set(drivername="postgresql")
    with psycopg.connect(at.render_as_string(hide_password=False), autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE template0 ENCODING "UTF8"')  # type: ignore[call-overload]
        try:
            environment = {
                "PEER_HOST": at.host or "127.0.0.1", "PEER_PORT": str(at.port or 5432), "PEER_USER": at.username or "",
                "PEER_PASSWORD": at.password or "", "PEER_DATABASE": name, "PYTHONPATH": str(PROJECT),
                "DJANGO_SETTINGS_MODULE": "settings",
            }  # fmt: skip
            made = subprocess.run(
                [str(python), "-c", _PREPARE], env={**os.environ, **environment}, capture_output=True, text=True,
                check=True,
            )  # fmt: skip
            token, queue = made.stdout.split()[-2:]
            with served_by(str(python), "django.core.wsgi:get_wsgi_application()", environment) as url:
                database = at.set(database=name).render_as_string(hide_password=False)
                yield Peer(url, token, int(queue), database)
        finally:
            admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')  # type: ignore[call-overload]
