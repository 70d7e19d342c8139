"""From a leaflet to an answer, in a real browser: staff add, mend, check and publish it while the patients' chat runs on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas
from support import ROOT, Pages, barriers, free_port, overflow, running_app

from retrieval.settings import Settings

NAME, PASSWORD = "Dr. Aisha Tan", "warm kettle orbit 7"
DAMAGED = "The treated skin can be warm for a few hours after the treat\x01ment."
RIGHT = "Use the mild washing lotion twice a day for six days."
LONG = 120_000


@dataclass(frozen=True)
class Clinic:
    """The patients' chat and the staff's screen as they run, and the folders that they share."""

    chat: str
    staff: str
    settings: Settings
    folder: Path


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory, built_corpus: Path) -> Iterator[Clinic]:
    folder = tmp_path_factory.mktemp("clinic")
    corpus, index = folder / "corpus", folder / "index"
    (corpus / "articles").mkdir(parents=True)
    for path in (built_corpus.parent / "corpus").rglob("*"):
        if path.is_file() and path.name != ".lock":
            (corpus / path.relative_to(built_corpus.parent / "corpus")).write_bytes(path.read_bytes())
    command = [sys.executable, "-m", "retrieval", "build", "--corpus", str(corpus), "--index", str(index)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    port = free_port()
    with running_app(folder / "log", port, index=index, corpus=corpus) as chat, _running_staff(folder) as staff:
        yield Clinic(chat, staff, Settings(corpus=corpus, index=index), folder)


@contextmanager
def _running_staff(folder: Path) -> Iterator[str]:
    port = str(free_port())
    told = {"corpus": folder / "corpus", "index": folder / "index", "staff_accounts": folder / "staff.json", "staff_port": port}
    env = {**os.environ, **{f"PATIENT_FAQ_{name.upper()}": str(value) for name, value in told.items()}}
    add = [sys.executable, "-m", "web.staff", "accounts", "add", NAME, "--role", "publisher", "--password-stdin"]
    subprocess.run(add, cwd=ROOT, env=env, input=f"{PASSWORD}\n", text=True, check=True, capture_output=True)
    serve = [sys.executable, "-m", "web.staff"]
    with (folder / "staff.log").open("w") as log, subprocess.Popen(
        serve, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=log, text=True
    ) as server:  # fmt: skip
        try:
            assert server.stdout is not None
            while "is at" not in (line := server.stdout.readline()):
                assert line, (folder / "staff.log").read_text()
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(20)
    assert (folder / "staff.log").read_text() == "", "the staff's server complained"


def _sign_in(pages: Pages, clinic: Clinic, width: int = 1280, **options: object) -> Page:
    page = pages.open(clinic.staff, width, **options)  # type: ignore[arg-type]
    if page.url.endswith("/login"):
        page.get_by_label("Name").fill(NAME)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Redness")).to_be_visible(timeout=LONG)
    return page


def _leaflet(path: Path) -> Path:
    """A leaflet whose extraction is damaged: a ligature that has become a control sign, as some programs write it."""
    canvas = Canvas(str(path), pagesize=A4, invariant=1)
    canvas.setFont("Helvetica-Bold", 20)
    canvas.drawString(60, 780, "Washing after treatment")
    canvas.setFont("Helvetica-Bold", 14)
    canvas.drawString(60, 740, "How often should I wash the treated skin?")
    canvas.setFont("Helvetica", 11)
    canvas.drawString(60, 715, RIGHT)
    canvas.drawString(60, 700, DAMAGED)
    canvas.save()
    return path


def _ask(pages: Pages, clinic: Clinic, question: str) -> str:
    page = pages.open(clinic.chat)
    box = page.get_by_role("textbox", name="Your question")
    box.fill(question)
    box.press("Enter")
    expect(page.locator(".pf-answer")).to_have_count(1)
    return page.locator(".pf-answer").inner_text()


def test_a_leaflet_is_added_checked_and_published_and_put_back(pages: Pages, clinic: Clinic) -> None:
    question = "How often should I wash the treated skin?"
    before = _ask(pages, clinic, question)
    assert RIGHT not in before
    page = _sign_in(pages, clinic)
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Add files").click()
    chooser.value.set_files(_leaflet(clinic.folder / "washing.pdf"))

    said = page.locator("#pf-said-articles")
    expect(said).to_contain_text("Added as a draft: washing.pdf", timeout=LONG)
    expect(page.locator("#pf-read")).to_contain_text(RIGHT)
    expect(page.locator("#pf-read .pf-left-out").first).to_contain_text("looks damaged")
    expect(page.locator("#pf-findings")).to_contain_text("looks damaged")
    picture = page.get_by_alt_text("Page 1 of washing.pdf, as it is printed")
    expect(picture).to_be_visible()
    picture.scroll_into_view_if_needed()
    page.wait_for_function("one => one.complete && one.naturalWidth > 300", arg=picture.element_handle())
    assert barriers(page) == []
    _fits(page, "articles")

    page.locator("#pf-doubtful input").first.check()
    page.get_by_role("button", name="These are right as they stand").click()
    expect(said).to_contain_text("It can be quoted", timeout=LONG)
    expect(page.locator("#pf-doubtful")).to_be_hidden()
    page.get_by_label("Publisher").fill("Test Clinic")
    page.get_by_label("Reviewed on").fill("3 May")
    page.get_by_role("button", name="Save what is known").click()
    expect(said).to_contain_text("is no date")
    expect(page.get_by_label("Publisher")).to_have_value("Test Clinic")  # nothing typed is lost
    page.get_by_role("button", name="Checked: goes out").click()
    expect(said).to_contain_text("not saved")
    page.get_by_label("Reviewed by").fill("Dr. Lim")
    page.get_by_label("Reviewed on").fill("2026-05-03")
    page.get_by_role("button", name="Save what is known").click()
    expect(said).to_contain_text("What is known of washing.pdf is saved", timeout=LONG)
    page.get_by_role("button", name="Checked: goes out").click()
    expect(said).to_contain_text("goes out with the next release", timeout=LONG)

    page.get_by_role("tab", name="Publish").click()
    page.get_by_role("button", name="See what would change").click()
    expect(page.locator("#pf-changes")).to_contain_text("washing.pdf: new", timeout=LONG)
    assert barriers(page) == []
    _fits(page, "publish")
    assert RIGHT not in _ask(pages, clinic, question)  # looking changes nothing
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.locator("#pf-said-publish")).to_contain_text("Write why", timeout=LONG)
    page.get_by_label("Note: what is new, and why").fill("The washing leaflet is new")
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.locator("#pf-said-publish")).to_contain_text(f"signed by {NAME}", timeout=LONG)

    answer = _ask(pages, clinic, question)
    assert RIGHT in answer
    assert "Washing after treatment" in answer
    page.get_by_role("tab", name="History").click()
    expect(page.locator("#pf-past-list")).to_contain_text("The washing leaflet is new")
    page.locator("#pf-past-release input").click()
    page.get_by_role("option").filter(has_text="built").first.click()
    page.get_by_role("button", name="Put this one back").click()
    expect(page.locator("#pf-past-will")).to_contain_text("Put back release")
    assert barriers(page) == []
    _fits(page, "history")
    page.get_by_label("Why (the history keeps it)").fill("Back to how it was")
    page.get_by_role("button", name="Yes, put it back").click()
    expect(page.locator("#pf-past-said")).to_contain_text("from now on", timeout=LONG)
    assert _ask(pages, clinic, question) == before
    assert pages.hosts <= {clinic.chat.removeprefix("http://"), clinic.staff.removeprefix("http://")}
    assert pages.problems == []


def _fits(page: Page, name: str) -> None:
    """Nothing may stand out at the side of a phone, nor of a desk's screen."""
    size = page.viewport_size
    assert size
    for width in (320, size["width"]):
        page.set_viewport_size({"width": width, "height": size["height"]})
        assert overflow(page) <= 0, f"{name} stands out at {width}"
