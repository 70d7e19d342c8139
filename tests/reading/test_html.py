"""HTML: the article of a page, without the page around it."""

from __future__ import annotations

import pytest
from samples import blocks, headings, of_kind, read, refused, sections, sentences


def page(body: str, head: str = "") -> str:
    return f"<!DOCTYPE html><html><head>{head}</head><body>{body}</body></html>"


def test_headings_paragraphs_lists_and_definitions_are_found() -> None:
    reading = read("a.html", page("<h1>Red<em>ness</em></h1><p>It\n fades.</p><h2>Bring</h2><ul><li>a hat<li>your card</ul>"))
    assert reading.title == "Redness"
    assert blocks(reading) == [
        ("heading", "Redness"),
        ("paragraph", "It fades."),
        ("heading", "Bring"),
        ("item", "a hat"),
        ("item", "your card"),
    ]


def test_a_page_without_a_heading_is_titled_by_its_head() -> None:
    assert read("a.html", page("<p>It fades.</p>", "<title>Redness &amp; <b>sun</b></title>")).title.startswith("Redness")


@pytest.mark.parametrize(
    "tag", ["nav", "footer", "aside", "form", "script", "style", "noscript", "template", "select", "button"]
)
def test_the_page_around_the_article_is_left_out(tag: str) -> None:
    assert read("a.html", page(f"<p>It fades.</p><{tag}>Home sweet home</{tag}><p>Rest.</p>")).text == "It fades.\n\nRest."


def test_debris_and_captions_stay_but_are_not_quoted() -> None:
    reading = read(
        "a.html",
        page("<p>It fades.</p><figure><figcaption>A red face.</figcaption></figure><h3>Leave a Reply</h3><p>Tags: red</p>"),
    )
    assert of_kind(reading, "debris") == ["A red face.", "Tags: red"]
    assert sentences(reading) == ["It fades."]


def test_questions_that_fold_open_head_their_answers() -> None:
    reading = read(
        "a.html",
        page(
            "<h1>FAQ</h1><details><summary>Does it hurt?</summary>A little.</details>"
            "<h2><button>Is it safe?</button></h2><div>Yes.</div><dl><dt>Peel</dt><dd>A mild acid.</dd></dl>"
        ),
    )
    assert sections(reading) == [(), ("Does it hurt?",), ("Is it safe?",), ("Is it safe?", "Peel")]
    assert sentences(reading) == ["A little.", "Yes.", "A mild acid."]


def test_a_bold_line_is_a_heading_under_the_last_real_one() -> None:
    reading = read(
        "a.html", page("<h1>FAQ</h1><h2>Laser</h2><p><strong>Is it safe?</strong></p><p>Yes.</p><h2>Peel</h2><p>No.</p>")
    )
    assert sections(reading) == [(), ("Laser",), ("Laser", "Is it safe?"), ("Peel",)]


@pytest.mark.parametrize("bold", ["<b>Never drink before it.</b>", "<b>Never</b> drink before it", "<ul><li><b>a hat</b></ul>"])
def test_emphasis_is_no_heading(bold: str) -> None:
    assert not headings(read("a.html", page(f"<p>{bold}</p><p>Rest.</p>")))


def test_one_break_goes_on_and_two_begin_anew() -> None:
    assert blocks(read("a.html", page("<p>It<br>fades.<br> <br/>Rest.</p>"))) == [
        ("paragraph", "It fades."),
        ("paragraph", "Rest."),
    ]


def test_a_row_of_a_table_is_one_item() -> None:
    reading = read(
        "a.html", page("<table><tr><th>Area<th>Price</tr><tr><td><p>Face</p></td><td><p>300</p></td></tr></table><p>Rest.</p>")
    )
    assert blocks(reading) == [("item", "Area: Price"), ("item", "Face: 300"), ("paragraph", "Rest.")]


def test_a_table_that_lays_out_the_page_is_no_list() -> None:
    reading = read(
        "a.html", page("<table><tr><td><h2>Sun</h2><p>Stay in.</p></td><td><p>Rest.</p><p>Wait.</p></td></tr></table>")
    )
    assert blocks(reading) == [("heading", "Sun"), ("paragraph", "Stay in."), ("paragraph", "Rest."), ("paragraph", "Wait.")]


def test_a_cell_of_several_paragraphs_is_no_item() -> None:
    reading = read("a.html", page("<table><tr><td><p>Rest.</p><p>Wait.</p></td><td>Go.</td></tr></table>"))
    assert blocks(reading) == [("paragraph", "Rest."), ("paragraph", "Wait."), ("paragraph", "Go.")]


def test_a_table_inside_a_table_is_read_once_and_in_order() -> None:
    reading = read(
        "a.html", page("<table><tr><td>One.<table><tr><td>Two</td><td>2</td></tr></table></td><td>Three.</td></tr></table>")
    )
    assert [text for _, text in blocks(reading)] == ["One.", "Two: 2", "Three."]


@pytest.mark.parametrize("typed", ["• a hat", "- a hat", "* a hat", "●a hat", "➢ a hat"])
def test_typed_bullets_make_items(typed: str) -> None:
    assert blocks(read("a.html", page(f"<p>{typed}</p>"))) == [("item", "a hat")]


def test_white_space_soft_hyphens_and_entities_are_resolved() -> None:
    assert read(
        "a.html", page("<p>Red&shy;ness&nbsp; lasts &lt;\n2&#160;days.</p>")
    ).text == "Redness lasts <\u00a02 days.".replace("\u00a0", " ")


def test_superscripts_belong_to_their_word() -> None:
    assert read("a.html", page("<p>It covers 5 cm<sup>2</sup>.</p>")).text == "It covers 5 cm2."


def test_a_declared_encoding_is_used() -> None:
    data = page("<p>Кожа красная.</p>", '<meta charset="windows-1251">').encode("cp1251")
    assert read("a.htm", data).text == "Кожа красная."


def test_an_encoding_that_no_page_has_does_not_stop_the_reading() -> None:
    assert read("a.html", page("<p>It fades.</p>", '<meta charset="punycode">')).text == "It fades."


def test_a_page_of_nothing_but_navigation_is_refused() -> None:
    with refused("it holds no text that could be quoted", name="a.html"):
        read("a.html", page("<nav>Home</nav><h1>Redness</h1><script>alert(1)</script>"))


@pytest.mark.parametrize(
    "broken", ["<p>It fades.", "<div><p>It fades.</div>", "<p>It <b>fades.</i>", "</p></td>It fades.<table>", "<p <p>It fades."]
)
def test_broken_markup_is_read_as_browsers_read_it(broken: str) -> None:
    assert "fades." in read("a.html", page(broken)).text
