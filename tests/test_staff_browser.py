"""The staff's screen in a real browser: signing in and out, on a phone and a desk, in light and dark, by keyboard alone."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect
from support import ROOT, Pages, free_port, in_light_and_dark, why_no_browser

NO_BROWSER = why_no_browser()
pytestmark = pytest.mark.skipif(bool(NO_BROWSER), reason=NO_BROWSER)

NAME, ROLE, PASSWORD = "Dr. Aisha Tan", "publisher", "warm kettle orbit 7"
_PATIENT = 90_000
"""Milliseconds; Gradio's page takes long to open where the machine has other things to do."""
CALL = "fetch('/gradio_api/reset', {method: 'POST', headers: {'content-type': 'application/json'}, body: '{}'}).then(() => 0)"


@dataclass(frozen=True)
class Screen:
    """The running staff screen, and its command."""

    address: str
    environment: dict[str, str]

    def accounts(self, *arguments: str, typed: str = "") -> None:
        command = [sys.executable, "-m", "web.staff", "accounts", *arguments]
        subprocess.run(command, cwd=ROOT, env=self.environment, input=typed, text=True, check=True, capture_output=True)


@pytest.fixture(scope="module")
def screen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screen]:
    folder, port = tmp_path_factory.mktemp("screen"), free_port()
    own = {"STAFF_PORT": str(port), "STAFF_ACCOUNTS": str(folder / "staff.json"), "CORPUS": str(ROOT / "corpus")}
    environment = {**os.environ, **{f"PATIENT_FAQ_{name}": value for name, value in own.items()}}
    screen = Screen(f"http://127.0.0.1:{port}", environment)
    screen.accounts("add", NAME, "--role", ROLE, "--password-stdin", typed=PASSWORD)
    with _running(environment, folder / "log"):
        yield screen
    assert "Traceback" not in (folder / "log").read_text()


@contextmanager
def _running(environment: dict[str, str], log: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "web.staff"]
    with log.open("w") as complaints, subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=complaints, text=True
    ) as staff:  # fmt: skip
        try:
            assert staff.stdout is not None
            said = ""
            while "is at" not in said:
                said = staff.stdout.readline()
                assert said, log.read_text()
            yield
        finally:
            staff.terminate()
            staff.wait(20)


Visit = Callable[..., Page]


@pytest.fixture
def visit(pages: Pages, contexts: dict[str, BrowserContext], screen: Screen) -> Iterator[Visit]:
    """Open the way in, signed out; at the end no page may have asked another host for anything, or complained."""

    def start(width: int = 1280, height: int = 800, **options: Any) -> Page:
        page = pages.open(screen.address, width, height, **options)
        page.set_default_timeout(_PATIENT)
        return page

    yield start
    pages.close()
    for context in contexts.values():
        context.clear_cookies()
    assert {host for host in pages.hosts if not host.startswith("127.0.0.1:")} == set()
    assert pages.problems == []
    # What the server refuses is reported too, and is what some tests are about.
    meant = ("the server responded with a status of 4", "frame-ancestors")
    assert [said for said, _ in pages.complaints if not any(part in said for part in meant)] == []


def _sign_in(page: Page, password: str = PASSWORD) -> None:
    page.get_by_label("Your name").fill(NAME)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def _signed_in(page: Page) -> Page:
    _sign_in(page)
    expect(page.get_by_text(NAME)).to_be_visible(timeout=_PATIENT)
    expect(page.locator("#pf-files table")).to_be_visible(timeout=_PATIENT)  # who leaves before breaks off its loading
    return page


def _accessible(page: Page) -> list[str]:
    """What axe finds, in light and in dark."""
    found: list[str] = []
    for scheme in in_light_and_dark(page):
        axe = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]})
        found += [f"{scheme}: {each['id']}: {[node['html'] for node in each['nodes']]}" for each in axe.response["violations"]]
    return found


def test_sign_in_see_who_one_is_sign_out_and_find_nothing_behind_the_back_button(visit: Visit, screen: Screen) -> None:
    page = visit()
    assert page.url == f"{screen.address}/login"
    _signed_in(page)
    expect(page.locator("#pf-staff")).to_contain_text(ROLE)
    expect(page.get_by_role("tab")).to_have_text(["Articles", "Publish", "Gaps", "History", "Overview"])
    with page.expect_request_finished(lambda request: "/run/predict" in request.url):
        page.get_by_role("tab", name="History").click()
    expect(page.get_by_role("heading", name="History")).to_be_visible(timeout=_PATIENT)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Staff: sign in")).to_be_visible(timeout=_PATIENT)
    for _ in range(2):
        page.go_back()
        page.wait_for_load_state()
        expect(page.get_by_role("heading", name="Staff: sign in")).to_be_visible(timeout=_PATIENT)
        assert NAME not in page.content()
        assert page.url == f"{screen.address}/login"


def test_a_wrong_password_is_said_keeps_the_name_and_can_be_mended_by_keyboard(visit: Visit) -> None:
    page = visit()
    # The box comes into focus by itself; a browser with much to do takes a moment, in which what is typed goes nowhere.
    expect(page.get_by_label("Your name")).to_be_focused()
    page.keyboard.type(NAME)
    page.keyboard.press("Tab")
    page.keyboard.type("warm kettle orbit 8")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("do not belong together")
    expect(page.get_by_label("Your name")).to_have_value(NAME)
    expect(page.get_by_label("Password")).to_have_value("")
    expect(page.get_by_label("Password")).to_be_focused()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_text(NAME)).to_be_visible(timeout=_PATIENT)


@pytest.mark.parametrize("width", [320, 1280])
def test_every_page_is_accessible_and_fits(visit: Visit, width: int) -> None:
    page = visit(width)
    seen = {"the way in": _accessible(page)}
    _sign_in(page, "not the password")
    expect(page.get_by_role("alert")).to_be_visible(timeout=_PATIENT)
    seen["wrong"] = _accessible(page)
    _signed_in(page)
    seen["page"] = _accessible(page)
    assert seen == {name: [] for name in seen}
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    heights = page.locator("#pf-staff button, [role=tab]").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect().height)"
    )
    assert min(heights) >= 44


def test_no_script_can_read_the_cookie_and_nothing_is_stored(visit: Visit) -> None:
    page = _signed_in(visit())
    assert page.evaluate("document.cookie") == ""
    cookies = page.context.cookies()
    assert [(each["name"], each["httpOnly"], each["sameSite"], each["expires"]) for each in cookies] == [
        ("staff", True, "Strict", -1)
    ]
    kept = page.evaluate("JSON.stringify(localStorage) + JSON.stringify(sessionStorage)")
    assert NAME not in kept


def test_who_is_signed_out_meanwhile_is_told_loses_nothing_and_goes_on_after_signing_in(visit: Visit) -> None:
    page = _signed_in(visit())
    page.evaluate("window.typed = 'what I typed'")
    kept = page.context.cookies()
    page.context.clear_cookies()
    page.evaluate(CALL)
    bar = page.get_by_role("alert")
    expect(bar).to_contain_text("You are signed out. What you typed is still here")
    assert _accessible(page) == []
    with page.context.expect_page() as opened:
        bar.get_by_role("link").click()
    _signed_in(opened.value)
    assert page.context.cookies()[0]["value"] != kept[0]["value"]
    page.evaluate(CALL)
    expect(bar).to_have_count(0)
    assert page.evaluate("window.typed") == "what I typed"


def test_signing_out_in_one_tab_empties_the_others(visit: Visit, screen: Screen) -> None:
    page = _signed_in(visit())
    other = page.context.new_page()
    other.goto(screen.address)
    expect(other.locator("#pf-files table")).to_be_visible(timeout=_PATIENT)
    other.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Staff: sign in")).to_be_visible(timeout=_PATIENT)


@pytest.fixture
def other_site(screen: Screen) -> Iterator[str]:
    """Another server on this machine: browsers send it, and its forms, the cookies of every port."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            form = f'<form method="post" action="{screen.address}/logout"><button>Win a prize</button></form>'
            body = f'<!doctype html><title>x</title>{form}<iframe src="{screen.address}/login"></iframe>'.encode()
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing is said."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_another_site_can_neither_frame_the_screen_nor_act_in_it(visit: Visit, screen: Screen, other_site: str) -> None:
    page = _signed_in(visit())
    other = page.context.new_page()
    other.goto(other_site)
    assert other.frames[-1].evaluate("document.querySelector('form')") is None
    other.get_by_role("button", name="Win a prize").click()
    other.wait_for_url(f"{screen.address}/logout")
    assert "did not come from our own page" in other.content()
    assert page.evaluate("fetch('/', {redirect: 'manual'}).then(reply => reply.status)") == 200


def test_another_password_set_at_the_command_line_signs_out_the_browser(visit: Visit, screen: Screen) -> None:
    page = _signed_in(visit())
    screen.accounts("password", NAME, "--password-stdin", typed="another green window 3")
    page.reload()
    expect(page.get_by_role("heading", name="Staff: sign in")).to_be_visible(timeout=_PATIENT)
    screen.accounts("password", NAME, "--password-stdin", typed=PASSWORD)
    _signed_in(page)
