"""``make pictures``: the pictures that the READMEs show, taken of the demo by Debian's Chromium, all of one size.

Without arguments a demo is made in a home of its own, photographed, and removed without a trace. With ``--url``,
``--password`` and ``--home`` the pictures are taken of a demo that is up. Whom and what they show is looked for
through the API, so that the same demo gives the same pictures but for its dates.
"""

from __future__ import annotations

import argparse
import base64
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from chassis.testkit.private_node import free_port
from kezhi.api import Api, Refused

FOLDER = Path(__file__).parent
DESK, PHONE = (1180, 760), (390, 760)
SHARPNESS = 1.5  # pixels of the picture per pixel of the page: readable on dense screens, small in the repository
QUALITY = 80
GRADES = ("ordinary", "gold", "platinum", "diamond")
INSTANCE = "pictures"


@dataclass(frozen=True)
class Picture:
    """One picture: who looks, where, and what they do there before the shutter opens."""

    username: str | None
    path: Callable[[Demo], str]
    prepare: Callable[[Page], None] = lambda page: None
    size: tuple[int, int] = DESK


@dataclass(frozen=True)
class Demo:
    """A demo that is up, and what in it is worth a picture."""

    url: str
    password: str
    home: Path

    def api(self) -> Api:
        return Api(self.url, "admin", self.password)

    def case(self) -> str:
        """The open case that went furthest: rounds, level, then its number."""
        cases = self.api().get("/complaints", open="true", order="queue", limit=200)["items"]
        chosen = max(cases, key=lambda case: (case["round"], case["level"], case["number"]))
        return f"/console/complaints/{chosen['id']}"

    def customer(self) -> str:
        """Of those who complained, whoever has the highest grade and the most points."""
        api = self.api()
        ids = {case["customer_id"] for case in api.get("/complaints", limit=200)["items"]} - {None}
        worth = {}
        for id in sorted(ids):
            grade = api.get(f"/customers/{id}")["grade"] or GRADES[0]
            with suppress(Refused):  # who complained need not be a member
                worth[id] = (GRADES.index(grade), api.get(f"/members/{id}")["points"]["available"])
        return f"/console/customers/{max(worth, key=lambda id: worth[id])}"

    def ledger(self) -> str:
        """The member whose newest purchase took the most steps to its points."""
        api = self.api()
        found: dict[str, int] = {}
        for tier in reversed(GRADES):
            for member in api.get("/members", tier=tier, limit=12)["items"]:
                entries = api.get(f"/members/{member['customer_id']}/entries", limit=6)["items"]
                found[member["customer_id"]] = max((len(one["why"]["breakdown"]) for one in entries), default=0)
            if max(found.values(), default=0) > 1:
                break
        return f"/console/members/{max(found, key=lambda id: found[id])}"

    def answer(self) -> str:
        """A personal link that waits for a customer's answer, as it was sent to them."""
        waiting = {case["number"] for case in self.api().get("/complaints", status="calling_back", limit=200)["items"]}
        for file in sorted((self.home / "outgoing").iterdir(), reverse=True):
            told = _text(file)
            link = re.search(r"/portal/answers/[\w-]{22,}", told)
            if link and any(number in told for number in waiting):
                return link[0]
        raise SystemExit("no case of this demo waits for a customer's answer: make the demo anew")


def _text(file: Path) -> str:
    if file.suffix != ".eml":
        return file.read_text(errors="replace")
    mail = message_from_bytes(file.read_bytes(), policy=policy.default)
    body = mail.get_body(("plain",))
    return f"{mail['Subject']} {body.get_content() if body else ''}"


def open_the_why(page: Page) -> None:
    """Open the line of the ledger whose explanation is longest."""
    lines = page.locator("details.ledger-why")
    steps = [lines.nth(n).locator("table tbody tr").count() for n in range(min(8, lines.count()))]
    lines.nth(steps.index(max(steps))).locator("summary").click()


def open_the_sum(page: Page) -> None:
    """Show how the first deadline was worked out."""
    page.locator(".clock-sum summary").first.click()


def open_the_grade(page: Page) -> None:
    """Show why the customer has this grade."""
    page.locator("section[aria-labelledby=grade-head] details.why summary").click()


def call_back(page: Page) -> None:
    """Take the first case of the call-back desk in hand."""
    page.locator("table [data-drawer]").first.click()
    page.locator(".drawer .scale").wait_for()


def open_the_letter(page: Page) -> None:
    """Read the newest dead letter: what it carried and why it was not taken."""
    page.locator("table.letters [data-drawer]").first.click()
    page.locator(".drawer .body-text").wait_for()


def at(path: str) -> Callable[[Demo], str]:
    """The same page in every demo."""
    return lambda demo: path


PICTURES: Mapping[str, Picture] = {
    "today": Picture("zhao.min", at("/console/")),
    "case": Picture("zhao.min", Demo.case, open_the_sum),
    "customer": Picture("zhao.min", Demo.customer, open_the_grade),
    "ledger": Picture("zhao.min", Demo.ledger, open_the_why),
    "callbacks": Picture("wu.fang", at("/console/complaints/callbacks"), call_back),
    "report": Picture("zhao.min", at("/console/complaints/report")),
    "dead-letters": Picture("admin", at("/console/dead-letters/"), open_the_letter),
    "portal": Picture(None, Demo.answer, size=PHONE),
}
SHOWN: Mapping[str, tuple[str, ...]] = {  # language of the README → its pictures
    "zh-CN": ("today", "customer", "case", "ledger", "dead-letters", "portal"),
    "en": ("customer", "case", "ledger", "callbacks", "report", "portal"),
}


def file_of(name: str, language: str) -> Path:
    """``today-zh.webp``."""
    return FOLDER / f"{name}-{language[:2]}.webp"


def pixels(picture: Picture) -> tuple[int, int]:
    """The size of the file."""
    return round(picture.size[0] * SHARPNESS), round(picture.size[1] * SHARPNESS)


def take(browser: Browser, demo: Demo, name: str, language: str) -> Path:
    """One picture, written to its file."""
    picture = PICTURES[name]
    context = browser.new_context(
        locale=language,
        viewport={"width": picture.size[0], "height": picture.size[1]},
        timezone_id="Asia/Shanghai",
        color_scheme="light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    if picture.username:
        page.goto(f"{demo.url}/console/sign-in")
        page.locator("form.stack input[name=username]").fill(picture.username)
        page.locator("form.stack input[name=password]").fill(demo.password)
        page.locator("form.stack button").click()
        page.wait_for_url(f"{demo.url}/console/")
    page.goto(demo.url + picture.path(demo), wait_until="networkidle")
    picture.prepare(page)
    page.evaluate("document.activeElement?.blur(); scrollTo(0, 0)")
    page.mouse.move(0, 0)
    page.wait_for_load_state("networkidle")
    width, height = picture.size
    shot = context.new_cdp_session(page).send(
        "Page.captureScreenshot",
        {
            "format": "webp",
            "quality": QUALITY,
            "clip": {"x": 0, "y": 0, "width": width, "height": height, "scale": SHARPNESS},
        },
    )
    context.close()
    file = file_of(name, language)
    file.write_bytes(base64.b64decode(shot["data"]))
    return file


def take_all(demo: Demo) -> None:
    """Every picture that a README shows."""
    path = os.environ.get("KEZHI_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        raise SystemExit("no Chromium on the PATH: `make browser` installs Debian's, KEZHI_CHROMIUM names another")
    with sync_playwright() as playwright:
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=path, args=options)
        for language, names in SHOWN.items():
            for name in names:
                file = take(browser, demo, name, language)
                print(f"{file.relative_to(FOLDER.parent.parent)}  {file.stat().st_size / 1024:.0f} kB")
        browser.close()


@contextmanager
def own_demo() -> Iterator[Demo]:
    """A demo for the pictures alone; afterwards it was never there."""
    password, port = secrets.token_urlsafe(12), str(free_port())
    with tempfile.TemporaryDirectory(prefix="kezhi-pictures-") as folder:
        home = Path(folder) / "home"
        place = ["--home", str(home), "--instance", INSTANCE]
        told = os.environ | {"KEZHI_ADMIN_PASSWORD": password}
        kezhi = [sys.executable, "-m", "kezhi"]
        try:
            subprocess.run([*kezhi, "demo", *place, "--port", port, "--exit"], env=told, check=True)  # noqa: S603 - ours
            with up([*kezhi, "up", *place, "--port", port], told):
                yield Demo(f"http://127.0.0.1:{port}", password, home)
        finally:
            subprocess.run([*kezhi, "reset", *place, "--yes"], env=told, check=True)  # noqa: S603 - ours


@contextmanager
def up(argv: list[str], environment: Mapping[str, str]) -> Iterator[None]:
    """The installation as its supervisor keeps it, from its word that it is ready to the end of the block."""
    with subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, text=True) as running:  # noqa: S603 - ours
        try:
            if not any(line.startswith("ready ") for line in running.stdout or ()):
                raise SystemExit("the demo did not come up again; it says why above")
            yield
        finally:
            running.terminate()
            running.wait(timeout=35)


def main() -> None:
    """Of a demo that is up, or of one's own."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--url", help="a demo that is up, e.g. http://127.0.0.1:8080")
    asked.add_argument("--password", help="everybody's password there")
    asked.add_argument("--home", type=Path, help="its home")
    given = asked.parse_args()
    if given.url:
        if not (given.password and given.home):
            asked.error("--url needs --password and --home")
        take_all(Demo(given.url.rstrip("/"), given.password, given.home))
        return
    with own_demo() as demo:
        take_all(demo)


if __name__ == "__main__":
    main()
