"""The verbs of a service as an operator meets them: one clear line for a mistake, and a server that ends politely."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import orjson
import pytest
from cryptography.fernet import Fernet

from chassis.cli import main
from chassis.service import Service
from chassis.testkit import tokens
from chassis.testkit.private_node import free_port

LINE = Path(__file__).parent / "storage" / "sample_migrations"
NOWHERE = "postgresql://nobody@127.0.0.1:9/none"


def build_service():
    return Service("sample", "Sample", "1.2.3", LINE)


@pytest.mark.parametrize(
    ("verb", "environment", "complaint"),
    [
        (["migrate"], {}, "KEZHI_DATABASE_URL"),
        (["serve"], {"KEZHI_DATABASE_URL": "not a url"}, "postgresql://user:password@host:5432/database"),
        (["serve"], {"KEZHI_DATABASE_URL": NOWHERE, "KEZHI_HTTP_PORT": "eighty"}, "KEZHI_HTTP_PORT"),
        (["serve"], {"KEZHI_DATABASE_URL": NOWHERE, "KEZHI_FIELD_KEYS": "short"}, "44 characters"),
        (["migrate"], {"KEZHI_DATABASE_URL": NOWHERE}, "the database does not answer"),
        (["work", "--only", "dance"], {"KEZHI_DATABASE_URL": NOWHERE}, "unknown role 'dance'"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(monkeypatch, capsys, verb, environment, complaint):
    for name in [name for name in os.environ if name.startswith("KEZHI_")]:
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(SystemExit) as ended:
        main(build_service, verb)

    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert complaint in said
    assert said.count("\n") == 1


def test_openapi_needs_neither_environment_nor_database(monkeypatch, capsys):
    monkeypatch.delenv("KEZHI_DATABASE_URL", raising=False)
    main(build_service, ["openapi"])
    document = orjson.loads(capsys.readouterr().out)
    assert (document["openapi"], document["info"]["version"]) == ("3.1.0", "1.2.3")
    assert "/api/v1/services/sample/jobs/{job_id}" in document["paths"]


PROGRAM = f"""
from pathlib import Path
from chassis.cli import main
from chassis.service import Service
main(lambda: Service("sample", "Sample", "1.2.3", Path({str(LINE)!r})))
"""


def test_serve_answers_from_every_worker_and_ends_on_sigterm(fresh_database, tmp_path):
    port = free_port()
    (tmp_path / "sample.py").write_text(PROGRAM)
    environment = {
        **os.environ,
        "KEZHI_DATABASE_URL": fresh_database(build_service),
        "KEZHI_HTTP_PORT": str(port),
        "KEZHI_HTTP_WORKERS": "2",
        "KEZHI_JWKS_URL": tokens.static_jwks(),
        "KEZHI_FIELD_KEYS": Fernet.generate_key().decode(),
        "TMPDIR": str(tmp_path),
    }
    base = f"http://127.0.0.1:{port}"
    server = subprocess.Popen([sys.executable, str(tmp_path / "sample.py"), "serve"], env=environment)
    try:
        patience = time.monotonic() + 60
        while True:
            try:
                if httpx.get(f"{base}/health/live").status_code == 200:
                    break
            except httpx.TransportError:
                assert server.poll() is None
                assert time.monotonic() < patience
            time.sleep(0.1)
        signed_in = {"Authorization": tokens.bearer()}
        for _ in range(20):  # a connection each, so that both workers get some
            answer = httpx.get(f"{base}/api/v1/services/sample/jobs", headers=signed_in)
            assert (answer.status_code, answer.json()["items"]) == (200, [])
        metrics = httpx.get(f"{base}/metrics").text
        requests = [line for line in metrics.splitlines() if line.startswith("kezhi_http_requests_total")]
        counted = [line.rsplit(" ", 1)[1] for line in requests if "list_jobs" in line]
        assert counted == ["20.0"]  # both workers' counts, summed
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(25) == 0
