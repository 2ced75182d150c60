"""The sign-in page of a demonstration offers people to be; no other installation's does, whatever it is told."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from gateway.console.shell.demonstration import password_told

from .conftest import ADMIN_PASSWORD, Browser


@pytest.fixture
def demonstration(company: Any, browser: Callable[..., Browser]) -> Browser:
    company.http.application.extensions["kezhi_console"].config["DEMO_PASSWORD"] = ADMIN_PASSWORD
    company.post("staff", {"username": "wu.fang", "name": "吴芳", "unit": "root", "roles": ["front_desk"]})
    return browser(signed_in=False, language="zh-CN")


def test_a_demonstration_offers_one_person_of_each_role_with_what_there_is_to_see(demonstration: Browser) -> None:
    shown = demonstration.get("/console/sign-in").text

    assert [name in shown for name in ("吴芳", "前台 · wu.fang", "电话受理投诉，回访客户")] == [True] * 3
    assert 'value="li.wei"' not in shown  # nobody is made up


def test_a_click_signs_in_like_anybody_else(demonstration: Browser) -> None:
    demonstration.get("/console/sign-in")

    answer = demonstration.post("/console/sign-in", {"username": "admin", "password": ADMIN_PASSWORD})

    assert (answer.status_code, answer.headers["Location"]) == (303, "/console/")


def test_without_a_demonstration_the_page_names_nobody(browser: Callable[..., Browser]) -> None:
    shown = browser(signed_in=False).get("/console/sign-in").text

    assert "guise" not in shown
    assert "admin" not in shown.replace("administrator", "")


def test_a_production_gateway_never_reads_the_password(company: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEZHI_DEMO_PASSWORD", "told-by-mistake")
    settings = company.runtime.settings

    assert password_told(dataclasses.replace(settings, mode="production")) == ""
    assert password_told(dataclasses.replace(settings, mode="evaluation")) == "told-by-mistake"
