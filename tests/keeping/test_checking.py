"""What staff are told of their articles: what is wrong, where, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from support import WordEncoder

from retrieval.damage import sentence_name
from retrieval.differences import FIELD, load_points
from retrieval.encoder import Encoder
from retrieval.errors import UnreadableFile
from retrieval.keeping.checking import Finding, check_articles, passages_preview
from retrieval.reading import article_files, read_article
from retrieval.types import Article, Clinic

pytestmark = pytest.mark.usefixtures("quick_reading")

DESCRIBED = (
    'title = "A"\npublisher = "The clinic"\nbased_on = "A leaflet"\ntopics = ["aftercare"]\nreviewed_by = "Dr Lim"\n'
    "reviewed_on = 2026-05-03\nreview_by = 2027-05-03\n"
)
POINTS = load_points(FIELD)
CLINIC = Clinic("Test Clinic", placeholder=False)
Write = Callable[..., Article]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(name: str, *paragraphs: str, described: str = DESCRIBED) -> Article:
        path = tmp_path / name
        path.write_text("# A heading\n\n" + "\n\n".join(paragraphs) + "\n", encoding="utf-8")
        path.with_suffix(".toml").write_text(described, encoding="utf-8")
        return read_article(path)

    return written


def check(
    *articles: Article, encoder: Encoder | None = None, unread: tuple[UnreadableFile, ...] = (), only: str = ""
) -> list[Finding]:  # fmt: skip
    return list(check_articles(articles, unread, encoder or WordEncoder(), CLINIC, POINTS, only, today=date(2026, 6, 1)))


def told(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(one.doc, one.kind) for one in findings]


def test_a_sound_and_described_article_has_no_findings(write: Write) -> None:
    assert check(write("a.md", "Wear a hat on sunny days, please.")) == []


def test_every_finding_says_what_is_wrong_and_what_to_do(project: Path, real_encoder: Encoder) -> None:
    articles = [read_article(path) for path in article_files(project / "corpus" / "articles")[0]]
    findings = check(*articles, encoder=real_encoder)
    assert {one.kind for one in findings} == {"differs", "metadata", "near_duplicate"}, "false alarms on the project's articles"
    for one in findings:
        assert one.says[-1] in '."'
        assert one.what_to_do.endswith(".")
        assert 0 <= one.start < one.end or (one.start, one.end) == (-1, -1)


def test_an_unreadable_file_is_told_with_its_remedy() -> None:
    problem = UnreadableFile(Path("b.pdf"), "it is locked with a password", "Save it without the password.")
    (one,) = check(unread=(problem,))
    assert (one.doc, one.kind, one.serious) == ("b.pdf", "unreadable", True)
    assert one.says == "It is locked with a password. Nothing of it can be quoted."
    assert one.what_to_do == "Save it without the password."


def test_a_damaged_sentence_is_shown_with_its_name_until_it_is_confirmed(write: Write, real_encoder: Encoder) -> None:
    hurt = "The treat ment takes an hour."
    article = write("a.md", "Wear a hat in the sun. " + hurt + " Most people go back to work on the same day.")
    (one,) = check(article, encoder=real_encoder)
    assert (one.kind, one.serious) == ("damaged", True)
    assert one.says == f'"{hurt}" looks damaged (a word cut in two: "treat ment"). It is not quoted.'
    assert sentence_name(hurt) in one.what_to_do
    assert article.text[one.start : one.end] == hurt
    confirmed = f'{DESCRIBED}confirmed = ["{sentence_name(hurt)}"]\n'
    assert check(write("a.md", "Wear a hat in the sun. " + hurt, described=confirmed), encoder=real_encoder) == []


def test_a_damaged_heading_is_told_too(write: Write, real_encoder: Encoder) -> None:
    (one,) = check(write("a.md", "## The treat ment", "Wear a hat in the sun."), encoder=real_encoder)
    assert one.says == 'The heading "The treat ment" looks damaged (a word cut in two: "treat ment").'


def test_signs_that_cannot_be_printed_are_shown_as_a_box(write: Write) -> None:
    (one,) = check(write("a.md", "It has no e\ue05aect on skin."))
    assert one.says.endswith('could not be read: "□"). It is not quoted.')


def test_pages_without_text_are_told(write: Write) -> None:
    warned = replace(write("a.md", "Wear a hat."), warnings=("a.pdf: no text on page 2. If they are scans, run OCR.",))
    (one,) = check(warned)
    assert (one.kind, one.serious) == ("scanned", True)
    assert one.says.startswith("Page 2 has no text")


def test_other_warnings_of_the_reader_are_passed_on(write: Write) -> None:
    (one,) = check(write("a.md", "Wear a hat.", described=DESCRIBED + "colour = 1\n"))
    assert one.kind == "warning"
    assert '"colour" means nothing here' in one.says


def test_the_same_text_twice_is_a_duplicate(write: Write) -> None:
    findings = check(write("a.md", "Wear a hat on sunny days, please."), write("b.md", "Wear a HAT on sunny days please"))
    assert told(findings) == [("a.md", "duplicate"), ("b.md", "duplicate")]
    assert findings[0].says == "It says word for word what b.md says."


def test_an_article_much_of_which_stands_in_another_is_a_near_duplicate(write: Write) -> None:
    more = "Ask the nurse for a cream that suits you. Come back after a month or so."
    shared = "Wear a wide hat on all sunny days. Wash your face gently with cool water."
    findings = check(write("a.md", shared), write("b.md", f"{shared} {more}"))
    assert [(one.doc, one.says) for one in findings] == [
        ("a.md", "100% of its sentences stand nearly word for word in b.md."),
        ("b.md", "50% of its sentences stand nearly word for word in a.md."),
    ]


def test_single_sentences_that_stand_in_two_articles_are_named(write: Write) -> None:
    others = " ".join(
        f"{word.capitalize()} is one of the things we talk about here." for word in "rain snow wind hail fog mist".split()
    )
    first = write("a.md", f"Wash your face gently with cool water every day. {others}")
    second = write(
        "b.md",
        "Wash your face gently with cool water each day.",
        *(f"Number {n} of them has {'very ' * n}long legs." for n in range(9)),
    )
    one = check(first, second)[0]
    assert (one.doc, one.kind) == ("a.md", "near_duplicate")
    assert one.says == (
        '"Wash your face gently with cool water every day." stands in b.md too: '
        '"Wash your face gently with cool water each day."'
    )
    assert first.text[one.start : one.end] == "Wash your face gently with cool water every day."


def test_a_withdrawn_article_is_not_compared(write: Write) -> None:
    text = "Wear a hat on sunny days, please."
    assert check(write("a.md", text), write("b.md", text, described=DESCRIBED + 'state = "withdrawn"\n')) == []


def test_what_articles_say_differently_is_told_with_both_values(write: Write) -> None:
    findings = check(
        write("a.md", "Redness after pico laser lasts two days."), write("b.md", "Redness after pico laser lasts three weeks.")
    )  # fmt: skip
    assert told(findings) == [("a.md", "differs"), ("b.md", "differs")]
    assert '"2 days"' in findings[0].says
    assert 'b.md says "3 weeks"' in findings[0].says


@pytest.mark.parametrize(
    ("sentence", "kind", "shown"),
    [
        ("You should stop taking your tablets.", "advice", "you should stop taking"),
        ("We recommend that you have six sessions.", "advice", "we recommend that you"),
        ("A session costs RM 300 at our clinic.", "price", "RM 300"),
        ("It is yours for $200.", "price", "$200"),
        ("Ask about our promotion in June.", "price", "promotion"),
        ("We are the best clinic in town.", "price", "best clinic"),
        ("It is 100% safe for your skin.", "price", "100 safe"),
        ("Results are guaranteed for all.", "price", "guaranteed"),
    ],
)
def test_advice_and_prices_are_pointed_out(write: Write, sentence: str, kind: str, shown: str) -> None:
    (one,) = check(write("a.md", sentence))
    assert one.kind == kind
    assert f'("{shown}")' in one.says


@pytest.mark.parametrize(
    "sentence",
    [
        "Results are not guaranteed.",
        "Ask the doctor whether you are a good candidate.",
        "Talk to a clinician before you stop any medicine.",
        "Your body does its best to heal.",
        "Wear a hat, and take a break in the shade.",
    ],
)
def test_ordinary_sentences_are_neither(write: Write, sentence: str) -> None:
    assert check(write("a.md", sentence)) == []


def test_what_is_not_known_of_an_article_is_listed_once(write: Write) -> None:
    (one,) = check(write("a.md", "Wear a hat.", described='title = "A"\npublisher = "B"\nbased_on = "C"\ntopics = ["d"]\n'))
    assert one.says == "It does not say who reviewed it, when it was reviewed or when it is to be reviewed next."


def test_a_language_that_the_text_is_not_in_is_told(write: Write) -> None:
    text = "Selepas rawatan, kulit anda mungkin merah untuk dua hari dan ini tidak perlu ubat."
    (one,) = check(write("a.md", text))
    assert (one.kind, one.serious) == ("metadata", True)
    assert one.says == "It is described as English, but its text looks like Bahasa Melayu."
    assert check(write("b.md", text, described=DESCRIBED + 'language = "ms"\n')) == []


def test_one_article_can_be_asked_about_and_others_still_count(write: Write) -> None:
    text = "Wear a hat on sunny days, please."
    findings = check(write("a.md", text), write("b.md", text, described=""), only="a.md")
    assert told(findings) == [("a.md", "duplicate")]


def test_findings_come_article_by_article_and_what_is_serious_first(write: Write) -> None:
    both = write("b.md", "A session costs RM 300 here.", "Wear a \ue05a hat.", described="")
    findings = check(both, write("a.md", "A session costs RM 900.", described=""))
    assert told(findings) == [
        ("a.md", "price"), ("a.md", "metadata"), ("b.md", "damaged"), ("b.md", "price"), ("b.md", "metadata"),
    ]  # fmt: skip
    assert [one.serious for one in findings] == [False, False, True, False, False]


def test_the_preview_shows_what_was_read_in_its_order(write: Write, words: WordEncoder) -> None:
    article = write("a.md", "## Sun", "Wear a hat. Wear \ue05a gloves. Stay in. Rest well.", "Book your session today!")
    rows = passages_preview(article, words)
    assert [(row.kind, row.text) for row in rows] == [
        ("section", "Sun"),
        ("sentence", "Wear a hat."),
        ("left out", "Wear \ue05a gloves."),
        ("sentence", "Stay in."),
        ("passage", "Stay in. Rest well."),
        ("sentence", "Rest well."),
        ("left out", "Book your session today!"),
    ]
    assert all(article.text[row.start : row.end] == row.text for row in rows[1:])
    assert rows[1].tokens == 5, "title, heading and words"
    assert rows[2].why.startswith("looks damaged: a sign of a symbol font")
    assert rows[-1].why.startswith("says nothing by itself")


def test_the_preview_marks_what_is_longer_than_the_model_reads(write: Write, words: WordEncoder) -> None:
    rows = passages_preview(write("a.md", " ".join(["word"] * 70) + ". Rest."), words)
    assert [(row.kind, row.why) for row in rows] == [
        ("sentence", "longer with its headings than the model reads (60 tokens); divide it, or the article is refused"),
        ("passage", "longer with its headings than the model reads (60 tokens); its sentences count by themselves"),
        ("sentence", ""),
    ]


def test_the_preview_of_an_article_with_nothing_left_shows_why(write: Write, words: WordEncoder) -> None:
    (row,) = passages_preview(write("a.md", "Wear \ue05a gloves."), words)
    assert (row.kind, row.text) == ("left out", "Wear \ue05a gloves.")


@pytest.mark.parametrize(
    ("review_by", "says", "serious"),
    [
        ("2026-06-11", "Is due for review on 2026-06-11, in 10 days.", False),
        ("2026-05-31", "Was due for review on 2026-05-31; patients are told so.", True),
        ("2028-05-31", None, False),
    ],
)
def test_a_review_that_is_due_is_a_finding(write: Write, review_by: str, says: str | None, serious: bool) -> None:
    found = check(write("a.md", "Wear a hat on sunny days.", described=DESCRIBED.replace("2027-05-03", review_by)))
    assert [(one.kind, one.says, one.serious) for one in found] == ([("review", says, serious)] if says else [])
