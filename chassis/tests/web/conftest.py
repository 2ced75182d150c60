"""The sample service at hand."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from chassis.runtime import Runtime


def _sample() -> ModuleType:
    name = "kezhi_sample_service"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("sample_service.py"))
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def sample() -> ModuleType:
    """The module of the sample service (loaded once: its blueprint is a module global)."""
    return _sample()


@pytest.fixture
def shelf(make_runtime: Callable[..., Runtime], sample: ModuleType) -> Runtime:
    """A process of the sample service."""
    return make_runtime(sample.build_service)


@pytest.fixture
def keeper(shelf: Runtime, client: Callable[..., Any]) -> Any:
    """A client that may read and write books."""
    return client(shelf, roles=["keeper"], username="keeper")


@pytest.fixture
def reader(shelf: Runtime, client: Callable[..., Any]) -> Any:
    """A client that may only read."""
    return client(shelf, roles=["reader"], username="reader")


@pytest.fixture
def administrator(shelf: Runtime, client: Callable[..., Any]) -> Any:
    """A client that may do everything."""
    return client(shelf)


def book(**members: Any) -> dict[str, Any]:
    return {"code": "B-1", "title": "Water Margin", "price": "12.50", "copies": 3, **members}


@pytest.fixture
def a_book() -> Callable[..., dict[str, Any]]:
    """``a_book(code=…)`` → the body of a POST."""
    return book
