"""The chat in a real browser, as a patient meets it: on a phone and a desk, in light and dark, by keyboard alone."""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pypdfium2
import pytest
from PIL import Image
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Locator, Page, Route, expect
from support import ROOT, Pages, barriers, free_port, in_light_and_dark, overflow, running_app

from retrieval.build import build
from retrieval.encoder import Encoder
from retrieval.journal import Journal
from retrieval.release import current_id, open_current
from retrieval.types import Answer
from web.render import answer_html
from web.words import words_of

MISSING = "/read/gone/gone"
PREDICT = "**/gradio_api/run/predict*"
SESSIONS = "How many sessions will it take?"
CARDS = {
    "Ask a clinician": "Am I suitable? I am pregnant",
    "Emergency": "My face is swelling and I can't breathe",
    "You are not alone": "I want to kill myself",
    "Not in our articles": "what is the capital of France",
    "Ask our front desk": "how much does it cost",
}


@dataclass(frozen=True)
class Site:
    """The running app: its address, its index, the corpus that the first release was built from, and its journal."""

    address: str
    index: Path
    corpus: Path
    journal: Path
    encoder: Encoder

    def build(self) -> str:
        """Build a release of the corpus as it is now; returns its name."""
        return build(self.corpus, self.index, self.encoder).release


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, own_index: Path, real_encoder: Encoder) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("browser")
    shutil.copytree(ROOT / "corpus", folder / "corpus")
    settings = folder / "corpus" / "clinic.toml"
    told = re.sub(r"(?m)^accent.*", "", settings.read_text(encoding="utf-8"))
    settings.write_text('accent = "#7a1f5c"\njournal = true\nwhatsapp = "+60 12 345 6789"\n' + told, encoding="utf-8")
    port = free_port()
    site = Site(f"http://127.0.0.1:{port}", own_index, folder / "corpus", folder / "journal.sqlite3", real_encoder)
    site.build()
    with running_app(folder / "log", port, index=site.index, corpus=site.corpus, journal=site.journal):
        yield site


Visit = Callable[..., Page]


@pytest.fixture
def visit(pages: Pages, site: Site) -> Iterator[Visit]:
    """Open the chat; at the end no page may have asked another host for anything, or complained."""

    def start(width: int = 1280, height: int = 900, **options: Any) -> Page:
        page = pages.open(site.address, width, height, **options)
        expect(_examples(page).first).to_be_visible()
        return page

    yield start
    pages.close()
    assert pages.hosts == {urlsplit(site.address).netloc}
    assert pages.problems == []
    # A question that a test lets fail; one that fails otherwise is missed by its test.
    meant = (MISSING, "/gradio_api/run/predict")
    told = [each for each in pages.complaints if "status of 410" not in each[0]]
    assert [each for each in told if not any(part in each[1] for part in meant)] == []


def _examples(page: Page) -> Locator:
    return page.locator("#pf-start button")


def _box(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Your question")


def _ask(page: Page, question: str) -> Locator:
    """Ask by typing and Enter; returns the answer once it is there."""
    answers = page.locator(".pf-answer")
    before = answers.count()
    _box(page).fill(question)
    _box(page).press("Enter")
    expect(answers).to_have_count(before + 1)
    return answers.last


def _open_citation(page: Page, link: Locator) -> Page:
    with page.context.expect_page() as opened:
        link.click()
    opened.value.wait_for_load_state()
    return opened.value


def _quoted(card: Locator) -> str:
    """A quote's words as one line, without the marks around it."""
    return " ".join(card.locator("blockquote").inner_text().split())


def _in_view(page: Page, what: Locator) -> bool:
    place, size = what.bounding_box(), page.viewport_size
    assert place is not None
    assert size is not None
    return bool(
        place["y"] >= 0 and place["x"] >= 0 and place["y"] + place["height"] <= size["height"] + 1
        and place["x"] + place["width"] <= size["width"]
    )  # fmt: skip


def test_from_a_question_to_the_sentence_in_the_article_and_back(visit: Visit, site: Site) -> None:
    page = visit()
    answer = _ask(page, SESSIONS)
    cards = answer.locator(".pf-quote")
    assert 1 <= cards.count() <= 3
    release = open_current(site.index)
    for card in cards.all():
        href = urlsplit(card.get_by_role("link", name="Read in the article").get_attribute("href") or "")
        assert href.path.startswith(f"/read/{release.id}/")
        article = release.article(unquote(href.path.rsplit("/", 1)[-1]))
        assert article is not None
        start, end = (int(parse_qs(href.query)[name][0]) for name in ("start", "end"))
        assert _quoted(card) == " ".join(article.text[start:end].split())
        assert article.title in card.inner_text()
        assert "not yet reviewed by a clinician" in card.inner_text()

        reader = _open_citation(page, card.get_by_role("link", name="Read in the article"))
        mark = reader.locator("mark#quote")
        expect(mark).to_have_count(1)
        expect(mark).to_be_in_viewport()
        assert " ".join(" ".join(reader.locator("mark").all_inner_texts()).split()) == _quoted(card)
        height = reader.evaluate("document.getElementById('quote').getBoundingClientRect().top / innerHeight")
        below = reader.evaluate("document.documentElement.scrollHeight - innerHeight - scrollY")
        above = reader.evaluate("scrollY")
        # Near the article's beginning or end it cannot be scrolled so far.
        assert 0.25 < height < 0.45 or (above == 0 and height < 0.25) or (below < 2 and height < 1)
        reader.get_by_role("link", name="Go to the marked words").click()
        # The page is gone before the click is reported back.
        with reader.expect_event("close"), suppress(PlaywrightError):
            reader.get_by_role("link", name="Back to the chat").click()
        assert page.context.pages == [page]
    expect(page.locator(".pf-asked")).to_have_text([SESSIONS])
    expect(page.locator(".pf-quote")).to_have_count(cards.count())


def test_the_first_quote_stands_at_a_third_of_a_phone_s_height(visit: Visit) -> None:
    page = visit(320, 640)
    cards = _ask(page, SESSIONS).locator(".pf-quote")
    reader = _open_citation(page, cards.first.get_by_role("link", name="Read in the article"))
    assert reader.evaluate("scrollY") > 0
    assert reader.evaluate("document.getElementById('quote').getBoundingClientRect().top / innerHeight") == pytest.approx(
        0.33, abs=0.05
    )


def test_an_example_can_be_chosen(visit: Visit) -> None:
    page = visit(320, 640)
    example = _examples(page).first
    question = example.locator(".pf-example-question").inner_text()
    assert question.endswith("?")
    assert example.locator(".pf-topic").inner_text()
    example.click()
    expect(page.locator(".pf-asked")).to_have_text([question])
    expect(page.locator(".pf-answer .pf-quote").first).to_be_visible()
    expect(_examples(page).first).to_be_hidden()


def test_each_card_says_what_it_is(visit: Visit) -> None:
    page = visit(320, 640)
    for label, question in CARDS.items():
        answer = _ask(page, question)
        card = answer.locator(".pf-card")
        expect(card).to_have_count(1)
        expect(card.locator(".pf-label")).to_contain_text(label)
        expect(card.get_by_role("heading")).to_be_in_viewport()
        assert card.evaluate("card => getComputedStyle(card).borderLeftWidth") == "6px", label
        if label in {"Emergency", "You are not alone"}:
            expect(answer.locator(".pf-quote")).to_have_count(0)
            expect(answer.get_by_text("Looking for")).to_have_count(0)
            expect(answer.get_by_role("link", name="Read in the article")).to_have_count(0)
        page.get_by_role("button", name="Clear this chat").click()
        expect(page.locator(".pf-answer")).to_have_count(0)


@pytest.mark.parametrize(("width", "height"), [(320, 640), (1280, 900)])
def test_the_box_is_in_reach_and_the_contacts_on_the_page_at_all_times(visit: Visit, width: int, height: int) -> None:
    page = visit(width, height)
    for question in ["", SESSIONS, *CARDS.values()]:
        if question:
            answer = _ask(page, question)
            asked = page.locator(".pf-asked").last
            expect(asked).to_be_in_viewport()
            assert _in_view(page, _box(page))
            page.evaluate("scrollTo(0, 0)")
            expect(answer).to_be_visible()
        assert _in_view(page, _box(page))
        assert _in_view(page, page.get_by_role("button", name="Ask", exact=True))
        foot = page.locator(".pf-foot")
        expect(foot).to_contain_text("In an emergency, call")
        expect(foot.get_by_role("link", name=re.compile("Call us"))).to_be_visible()
        expect(page.locator(".pf-header .pf-phone a")).to_be_visible()


def test_nothing_stands_out_over_the_side(visit: Visit) -> None:
    def check(page: Page, where: str) -> None:
        for scheme in in_light_and_dark(page):
            for width in (1280, 768, 320):
                page.set_viewport_size({"width": width, "height": 800})
                assert overflow(page) == 0, (where, scheme, width)
                paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
                assert paper == ("rgb(20, 25, 27)" if scheme == "dark" else "rgb(255, 255, 255)")

    page = visit()
    check(page, "start")
    for question in [SESSIONS, *CARDS.values(), "w" * 300, "https://" + "long-address." * 20]:
        _ask(page, question)
        check(page, question)
    reader = _open_citation(page, page.get_by_role("link", name="Read in the article").first)
    reader.locator("summary").click()
    check(reader, "reader")


def test_the_clinic_s_colour_and_the_reading_size_are_used(visit: Visit) -> None:
    page = visit(320, 640)
    answer = _ask(page, CARDS["Ask a clinician"])
    button = page.get_by_role("button", name="Ask", exact=True)
    assert button.evaluate("each => getComputedStyle(each).backgroundColor") == "rgb(122, 31, 92)"
    for text in [
        *answer.locator(".pf-card li").all(),
        answer.locator(".pf-card p").last,
        page.locator(".pf-asked"),
        _box(page),
    ]:
        assert text.evaluate("each => getComputedStyle(each).fontSize") == "18px"
    for target in [*answer.get_by_role("link").all(), *page.get_by_role("button").all(), *page.locator(".pf-foot a").all()]:
        place = target.bounding_box()
        assert place is None or place["height"] >= 44


def test_nothing_of_the_chat_stays_in_the_browser(visit: Visit) -> None:
    page = visit()
    _ask(page, SESSIONS)
    _ask(page, CARDS["Ask a clinician"])
    reader = _open_citation(page, page.get_by_role("link", name="Read in the article").first)
    kept = "JSON.stringify([localStorage, sessionStorage, document.cookie])"
    for each in (page, reader):
        assert each.evaluate(kept) == '[{},{},""]'
        assert each.evaluate("indexedDB.databases().then(found => found.length)") == 0
        assert each.evaluate("caches.keys().then(found => found.length)") == 0
    assert page.context.cookies() == []
    page.reload()
    expect(_examples(page).first).to_be_visible()
    expect(page.locator(".pf-asked")).to_have_count(0)


def test_the_keyboard_alone_can_ask_and_reach_the_article(visit: Visit) -> None:
    page = visit()
    focused = "document.activeElement.placeholder || document.activeElement.textContent.trim()"

    def tab_to(text: str, key: str) -> None:
        for _ in range(40):
            page.keyboard.press(key)
            if text in page.evaluate(focused):
                return
        raise AssertionError(f"{key} does not lead to {text!r}")

    tab_to("In your own words", "Tab")
    page.keyboard.type(SESSIONS)
    page.keyboard.press("Enter")
    expect(page.locator(".pf-quote").first).to_be_visible()
    tab_to("Read in the article", "Shift+Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    with page.context.expect_page() as opened:
        page.keyboard.press("Enter")
    expect(opened.value.locator("mark#quote")).to_be_in_viewport()


def test_no_barrier_is_found(visit: Visit, site: Site) -> None:
    def check(page: Page, where: str) -> None:
        for scheme in in_light_and_dark(page):
            assert barriers(page) == [], (where, scheme)

    page = visit(320, 640, bypass_csp=True, reduced_motion="reduce")
    check(page, "start")
    for question in [
        SESSIONS,
        *CARDS.values(),
        "quanto costa il laser e fa male?",
        "my name is Jane Tan, 012-345 6789",
        "w" * 300,
    ]:
        _ask(page, question)
    clinic = open_current(site.index).clinic
    for kind in ("trouble", "busy"):
        card = next(card for card in clinic.cards if (card.kind, card.language) == (kind, "en"))
        shown = answer_html(Answer("no_answer", card=card), clinic, words_of("en"))
        page.route(PREDICT, partial(_answered_with, shown))
        expect(_ask(page, SESSIONS)).to_contain_text(card.heading)
        page.unroute(PREDICT)
    check(page, "answers")
    page.locator(".pf-hand-over").first.click()
    check(page, "hand-over")
    page.keyboard.press("Escape")
    page.locator(".pf-felt-helped").first.click()
    expect(page.locator(".pf-said").first).not_to_be_empty()
    check(page, "feedback")
    reader = _open_citation(page, page.get_by_role("link", name="Read in the article").first)
    check(reader, "reader")
    address, number, _ = _printed(site, "Melasma can be a difficult condition to treat.")
    for shown in (number, number + 1):
        reader.goto(f"{address}&page={shown}#sheet")
        _picture_shown(reader)
        check(reader, f"page {shown} as printed")
        assert overflow(reader) == 0
    reader.goto(f"{site.address}{MISSING}")
    check(reader, "missing page")
    for name in ("privacy", "accessibility", "?lang=ms", "?lang=zh"):
        reader.goto(f"{site.address}/{name}")
        expect(reader.get_by_role("heading", level=1)).to_be_visible()
        check(reader, name)


def _answered_with(html: str, route: Route) -> None:
    """Let a question be answered with a card that only comes up when something is wrong."""
    reply = route.fetch()
    said = reply.json()
    said["data"][1]["value"][-1]["content"] = [{"type": "text", "text": html}]
    route.fulfill(response=reply, json=said)


def test_a_heading_near_by_can_be_asked(visit: Visit) -> None:
    page = visit(320, 640)
    suggested = _ask(page, SESSIONS).locator(".pf-more button").first
    question = suggested.inner_text()
    suggested.click()
    expect(page.locator(".pf-asked").last).to_have_text(question)
    expect(page.locator(".pf-answer")).to_have_count(2)
    expect(_box(page)).to_have_value("")


def test_an_answer_can_be_taken_to_a_consultation_by_the_patient(visit: Visit) -> None:
    page = visit(320, 640)
    answer = _ask(page, SESSIONS)
    quote = _quoted(answer.locator(".pf-quote").first)
    button = answer.get_by_role("button", name="Ask this at a consultation")
    button.click()
    dialog = page.get_by_role("dialog", name="Ask this at a consultation")
    message = dialog.get_by_role("textbox", name="Your message")
    expect(message).to_be_focused()
    written = message.input_value()
    assert SESSIONS in written
    assert quote in " ".join(written.split())
    assert "http" not in written
    message.fill("My own words & more\nsecond line")
    mail = dialog.get_by_role("link", name="Open in e-mail").get_attribute("href") or ""
    assert mail.startswith("mailto:hello@clinic.example?subject=A%20question")
    assert mail.endswith("&body=My%20own%20words%20%26%20more%0D%0Asecond%20line")
    whatsapp = dialog.get_by_role("link", name="Open in WhatsApp").get_attribute("href") or ""
    assert whatsapp == "https://wa.me/60123456789?text=My%20own%20words%20%26%20more%0Asecond%20line"
    assert dialog.get_by_role("link", name="Open the booking page").get_attribute("href") == "https://clinic.example/book"
    assert overflow(page) == 0
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(button).to_be_focused()


def test_an_answer_can_be_copied_with_its_citations(visit: Visit, site: Site) -> None:
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    answer = _ask(page, SESSIONS)
    answer.get_by_role("button", name="Copy this answer").click()
    expect(answer.get_by_role("status")).to_have_text("Copied.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f"{SESSIONS}\n\nFrom our articles, word for word. Not medical advice.")
    for card in answer.locator(".pf-quote").all():
        assert f"“{_quoted(card)}”" in " ".join(copied.split())
        address = card.get_by_role("link", name="Read in the article").get_attribute("href") or ""
        assert f"{site.address}{address}" in copied


def test_one_answer_can_be_printed_without_the_rest_of_the_page(visit: Visit) -> None:
    page = visit()
    page.evaluate("window.print = () => { window.printed = true }")
    _ask(page, "What is PicoSure?")
    answer = _ask(page, SESSIONS)
    answer.get_by_role("button", name="Print").click()
    assert page.evaluate("window.printed")
    page.emulate_media(media="print")
    sheet = page.locator("#pf-sheet")
    expect(sheet.locator(".pf-asked")).to_have_text(SESSIONS)
    expect(sheet.locator(".pf-quote").first).to_be_visible()
    expect(sheet.get_by_role("heading", level=1)).to_be_visible()
    expect(sheet.get_by_role("button", name="Print")).to_be_hidden()
    expect(page.locator("#pf-chat")).to_be_hidden()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(sheet).to_have_count(0)
    expect(page.locator("#pf-chat")).to_be_visible()


def test_what_a_patient_tells_about_a_quote_reaches_the_journal(visit: Visit, site: Site) -> None:
    page = visit(320, 640)
    answer = _ask(page, "How many sessions will it take? I am Sarah Lim")
    answer = _ask(page, SESSIONS)
    before = len(Journal.open(site.journal).told())
    button = answer.get_by_role("button", name="Looks out of date").first
    button.click()
    expect(answer.get_by_role("status").first).to_have_text("Thank you. We keep this without your name.")
    expect(button).to_have_attribute("aria-pressed", "true")
    button.click()
    answer.get_by_role("button", name="This helped").first.click()  # once is enough
    page.wait_for_timeout(300)
    told = Journal.open(site.journal).told()[before:]
    assert [(one.felt, one.question) for one in told] == [("outdated", SESSIONS)]
    address = urlsplit(answer.locator(".pf-read").first.get_attribute("href") or "")
    assert told[0].doc == unquote(address.path.rsplit("/", 1)[-1])
    assert str(told[0].start) in parse_qs(address.query)["start"]


@pytest.mark.parametrize(("code", "ask", "read"), [("ms", "Tanya", "Baca dalam artikel"), ("zh", "提问", "在文章中阅读")])
def test_the_screens_speak_the_patient_s_language(visit: Visit, code: str, ask: str, read: str) -> None:
    page = visit(320, 640)
    page.locator(f".pf-languages a[lang={code}]").click()
    expect(page.get_by_role("button", name=ask, exact=True)).to_be_visible()
    expect(page.locator(f"html[lang={code}]")).to_have_count(1)
    box = page.locator("#pf-ask textarea")
    box.fill(SESSIONS)
    box.press("Enter")
    link = page.get_by_role("link", name=read).first
    expect(link).to_be_visible()
    expect(page.locator("blockquote").first).to_have_attribute("lang", "en")
    reader = _open_citation(page, link)
    expect(reader.locator(f"html[lang={code}]")).to_have_count(1)
    expect(reader.locator("article")).to_have_attribute("lang", "en")
    assert overflow(page) == overflow(reader) == 0


def _printed(site: Site, words: str) -> tuple[str, int, tuple[float, float, float, float]]:
    """A sentence of the leaflet: its address in the reader, its page, and where pdfium itself finds it on that page.

    In fractions from the top left corner, of a sentence that stands in one line.
    """
    release = open_current(site.index)
    article = next(article for article in release.articles if article.doc.endswith(".pdf"))
    start = article.text.index(words)
    [page] = [each.page for each in article.sentences if each.start <= start < each.end]
    with pypdfium2.PdfDocument((site.corpus / "articles" / article.doc).read_bytes()) as document:
        sheet = document[page - 1]
        width, height = sheet.get_size()
        text = sheet.get_textpage()
        at, count = text.search(words).get_next()
        assert text.count_rects(at, count) == 1
        left, bottom, right, top = text.get_rect(0)
    address = f"{site.address}/read/{release.id}/{article.doc}?start={start}&end={start + len(words)}"
    return address, page, (left / width, 1 - top / height, right / width, 1 - bottom / height)


def _picture_shown(page: Page) -> dict[str, float]:
    image = page.locator(".sheet img")
    expect(image).to_be_visible()
    expect(image).to_have_js_property("complete", True)
    assert image.evaluate("each => each.naturalWidth") == 1200
    place = image.bounding_box()
    assert place is not None
    return dict(place)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_on_the_page_as_printed_the_mark_lies_over_the_words(visit: Visit, site: Site, scheme: str, width: int) -> None:
    words = "Melasma can be a difficult condition to treat."
    address, number, (left, top, right, bottom) = _printed(site, words)
    page = visit(width, 1600, color_scheme=scheme)
    page.goto(f"{address}&page={number}#sheet")
    image, mark = _picture_shown(page), page.locator(".sheet .on").bounding_box()
    assert mark is not None
    # pdfium's own rectangle is close to the letters; the mark takes the height of the line.
    assert mark["x"] == pytest.approx(image["x"] + left * image["width"], abs=2)
    assert mark["x"] + mark["width"] == pytest.approx(image["x"] + right * image["width"], abs=3)
    assert mark["y"] <= image["y"] + top * image["height"] + 1
    assert mark["y"] + mark["height"] >= image["y"] + bottom * image["height"] - 1
    assert mark["height"] <= 2 * (bottom - top) * image["height"]
    seen = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    edges = (mark["x"], mark["y"], mark["x"] + mark["width"], mark["y"] + mark["height"])
    inside = list(seen.crop(tuple(round(edge) for edge in edges)).get_flattened_data())
    assert sum(red > 200 and blue < 140 for red, _, blue in inside) > 0.5 * len(inside), "the mark is not seen"
    assert min(sum(each) for each in inside) < 300, "no letters are seen through the mark"
    beside = seen.getpixel((round(image["x"] + image["width"] - 4), round(mark["y"])))
    assert beside == (255, 255, 255)
    assert overflow(page) == 0


def test_the_words_come_first_and_the_page_as_printed_on_demand(visit: Visit, site: Site) -> None:
    address, number, _ = _printed(site, "Melasma can be a difficult condition to treat.")
    chat = visit(320, 640)
    with chat.context.expect_page() as opened:
        chat.evaluate("address => { open(address, '_blank', 'noopener') }", f"{address}#quote")
    reader = opened.value
    expect(reader.locator("mark#quote")).to_be_in_viewport()
    expect(reader.locator(".sheet img")).to_be_hidden()
    reader.get_by_text("The page as printed").focus()
    reader.keyboard.press("Enter")
    _picture_shown(reader)
    reader.get_by_role("link", name=f"See page {number + 1}", exact=True).click()
    expect(reader.get_by_text(f"Page {number + 1} of 4.")).to_be_in_viewport()
    _picture_shown(reader)
    expect(reader.locator(".sheet .on")).to_have_count(0)
    reader.get_by_role("link", name=f"The words from the chat are on page {number}.", exact=True).click()
    expect(reader.locator(".sheet .on")).to_have_count(1)
    for target in reader.locator(".turns a, .page a").all():
        place = target.bounding_box()
        assert place is not None
        assert place["height"] >= 44
    with reader.expect_event("close"), suppress(PlaywrightError):
        reader.get_by_role("link", name="Back to the chat").click()
    assert chat.context.pages == [chat]


LITERAL = [
    "<img src=https://evil.example/x.png onerror=alert(1)>",
    "<script>document.title = 'taken'</script>",
    "![picture](https://evil.example/x.png) [link](https://evil.example) <https://evil.example>",
    "www.evil.example https://evil.example me@evil",
    "# Heading ## Two --- *soft* **loud** _low_ ~~gone~~ `code` > said",
    "| a | b | |---|---| | 1 | 2 | - item 1. item $x^2$ \\(y\\) $$z$$",
    "<style>*{display:none}</style><form action=//evil.example><input></form></div></div>",
    "&amp; &lt;b&gt; &#39; it's \"quoted\" 'single'",
    "هل يؤلم الليزر؟ laser هل",
]


def test_whatever_is_typed_comes_out_as_it_was_typed(visit: Visit) -> None:
    page = visit(320, 640)
    title = page.title()
    for number, question in enumerate(LITERAL, start=1):
        _ask(page, question)
        asked = page.locator(".pf-asked")
        # All of them: each question brings the earlier ones back from the page.
        assert asked.all_inner_texts() == LITERAL[:number]
        assert asked.locator("*").count() == 0
    assert page.title() == title
    assert page.locator("img, form, h1:not(.pf-header h1)").count() == 0


def test_invisible_characters_are_taken_out(visit: Visit) -> None:
    page = visit()
    _ask(page, "does\u200b it\u202e hurt\u2066\u00ad?\ufeff")
    assert page.locator(".pf-asked").inner_text().replace(" ", "") == "doesithurt?"


def test_a_chat_can_be_cleared(visit: Visit) -> None:
    page = visit()
    _ask(page, SESSIONS)
    page.get_by_role("button", name="Clear this chat").click()
    expect(page.locator(".pf-asked")).to_have_count(0)
    expect(_examples(page).first).to_be_visible()
    expect(page.get_by_role("button", name="Clear this chat")).to_be_hidden()
    _ask(page, "and for tattoos?")
    expect(page.get_by_text("Looking for")).to_have_count(0)  # nothing was remembered
    expect(page.locator(".pf-asked")).to_have_count(1)


def test_a_question_that_is_too_long_gets_a_message_and_is_not_lost(visit: Visit) -> None:
    page = visit(320, 640)
    long = "why is my skin red " * 250
    answer = _ask(page, long)
    expect(answer).to_contain_text("Please ask it in at most 4,000.")
    expect(_box(page)).to_have_value(long)
    assert _in_view(page, _box(page))


def test_a_question_that_does_not_arrive_is_said_so_and_not_lost(visit: Visit) -> None:
    page = visit(320, 640)
    told = page.get_by_role("alert")
    page.route(PREDICT, lambda route: route.fulfill(status=429, json={"detail": "too many"}))
    _box(page).fill(SESSIONS)
    _box(page).press("Enter")
    expect(told).to_have_text(re.compile("Please wait a minute, or phone us."))
    expect(_box(page)).to_have_value(SESSIONS)
    page.unroute(PREDICT)
    page.route(PREDICT, lambda route: route.abort())
    _box(page).press("Enter")
    expect(told).to_have_text(re.compile("Please check your connection and ask again."))
    expect(_box(page)).to_have_value(SESSIONS)
    assert overflow(page) == 0
    page.unroute(PREDICT)
    _ask(page, SESSIONS)
    expect(page.locator("#pf-trouble")).to_be_empty()


def test_a_follow_up_is_understood_and_said_so(visit: Visit) -> None:
    page = visit()
    _ask(page, SESSIONS)
    answer = _ask(page, "and for tattoos?")
    expect(answer.locator(".pf-looked")).to_have_text("Looking for: How many sessions will it take for tattoos")
    expect(answer.locator(".pf-quote, .pf-differs", has_text=re.compile("tattoo", re.IGNORECASE)).first).to_be_visible()


def test_a_long_chat_goes_on_and_each_answer_comes_into_view(visit: Visit) -> None:
    page = visit(320, 640)
    for number in range(25):
        question = f"{SESSIONS} {number}"
        _box(page).fill(question)
        _box(page).press("Enter")
        expect(page.locator(".pf-asked").last).to_have_text(question)
        expect(page.locator(".pf-asked").last).to_be_in_viewport()
    expect(page.get_by_text("The start of this chat is no longer shown, to keep the page quick.")).to_have_count(1)
    expect(page.locator(".pf-answer .pf-quote").last).to_be_visible()
    assert _in_view(page, _box(page))


def test_a_new_release_is_taken_up_and_the_old_one_can_still_be_read(visit: Visit, site: Site) -> None:
    page = visit()
    question = "Who was the mother of Hamlet?"
    expect(_ask(page, question).locator(".pf-card")).to_contain_text("Not in our articles")
    reader = _open_citation(page, _ask(page, SESSIONS).get_by_role("link", name="Read in the article").first)
    old, marked = reader.url, reader.locator("mark#quote").inner_text()
    before = current_id(site.index)[0]
    added = site.corpus / "articles" / "hamlet.md"
    added.write_text("# Hamlet\n\n## Who was the mother of Hamlet?\n\nThe mother of Hamlet was Queen Gertrude.\n")
    try:
        assert site.build() != before
        page.wait_for_timeout(700)  # the app looks for a new release twice a second
        card = _ask(page, question).locator(".pf-quote").first
        expect(card.locator("blockquote")).to_contain_text("The mother of Hamlet was Queen Gertrude.")
        fresh = _open_citation(page, card.get_by_role("link", name="Read in the article"))
        assert current_id(site.index)[0] in fresh.url
        expect(fresh.locator("mark#quote")).to_contain_text("Queen Gertrude")
        reader.goto(old)
        assert before in reader.url
        assert reader.locator("mark#quote").inner_text() == marked
    finally:
        added.unlink()
        site.build()


def test_a_review_that_is_overdue_is_told_to_patients_and_then_takes_the_article_down(visit: Visit, site: Site) -> None:
    page = visit(320, 640, bypass_csp=True)
    question = "Who was the mother of Hamlet?"
    settings, added = site.corpus / "clinic.toml", site.corpus / "articles" / "hamlet.md"
    before = settings.read_text(encoding="utf-8")
    settings.write_text(f'{before}\n[review]\nwithdraw_topics = ["plays"]\nwithdraw_after_days = 7\n', encoding="utf-8")

    def due(days_ago: int) -> None:
        review_by = date.today() - timedelta(days_ago)
        known = f'+++\nreview_by = {review_by}\ntopics = ["Plays"]\n+++\n'
        added.write_text(f"{known}# Hamlet\n\n## {question}\n\nThe mother of Hamlet was Queen Gertrude.\n", encoding="utf-8")
        site.build()
        page.wait_for_timeout(700)  # the app looks for a new release twice a second

    try:
        due(days_ago=4)
        answer = _ask(page, question)
        label = answer.locator(".pf-due").first
        expect(label).to_contain_text("Was due for review on")
        assert overflow(page) == 0
        assert barriers(page) == []
        page.emulate_media(media="print")
        expect(label).to_be_visible()
        page.emulate_media(media="screen")
        answer.get_by_role("button", name="Ask this at a consultation").click()
        assert "Was due for review on" in page.get_by_label("Your message").input_value()
        page.get_by_role("button", name="Close").click()
        reader = _open_citation(page, answer.get_by_role("link", name="Read in the article").first)
        expect(reader.locator("p.due")).to_contain_text("It may be out of date.")
        assert barriers(reader) == []
        due(days_ago=10)
        expect(_ask(page, question).locator(".pf-card")).to_contain_text("Not in our articles")
        reader.reload()
        expect(reader.get_by_role("heading", level=1)).to_have_text("We have taken this article down")
        assert "Gertrude" not in reader.content()
        assert barriers(reader) == []
    finally:
        added.unlink()
        settings.write_text(before, encoding="utf-8")
        site.build()
