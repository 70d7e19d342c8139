"""The chat on a clinic's own site: one line of HTML on pages of another origin, in a real browser."""

from __future__ import annotations

import json
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Frame, FrameLocator, Locator, Page, expect
from support import BROWSER, FLAGS, ROOT, Pages, barriers, free_port, in_light_and_dark, overflow, running_app

EXAMPLE = ROOT / "examples" / "clinic-site"
PLACEHOLDER = "http://127.0.0.1:7860"
SCRIPT = ROOT / "web" / "static" / "embed.js"
LABEL = "Questions? Ask our articles"
SESSIONS = "How many sessions will it take?"
NOT_HERE = "The chat cannot be shown here just now."


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder whose pages change from test to test, often within the second that a page's age is told in."""

    def end_headers(self) -> None:
        self.send_header("cache-control", "no-store")
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name that it has there
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@dataclass(frozen=True)
class Clinic:
    """The app, the clinic's site, a site that may not show the chat, and the folder that both sites serve."""

    app: str
    site: str
    stranger: str
    folder: Path

    def page(self, body: str, head: str = "", name: str = "page.html") -> str:
        """Put a page on the site; EMBED in it stands for the script's address. Returns the page's address."""
        text = (
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Page</title><link rel="icon" href="data:,">'
            f'<meta name="viewport" content="width=device-width">{head}</head>'
            f"<body><main><h1>Page</h1>{body}</main></body></html>"
        )
        (self.folder / name).write_text(text.replace("EMBED", f"{self.app}/embed.js"), encoding="utf-8")
        return f"{self.site}/{name}"


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory, own_index: Path) -> Iterator[Clinic]:
    folder = tmp_path_factory.mktemp("clinic")
    port = free_port()
    pages = shutil.copytree(EXAMPLE, folder / "site")
    for page in pages.glob("*.html"):
        page.write_text(page.read_text(encoding="utf-8").replace(PLACEHOLDER, f"http://127.0.0.1:{port}"), encoding="utf-8")
    with (
        served(pages) as site,
        served(pages) as stranger,
        running_app(folder / "log", port, index=own_index, frame_ancestors=site) as app,
    ):
        yield Clinic(app, site, stranger, pages)


Open = Callable[..., Page]


@pytest.fixture
def visit(pages: Pages, clinic: Clinic) -> Iterator[Open]:
    """Open a page of the clinic's site; nothing may be asked of another host, and no script may fail."""

    def start(address: str = "/index.html", **options: Any) -> Page:
        return pages.open(address if "://" in address else f"{clinic.site}{address}", **options)

    yield start
    pages.close()
    assert pages.hosts <= {urlsplit(each).netloc for each in (clinic.app, clinic.site, clinic.stranger)}
    assert pages.problems == []


def _launcher(page: Page) -> Locator:
    return page.locator("button[aria-controls]")


def _panel(page: Page) -> Locator:
    return page.get_by_role("dialog")


def _chat(page: Page) -> FrameLocator:
    return page.frame_locator("iframe")


def _open(page: Page) -> FrameLocator:
    _launcher(page).click()
    expect(_chat(page).locator("#pf-start button").first).to_be_visible()
    return _chat(page)


def _ask(chat: FrameLocator, question: str = SESSIONS) -> None:
    box = chat.get_by_role("textbox", name="Your question")
    box.fill(question)
    box.press("Enter")
    expect(chat.locator(".pf-quote").first).to_be_visible()


def _frame(page: Page, clinic: Clinic) -> Frame:
    return next(frame for frame in page.frames if frame.url.startswith(clinic.app))


def _has_focus(what: Locator) -> bool:
    return bool(what.evaluate("each => each.getRootNode().activeElement === each && document.hasFocus()"))


def _place(what: Locator) -> dict[str, float]:
    place = what.bounding_box()
    assert place is not None
    return dict(place)


def test_the_script_is_small() -> None:
    assert SCRIPT.stat().st_size < 6 * 1024


def test_every_attribute_is_explained() -> None:
    explained = (ROOT / "docs" / "embedding.md").read_text(encoding="utf-8")
    used = set(re.findall(r"options\.(\w+)", SCRIPT.read_text(encoding="utf-8")))
    assert used == set(re.findall(r"^\| `data-(\w+)`", explained, flags=re.MULTILINE))


@pytest.mark.parametrize("page", ["index.html", "questions.html"])
def test_the_example_names_the_chat_in_one_place_and_nothing_outside(page: str) -> None:
    text = (EXAMPLE / page).read_text(encoding="utf-8")
    assert re.findall(r"\w+://[^\"'\s<]+", text) == [f"{PLACEHOLDER}/embed.js"]
    assert "://" not in (EXAMPLE / "style.css").read_text(encoding="utf-8")


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (320, 640)])
def test_the_launcher_opens_the_chat_and_a_question_is_answered(visit: Open, clinic: Clinic, width: int, height: int) -> None:
    page = visit(width=width, height=height)
    launcher = _launcher(page)
    expect(launcher).to_have_text(LABEL)
    expect(launcher).to_have_attribute("aria-expanded", "false")
    loaded = page.evaluate("performance.getEntriesByType('resource').map(each => each.name)")
    assert [each for each in loaded if each.startswith(clinic.app)] == [f"{clinic.app}/embed.js"]
    assert page.locator("iframe").count() == 0
    chat = _open(page)
    expect(_panel(page)).to_have_accessible_name(LABEL)
    expect(launcher).to_have_attribute("aria-expanded", "true")
    expect(page.get_by_text("The chat is loading.")).to_have_count(0)
    _ask(chat)
    with page.context.expect_page() as opened:
        chat.get_by_role("link", name="Read in the article").first.click()
    expect(opened.value.locator("mark#quote")).to_be_in_viewport()
    assert overflow(page) == overflow(_frame(page, clinic)) == 0


def test_on_a_wide_screen_the_panel_stands_in_the_corner_above_the_launcher(visit: Open) -> None:
    page = visit()
    _open(page)
    panel, launcher = _place(_panel(page)), _place(_launcher(page))
    assert (panel["width"], panel["height"]) == (26 * 16, 44 * 16)
    assert panel["x"] + panel["width"] == launcher["x"] + launcher["width"] == 1280 - 16
    assert panel["y"] > 0
    assert panel["y"] + panel["height"] < launcher["y"]
    page.mouse.move(100, 100)
    page.mouse.wheel(0, 300)
    page.wait_for_function("scrollY > 0")  # the page stays in use
    page.set_viewport_size({"width": 1280, "height": 600})
    assert _place(_panel(page))["height"] == pytest.approx(510)


def test_on_a_phone_the_panel_is_the_screen_and_the_page_behind_it_stays_where_it_is(visit: Open) -> None:
    page = visit(width=320, height=640)
    page.evaluate("scrollTo(0, 200)")
    _open(page)
    assert _place(_panel(page)) == {"x": 0, "y": 0, "width": 320, "height": 640}
    for y in (20, 300):
        page.mouse.move(100, y)
        page.mouse.wheel(0, 3000)
    page.wait_for_timeout(300)
    assert page.evaluate("scrollY") == 200
    page.get_by_role("button", name="Close").click()
    page.mouse.wheel(0, 100)
    page.wait_for_function("scrollY > 200")
    assert page.evaluate("document.documentElement.getAttribute('style')") is None


def test_nothing_behind_the_panel_is_reached_by_keyboard_on_a_phone(visit: Open, clinic: Clinic) -> None:
    page = visit(width=320, height=640)
    _open(page)
    for _ in range(30):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || document.activeElement.matches('[data-faq]')")


def test_a_screen_that_becomes_narrow_keeps_the_chat(visit: Open) -> None:
    page = visit()
    chat = _open(page)
    _ask(chat)
    page.set_viewport_size({"width": 320, "height": 640})
    expect(_panel(page)).to_have_css("width", "320px")
    expect(_launcher(page)).to_have_attribute("aria-expanded", "true")
    expect(chat.locator(".pf-asked")).to_have_text([SESSIONS])
    assert page.evaluate("getComputedStyle(document.documentElement).overflowY") == "hidden"
    page.set_viewport_size({"width": 1280, "height": 900})
    expect(_panel(page)).to_have_css("width", "416px")
    assert page.evaluate("getComputedStyle(document.documentElement).overflowY") == "visible"


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (320, 640)])
def test_closing_gives_focus_back_and_keeps_the_chat_as_it_was(visit: Open, width: int, height: int) -> None:
    page = visit(width=width, height=height)
    launcher, close = _launcher(page), page.get_by_role("button", name="Close")
    chat = _open(page)
    assert _has_focus(close)
    _ask(chat)
    chat.get_by_role("textbox").fill("half a quest")
    for leave in (
        lambda: chat.get_by_role("textbox").press("Escape"),
        lambda: close.press("Escape"),
        lambda: close.click(),
        lambda: close.press("Enter"),
    ):
        leave()
        expect(_panel(page)).to_be_hidden()
        expect(launcher).to_have_attribute("aria-expanded", "false")
        page.wait_for_function("document.activeElement.matches('[data-faq]')")
        assert _has_focus(launcher)
        launcher.press("Enter")
        expect(_panel(page)).to_be_visible()
        assert _has_focus(close)
        expect(chat.locator(".pf-asked")).to_have_text([SESSIONS])
        expect(chat.get_by_role("textbox")).to_have_value("half a quest")


def test_tab_leads_from_the_launcher_through_the_panel_into_the_chat(visit: Open, clinic: Clinic) -> None:
    page = visit()
    _open(page)
    page.keyboard.press("Tab")
    focused = "document.activeElement.shadowRoot.activeElement.tagName"
    assert page.evaluate(focused) == "IFRAME"
    assert _frame(page, clinic).evaluate("document.hasFocus()")
    page.keyboard.press("Shift+Tab")
    assert _has_focus(page.get_by_role("button", name="Close"))


def test_the_chat_stands_in_the_page_where_the_line_says_so(visit: Open, clinic: Clinic) -> None:
    page = visit("/questions.html", width=320, height=640)
    chat = _chat(page)
    expect(chat.locator("#pf-start button").first).to_be_visible()
    assert page.locator("#faq iframe").count() == 1
    assert _launcher(page).count() == 0
    _ask(chat)
    assert overflow(page) == overflow(_frame(page, clinic)) == 0
    chat.get_by_role("textbox").press("Escape")
    expect(chat.locator(".pf-quote").first).to_be_visible()


def test_in_a_frame_the_chat_takes_less_room_and_says_what_it_must(visit: Open, clinic: Clinic) -> None:
    page = visit(clinic.app, width=416, height=700)
    expect(page.locator("#pf-start button").first).to_be_visible()
    alone = _place(page.locator(".pf-header"))["height"]
    page = visit()
    chat = _open(page)
    header = chat.locator(".pf-header")
    assert _place(header)["height"] < alone
    expect(header).to_contain_text("Answers are extracts from our articles. They are not medical advice.")
    expect(header.get_by_role("link", name=re.compile(r"\+00"))).to_be_in_viewport()
    expect(chat.locator(".pf-foot")).to_contain_text("In an emergency, call")


def test_a_site_that_may_not_show_the_chat_gets_a_plain_message_with_a_link(visit: Open, clinic: Clinic) -> None:
    for address in ("/index.html", "/questions.html"):
        page = visit(f"{clinic.stranger}{address}")
        if "index" in address:
            _launcher(page).click()
        expect(page.get_by_text("The chat is loading.")).to_be_visible()
        expect(page.get_by_text(NOT_HERE)).to_be_visible(timeout=15_000)
        link = page.get_by_role("link", name="Open it on its own page")
        expect(link).to_have_attribute("href", f"{clinic.app}/")
        expect(page.locator("iframe")).to_be_hidden()
        with page.context.expect_page() as opened:
            link.click()
        expect(opened.value.locator("#pf-start button").first).to_be_visible()


def test_a_chat_that_did_not_come_is_tried_again_when_the_panel_is_opened_again(visit: Open, clinic: Clinic) -> None:
    page = visit()
    page.route(f"{clinic.app}/", lambda route: route.abort())
    _launcher(page).click()
    expect(page.get_by_text(NOT_HERE)).to_be_visible(timeout=15_000)
    page.unroute(f"{clinic.app}/")
    page.get_by_role("button", name="Close").click()
    _ask(_open(page))
    expect(page.get_by_text(NOT_HERE)).to_have_count(0)


def test_a_chat_that_comes_late_takes_the_place_of_the_message(visit: Open, clinic: Clinic) -> None:
    page = visit()
    held: list[Any] = []
    page.route(f"{clinic.app}/look/embedded.js", lambda route: held.append(route))
    _launcher(page).click()
    expect(page.get_by_text(NOT_HERE)).to_be_visible(timeout=15_000)
    held[0].continue_()
    expect(page.get_by_text(NOT_HERE)).to_have_count(0)
    expect(_chat(page).locator("#pf-start button").first).to_be_visible()


def test_nobody_else_can_close_the_panel_or_pass_for_the_chat(visit: Open, clinic: Clinic) -> None:
    (clinic.folder / "forger.html").write_text(
        "<!doctype html><script>for (const word of ['escape', 'here']) parent.postMessage('patient-faq:' + word, '*')</script>"
    )
    frame = f'<iframe src="{clinic.stranger}/forger.html"></iframe>'
    place = '<div id="faq"></div><script src="EMBED" data-inline="faq"></script>'
    page = visit(clinic.page(f'{place}{frame}<script src="EMBED"></script>'))
    page.route(f"{clinic.app}/", lambda route: route.abort())
    page.evaluate("addEventListener('message', event => { (self.heard ||= []).push(event.origin); })")
    page.locator("iframe").nth(1).wait_for(state="attached")
    inline = next(frame for frame in page.frames if frame.url.startswith(clinic.app))
    inline.locator("#pf-start button").first.wait_for()
    _launcher(page).click()

    def heard(number: int) -> None:
        page.wait_for_function("number => self.heard?.length >= number", arg=number)
        expect(_panel(page)).to_be_visible()
        expect(page.get_by_text(re.compile(f"The chat is loading|{NOT_HERE}"))).to_be_visible()

    # From the site itself, from another origin's frame, from a frame of the chat's own origin that is not the panel's.
    page.evaluate("for (const word of ['escape', 'here']) postMessage('patient-faq:' + word, '*')")
    heard(2)
    page.evaluate("at => document.querySelector('main > iframe').src = at", f"{clinic.stranger}/forger.html?again")
    heard(4)
    inline.evaluate("for (const word of ['escape', 'here']) parent.postMessage('patient-faq:' + word, '*')")
    heard(6)
    # And from the panel's own frame, once it shows another origin.
    page.locator("dialog iframe").evaluate("(frame, at) => { frame.src = at; }", f"{clinic.stranger}/forger.html?here")
    heard(8)
    assert set(page.evaluate("self.heard")) == {clinic.site, clinic.stranger, clinic.app}


def test_a_label_is_text_whatever_stands_in_it(visit: Open, clinic: Clinic) -> None:
    label = "<img src=x onerror=alert(1)> & <b>ask</b> " + "w" * 80
    quoted = label.replace("&", "&amp;").replace("<", "&lt;")
    page = visit(clinic.page(f'<script src="EMBED" data-label="{quoted}" async></script>'), width=320, height=640)
    expect(_launcher(page)).to_have_text(label)
    assert overflow(page) == 0
    _open(page)
    expect(_panel(page)).to_have_accessible_name(label)
    expect(page.locator("iframe")).to_have_attribute("title", label)
    assert page.locator("img, b").count() == 0
    expect(page.get_by_role("button", name="Close")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize(
    ("lang", "label", "query"),
    [
        ("", LABEL, ""),
        ("en", LABEL, "?lang=en"),
        ("ms", "Ada soalan? Tanya artikel kami", "?lang=ms"),
        ("zh", "有疑问？查阅我们的文章", "?lang=zh"),
        ("fr", LABEL, ""),
        ("constructor", LABEL, ""),
        ("&amp;x=1", LABEL, ""),
    ],
)
def test_the_language_is_passed_on_where_it_is_known(visit: Open, clinic: Clinic, lang: str, label: str, query: str) -> None:
    page = visit(clinic.page(f'<script src="EMBED" data-lang="{lang}" async></script>'))
    expect(_launcher(page)).to_have_text(label)
    _launcher(page).click()
    expect(page.locator("iframe")).to_have_attribute("src", f"{clinic.app}/{query}")


@pytest.mark.parametrize(
    ("colour", "back", "text"),
    [
        ("#ffd54a", "rgb(255, 213, 74)", "rgb(0, 0, 0)"),
        ("#7A1F5C", "rgb(122, 31, 92)", "rgb(255, 255, 255)"),
        ("#767676", "rgb(118, 118, 118)", "rgb(0, 0, 0)"),
        ("#757575", "rgb(117, 117, 117)", "rgb(255, 255, 255)"),
        ("red", "rgb(11, 110, 105)", "rgb(255, 255, 255)"),
        ("#fff;display:none", "rgb(11, 110, 105)", "rgb(255, 255, 255)"),
    ],
)
def test_a_colour_and_a_side_can_be_chosen(visit: Open, clinic: Clinic, colour: str, back: str, text: str) -> None:
    page = visit(clinic.page(f'<script src="EMBED" data-colour="{colour}" data-side="left" async></script>'))
    launcher = _launcher(page)
    expect(launcher).to_have_css("background-color", back)
    expect(launcher).to_have_css("color", text)
    assert _place(launcher)["x"] == 16
    _launcher(page).click()
    assert _place(_panel(page))["x"] == 16


ODD_PLACES = {
    "twice": ('<script src="EMBED" async></script><script src="EMBED"></script>', ""),
    "in the head": ("", '<script src="EMBED"></script>'),
    "in the head, async": ("", '<script src="EMBED" async></script>'),
    "deferred": ("", '<script src="EMBED" defer></script>'),
    "after the page": (
        "<script>onload = () => setTimeout(() => { const made = document.createElement('script'); made.src = 'EMBED'; "
        "document.head.append(made); }, 50)</script>",
        "",
    ),
    "under a strict policy": (
        "",
        "<meta http-equiv='Content-Security-Policy' content=\"default-src 'none'; img-src data:; script-src APP; "
        "frame-src APP; require-trusted-types-for 'script'\"><script src='EMBED'></script>",
    ),
    "beside styles that spoil": (
        '<script src="EMBED"></script>',
        "<style>html { font-size: 62.5% } * { all: unset !important; display: none !important } "
        "html, body, main { display: block !important } "
        "div, button, iframe { position: static !important; width: 9px !important; opacity: 0 !important }</style>",
    ),
}


@pytest.mark.parametrize("where", ODD_PLACES)
def test_wherever_the_line_stands_there_is_one_launcher_that_looks_as_it_should(
    visit: Open, clinic: Clinic, where: str
) -> None:
    body, head = (part.replace("APP", clinic.app) for part in ODD_PLACES[where])
    page = visit(clinic.page(body, head))
    expect(_launcher(page)).to_have_count(1)
    place = _place(_launcher(page))
    assert place["height"] >= 48
    assert place["width"] >= 48
    assert (place["x"] + place["width"], place["y"] + place["height"]) == (1280 - 16, 900 - 16)
    page.wait_for_load_state()
    page.wait_for_timeout(200)
    expect(_launcher(page)).to_have_count(1)
    _ask(_open(page))
    assert _place(_panel(page))["width"] == 26 * 16
    assert _place(page.get_by_role("button", name="Close"))["height"] >= 48


def test_a_line_that_stands_twice_puts_one_chat_in_a_place_and_an_unknown_place_is_said(visit: Open, clinic: Clinic) -> None:
    line = '<script src="EMBED" data-inline="faq" async></script>'
    page = visit(clinic.page(f'{line}<div id="faq"></div>{line}'))
    expect(_chat(page).locator("#pf-start button").first).to_be_visible()
    assert page.locator("iframe").count() == 1
    page = visit(clinic.page("<div></div>"))
    with page.expect_console_message() as said:
        page.evaluate(
            "at => { const made = document.createElement('script'); made.src = at; made.dataset.inline = 'gone'; "
            "document.body.append(made); }",
            f"{clinic.app}/embed.js",
        )
    assert said.value.text == "patient-faq: no id gone"
    assert page.locator("[data-faq]").count() == 0


def test_the_site_around_it_is_left_as_it_is(visit: Open, clinic: Clinic) -> None:
    names = "JSON.stringify(Object.getOwnPropertyNames(self).sort())"
    looks = (
        "JSON.stringify([...document.querySelectorAll('body, body :not([data-faq])')].map(each => [each.tagName, "
        "each.getBoundingClientRect().toJSON(), getComputedStyle(each).font, getComputedStyle(each).color]))"
    )
    plain = EXAMPLE.joinpath("index.html").read_text(encoding="utf-8")
    (clinic.folder / "plain.html").write_text(re.sub(r"<script.*?</script>", "", plain), encoding="utf-8")
    (clinic.folder / "plain2.html").write_text(re.sub(r"async", "", plain.replace(PLACEHOLDER, clinic.app)), encoding="utf-8")
    without = visit("/plain.html")
    before = [without.evaluate(each) for each in (names, looks)]
    page = visit("/plain2.html")
    expect(_launcher(page)).to_be_visible()
    page.evaluate("document.querySelector('script').remove()")
    assert [page.evaluate(each) for each in (names, looks)] == before
    _open(page)
    assert page.evaluate(looks) == before[1]


def test_it_is_not_printed(visit: Open) -> None:
    for address in ("/index.html", "/questions.html"):
        page = visit(address)
        host = page.locator("[data-faq]")
        expect(host).to_have_css("display", "block")
        page.emulate_media(media="print")
        expect(host).to_have_css("display", "none")


def test_nothing_is_kept_in_the_browser_by_either_origin(visit: Open, clinic: Clinic) -> None:
    page = visit()
    _ask(_open(page))
    kept = "JSON.stringify([localStorage, sessionStorage, document.cookie])"
    for each in (page, _frame(page, clinic)):
        assert each.evaluate(kept) == '[{},{},""]'
        assert each.evaluate("indexedDB.databases().then(found => found.length)") == 0
    assert page.context.cookies() == []


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (320, 640)])
def test_no_barrier_is_found_closed_open_or_in_the_page(visit: Open, clinic: Clinic, width: int, height: int) -> None:
    def check(what: Page | Frame, where: str) -> None:
        for scheme in in_light_and_dark(page, what):
            assert barriers(what, iframes=False) == [], (where, scheme)

    options = {"width": width, "height": height, "bypass_csp": True, "reduced_motion": "reduce"}
    page = visit(**options)
    expect(_launcher(page)).to_be_visible()
    check(page, "closed")
    chat = _open(page)
    check(page, "open")
    check(_frame(page, clinic), "the chat at its start")
    _ask(chat)
    check(_frame(page, clinic), "an answer")
    page = visit("/questions.html", **options)
    expect(_chat(page).locator("#pf-start button").first).to_be_visible()
    check(page, "inline")


def test_it_works_where_the_browser_forbids_all_storage(browser: Browser, clinic: Clinic, tmp_path: Path) -> None:
    (tmp_path / "Default").mkdir()
    forbidden = {"profile": {"default_content_setting_values": {"cookies": 2}}}
    (tmp_path / "Default" / "Preferences").write_text(json.dumps(forbidden), encoding="utf-8")
    with closing(
        browser.browser_type.launch_persistent_context(tmp_path, executable_path=BROWSER, args=FLAGS.split())
    ) as context:
        page = context.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda problem: problems.append(str(problem)))
        page.goto(f"{clinic.site}/index.html")
        _ask(_open(page))
        tried = "try { typeof localStorage } catch (problem) { problem.name }"
        assert _frame(page, clinic).evaluate(f"eval({json.dumps(tried)})") == "SecurityError"
        assert problems == []
