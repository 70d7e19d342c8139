"""Damage of an extraction: what is found, what is left alone, and that damaged sentences are not quoted until confirmed."""

from __future__ import annotations

import io
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import reportlab
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter
from reading.samples import body, pdf
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from support import WordEncoder

from retrieval.build import build
from retrieval.damage import damage_in, damage_score, empty_pages, sentence_name, without_damaged
from retrieval.encoder import Encoder
from retrieval.errors import UnreadableFile
from retrieval.passages import adjoin, passages_of, sentence_text
from retrieval.reading import article_files, read_article
from retrieval.release import open_current
from retrieval.types import Article, Block, Metadata, Section, Sentence

SOUND = (
    "The laser treats dark spots and scars in a few sessions.",
    "Most people go back to work on the same day, but some of them feel warm for an hour.",
    "Stay out of the sun for two weeks after each treatment, and use a cream that your nurse gives you.",
)


@pytest.fixture(scope="session")
def known(real_encoder: Encoder) -> frozenset[str]:
    return real_encoder.known_words()


def article(*sentences: str, language: str = "en", confirmed: Sequence[str] = (), name: str = "a.md") -> Article:
    """An article of one section with these sentences."""
    text, spans = "", []
    for sentence in sentences:
        spans.append(Sentence(len(text), len(text) + len(sentence), 0, 0))
        text += sentence + " "
    metadata = Metadata(language=language, confirmed=tuple(confirmed))
    whole = (Section(("Part",), 0, len(text)),)
    return Article(name, "Title", text, "d", "s", (), whole, tuple(spans), metadata)


def kinds(known: frozenset[str], sentence: str, language: str = "en") -> list[tuple[str, str]]:
    """What is found in a sentence among sound ones: its kind and the stretch itself."""
    others = SOUND if language == "en" else ()
    whole = article(*others, sentence, language=language)
    assert all(one.sentence == sentence_name(sentence) for one in damage_in(whole, known)), "a sound sentence is called damaged"
    return [(one.kind, whole.text[one.start : one.end]) for one in damage_in(whole, known)]


@pytest.mark.parametrize(
    ("sentence", "found"),
    [
        ("It has no e\x00ect on the skin.", [("control", "\x00")]),
        ("It has no e\ufffdect on the skin.", [("glyph", "\ufffd")]),
        ("Wear \ue05a a hat in the sun.", [("glyph", "\ue05a")]),
        ("It has an ef■ect on the skin.", [("glyph", "■")]),
        ("Wear (cid:14) a hat in the sun.", [("glyph", "(cid:14)")]),
        ("It doesnâ€™t hurt.", [("encoding", "â€™")]),
        ("Sit in the cafÃ© until then.", [("encoding", "Ã©")]),
        ("It has no e?ect on the skin.", [("ligature", "e?ect")]),
        ("It has no eect on the skin.", [("ligature", "eect")]),
        ("Ask for a speci c plan.", [("ligature", "speci c")]),
        ("The ?rst session takes longer.", [("ligature", "?rst")]),
        ("The treat ment takes an hour.", [("split", "treat ment")]),
        ("It fades af ter a day.", [("split", "af ter")]),
        ("It lightens pig men tation on the face.", [("split", "pig men tation")]),
        ("The nurse cleans yourskin first.", [("joined", "yourskin")]),
        ("It takes out most ofthe ink.", [("joined", "ofthe")]),
        ("Thelaserlightbreaksthepigment in it.", [("joined", "Thelaserlightbreaksthepigment")]),
        ("It ends with the treatment.After that you rest.", [("space", "treatment.After")]),
        ("Stay out of the sun,and wear a hat.", [("space", "sun,and")]),
        ("It cools the skinAfter that you rest.", [("space", "skinAfter")]),
        ("The t r e a t m e n t takes an hour.", [("letters", "t r e a t m e n t")]),
        ("Each treat- ment takes an hour.", [("hyphen", "treat- ment")]),
        ("Each treat-ment takes an hour.", [("hyphen", "treat-ment")]),
        ("It is " + "xy" * 20 + " long.", [("long", "xy" * 20)]),
        ("Wkh odvhu wuhdwv gdun vsrwv lq d ihz vhvvlrqv.", [("strange", "Wkh odvhu wuhdwv gdun vsrwv lq d ihz vhvvlrqv.")]),
        ("3 5 7 | 10 12 14 | 20 %", [("symbols", "3 5 7 | 10 12 14 | 20 %")]),
    ],
)  # fmt: skip
def test_damage_is_found_and_named(known: frozenset[str], sentence: str, found: list[tuple[str, str]]) -> None:
    assert kinds(known, sentence) == found


@pytest.mark.parametrize(
    "sentence",
    [
        "Good skincare, sunscreen and aftercare keep the downtime short, with or without makeup.",
        "PicoSure and YouTube are names, and so is iPhone.",
        "Short- and long-term effects are non invasive, pre- and post-operative ones too.",
        "The effects were seen in vitro and in vertebrates, e.g. in mice (see Fig. 2).",
        "Mr. Tan weighs 70 kg, runs 5 km and takes vitamins A D E K.",
        "Call +60 3 1234 5678 or write to hello@clinic.example, see www.clinic.example/what?page=2.",
        "Is it safe? Yes and no: it depends on the hyperpigmentation.",
        "A naïve fiancée in a café paid £5 – or €6 – for crème brûlée.",
        "Take it in the evening, then therapists, notwithstanding the islets, withhold it.",
        "A self-made doctor from Kota Kinabalu, Wan Nor Azizah, co-ordinates the X-ray unit.",
        "• Wear a hat.",
    ],
)
def test_ordinary_sentences_are_left_alone(known: frozenset[str], sentence: str) -> None:
    assert kinds(known, sentence) == []


@pytest.mark.parametrize("language", ["ms", "en"])
def test_malay_is_not_damaged_whatever_it_is_said_to_be(known: frozenset[str], language: str) -> None:
    text = (
        "Rawatan laser boleh membantu mengurangkan tompok gelap pada kulit muka anda.",
        "Selepas rawatan, kulit mungkin kemerahan selama beberapa jam, dan ini adalah perkara biasa.",
        "Elakkan cahaya matahari serta pakai pelindung matahari setiap hari selama dua minggu.",
    )
    assert damage_in(article(*text, language=language), known) == ()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_chinese_is_not_damaged_whatever_it_is_said_to_be(known: frozenset[str], language: str) -> None:
    text = ("皮秒激光可以淡化色斑，改善肤质，通常需要三到五次治疗才能看到明显的效果。", "治疗后请避免日晒，并使用防晒霜。")
    assert damage_in(article(*text, language=language), known) == ()


def test_false_signs_are_found_in_any_language(known: frozenset[str]) -> None:
    assert kinds(known, "Kulit mungkin kemerah\ufffdan.", "ms") == [("glyph", "\ufffd")]
    assert kinds(known, "Kulit merah.Selepas itu sembuh.", "ms") == [("space", "merah.Selepas")]


def test_a_model_that_knows_no_words_leaves_words_alone() -> None:
    assert damage_in(article(*SOUND, "The treat ment takes an hour."), frozenset()) == ()


def test_a_name_used_again_is_a_name(known: frozenset[str]) -> None:
    once = "The lightSpot shines."
    assert kinds(known, once) == [("space", "lightSpot")]
    assert damage_in(article(*SOUND, once, "A lightSpot is small."), known) == ()


def test_the_projects_articles_are_not_damaged(project: Path, known: frozenset[str]) -> None:
    for path in article_files(project / "corpus" / "articles")[0]:
        read = read_article(path)
        assert damage_in(read, known) == ()
        assert without_damaged(read, known) is read


def test_the_source_articles_are_not_damaged(sources: Path, known: frozenset[str]) -> None:
    for path in sorted(sources.glob("0*.txt")):
        assert damage_in(read_article(path), known) == ()


def test_the_score_is_the_share_of_damaged_sentences(known: frozenset[str]) -> None:
    whole = article(*SOUND, "The treat ment takes an hour, and the treat ment hurts.")
    assert damage_score(whole, damage_in(whole, known)) == 0.25
    assert damage_score(article(*SOUND), ()) == 0.0


def test_headings_are_looked_at_and_page_debris_only_for_false_signs(known: frozenset[str]) -> None:
    whole = article(*SOUND)
    text = whole.text + "\n\nThe treat ment\n\nSee the treat ment of \ufffd\n\n"
    at, then = text.index("The treat ment"), text.index("See the")
    blocks = (Block("heading", at, at + 14, 2), Block("debris", then, then + 23))
    whole = replace(whole, text=text, blocks=blocks)
    found = [(one.kind, text[one.start : one.end], one.sentence) for one in damage_in(whole, known)]
    assert found == [("split", "treat ment", ""), ("glyph", "\ufffd", "")]
    assert damage_score(whole, damage_in(whole, known)) == 0.25, "a paragraph that was left out counts as one sentence"


def test_pages_without_text_are_seen(known: frozenset[str]) -> None:
    whole = article(*SOUND)
    blocks = (Block("paragraph", 0, 10, page=1), Block("paragraph", 10, 20, page=4))
    whole = replace(whole, blocks=blocks, warnings=("a.pdf: no text on page 2, 5. If they are scans, run OCR.",))
    assert empty_pages(whole) == ((2, 10), (3, 10), (5, 20))
    assert [(one.start, one.end) for one in damage_in(whole, known) if one.kind == "page"] == [(10, 10), (10, 10), (20, 20)]


def test_damaged_sentences_are_left_out_and_nothing_else_changes(known: frozenset[str]) -> None:
    whole = article(SOUND[0], "The treat ment takes an hour.", SOUND[1])
    left = without_damaged(whole, known)
    assert [sentence_text(left, place) for place in range(2)] == [SOUND[0], SOUND[1]]
    assert not adjoin(left, 0), "a passage would reach over what may not be quoted"
    assert replace(left, sentences=whole.sentences, warnings=()) == whole
    assert left.warnings == (
        "a.md: 1 of 3 sentences looks damaged and is not quoted. `patient-faq check` names them. Mend the original, or confirm "
        "those that are right.",
    )
    assert without_damaged(left, known) is left


def test_an_article_with_nothing_left_is_refused(known: frozenset[str]) -> None:
    with pytest.raises(UnreadableFile) as caught:
        without_damaged(article("A \ufffd.", "Some \x00 more."), known)
    assert caught.value.reason == "all of its 2 sentences look damaged"
    assert caught.value.remedy.startswith("Mend the original")


damaged = st.sampled_from(
    ["The treat ment takes an hour.", "It has no e\x00ect.", "The nurse cleans yourskin first.", "Wear \ue05a hats."]
)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.one_of(st.sampled_from(SOUND), damaged), min_size=1, max_size=8), st.data())
def test_confirming_makes_a_sentence_quotable_and_changing_it_does_not(
    known: frozenset[str], sentences: list[str], data: st.DataObject
) -> None:  # fmt: skip
    whole = article(*SOUND, *sentences)
    left = without_damaged(whole, known)
    assert (left.text, left.blocks, left.sections, left.digest) == (whole.text, whole.blocks, whole.sections, whole.digest)
    kept = [sentence_text(left, place) for place in range(len(left.sentences))]
    hurt = [sentence for sentence in sentences if sentence not in SOUND]
    assert kept == [*SOUND, *(sentence for sentence in sentences if sentence in SOUND)]
    assert all(
        set(range(p.first, p.last)) <= {n for n in range(len(kept) - 1) if adjoin(left, n)} for p in passages_of(left, 0)
    )
    if hurt:
        one = data.draw(st.sampled_from(hurt))
        confirmed = without_damaged(article(*SOUND, *sentences, confirmed=[sentence_name(one)]), known)
        assert one in [sentence_text(confirmed, place) for place in range(len(confirmed.sentences))]
        changed = [sentence.replace("e", "ee", 1) + " \ufffd" if sentence == one else sentence for sentence in sentences]
        void = without_damaged(article(*SOUND, *changed, confirmed=[sentence_name(one)]), known)
        assert not any("\ufffd" in sentence_text(void, place) for place in range(len(void.sentences)))


def test_a_build_leaves_damaged_sentences_out_until_they_are_confirmed(
    corpus: Path, tmp_path: Path, words: WordEncoder
) -> None:
    path = corpus / "articles" / "redness.md"
    path.write_text("# Redness\n\nRedness \ue05a fades. Cool packs help.\n", encoding="utf-8")
    report = build(corpus, tmp_path / "index", words)
    assert any(note.startswith("redness.md: 1 of 2 sentences looks damaged") for note in report.notes)
    read = open_current(tmp_path / "index").article("redness.md")
    assert read is not None
    assert [sentence_text(read, place) for place in range(len(read.sentences))] == ["Cool packs help."]
    again = build(corpus, tmp_path / "index", words)
    assert (again.changed, again.notes) == (False, report.notes)
    name = sentence_name("Redness \ue05a fades.")
    path.with_suffix(".toml").write_text(f'confirmed = ["{name}"]\n')
    build(corpus, tmp_path / "index", words)
    read = open_current(tmp_path / "index").article("redness.md")
    assert read is not None
    assert len(read.sentences) == 2


def drawn(tmp_path: Path, lines: Sequence[str], gap: float = 0.0) -> Article:
    """A PDF whose words are drawn one by one, some of them with a gap inside."""
    out = io.BytesIO()
    canvas = Canvas(out)
    chance = random.Random(3)
    for number, text in enumerate(lines):
        at = 72.0
        for word in text.split():
            cut = chance.randrange(2, len(word) - 1) if gap and len(word) > 6 and word.isalpha() else 0
            canvas.drawString(at, 700 - 40 * number, word[:cut])
            at += canvas.stringWidth(word[:cut], "Helvetica", 12) + (gap if cut else 0)
            canvas.drawString(at, 700 - 40 * number, word[cut:])
            at += canvas.stringWidth(word[cut:] + " ", "Helvetica", 12)
    canvas.save()
    path = tmp_path / "a.pdf"
    path.write_bytes(out.getvalue())
    return read_article(path)


LINES = (
    "Treatment with the laser lightens pigmentation.",
    "The redness afterwards is temporary in most patients.",
    "Follow the instructions of your practitioner.",
)


def test_a_pdf_whose_kerning_cuts_words_is_damaged(tmp_path: Path, known: frozenset[str]) -> None:
    read = drawn(tmp_path, LINES, gap=4)
    assert "Treatment" not in read.text, "the PDF's text is not cut"
    assert {one.sentence for one in damage_in(read, known)} == {
        sentence_name(sentence_text(read, place)) for place in range(len(read.sentences))
    }


def test_a_pdf_without_blanks_is_damaged(tmp_path: Path, known: frozenset[str]) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf(*(body(line) for line in SOUND), *(body(line.replace(" ", "")) for line in LINES)))
    read = read_article(path)
    left = without_damaged(read, known)
    assert [sentence_text(left, place) for place in range(len(left.sentences))] == list(SOUND)


def test_a_pdf_whose_font_says_nothing_of_its_letters_is_damaged(tmp_path: Path, known: frozenset[str]) -> None:
    """Letters are numbers in the font, and no table says which letter a number is."""
    # A face of its own: reportlab remembers how the letters of one that it has used were numbered.
    font = Path(reportlab.__file__).parent / "fonts" / "VeraIt.ttf"
    pdfmetrics.registerFont(TTFont("Numbers", str(font), asciiReadable=False))
    out = io.BytesIO()
    canvas = Canvas(out)
    for number, (text, name) in enumerate([(SOUND[0], "Helvetica"), (LINES[1], "Numbers"), (SOUND[1], "Helvetica")]):
        canvas.setFont(name, 12)
        canvas.drawString(72, 700 - 40 * number, text)
    canvas.save()
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(out.getvalue())))
    fonts = [each.get_object() for each in writer.pages[0]["/Resources"]["/Font"].values()]
    assert sum(each.pop("/ToUnicode", None) is not None for each in fonts) == 1
    path = tmp_path / "a.pdf"
    writer.write(path)
    read = read_article(path)
    damage = damage_in(read, known)
    assert {(one.kind, one.sentence) for one in damage} == {("control", "")}
    assert damage_score(read, damage) == pytest.approx(1 / 3)
    assert [sentence_text(read, place) for place in range(len(read.sentences))] == [SOUND[0], SOUND[1]]


def test_a_sound_pdf_drawn_word_by_word_is_not(tmp_path: Path, known: frozenset[str]) -> None:
    assert damage_in(drawn(tmp_path, LINES), known) == ()
