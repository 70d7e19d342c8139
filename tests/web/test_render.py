"""What is shown is what was said: everything escaped, every card and every state of review in its words."""

from __future__ import annotations

import dataclasses
from datetime import date
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from seen import Seen

from retrieval.types import Answer, Card, Citation, Clinic, Heading, Quote, SideBySide
from web import render
from web.words import LANGUAGES, words_of

EN = words_of("en")

NASTY = st.lists(
    st.sampled_from(
        [
            "<script>",
            "</div>",
            "<img src=x onerror=alert(1)>",
            "&amp;",
            "&#39;",
            "![a](http://x)",
            "# h",
            "**b**",
            "`c`",
            "\n\n",
            "\r\r",
            "\u2028\u2028",
            "$$x$$",
            "https://x.example",
            "| a | b |",
            "~~~",
            "<!--",
            "]]>",
            "'",
            '"',
            "\\",
            "ا\u202e",
            " ",
        ]
    )
    | st.text(max_size=8),
    max_size=8,
).map("".join)


@given(NASTY)
def test_any_text_is_seen_as_its_own_words_and_adds_no_element(text: str) -> None:
    shown = Seen(render.escape(text))
    assert shown.words == text.split()
    assert set(shown.tags) <= {"br"}


@given(NASTY)
def test_markdown_leaves_a_question_as_it_is(text: str) -> None:
    html = render.question_html(text.replace("\0", ""))
    assert len(html.splitlines()) == 1
    assert MarkdownIt("commonmark", {"html": True}).render(html).strip("\n") == html


@given(NASTY, NASTY, NASTY, NASTY)
def test_no_field_of_an_answer_adds_an_element_or_a_line(text: str, title: str, section: str, doc: str) -> None:
    def drawn(text: str, title: str, section: str, doc: str) -> list[str]:
        quote = Quote(text, Citation(doc, title, section, 1, 0, 1, "0", reviewed_on=date(2026, 5, 3), reviewed_by=title), 1.0)
        card = Card("consult", label=text, level=title, heading=section, text=doc, bullets=(text,))
        answer = Answer("answer", (quote,), card, searched=text, suggestions=(Heading(section, doc, 0, 1),), release="r1")
        lines = [" ".join(value.split()) for value in (title, section, doc, text)]  # as load_clinic makes them
        clinic = Clinic(lines[0], True, lines[1], lines[2], f"https://x.example/{lines[2]}", lines[3])
        html = [render.answer_html(answer, clinic, EN), render.header_html(clinic, EN), render.footer_html(clinic, EN)]
        assert [len(part.splitlines()) for part in html] == [1, 1, 1]
        return [tag for part in html for tag in Seen(part).tags if tag != "br"]

    # The letters keep each field from being empty, which leaves its element out, and the heading from being a question.
    assert drawn(f"a{text}", f"b{title}", f"c{section}c", f"d{doc}") == drawn("a", "b", "cc", "d")


def test_a_quote_is_shown_to_the_letter_with_its_place_and_link(quote: Quote, clinic: Clinic) -> None:
    shown = Seen(render.answer_html(Answer("answer", (quote,), release="abc123"), clinic, EN))
    assert shown.texts["blockquote"] == ['It\'s 5 < 6 & "fine"or not_so_fine']
    assert shown.tags.count("br") == 1  # the quote's own line break
    assert "On <lasers> › Does it *hurt*?, page 3" in shown.text
    assert "reviewed 3 May 2026 by Dr A. Tan" in shown.text
    link = next(attributes for attributes in shown.of("a") if "/read/" in (attributes["href"] or ""))
    parts = urlsplit(link["href"] or "")
    assert unquote(parts.path) == "/read/abc123/a b&c.md"
    assert parse_qs(parts.query) == {"start": ["12"], "end": ["20"]}
    assert parts.fragment == "quote"
    assert (link["target"], link["rel"]) == ("_blank", "noopener")


def test_the_words_that_answer_are_marked_and_no_others(quote: Quote, clinic: Clinic) -> None:
    first = quote.citation.start + quote.text.index("5 <")
    marked = dataclasses.replace(quote, marked=(first, first + len("5 < 6 &")))
    shown = Seen(render.answer_html(Answer("answer", (marked,), release="abc123"), clinic, EN))
    assert shown.texts["mark"] == ["5 < 6 &"]
    assert shown.texts["blockquote"] == ['It\'s 5 < 6 & "fine"or not_so_fine']


@given(NASTY, st.integers(-5, 60), st.integers(-5, 60))
def test_a_mark_anywhere_changes_no_word(text: str, first: int, last: int) -> None:
    cited = Citation("a.md", "A", "", 0, 10, 10 + len(text), "0")
    clinic = Clinic("C", False)
    plain, marked = (
        Seen(render.answer_html(Answer("answer", (Quote(text, cited, 1.0, marked=span),)), clinic, EN))
        for span in ((0, 0), (10 + first, 10 + last))
    )
    assert "".join(marked.words) == "".join(plain.words)
    assert [tag for tag in marked.tags if tag not in {"mark", "br"}] == [tag for tag in plain.tags if tag != "br"]


def test_where_else_it_is_said_is_named_with_a_link(quote: Quote, clinic: Clinic) -> None:
    other = dataclasses.replace(quote.citation, doc="c.md", title="Other <b>", section="", start=3, end=9)
    shown = Seen(render.answer_html(Answer("answer", (dataclasses.replace(quote, also=(other,)),), release="r1"), clinic, EN))
    assert "Also inOther <b>" in shown.text
    assert any((link["href"] or "").startswith("/read/r1/c.md?start=3&end=9") for link in shown.of("a"))


@pytest.fixture
def differing(quote: Quote) -> SideBySide:
    cited = dataclasses.replace(quote.citation, doc="c.md", title="Other", reviewed_on=None, reviewed_by="")
    text = "It takes <two> days."
    return SideBySide("How long <it> lasts", (quote, Quote(text, cited, 0.0, marked=(cited.start + 3, cited.start + 14))))


def test_what_articles_say_differently_stands_side_by_side(quote: Quote, differing: SideBySide, clinic: Clinic) -> None:
    away = dataclasses.replace(quote, text="Elsewhere.", citation=dataclasses.replace(quote.citation, start=90, end=100))
    shown = Seen(render.answer_html(Answer("answer", (away,), differs=(differing,), release="r1"), clinic, EN))
    assert shown.texts["caption"] == ["How long <it> lasts"]
    assert [row.split("reviewed")[0] for row in shown.texts["th"]] == ["On <lasers>", "Othernot yet "]
    read = "Read in the article"
    assert shown.texts["td"] == [f'It\'s 5 < 6 & "fine"or not_so_fine{read}', f"It takes <two> days.{read}"]
    assert shown.texts["mark"] == ["takes <two>"]
    assert [cell["scope"] for cell in shown.of("th")] == ["row", "row"]
    assert shown.texts["blockquote"] == ["Elsewhere."]


def test_an_article_has_one_row_with_all_that_it_says(differing: SideBySide, clinic: Clinic) -> None:
    first, second = differing.quotes
    again = dataclasses.replace(first, text="Again.", citation=dataclasses.replace(first.citation, start=70, end=76))
    shown = Seen(render.answer_html(Answer("answer", differs=(SideBySide("x", (first, second, again)),)), clinic, EN))
    assert len(shown.texts["tr"]) == 2
    assert "Again." in shown.texts["td"][0]
    assert shown.texts["td"][0].count("Read in the article") == 2


def test_a_quote_that_stands_in_the_table_is_not_shown_twice(quote: Quote, differing: SideBySide, clinic: Clinic) -> None:
    shown = Seen(render.answer_html(Answer("answer", (quote,), differs=(differing,)), clinic, EN))
    assert "blockquote" not in shown.texts
    assert "From our articles, word for word" in shown.text


def test_below_a_consultation_card_a_difference_is_general_too(differing: SideBySide, clinic: Clinic) -> None:
    shown = Seen(render.answer_html(Answer("consult", differs=(differing,)), clinic, EN))
    assert shown.text.index("It is not about you.") < shown.text.index("How long <it> lasts")


def test_a_quote_without_page_or_section_has_no_empty_places(quote: Quote, clinic: Clinic) -> None:
    cited = dataclasses.replace(quote.citation, page=0, section="", reviewed_on=None, reviewed_by="")
    shown = Seen(render.answer_html(Answer("answer", (dataclasses.replace(quote, citation=cited),)), clinic, EN))
    assert [span for span in shown.of("span") if span.get("class") == "pf-place"]
    assert shown.texts["figcaption"][0].startswith("On <lasers>not yet reviewed by a clinician")


@pytest.mark.parametrize(
    ("reviewed_on", "reviewed_by", "says"),
    [
        (None, "", "not yet reviewed by a clinician"),
        (None, "Dr A. Tan", "not yet reviewed by a clinician"),
        (date(2026, 5, 3), "", "reviewed 3 May 2026"),
        (date(2026, 12, 31), "Dr A. Tan", "reviewed 31 December 2026 by Dr A. Tan"),
    ],
)
def test_review_states_say_no_more_than_is_known(reviewed_on: date | None, reviewed_by: str, says: str) -> None:
    assert render.review_state(reviewed_on, reviewed_by, EN) == says


@pytest.mark.parametrize("kind", ["urgent", "self_harm", "consult", "not_found", "clinic_matter", "trouble"])
def test_each_card_is_shown_whole_with_its_label_in_words(kind: str, clinic: Clinic) -> None:
    card = next(card for card in clinic.cards if card.kind == kind)
    shown = Seen(render.answer_html(Answer("no_answer", card=card), clinic, EN))
    said = " ".join(shown.words)
    for text in (card.label, card.level, card.heading, card.text, *card.bullets):
        assert " ".join(text.split()) in said
    assert shown.texts["h3"] == [card.heading]
    assert shown.texts.get("li", []) == list(card.bullets)
    assert ("tel:+15550100" in {link["href"] for link in shown.of("a")}) is card.contacts
    assert all(mark["aria-hidden"] == "true" for mark in shown.of("span") if mark["class"] == "pf-icon")


def test_an_urgent_card_comes_first_with_both_numbers_and_no_detour(clinic: Clinic) -> None:
    card = next(card for card in clinic.cards if card.kind == "urgent")
    shown = Seen(
        render.answer_html(
            Answer("urgent", card=card, searched="my face", suggestions=(Heading("Swelling", "a.md", 0, 8),)), clinic, EN
        )
    )
    assert [link["href"] for link in shown.of("a")] == ["tel:112", "tel:+15550100"]
    assert "Looking for" not in shown.text
    assert "Swelling" not in shown.text
    assert shown.text.startswith("!Emergency. Emergency: act now.")


def test_a_consultation_has_its_card_above_quotes_that_are_called_general(quote: Quote, clinic: Clinic) -> None:
    card = next(card for card in clinic.cards if card.kind == "consult")
    shown = Seen(render.answer_html(Answer("consult", (quote,), card), clinic, EN))
    assert shown.text.index(card.heading) < shown.text.index("General information from our articles. It is not about you.")
    assert shown.text.index("It is not about you.") < shown.text.index("It's 5 < 6")
    assert "https://clinic.example/book?a=1&b=2" in {link["href"] for link in shown.of("a")}


def test_a_second_card_stands_below_the_first(clinic: Clinic) -> None:
    consult, private = (next(card for card in clinic.cards if card.kind == kind) for kind in ("consult", "private_data"))
    shown = Seen(render.answer_html(Answer("consult", card=consult, notice=private), clinic, EN))
    assert shown.texts["h3"] == [consult.heading, private.heading]


@pytest.mark.parametrize(("code", "direction"), [("en", None), ("ms", None), ("ar", "rtl")])
def test_a_card_says_in_which_language_to_read_it(clinic: Clinic, code: str, direction: str | None) -> None:
    card = next(card for card in clinic.cards if (card.kind, card.language) == ("language", code))
    section = Seen(render.answer_html(Answer("no_answer", card=card), clinic, EN)).of("section")[0]
    assert section.get("lang") == (None if code == "en" else code)
    assert section.get("dir") == direction


def test_an_answer_has_its_parts_in_order(quote: Quote, clinic: Clinic) -> None:
    answer = Answer(
        "answer", (quote, quote), searched="redness after laser", suggestions=(Heading("What next?", "a.md", 0, 10),)
    )
    text = Seen(render.answer_html(answer, clinic, EN)).text
    parts = ["Looking for: redness after laser", "word for word", "It's 5", "Read in the article"]
    parts += ["Ask this at a consultation", "You could also read about", "What next?"]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_headings_that_are_questions_can_be_asked_and_others_are_opened(clinic: Clinic) -> None:
    near = (Heading("Does it hurt?", "a.md", 0, 13), Heading("After <care>", "a b.md", 5, 17, "ms"))
    shown = Seen(render.answer_html(Answer("no_answer", suggestions=near, release="r1"), clinic, EN))
    assert shown.text == "Did you meanDoes it hurt?After <care>"
    assert shown.texts["button"] == ["Does it hurt?"]
    assert shown.of("button")[0]["class"] == "pf-ask-this"
    (link,) = shown.of("a")
    assert link["href"] == "/read/r1/a%20b.md?start=5&end=17#quote"
    assert [item.get("lang") for item in shown.of("li")] == [None, "ms"]


def test_what_can_be_done_with_an_answer_is_offered_below_it(quote: Quote, clinic: Clinic) -> None:
    def offered(answer: Answer) -> list[str]:
        return Seen(render.answer_html(answer, clinic, EN)).texts.get("button", [])

    cards = {card.kind: card for card in clinic.cards if card.language == "en"}
    assert offered(Answer("answer", (quote,))) == ["Ask this at a consultation", "Copy this answer", "Print"]
    assert offered(Answer("consult", card=cards["consult"])) == ["Ask this at a consultation"]
    assert offered(Answer("no_answer", card=cards["not_found"])) == ["Ask this at a consultation"]
    for kind in ("urgent", "self_harm", "trouble", "private_data", "language"):
        assert offered(Answer("urgent" if kind in {"urgent", "self_harm"} else "no_answer", card=cards[kind])) == []


def test_feedback_is_asked_for_only_where_the_clinic_keeps_it(quote: Quote, differing: SideBySide, clinic: Clinic) -> None:
    keeping = dataclasses.replace(clinic, journal=True)
    away = dataclasses.replace(quote, citation=dataclasses.replace(quote.citation, start=90, end=100))
    answer = Answer("answer", (away,), differs=(differing,))
    felt = ["This helped", "Not my question", "Looks out of date"]
    assert [said for said in Seen(render.answer_html(answer, keeping, EN)).texts["button"] if said in felt] == felt * 3
    assert not set(felt) & set(Seen(render.answer_html(answer, clinic, EN)).texts["button"])


@pytest.mark.parametrize("code", LANGUAGES)
def test_screens_speak_one_language_and_say_which_the_articles_are_in(quote: Quote, clinic: Clinic, code: str) -> None:
    words = words_of(code)
    shown = Seen(render.answer_html(Answer("answer", (quote,), release="r1"), clinic, words))
    assert words("answer.lead") in shown.text
    assert words("answer.read") in shown.text
    assert shown.of("blockquote")[0].get("lang") == (None if code == "en" else "en")
    link = next(link["href"] or "" for link in shown.of("a") if link["class"] == "pf-read")
    assert ("lang=" in link) is (code != "en")
    header = Seen(render.header_html(clinic, words, "" if code == "en" else "English"))
    assert header.of("header")[0]["lang"] == code
    assert ("English" in header.text) is (code != "en")
    start = Seen(render.start_html([("redness", "How <long>?"), ("", "Why?")], words))
    assert start.texts["button"] == ["Redness How <long>?", "Why?"]
    assert {link["lang"] for link in start.of("a")} == set(LANGUAGES) - {code}
    foot = Seen(render.footer_html(clinic, words))
    assert {"/privacy", "/accessibility"} <= {(link["href"] or "").split("?")[0] for link in foot.of("a")}


def test_a_card_s_buttons_are_in_its_own_language(clinic: Clinic) -> None:
    card = next(card for card in clinic.cards if (card.kind, card.language) == ("consult", "ms"))
    shown = Seen(render.answer_html(Answer("consult", card=card), clinic, EN))
    assert "Tempah konsultasi" in shown.text
    assert "Book a consultation" not in shown.text


def test_a_notice_is_escaped() -> None:
    shown = Seen(render.notice_html("<b>It's *long*</b>"))
    assert (shown.text, shown.tags) == ("<b>It's *long*</b>", ["div", "p"])


def test_the_header_says_who_and_what(clinic: Clinic, bare_clinic: Clinic) -> None:
    shown = Seen(render.header_html(clinic, EN))
    assert shown.texts["h1"] == ["Clinic *of* <Skin>"]
    assert "Answers are extracts from our articles. They are not medical advice." in shown.text
    assert [link["href"] for link in shown.of("a")] == ["tel:+15550100"]
    assert "Example clinic" not in shown.text
    bare = Seen(render.header_html(bare_clinic, EN))
    assert "Example clinic: its name and numbers are made up." in bare.text
    assert bare.of("a") == []


def test_contacts_are_all_there_or_say_what_to_do(clinic: Clinic, bare_clinic: Clinic) -> None:
    shown = Seen(render.footer_html(clinic, EN))
    assert "In an emergency, call 112." in shown.text
    links = [link["href"] for link in shown.of("a")]
    assert links[:3] == ["https://clinic.example/book?a=1&b=2", "tel:+15550100", "mailto:hi@clinic.example"]
    assert links[3:] == ["/privacy", "/accessibility"]
    bare = Seen(render.footer_html(bare_clinic, EN))
    assert "In an emergency, call your local emergency number." in bare.text
    assert "Please contact the clinic directly." in bare.text


@pytest.mark.parametrize(("number", "link"), [("+1 (555) 01-00", "+15550100"), ("112", "112"), ("", "")])
def test_numbers_can_be_dialled(number: str, link: str) -> None:
    assert render.digits(number) == link


DUE = "Was due for review on 1 June 2026. It may be out of date."


def _overdue(cited: Citation) -> Citation:
    return dataclasses.replace(cited, review_by=date(2026, 6, 1), overdue=True)


def test_a_quote_says_in_words_that_its_review_is_overdue_wherever_it_stands(
    quote: Quote, differing: SideBySide, clinic: Clinic
) -> None:
    other = dataclasses.replace(quote.citation, doc="c.md", start=90, end=100)
    late = dataclasses.replace(quote, citation=_overdue(other))
    also = dataclasses.replace(quote, citation=other, also=(_overdue(dataclasses.replace(other, doc="d.md")),))
    row = dataclasses.replace(differing.quotes[1], citation=_overdue(differing.quotes[1].citation))
    for answer in (
        Answer("answer", (late,)), Answer("answer", (also,)), Answer("consult", (late,)),
        Answer("answer", differs=(dataclasses.replace(differing, quotes=(differing.quotes[0], row)),)),
    ):  # fmt: skip
        shown = Seen(render.answer_html(answer, clinic, EN))
        assert shown.text.count(DUE) == 1
        assert len([span for span in shown.of("span") if span.get("class") == "pf-due"]) == 1


def test_a_review_that_is_not_overdue_is_not_spoken_of(quote: Quote, clinic: Clinic) -> None:
    near = dataclasses.replace(quote, citation=dataclasses.replace(quote.citation, review_by=date(2026, 6, 1)))
    assert "due" not in Seen(render.answer_html(Answer("answer", (near,)), clinic, EN)).text


@pytest.mark.parametrize(("code", "says"), [("en", "1 June 2026"), ("ms", "1 Jun 2026"), ("zh", "2026年6月1日")])
def test_the_label_of_an_overdue_review_is_in_the_screens_language(quote: Quote, clinic: Clinic, code: str, says: str) -> None:
    late = dataclasses.replace(quote, citation=_overdue(quote.citation))
    words = words_of(code)
    said = words("review.due", date=says)
    assert says in said
    assert said in Seen(render.answer_html(Answer("answer", (late,)), clinic, words)).text
