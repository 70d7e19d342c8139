"""Where articles differ: amounts are read, sentences say something on a point, and a question finds its difference or none."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import WordEncoder

from retrieval.differences import (
    FIELD,
    Differences,
    Points,
    find_differences,
    load_points,
    notes_on_marks,
    read_values,
)
from retrieval.encoder import Encoder
from retrieval.errors import DamagedRelease, SettingsError
from retrieval.passages import adjoin
from retrieval.phrases import Pattern
from retrieval.reading import article_files, articles_folder, read_article
from retrieval.types import Article, Difference, Section, Sentence, Statement

HOUR, DAY, WEEK = 3600.0, 86400.0, 604800.0
SESSIONS = Pattern("session*|treatment*|visit*")


@pytest.fixture(scope="module")
def field() -> Points:
    return load_points(FIELD)


def article(number: int, *sections: tuple[str, Sequence[str]], title: str = "Pico laser") -> Article:
    """An article whose sections have these headings and sentences."""
    text, spans, places = "", [], []
    for place, (heading, sentences) in enumerate(sections):
        begin = len(text)
        text += heading + "\n"
        for sentence in sentences:
            spans.append(Sentence(len(text), len(text) + len(sentence), place, place))
            text += sentence + " "
        places.append(Section((heading,), begin, len(text)))
    return Article(f"{number}.md", title, text, "d", "s", (), tuple(places), tuple(spans))


def differ(points: Points, *sentences: str) -> dict[str, Difference]:
    """What is found where each sentence is an article of its own, under a heading that says nothing."""
    articles = [article(number, ("More", [sentence])) for number, sentence in enumerate(sentences)]
    return {difference.point: difference for difference in find_differences(articles, points)}


def shown(articles: Sequence[Article], statement: Statement) -> str:
    chosen = articles[statement.article]
    return chosen.text[chosen.sentences[statement.first].start : chosen.sentences[statement.last].end]


# Reading amounts


@pytest.mark.parametrize(
    ("text", "low", "high", "vague"),
    [
        ("a few hours to a day", 3 * HOUR, DAY, True),
        ("within few hours", 3 * HOUR, 3 * HOUR, True),
        ("2 to 4 weeks", 2 * WEEK, 4 * WEEK, False),
        ("2-4 weeks", 2 * WEEK, 4 * WEEK, False),
        ("two–four weeks", 2 * WEEK, 4 * WEEK, False),
        ("30 minutes to an hour", HOUR / 2, HOUR, False),
        ("between 30 minutes and an hour", HOUR / 2, HOUR, False),
        ("half an hour", HOUR / 2, HOUR / 2, False),
        ("one and a half hours", 1.5 * HOUR, 1.5 * HOUR, False),
        ("1.5 hours", 1.5 * HOUR, 1.5 * HOUR, False),
        ("a couple of days", 2 * DAY, 2 * DAY, False),
        ("an hour or two", HOUR, 2 * HOUR, False),
        ("a two-week break", 2 * WEEK, 2 * WEEK, False),
        ("twenty-four hours", DAY, DAY, False),
        ("a fortnight", 2 * WEEK, 2 * WEEK, False),
        ("from a few hours up to a few days", 3 * HOUR, 3 * DAY, True),
        ("over the following weeks", 3 * WEEK, 3 * WEEK, True),
        ("at least 48 hrs", 2 * DAY, 2 * DAY, False),
    ],
)
def test_times_are_read_as_ranges_in_one_unit(text: str, low: float, high: float, vague: bool) -> None:
    (value,) = read_values(f"It takes {text}.", "time")
    assert (value.low, value.high, value.vague) == (low, high, vague)


@pytest.mark.parametrize(
    "text",
    [
        "Wash it twice a week.", "Use it once a day.", "During our opening hours.", "These days it is common.",
        "The second session.", "A second look.", "She has ten years of experience.", "A picosecond is short.",
        "On the day itself.", "10 sessions.",
        "Anyone who is 18 years old.",
    ],
)  # fmt: skip
def test_what_is_no_time_is_not_read_as_one(text: str) -> None:
    assert read_values(text, "time") == ()


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("about 10 treatments", 10, 10),
        ("3 to 5 pico laser sessions", 3, 5),
        ("a single visit", 1, 1),
        ("one or two visits", 1, 2),
        ("several sessions", 3, 3),
        ("more than one treatment", 3, 3),
        ("a couple of sessions", 2, 2),
        ("a dozen visits", 12, 12),
    ],
)
def test_counts_are_of_the_things_named(text: str, low: float, high: float) -> None:
    (value,) = read_values(f"You need {text}.", "count", SESSIONS)
    assert (value.low, value.high) == (low, high)


@pytest.mark.parametrize(
    "text",
    ["How many sessions", "one of these treatments", "a session", "a session of 30 minutes", "10 experts", "10% of sessions"],
)
def test_what_counts_something_else_is_no_count(text: str) -> None:
    assert read_values(text, "count", SESSIONS) == ()


def test_ordinals_factors_fractions_and_shares_are_read() -> None:
    (value,) = read_values("better after the 2nd or third visit", "ordinal", SESSIONS)
    assert (value.low, value.high) == (2, 3)
    assert [read_values(text, "factor")[0].low for text in ("ten times as fast", "10x", "twice as fast", "2 to 3 times")] == [
        10,
        10,
        2,
        2,
    ]
    assert read_values("three times a day", "factor") == ()
    (value,) = read_values("one trillionth of a second", "fraction")
    assert value.low == pytest.approx(1e-12)
    (value,) = read_values("a million times shorter than a second", "fraction")
    assert value.low == pytest.approx(1e-6)
    (value,) = read_values("500-750 picoseconds", "fraction")
    assert (value.low, value.high) == pytest.approx((5e-10, 7.5e-10))
    assert read_values("Clears 70-80 % of it", "share")[0].high == read_values("eighty per cent", "share")[0].high == 80


UNITS = st.sampled_from(["minute", "hour", "day", "week", "month", "year"])


@given(st.integers(2, 90), UNITS)
def test_a_number_of_units_is_that_often_one_unit(number: int, unit: str) -> None:
    (one,) = read_values(f"It takes one {unit}.", "time")
    (many,) = read_values(f"It takes {number} {unit}s.", "time")
    assert many.low == many.high == pytest.approx(number * one.low)
    assert not one.agrees(many)


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    UNITS,
    st.sampled_from(["{} to {} {}", "{}-{} {}", "{} – {} {}", "between {} and {} {}"]),
)
def test_a_range_is_read_the_same_however_it_is_written(one: int, two: int, unit: str, form: str) -> None:
    (value,) = read_values("It takes " + form.format(one, two, f"{unit}s") + ".", "time")
    (plain,) = read_values(f"It takes {one} {unit}s to {two} {unit}s.", "time")
    assert (value.low, value.high) == (plain.low, plain.high)
    assert value.low <= value.high
    assert value.agrees(plain)


@given(
    UNITS,
    st.sampled_from(
        [("a couple of {}s", "two {}s"), ("few {}s", "a few {}s"), ("several {}s", "a few {}s"), ("2 {}s", "two {}s")]
    ),
)
def test_two_ways_of_saying_the_same_are_the_same(unit: str, forms: tuple[str, str]) -> None:
    one, two = (read_values(f"It takes {form.format(unit)}.", "time") for form in forms)
    assert one == two
    assert len(one) == 1


VALUES = st.builds(
    lambda one, two, unit: read_values(f"{one} to {two} {unit}s", "time")[0],
    st.sampled_from(["1", "2", "5", "a few", "several"]), st.sampled_from(["3", "4", "7", "few"]), UNITS,
)  # fmt: skip


@given(VALUES, VALUES)
def test_agreeing_is_mutual_and_everything_agrees_with_itself(one: object, two: object) -> None:
    assert one.agrees(one)  # type: ignore[attr-defined]
    assert one.agrees(two) == two.agrees(one)  # type: ignore[attr-defined]


@given(st.text(max_size=80), st.sampled_from(["time", "count", "ordinal", "factor", "fraction", "share"]))
def test_any_text_can_be_read(text: str, kind: str) -> None:
    for value in read_values(text, kind, SESSIONS):  # type: ignore[arg-type]
        assert 0 <= value.low <= value.high
        assert value.text


# The field's points


def test_every_point_is_complete(field: Points) -> None:
    assert len({point.name for point in field.points}) == len(field.points) >= 60
    for point in field.points:
        assert 8 <= len(point.asks) <= 12, point.name
        named = {name for name, _ in point.answers}
        assert all(names <= named for names in point.alike), point.name
        assert point.answers or (point.read and point.says), point.name
        assert ("count" in point.read) == (point.of is not None), point.name


def test_no_question_is_asked_twice(field: Points) -> None:
    asks = [" ".join(ask.lower().split()).rstrip("?") for ask in field.asks]
    assert len(set(asks)) == len(asks)


PAIRS = [
    ("How long redness lasts", "Redness fades within three days.", "The red colour is gone after a week."),
    ("How long swelling lasts", "Any swelling settles overnight or in one day.", "Swelling may persist for up to 4 days."),
    ("How long scabs or peeling last", "Small scabs drop off in 5 days.", "Crusts stay for two weeks."),
    ("When you can wear make-up again", "Wait 24 hours before you wear makeup again.", "Make-up can go on again after 3 days."),
    ("When you can exercise again", "You may exercise again after 48 hours.", "Avoid the gym for a week."),
    ("How long to stay out of the sun beforehand", "No sun for two weeks before laser.", "No sun for a month before."),
    ("How long to stay out of the sun afterwards", "No sun for two weeks after laser.", "No sun for a month afterwards."),
    ("How long before treatment to stop active creams", "Stop retinol 3 days before.", "No retinoids for a week before."),
    ("When you can use your active creams again", "Retinol is fine after 5 days.", "Start acids after two weeks."),
    ("How many sessions are needed", "Most people need three sessions.", "You will need about 8 treatments."),
    ("How many sessions a tattoo needs", "A tattoo takes 6 to 8 sessions.", "Ten treatments are needed for a tattoo."),
    ("How far apart sessions are", "Sessions are spaced 4 weeks apart.", "Treatments are 8 weeks apart."),
    ("How long one session takes", "A session takes 15 minutes.", "The treatment lasts about an hour."),
    ("Whether it hurts", "The treatment is painless.", "Many say that the laser is painful."),
    ("Whether a numbing cream is used", "Numbing cream is rarely needed.", "Your skin is numbed with a cream first."),
    ("Whether you need time off afterwards", "There is no downtime.", "Plan a recovery of three days off work."),
    ("How long results last", "Results are permanent.", "Pigment can come back after a year, so results fade."),
    ("From what age it is done", "Patients must be at least 18 years old.", "It is done from the age of 16."),
    ("What share of a tattoo or spot clears", "Up to 90% of the ink clears.", "About 70 percent of the pigment is removed."),
    ("How long to wait after acne medicine", "Wait 6 months after isotretinoin.", "Four weeks after accutane is enough."),
    ("How long to wait after fillers or botox", "Wait two weeks after botox.", "Fillers must be a month old."),
    ("Whether a test patch is done first", "A test patch is always done first.", "No test patch is needed."),
    ("Which sun protection you need afterwards", "Use SPF 30 after treatment.", "After laser, wear SPF 50."),
    ("How much faster it is than older lasers", "It is 100 times faster.", "It works twice as fast."),
    ("What a picosecond is", "A picosecond is a billionth of a second.", "A picosecond lasts one trillionth of a second."),
]  # fmt: skip


@pytest.mark.parametrize(("point", "one", "two"), PAIRS)
def test_two_articles_that_say_different_things_on_a_point_are_found(field: Points, point: str, one: str, two: str) -> None:
    found = differ(field, one, two)
    assert point in found
    assert [(said.article, said.first, said.last) for said in found[point].statements] == [(0, 0, 0), (1, 0, 0)]


@pytest.mark.parametrize(("point", "one", "two"), PAIRS)
def test_an_article_does_not_differ_from_its_copy(field: Points, point: str, one: str, two: str) -> None:
    assert point not in differ(field, one, one)
    assert point not in differ(field, two, two)


@pytest.mark.parametrize(
    "sentences",
    [
        ("Redness lasts a couple of days.", "Redness lasts two days."),
        ("Redness lasts for a few hours.", "Redness settles within few hours."),
        ("Redness lasts two days.", "With older lasers, redness lasted a week."),
        (
            "A picosecond is one trillionth of a second.",
            "Our source is mistaken and makes a picosecond a millionth of a second.",
        ),
        ("Does redness last two days?", "Redness lasts a week."),
        ("You need three sessions.", "Three or four experts work at the clinic for up to 10 hours."),
        ("A session takes 15 minutes.", "Results show after two weeks."),
        ("The treatment is not painful.", "You may feel mild discomfort."),
        ("Avoid the sun for two weeks before laser.", "Avoid the sun for four weeks after laser."),
        ("Number your questions before the visit.", "No numbing cream is needed."),
    ],
)
def test_what_goes_together_or_is_another_matter_is_no_difference(field: Points, sentences: tuple[str, str]) -> None:
    assert differ(field, *sentences) == {}


def test_a_sentence_that_leans_takes_the_one_before_along(field: Points) -> None:
    articles = [
        article(
            0, ("After the session", ["Your skin may be red.", "This is gone in two days.", "It is nothing to worry about."])
        ),
        article(1, ("After the session", ["Redness is gone in a week."])),
    ]
    (difference,) = find_differences(articles, field)
    assert difference.point == "How long redness lasts"
    assert [shown(articles, said) for said in difference.statements] == [
        "Your skin may be red. This is gone in two days.",
        "Redness is gone in a week.",
    ]


def test_a_heading_can_name_the_subject_of_its_sentences(field: Points) -> None:
    articles = [
        article(0, ("How long is the redness?", ["All is over in two days."])),
        article(1, ("Redness", ["It lasts a week."])),
    ]
    assert [(d.point, [said.first for said in d.statements]) for d in find_differences(articles, field)] == [
        ("How long redness lasts", [0, 0])
    ]


@pytest.mark.parametrize(
    ("title", "heading", "sentence", "counts"),
    [
        ("Pico laser", "More", "Redness lasts a week.", True),
        ("Chemical peels", "More", "Redness lasts a week.", False),
        ("Chemical peels", "More", "After pico laser, redness lasts a week.", True),
        ("Pico laser", "Microneedling", "Redness lasts a week.", False),
        ("Our treatments", "Laser", "Redness lasts a week.", True),
        ("Our treatments", "Hair removal by laser", "Redness lasts a week.", False),
        ("Sunburn", "More", "Redness lasts a week.", False),
    ],
)
def test_only_what_is_said_of_the_field_s_own_treatment_counts(
    field: Points, title: str, heading: str, sentence: str, counts: bool
) -> None:
    other = article(1, (heading, [sentence]), title=title)
    found = find_differences([article(0, ("More", ["Redness lasts a day."])), other], field)
    assert [difference.point for difference in found] == ["How long redness lasts"] * counts


def test_an_article_that_often_names_the_treatment_is_of_the_field_whatever_its_title(field: Points) -> None:
    said = ["Pico laser is quick.", "Redness lasts a week.", "Drink enough.", "Rest well."]
    articles = [article(0, ("More", ["Redness lasts a day."])), article(1, ("More", said), title="Five things to know")]
    assert [difference.point for difference in find_differences(articles, field)] == ["How long redness lasts"]


def test_statements_that_say_the_same_are_kept(field: Points) -> None:
    found = differ(field, "Redness lasts two days.", "Redness lasts a week.", "Redness lasts a couple of days.")
    assert [said.value for said in found["How long redness lasts"].statements] == ["2 days", "1 week", "2 days"]


def test_one_article_differs_with_itself_only_where_the_point_says_so(field: Points) -> None:
    alone = [
        article(
            0,
            ("Heat", ["The laser does not heat the skin.", "Each pulse makes heat."]),
            ("Red", ["Redness lasts a day.", "Redness lasts a week."]),
        )
    ]
    assert [difference.point for difference in find_differences(alone, field)] == ["Whether it heats the skin"]


@pytest.mark.parametrize("folder", ["sources", "corpus"])
def test_statements_are_whole_neighbouring_sentences(
    folder: str, field: Points, request: pytest.FixtureRequest, project: Path
) -> None:
    root = request.getfixturevalue("sources") if folder == "sources" else project / "corpus"
    articles = [read_article(path) for path in article_files(articles_folder(root))[0]]
    found = find_differences(articles, field)
    assert len(found) >= 30
    for difference in found:
        assert len({said.article for said in difference.statements}) > 1 or len(difference.statements) > 1
        for said in difference.statements:
            assert said.last - said.first in (0, 1)
            assert all(adjoin(articles[said.article], place) for place, _ in pairwise(range(said.first, said.last + 1)))
    assert found == find_differences(articles, field)


# Beside the points

EMPTY = Points((), (), (), (), ())


def test_alike_sentences_with_other_figures_are_found_without_a_point() -> None:
    articles = [
        article(0, ("Before a blood test", ["Please do not eat for 8 hours before your blood test."])),
        article(1, ("Blood", ["Please do not eat for 12 hours before the blood test."])),
    ]
    (difference,) = find_differences(articles, EMPTY)
    assert difference.point == "Before a blood test"
    assert [said.value for said in difference.statements] == ["8 hours", "12 hours"]


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("Do not eat for 8 hours before your blood test.", "Do not eat for eight hours before the blood test."),
        ("Do not eat for 8 hours before your blood test.", "Your blood test result comes within 12 hours."),
        ("Each visit of your course takes 30 minutes.", "Each visit of your course takes place after 4 weeks."),
        ("The wait is 8 hours.", "The wait is 12 hours."),
    ],
)
def test_what_is_not_surely_the_same_matter_is_not_found(one: str, two: str) -> None:
    assert find_differences([article(0, ("A", [one])), article(1, ("B", [two]))], EMPTY) == ()


def test_the_same_words_on_two_treatments_are_no_difference() -> None:
    said = "You can go back to work {} days after the treatment."
    articles = [
        article(0, ("Afterwards", [said.format(2)]), title="Pico laser treatment"),
        article(1, ("Afterwards", [said.format(7)]), title="Chemical peel treatment"),
    ]
    assert find_differences(articles, EMPTY) == ()


# Marks and files

SMALL = """
[[point]]
name = "How long redness lasts"
says = ["last*|settle*"]
about = ["red|redness"]
read = ["time"]
asks = ["how long does redness last", "when does redness go"]

[[point]]
name = "Whether parking is free"
about = ["parking"]
asks = ["is parking free", "what does parking cost"]
[point.answers]
"not free" = ["not free", "cost*|costs"]
"free" = ["free"]
"""


def points(folder: Path, *texts: str) -> Points:
    files = [folder / f"{number}.toml" for number in range(len(texts))]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text, encoding="utf-8")
    return load_points(*files, folder / "absent.toml")


def mark(**also: str) -> str:
    values = {"point": "How long redness lasts", "kind": "settled", "by": "Dr A", "on": "2026-01-05", **also}
    return "[[settled]]\n" + "\n".join(f'{key} = "{value}"' for key, value in values.items()) + "\n"


def test_a_marked_difference_is_listed_with_its_mark(tmp_path: Path) -> None:
    marked = points(tmp_path, SMALL, mark(note="Ours is right."))
    (difference,) = differ(marked, "Redness lasts a day.", "Redness lasts a week.").values()
    assert difference.settled is not None
    assert (difference.settled.kind, difference.settled.by, difference.settled.note) == ("settled", "Dr A", "Ours is right.")
    assert notes_on_marks(marked, [difference]) == ()


def test_a_mark_lapses_when_the_articles_say_something_that_staff_did_not_see(tmp_path: Path) -> None:
    marked = points(tmp_path, SMALL, mark() + 'said = ["1 day", "1 week"]\n')
    (seen,) = differ(marked, "Redness lasts a day.", "Redness lasts a week.").values()
    (other,) = differ(marked, "Redness lasts a day.", "Redness lasts a month.").values()
    assert seen.settled is not None
    assert other.settled is None
    (note,) = notes_on_marks(marked, [other])
    assert "'How long redness lasts' does not hold" in note
    assert "'1 month'" in note
    (note,) = notes_on_marks(marked, [])
    assert "not needed" in note


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[point]]\nname = 'x'", "lacks 'asks'"),
        ("[[point]]\nname = 'x'\nasks = []\nsay = ['a']", "has 'say', which means nothing"),
        ("[[point]]\nname = 'x'\nasks = []\nsays = ['a']", "nothing to tell values by"),
        ("[[point]]\nname = 'x'\nasks = []\nsays = ['a']\nread = ['length']", "reads 'length'"),
        ("[[point]]\nname = 'x'\nasks = []\nsays = ['{nosuch}']\nread = ['time']", "nosuch"),
        (SMALL + SMALL.split("\n[[point]]")[1].join(["\n[[point]]", ""]), "more than one point"),
        (SMALL + mark(kind="maybe"), "of the kind 'maybe'"),
        ("[[point", "cannot be read"),
        ("[point]\nname = 'x'", r"'point' stands there once for all. Begin each with \[\[point\]\]"),
        ("[settled]\npoint = 'x'", r"Begin each with \[\[settled\]\]"),
        ("leans = 'these'", "'leans' is no list of texts"),
        ("groups = ['a']", "'groups' is no table"),
        ("[[point]]\nname = 'x'\nasks = 'how long'\nsays = ['a']\nread = ['time']", "'asks' is no list of texts"),
        ("[[point]]\nname = 'x'\nasks = []\nanswers = ['yes']", "'answers' is no table"),
    ],
)
def test_what_cannot_be_understood_is_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        points(tmp_path, text)


# Asking


@pytest.fixture
def small(tmp_path: Path) -> tuple[Differences, WordEncoder]:
    encoder = WordEncoder()
    known = points(tmp_path, SMALL + "\n", 'ordinary = ["why does redness come", "where is the clinic"]')
    found = tuple(differ(known, "Redness lasts a day.", "Redness lasts a week.", "Parking is free.").values())
    return Differences.of(known, found, encoder.encode(list(known.asks))), encoder


def asked(small: tuple[Differences, WordEncoder], question: str, ranked: Sequence[tuple[int, int, int]]) -> str:
    differences, encoder = small
    found = differences.asked_about(question, encoder.encode([question])[0], ranked)
    return found.point if found else ""


def test_a_question_near_the_asks_of_a_point_gets_its_difference(small: tuple[Differences, WordEncoder]) -> None:
    assert asked(small, "how long does the redness last", [(0, 0, 0)]) == "How long redness lasts"


def test_without_a_statement_among_what_was_found_there_is_none(small: tuple[Differences, WordEncoder]) -> None:
    assert asked(small, "how long does the redness last", [(2, 0, 0)]) == ""
    assert asked(small, "how long does the redness last", []) == ""


def test_an_ordinary_question_gets_none(small: tuple[Differences, WordEncoder]) -> None:
    assert asked(small, "why does redness come", [(0, 0, 0)]) == ""


def test_a_point_on_which_nothing_differs_has_no_difference(small: tuple[Differences, WordEncoder]) -> None:
    assert asked(small, "is parking free", [(0, 0, 0), (2, 0, 0)]) == ""


def test_words_that_nobody_knows_find_nothing(small: tuple[Differences, WordEncoder]) -> None:
    assert asked(small, "xyzzy", [(0, 0, 0)]) == ""


def test_a_marked_difference_is_not_shown_to_patients(tmp_path: Path) -> None:
    encoder = WordEncoder()
    known = points(tmp_path, SMALL, mark(kind="not a difference"))
    found = tuple(differ(known, "Redness lasts a day.", "Redness lasts a week.").values())
    marked = Differences.of(known, found, encoder.encode(list(known.asks)))
    assert asked((marked, encoder), "how long does redness last", [(0, 0, 0)]) == ""
    assert marked.found == found


def test_a_difference_without_a_point_is_told_where_the_best_quote_is_contradicted() -> None:
    encoder = WordEncoder()
    beside = Difference("Fasting", (Statement(0, 0, 0, "8 hours"), Statement(1, 3, 3, "12 hours")))
    differences = Differences.of(EMPTY, [beside], encoder.encode([]))
    assert asked((differences, encoder), "how long must i fast", [(0, 0, 1), (2, 0, 0), (1, 3, 3)]) == "Fasting"
    assert asked((differences, encoder), "how long must i fast", [(2, 0, 0), (0, 0, 1), (1, 3, 3)]) == ""


def test_what_is_saved_is_read_again(small: tuple[Differences, WordEncoder], tmp_path: Path) -> None:
    differences, encoder = small
    folder = tmp_path / "differences"
    folder.mkdir()
    differences.save(folder)
    again = Differences.load(folder)
    assert again.found == differences.found
    question = "how long does the redness last"
    assert asked((again, encoder), question, [(1, 0, 0)]) == asked(small, question, [(1, 0, 0)]) != ""


def test_what_is_damaged_is_named(small: tuple[Differences, WordEncoder], tmp_path: Path) -> None:
    folder = tmp_path / "differences"
    folder.mkdir()
    small[0].save(folder)
    (folder / "differences.json").write_text("{}", encoding="utf-8")
    with pytest.raises(DamagedRelease, match="differences cannot be read"):
        Differences.load(folder)


def test_with_the_real_model_a_point_is_found_and_ordinary_questions_are_not(field: Points, real_encoder: Encoder) -> None:
    found = tuple(
        differ(
            field,
            "Redness lasts for a day.",
            "Redness lasts for a week.",
            "Sessions are spaced two weeks apart.",
            "Sessions are spaced six weeks apart.",
        ).values()
    )
    differences = Differences.of(field, found, real_encoder.encode(list(field.asks)))
    ranked = [(0, 0, 0), (2, 0, 0)]
    questions = {
        "How many days until the redness has gone?": "How long redness lasts",
        "what gap is there between two sessions": "How far apart sessions are",
        "Which creams help to calm redness?": "",
        "Who invented lasers?": "",
        "does the clinic have parking": "",
    }
    for question, expected in questions.items():
        told = differences.asked_about(question, np.asarray(real_encoder.encode([question])[0]), ranked)
        assert (told.point if told else "") == expected, question
