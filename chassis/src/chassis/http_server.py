"""``serve``: gunicorn over the application factory.

Each worker starts its own runtime after the fork: no connection, thread or token cache is ever shared across it.
SIGTERM lets requests under way finish.
"""

from __future__ import annotations

import gc
import logging
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger
from prometheus_client.multiprocess import mark_process_dead

from chassis import logs
from chassis.runtime import start_runtime
from chassis.service import Service
from chassis.settings import Settings
from chassis.web.app import create_app

GRACE = 20  # seconds from SIGTERM until requests under way are cut off
METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"


def serve(service: Service, settings: Settings) -> None:
    """Run until SIGTERM."""
    if settings.http_workers > 1 and METRICS_FOLDER not in os.environ:
        _again_with_shared_metrics(settings)
    if METRICS_FOLDER in os.environ:
        _forget_metrics_of_past_lives()
    logs.configure(service.name, settings.log_level)
    gc.collect()
    gc.freeze()  # what is loaded now stays shared between the workers: no collection writes into its pages
    _Server(service, settings).run()


class _Server(BaseApplication):
    def __init__(self, service: Service, settings: Settings) -> None:
        self.service, self.settings = service, settings
        super().__init__()

    def load_config(self) -> None:
        host = f"[{self.settings.http_host}]" if ":" in self.settings.http_host else self.settings.http_host
        wanted = {
            "bind": f"{host}:{self.settings.http_port}",
            "workers": self.settings.http_workers,
            "worker_class": "gthread",
            "threads": self.service.threads,  # connections are kept alive, so a thread is not bound to one client
            "timeout": 60,
            "graceful_timeout": GRACE,
            "keepalive": 75,
            "worker_tmp_dir": "/dev/shm" if os.path.isdir("/dev/shm") else None,  # noqa: S108 - a heartbeat file
            "logger_class": _Logger,
            "proc_name": f"kezhi-{self.service.name}",
            "child_exit": _forget_metrics,
            "control_socket_disable": True,
        }
        for name, value in wanted.items():
            if name in self.cfg.settings:  # the control socket came with gunicorn 25
                self.cfg.set(name, value)

    def load(self) -> Any:
        return create_app(start_runtime(self.service, self.settings))


class _Logger(Logger):
    """Gunicorn's words among the service's own, as JSON."""

    def setup(self, cfg: Any) -> None:
        self.error_log.setLevel(logging.WARNING)
        self.error_log.propagate = True
        self.access_log.disabled = True


def _forget_metrics(_: Arbiter, worker: Any) -> None:
    if METRICS_FOLDER in os.environ:
        mark_process_dead(worker.pid)


def _again_with_shared_metrics(settings: Settings) -> None:
    """Start this very command again with a folder in which the workers' counts are summed.

    prometheus_client looks at the variable when it is imported, which by now has happened. Whoever wants to save the
    second start sets it beforehand, to a folder of this service alone that exists (``kezhi up`` does).
    """
    folder = Path(tempfile.gettempdir(), f"kezhi-metrics-{os.getuid()}-{settings.service}-{settings.http_port}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    environment = {**os.environ, METRICS_FOLDER: str(folder)}
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)  # noqa: S606 - this very command


def _forget_metrics_of_past_lives() -> None:
    for old in Path(os.environ[METRICS_FOLDER]).glob("*.db"):
        old.unlink()
