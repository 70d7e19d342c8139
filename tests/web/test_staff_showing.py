"""What staff read of articles and comparisons, as HTML: complete, in words, and nothing of it markup of a file's."""

from __future__ import annotations

from pathlib import Path

from seen import Seen

from retrieval.build import BuildReport
from retrieval.errors import UnreadableFile
from retrieval.keeping.checking import Finding
from retrieval.keeping.comparing import ArticleChange, Comparison
from retrieval.keeping.desk import Change
from retrieval.keeping.preview import Row
from web.staff.showing import change_html, findings_html, pages_html, rows_html

EVIL = "<img src=x onerror=alert(1)> [a](b) `c` $d$"


def test_words_of_files_are_never_markup() -> None:
    rows = (Row("section", EVIL, 0, 1), Row("sentence", EVIL, 0, 9, 1, 7), Row("left out", EVIL, 0, 9, why=EVIL))
    for shown in (rows_html(rows), findings_html([Finding("a.md", "damaged", EVIL, EVIL)])):
        seen = Seen(shown)
        assert EVIL in seen.text
        assert "img" not in seen.tags
        assert "](" not in shown
        assert "`" not in shown
    assert 'src="/own/original/' in pages_html('a"b.pdf', "0" * 64, 1)
    assert [each["alt"] for each in Seen(pages_html('a"b.pdf', "0" * 64, 2)).of("img")][1].startswith('Page 2 of a"b.pdf')


def test_each_row_says_its_tokens_its_page_and_why_it_is_not_quoted() -> None:
    rows = (
        Row("sentence", "One.", 0, 4, 2, 9), Row("passage", "One. Two.", 0, 9, 2, 17), Row("sentence", "Two.", 5, 9, 2, 8),
        Row("left out", "Call us", 10, 17, 2, why="asks to call"),
    )  # fmt: skip
    text = Seen(rows_html(rows)).text
    for said in ("9 tokens", "page 2", "quoted together: 2 sentences from here", "17 tokens", "Not quoted: asks to call"):
        assert said in text
    assert "page" not in Seen(rows_html([Row("sentence", "One.", 0, 4, 0, 9)])).text


def _change(**values: object) -> Change:
    unread = (UnreadableFile(Path("b.pdf"), "it is damaged", "Save it again."),)
    report = BuildReport("new", True, 1, 1, (), unread, ("a.md: it is a draft",))
    given = {
        "old": "old", "new": "new", "articles": (ArticleChange("a.md", "added", 3),), "asked": 5, "changes": (), "messages": 0,
        "danger": (), "counted": 0, "figures": (), "broken": ("hit@3 is 0.5, under 0.9",), "lost": (), "notes": (),
        "seconds": 1.0,
    } | values  # fmt: skip
    return Change(report, Comparison(**given))  # type: ignore[arg-type]


def test_a_change_is_told_under_headings_limits_first() -> None:
    shown = change_html(_change(), {})
    seen = Seen(shown)
    assert shown.index("Limits") < shown.index("Articles")
    for said in ("hit@3 is 0.5, under 0.9", "a.md: new, 3 sentences", "No answer changes", "it is damaged", "it is a draft"):
        assert said in seen.text
    assert seen.of("h3")[0] == {"class": "pf-urgent"}


def test_where_nothing_changes_that_is_said() -> None:
    report = BuildReport("old", False, 1, 1, (), (), ())
    assert "Nothing would change" in Seen(change_html(Change(report, None), {})).text


def test_many_points_on_which_articles_differ_are_folded_up() -> None:
    differing = [Finding("a.md", "differs", f"Point {number} <b>", "Settle it.") for number in range(5)]
    seen = Seen(findings_html([Finding("a.md", "advice", "It advises.", "Take it out.", serious=True), *differing]))
    assert seen.texts["summary"] == ["5 points on which other articles say something else"]
    assert "Point 4 <b>" in seen.text
    assert "details" not in Seen(findings_html(differing[:3])).tags


def test_many_notes_on_attached_questions_are_folded_up_and_all_else_is_not() -> None:
    notes = tuple(f"questions/a.md.txt, line {line}: gone" for line in range(9))
    seen = Seen(change_html(Change(BuildReport("new", True, 1, 1, (), (), (*notes, "another")), None), {}))
    assert seen.texts["summary"] == ["9 notes on questions that were attached to sentences"]
    assert "another" in seen.text
    assert "line 8" in seen.text
