"""A real browser in front of a real installation: Debian's Chromium, driven by Playwright.

Every page a journey shows is kept as a picture in ``.artefacts/browser`` (``KEZHI_ARTEFACTS``) and must pass axe-core.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from chassis.testkit.backends import leave_out
from tests.house import PASSWORD, House

DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
HOUSE = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium; as root it runs without its sandbox, which refuses root."""
    path = os.environ.get("KEZHI_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        leave_out("Chromium", "no chromium on the PATH (`make browser` installs Debian's), and no KEZHI_CHROMIUM")
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    launched = playwright.chromium.launch(executable_path=path, args=options)
    yield launched
    launched.close()


@pytest.fixture(scope="session")
def pictures() -> Path:
    folder = Path(os.environ.get("KEZHI_ARTEFACTS", HOUSE / ".artefacts")) / "browser"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Visitor:
    """Somebody before a screen. Waits as a person does, looks as axe does, and keeps what was seen."""

    def __init__(self, page: Page, base: str, pictures: Path, name: str) -> None:
        self.page = page
        self.base = base
        self.pictures = pictures
        self.name = name
        self.complaints: list[str] = []
        page.on("console", lambda message: message.type == "error" and self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def go(self, path: str) -> None:
        self.page.goto(f"{self.base}{path}", wait_until="networkidle")

    def sign_in(self, username: str, password: str = PASSWORD) -> None:
        """Through the front door."""
        self.go("/console/")
        self.page.locator("input[name=username]").fill(username)
        self.page.locator("input[name=password]").fill(password)
        self.page.locator("input[name=password]").press("Enter")
        self.page.wait_for_load_state("networkidle")

    def look(self, title: str) -> None:
        """Keep a picture, and ask axe whether everybody can use what is shown; nothing may scroll sideways."""
        self.page.wait_for_load_state("networkidle")
        width = self.page.viewport_size["width"]  # type: ignore[index]
        file = re.sub(r"\W+", "-", f"{self.name}-{title}-{width}").strip("-").lower()
        self.page.screenshot(path=self.pictures / f"{file}.png", full_page=True)
        found = Axe().run(self.page).response["violations"]
        said = [f"{each['id']}: {each['help']}: {[node['target'] for node in each['nodes']]}" for each in found]
        assert not said, f"{title} ({width} px): {said}"
        overflow = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0, f"{title} ({width} px): the page is {overflow} px too wide"
        assert not self.complaints, f"{title}: the browser complains: {self.complaints}"


@pytest.fixture
def visitor(browser: Browser, pictures: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., Visitor]]:
    """``visitor(house, "li.wei")`` → somebody signed in; no name: a stranger."""
    contexts = []

    def make(
        house: House, username: str | None = None, *, locale: str = "zh-CN", size: dict[str, int] | None = None
    ) -> Visitor:
        context = browser.new_context(
            locale=locale,
            viewport=size or DESK,
            timezone_id="Asia/Shanghai",
            reduced_motion="reduce",  # type: ignore[arg-type]
        )
        context.set_default_timeout(15_000)
        contexts.append(context)
        name = f"{request.node.originalname.removeprefix('test_')[:60]}-{locale}"
        made = Visitor(context.new_page(), f"http://127.0.0.1:{house.port}", pictures, name)
        if username:
            made.sign_in(username)
        return made

    yield make
    for context in contexts:
        context.close()
