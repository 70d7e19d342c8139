"""From a question asked in vain to the proof, in a real browser: patients and staff, each on their own server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from staffing import PASSWORD, PUBLISHER, Staffed, staffed
from support import Pages, barriers, free_port, overflow, running_app

from retrieval.encoder import Encoder
from retrieval.keeping.desk import Desk
from retrieval.settings import Settings

QUESTION, FADES = "When will I be presentable?", "Redness fades in two days."
TABS = ("gaps", "history", "overview")


@pytest.fixture
def desk(corpus: Path, tmp_path: Path, real_encoder: Encoder) -> Desk:
    """A clinic that keeps a journal, with one release."""
    with (corpus / "clinic.toml").open("a", encoding="utf-8") as settings:
        settings.write("journal = true\n")
    redness = corpus / "articles" / "redness.md"
    redness.write_text(
        '+++\nreviewed_by = "Dr. Tan"\nreviewed_on = 2026-05-03\nreview_by = 2028-05-03\n+++\n' + redness.read_text()
    )
    desk = Desk(Settings(corpus=corpus, index=tmp_path / "index", journal=str(tmp_path / "journal.sqlite3")))
    desk.publish(PUBLISHER, "the first articles")
    return desk


@pytest.fixture
def server(desk: Desk, tmp_path: Path) -> Iterator[Staffed]:
    (tmp_path / "staff").mkdir()
    with staffed(tmp_path / "staff", desk.settings.corpus, index=desk.settings.index, journal=desk.settings.journal) as running:
        yield running


def _ask(page: Page, question: str) -> Locator:
    answers = page.locator(".pf-answer")
    before = answers.count()
    page.get_by_role("textbox").first.fill(question)
    page.get_by_role("textbox").first.press("Enter")
    expect(answers).to_have_count(before + 1)
    return answers.last


def _sign_in(pages: Pages, server: Staffed, **options: object) -> Page:
    page = pages.open(f"{server.address}/login", **options)  # type: ignore[arg-type]
    if page.locator("#name").count():
        page.fill("#name", PUBLISHER)
        page.fill("#password", PASSWORD)
        page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#pf-staff")).to_contain_text(PUBLISHER)
    return page


def _show(page: Page, tab: str) -> None:
    names = {"gaps": "Gaps", "history": "History", "overview": "Overview"}
    one = page.get_by_role("tab", name=names[tab], exact=True)
    if not one.is_visible():  # on a narrow screen it is in a menu
        page.locator(".overflow-menu > button").click()
        one = page.locator(".overflow-dropdown").get_by_text(names[tab], exact=True)
    one.click()
    table = {"gaps": "#pf-gaps-list", "history": "#pf-past-list", "overview": "#pf-overview-list"}[tab]
    expect(page.locator(f"{table} table")).to_be_visible()


def _choose(page: Page, where: str, option: str) -> None:
    page.locator(f"{where} input").click()
    page.get_by_role("option", name=option).first.click()


def test_a_question_asked_in_vain_becomes_a_gap_and_is_answered_by_the_next_release(
    pages: Pages, desk: Desk, server: Staffed, tmp_path: Path
) -> None:
    own = desk.settings
    with running_app(tmp_path / "log", free_port(), corpus=own.corpus, index=own.index, journal=own.journal) as address:
        chat = pages.open(address)
        expect(_ask(chat, QUESTION)).to_contain_text("Not in our articles")
        deadline = time.monotonic() + 60
        while not desk.gaps():
            assert time.monotonic() < deadline, "the question was never noted"
            time.sleep(0.1)
        staff = _sign_in(pages, server)
        _show(staff, "gaps")
        expect(staff.locator("#pf-gaps-list")).to_contain_text(QUESTION)
        _choose(staff, "#pf-gaps-pick", QUESTION)
        staff.locator("#pf-gap-take").click()
        expect(staff.locator("#pf-gap")).to_contain_text(f"{PUBLISHER} is at it")
        staff.locator("#pf-gap-prove").click()
        expect(staff.locator("#pf-gap-proof")).to_contain_text("0 of 1")
        _choose(staff, "#pf-gap-doc", "Redness")
        _choose(staff, "#pf-gap-first", FADES)
        expect(staff.locator("#pf-gap-last input")).to_have_value(f"1. {FADES}")
        expect(staff.locator("#pf-gap-question textarea")).to_have_value(QUESTION)
        staff.locator("#pf-gap-attach").click()
        expect(staff.locator("#pf-gaps-said")).to_contain_text("The question is attached to redness.md.")
        expect(_ask(chat, QUESTION)).to_contain_text("Not in our articles")  # nothing has changed for patients yet
        desk.publish(PUBLISHER, "asked in vain")
        expect(_ask(chat, QUESTION)).to_contain_text(FADES)
        staff.locator("#pf-gap-prove").click()
        expect(staff.locator("#pf-gap-proof")).to_contain_text("1 of 1")
        expect(staff.locator("#pf-gap-proof blockquote").first).to_contain_text(FADES)
        for width, scheme in ((320, "dark"), (1280, "light")):
            page = _sign_in(pages, server, width=width, color_scheme=scheme)
            for tab in TABS:
                _show(page, tab)
                if tab == "overview":
                    expect(page.locator("#pf-overview-plots svg rect.pf-s0").nth(3)).to_be_attached()
                if tab == "gaps":
                    _choose(page, "#pf-gaps-pick", QUESTION)
                    expect(page.locator("#pf-gap")).to_be_visible()
                assert overflow(page) == 0, (tab, width)
                assert barriers(page) == [], (tab, width, scheme)
    assert pages.problems == []
    assert [said for said in pages.complaints if "favicon" not in said[1]] == []
