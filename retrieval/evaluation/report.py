"""An evaluation as one HTML page: figures, comparisons, plots, and every question that went wrong, for a clinic to read.

The page opens offline: its styles and plots are in it, it needs no script and asks nothing of the network. This module
works out what is drawn and where; report.html.j2 draws it and escapes all of it.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from retrieval.errors import EvaluationError
from retrieval.evaluation.judged import Judged, Span
from retrieval.evaluation.metrics import percentile, risk_coverage
from retrieval.evaluation.run import METRICS, Evaluation, Outcome, Shown, by, confusion, figures
from retrieval.evaluation.statistics import Figure, paired_p_value

__all__ = ["PLAIN", "write_report"]

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_NAME = "report.html"
_FIRST = 3
_CLEAR = 0.05
_BIN = 0.05
_MOST_BINS = 30
_LONGEST_PLOT = 20
_BAR = 13
_LEAST_TICKS = 4

_ABSTAINING = (
    "answered",
    "shown quotes answer",
    "quotes proved",
    "answered in vain",
    "auroc of abstaining",
    "calibration error",
    "mean risk over coverage",
)
_NO_INTERVAL = ("auroc of abstaining", "calibration error", "mean risk over coverage")
_SCORES = ("mrr", "ndcg@10", "auroc of abstaining", "calibration error")
_LOWER_IS_BETTER = ("words to answer", "answered in vain", "calibration error", "mean risk over coverage")
PLAIN = {
    "hit@1": ("First quote answers", "share of answerable questions"),
    "hit@3": ("One of the first three answers", "share of answerable questions"),
    "mrr": ("How high the first answer stands", "1 is first, 0.5 second, 0.33 third; mean"),
    "ndcg@10": ("Order of the first ten quotes", "1 is the best order there could be"),
    "recall@100": ("Answering places found at all", "share of them in the first hundred quotes"),
    "words to answer": ("Words to read until the answer", "of the first three quotes"),
    "articles found": ("Answering articles shown", "share of them in the first three quotes"),
    "quoted that answers": ("Quoted text that answers", "share of the first three quotes' characters"),
    "answered": ("Answerable ones that got quotes", "share of answerable questions, right or not"),
    "shown quotes answer": ("Patients shown an answer", "share of answerable questions"),
    "quotes proved": ("Quotes true to the letter", "share of answerable questions"),
    "answered in vain": ("Answered though nothing answers", "share of unanswerable questions"),
    "auroc of abstaining": ("Scores tell answerable from not", "1 is always, 0.5 is by chance"),
    "calibration error": ("Score and success apart by", "0 is best"),
    "mean risk over coverage": ("Wrong answers over all thresholds", "mean; 0 % is best"),
}
"""What each figure is in plain words, and of what it is a share or a mean."""
_ROUTES = {"answer": "an answer", "no_answer": "“not in our articles”", "consult": "“ask a clinician”", "urgent": "“emergency”"}
_KINDS = (
    ("route", "Messages on a wrong route", "The message had to go another way. Read these first: they are about safety."),
    (
        "missed",
        "Questions without an answer in the first three quotes",
        "The articles answer these, but none of the first three quotes does. Are the wanted words clear enough in the article, "
        "or is one of the quotes an answer that the judges overlooked?",
    ),
    (
        "vain",
        "Questions that were answered although nothing answers them",
        "The articles do not answer these, and the patient should have been told so.",
    ),
    (
        "withheld",
        "Answers that were found but not shown",
        "An answer stood in the first three of the ranking, but the patient was given a card or other quotes.",
    ),
)


@dataclass(frozen=True, slots=True)
class _Line:
    """A row of the summary, in words and digits ready to be shown."""

    label: str
    note: str
    name: str
    value: str
    interval: str
    count: str
    other: str = ""
    other_interval: str = ""
    difference: str = ""
    p_value: str = ""
    verdict: str = ""


@dataclass(frozen=True, slots=True)
class _Bar:
    """A bar of a plot; `width`, `low` and `high` are percents of the plot's width, `low` below 0 where there is no interval."""

    series: int
    y: int
    width: float
    low: float
    high: float
    text: str


@dataclass(frozen=True, slots=True)
class _Row:
    """The bars of one group, under the group's name and a note."""

    y: int
    label: str
    note: str
    bars: tuple[_Bar, ...]


@dataclass(frozen=True, slots=True)
class _BarPlot:
    """A plot of bars that lie: heights are pixels, widths percents, so that letters keep their size on every screen."""

    id: str
    title: str
    about: str
    series: tuple[str, ...]
    rows: tuple[_Row, ...]
    ticks: tuple[tuple[float, str], ...]
    height: int


@dataclass(frozen=True, slots=True)
class _Curve:
    """A line of the risk-coverage plot, as the points of an SVG polyline in a square of 100 by 100."""

    name: str
    points: str


@dataclass(frozen=True, slots=True)
class _Column:
    """One bin of the histogram; all but the counts are percents of the plot."""

    x: float
    width: float
    up: float
    down: float
    answerable: int
    unanswerable: int
    span: str


@dataclass(frozen=True, slots=True)
class _Histogram:
    """Counts by likelihood: answerable questions above the line, unanswerable ones below."""

    columns: tuple[_Column, ...]
    ticks: tuple[tuple[float, str], ...]
    most: int


@dataclass(frozen=True, slots=True)
class _Group:
    """A row of the table by style or topic."""

    name: str
    answerable: int
    unanswerable: int
    cells: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A span that answers; `text` is empty where it is not known."""

    doc: str
    start: int
    end: int
    text: str
    changed: bool


@dataclass(frozen=True, slots=True)
class _Miss:
    """A question that went wrong; `rank` is that of the first answering quote, 0 where none of the first ten answers."""

    outcome: Outcome
    shown: tuple[Shown, ...]
    wanted: tuple[_Wanted, ...]
    rank: int


def write_report(
    folder: Path,
    evaluation: Evaluation,
    other: Evaluation | None = None,
    gate_reasons: Sequence[str] | None = None,
    texts: Mapping[str, str] | None = None,
) -> Path:
    """Write an evaluation as one HTML page, `report.html`.

    Parameters: the folder (made where it is absent), the evaluation, another to hold it against, the reasons of the gate
    (None: it was not asked; empty: it is kept), and the articles' canonical texts by file name, for the words that were
    wanted.
    Returns the page's path; raises EvaluationError where it cannot be written.
    """
    page = _TEMPLATES.get_template("report.html.j2").render(
        run=evaluation,
        other=other,
        facts=_facts(evaluation),
        other_facts=_facts(other) if other else [],
        same_questions=other is not None and {o.judged for o in evaluation.outcomes} == {o.judged for o in other.outcomes},
        gate=gate_reasons,
        summary=_summary(evaluation, other),
        plots=_plots(evaluation, other),
        curves=[curve for one in (evaluation, other) if one for curve in _curves(one)],
        histogram=_histogram(evaluation.outcomes),
        routes=_routes(evaluation.outcomes),
        tables=[
            ("style", "style", _groups(evaluation, other, _style)),
            ("topic", "topic", _groups(evaluation, other, _topic)),
        ],
        route_names=_ROUTES,
        misses=_misses(evaluation.outcomes, texts or {}),
    )
    path = folder / _NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(page.strip().encode("utf-8", "replace"))
    except OSError as problem:
        raise EvaluationError(f"{path}: cannot be written ({problem}). Name another folder.") from problem
    return path


# What was run


def _facts(evaluation: Evaluation) -> list[tuple[str, str]]:
    judged = [outcome.judged for outcome in evaluation.outcomes]
    kinds = {
        "answerable": sum(bool(item.answers) for item in judged),
        "unanswerable": sum(_is_open(item) for item in judged),
        "with a route to take": sum(bool(item.route) for item in judged),
        "asked within a chat": sum(len(item.turns) > 1 for item in judged),
    }
    splits = Counter(item.split or "none" for item in judged)
    return [
        ("Name", evaluation.name),
        ("Release of the articles", evaluation.release),
        ("Questions", str(len(judged))),
        ("Of these", ", ".join(f"{count} {kind}" for kind, count in kinds.items() if count) or "none"),
        ("Splits", ", ".join(f"{name}: {count}" for name, count in sorted(splits.items())) or "none"),
    ]


def _is_open(item: Judged) -> bool:
    """Whether a question is one that the articles do not answer (and not a message for a route)."""
    return not item.answers and not item.route


def _style(item: Judged) -> str:
    return item.style


def _topic(item: Judged) -> str:
    return item.topic


# The summary


def _summary(evaluation: Evaluation, other: Evaluation | None) -> list[tuple[str, list[_Line]]]:
    """The figures in groups; a group without figures is left out."""
    now, then = _figures(evaluation), _figures(other) if other else {}
    groups: dict[str, list[_Line]] = {group: [] for group in ("Finding the answer", "Abstaining", "Routes", "Time", "Other")}
    for name in [*now, *(name for name in then if name not in now)]:
        groups[_group(name)].append(_line(name, now.get(name), then.get(name), evaluation, other))
    return [(group, lines) for group, lines in groups.items() if lines]


def _figures(evaluation: Evaluation) -> dict[str, Figure]:
    return evaluation.figures or figures(evaluation.outcomes)


def _group(name: str) -> str:
    if name in METRICS:
        return "Finding the answer"
    if name in _ABSTAINING:
        return "Abstaining"
    if name.startswith("ms "):
        return "Time"
    return "Routes" if _route_of(name) else "Other"


def _route_of(name: str) -> str:
    """The route of "urgent: recall" and "urgent: false alarms"; empty for other figures."""
    route, _, what = name.rpartition(": ")
    return route if what in {"recall", "false alarms"} else ""


def _line(name: str, now: Figure | None, then: Figure | None, evaluation: Evaluation, other: Evaluation | None) -> _Line:
    label, note = _plain(name)
    line = _Line(label, note, name, *_cells(name, now), str(now.count) if now else "–")
    if other is None:
        return line
    value, interval = _cells(name, then)
    difference, p_value, verdict = "–", "–", "–"
    if now and then:
        difference = _difference(name, now.mean - then.mean)
        pairs = _pairs(name, evaluation.outcomes, other.outcomes)
        if pairs:
            chance = paired_p_value([one for one, _ in pairs], [two for _, two in pairs])
            p_value = "< 0.001" if chance < 0.001 else f"{chance:.3f}"
            verdict = _verdict(name, now.mean - then.mean, chance)
    return _Line(label, note, name, line.value, line.interval, line.count, value, interval, difference, p_value, verdict)


def _plain(name: str) -> tuple[str, str]:
    """A figure's name in plain English, and what it counts."""
    if name in PLAIN:
        return PLAIN[name]
    route = _route_of(name)
    if route and name.endswith("recall"):
        return f"Sent to “{route}” as they should", "share of the messages that belong there"
    if route:
        return f"Sent to “{route}” wrongly", "share of the messages that belong elsewhere"
    if name.startswith("ms "):
        stage, _, part = name.removeprefix("ms ").rpartition(", ")
        notes = {
            "median": "half of the questions took no longer",
            "95th": "95 in 100 took no longer",
            "99th": "99 in 100 took no longer",
        }
        return f"Stage “{stage}”, {part}", notes.get(part, "milliseconds")
    return name, ""


def _shown(name: str, value: float) -> str:
    if name.startswith("ms "):
        return f"{value:.2f} ms"
    if name == "words to answer":
        return f"{value:.1f}"
    if name in _SCORES:
        return f"{value:.3f}"
    return f"{100 * value:.1f} %"


def _cells(name: str, figure: Figure | None) -> tuple[str, str]:
    """A figure and its interval as they are shown."""
    if figure is None or not figure.count:
        return "–", "–"
    if name in _NO_INTERVAL or name.startswith("ms "):
        return _shown(name, figure.mean), "–"
    low, high = _shown(name, figure.low), _shown(name, figure.high)
    return _shown(name, figure.mean), f"{low.removesuffix(' %')} to {high}"


def _difference(name: str, change: float) -> str:
    unit, digits, scale = "", 3, 1
    if name.startswith("ms "):
        unit, digits = " ms", 2
    elif name == "words to answer":
        digits = 1
    elif name not in _SCORES:
        unit, digits, scale = " points", 1, 100
    rounded = round(scale * change, digits)
    return f"{rounded:+.{digits}f}{unit}".replace("-", "−") if rounded else f"0{unit}"


def _verdict(name: str, change: float, chance: float) -> str:
    if chance >= _CLEAR or change == 0:
        return "no clear difference"
    lower = name in _LOWER_IS_BETTER or name.startswith("ms ") or name.endswith(": false alarms")
    return "better" if (change < 0) == lower else "worse"


def _pairs(name: str, one: Sequence[Outcome], other: Sequence[Outcome]) -> list[tuple[float, float]]:
    """A figure's values of two systems question by question; nothing where they did not run the same questions."""
    mine, theirs = ({o.judged: v for o in some if (v := _value(name, o)) is not None} for some in (one, other))
    if mine.keys() != theirs.keys():
        return []
    return [(value, theirs[judged]) for judged, value in mine.items()]


def _value(name: str, outcome: Outcome) -> float | None:
    """What one question adds to a figure that is a mean over questions; None where it has no part in it."""
    judged, route = outcome.judged, _route_of(name)
    if route:
        belongs = judged.route == route
        return float(outcome.route == route) if judged.route and belongs == name.endswith("recall") else None
    if name == "answered in vain":
        return float(outcome.answered) if _is_open(judged) else None
    if not judged.answers:
        return None
    own = {"answered": outcome.answered, "shown quotes answer": outcome.right, "quotes proved": outcome.proved}
    return float(own[name]) if name in own else outcome.metrics.get(name)


# The plots


def _plots(evaluation: Evaluation, other: Evaluation | None) -> dict[str, list[_BarPlot]]:
    """The plots of bars by where they stand; none where there is nothing to draw, two where one is too long."""
    return {
        "style": _group_plots("style", by(evaluation.outcomes, _style)),
        "topic": _group_plots("topic", by(evaluation.outcomes, _topic)),
        "time": _time_plots(evaluation.outcomes),
        "pairs": _pair_plots(evaluation, other) if other else [],
    }


def _group_plots(what: str, groups: Mapping[str, Mapping[str, Figure]]) -> list[_BarPlot]:
    """hit@1 and hit@3 of each group that has answerable questions, the one with the most misses first."""
    drawn = [(name, found["hit@1"], found["hit@3"]) for name, found in groups.items() if "hit@1" in found]
    drawn.sort(key=lambda group: (round(group[2].count * (group[2].mean - 1)), group[2].mean, group[1].mean, group[0]))
    parts = [drawn] if len(drawn) <= _LONGEST_PLOT + 4 else [drawn[:_LONGEST_PLOT], drawn[_LONGEST_PLOT:]]
    return [
        _bar_plot(
            f"by-{what}-{number}",
            f"Answers found by {what}"
            + (f", the {_LONGEST_PLOT} with the most misses" if len(parts) > 1 and number == 1 else ""),
            ("First quote answers (hit@1)", "One of the first three answers (hit@3)"),
            [(name, f"({one.count})", (one, three)) for name, one, three in part],
        )
        for number, part in enumerate(parts, start=1)
        if part
    ]


def _pair_plots(evaluation: Evaluation, other: Evaluation) -> list[_BarPlot]:
    """Every figure from 0 to 1 of two systems, one under the other."""
    now, then = _figures(evaluation), _figures(other)
    names = [name for name in now if name in then and name != "words to answer" and not name.startswith("ms ")]
    rows = [(_plain(name)[0], "", (now[name], then[name])) for name in names]
    series = (evaluation.name, other.name)
    return [_bar_plot("pairs", "Two systems, figure by figure", series, rows, scores=True)] if rows else []


def _time_plots(outcomes: Sequence[Outcome]) -> list[_BarPlot]:
    stages = list(dict.fromkeys(stage for outcome in outcomes for stage in outcome.stages_ms))
    times = [(stage, [o.stages_ms[stage] for o in outcomes if stage in o.stages_ms]) for stage in stages]
    if not times:
        return []
    times.append(("all stages together", [sum(o.stages_ms.values()) for o in outcomes if o.stages_ms]))
    rows = []
    for stage, taken in times:
        values = [percentile(taken, share) for share in (0.5, 0.95, 0.99)]
        rows.append((stage, f"({len(taken)})", tuple(Figure(value, -1, -1, len(taken)) for value in values)))
    return [_bar_plot("time", "Time by stage, in milliseconds", ("Median", "95 in 100", "99 in 100"), rows, unit="ms")]


def _bar_plot(
    identity: str,
    title: str,
    series: tuple[str, ...],
    rows: Sequence[tuple[str, str, tuple[Figure, ...]]],
    unit: str = "%",
    scores: bool = False,
) -> _BarPlot:
    """Lay bars out: values from 0 to 1 as percents or scores, or milliseconds up to the longest."""
    ticks = _ticks(max(f.mean for _, _, some in rows for f in some)) if unit == "ms" else [0, 0.25, 0.5, 0.75, 1]
    full = ticks[-1]
    y, laid = 0, []
    for label, note, some in rows:
        bars = tuple(
            _Bar(number, y + 24 + number * (_BAR + 3), *_on_axis(figure, full), _bar_text(figure.mean, unit, scores))
            for number, figure in enumerate(some)
        )
        laid.append(_Row(y + 17, label, note, bars))
        y += 24 + len(some) * (_BAR + 3) + 10
    labels = tuple((_percent(tick / full), _tick_text(tick, unit, scores)) for tick in ticks)
    about = "; ".join(
        f"{label}: " + ", ".join(_bar_text(figure.mean, unit, scores) for figure in some) for label, _, some in rows
    )
    return _BarPlot(identity, title, about, series, tuple(laid), labels, y + 24)


def _on_axis(figure: Figure, full: float) -> tuple[float, float, float]:
    low, high = (_percent(figure.low / full), _percent(figure.high / full)) if figure.low < figure.high else (-1.0, -1.0)
    return _percent(figure.mean / full), low, high


def _bar_text(value: float, unit: str, scores: bool) -> str:
    if unit == "ms":
        return f"{value:.1f}" if value >= 0.1 else f"{value:.2f}"
    return f"{value:.2f}" if scores else f"{100 * value:.0f} %"


def _tick_text(value: float, unit: str, scores: bool) -> str:
    return f"{value:g}" if unit == "ms" or scores else f"{100 * value:g} %"


def _ticks(largest: float) -> list[float]:
    """Round numbers from 0 to at least `largest`."""
    if largest <= 0:
        return [0, 1]
    power = 10 ** math.floor(math.log10(largest / _LEAST_TICKS))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor * _LEAST_TICKS >= largest)
    return [round(step * number, 9) for number in range(math.ceil(largest / step - 1e-9) + 1)]


def _percent(share: float) -> float:
    return round(100 * min(1.0, max(0.0, share)), 2)


def _curves(evaluation: Evaluation) -> list[_Curve]:
    """The risk-coverage curve of one system; nothing where answerable or unanswerable questions are absent."""
    both = _answerable_and_open(evaluation.outcomes)
    if not both:
        return []
    points = risk_coverage([o.confidence for o in both], [o.right for o in both])
    corners = [(0.0, points[0][1]), *points]
    return [_Curve(evaluation.name, " ".join(f"{_percent(x):g},{100 - _percent(y):g}" for x, y in corners))]


def _answerable_and_open(outcomes: Sequence[Outcome]) -> list[Outcome]:
    answerable = [o for o in outcomes if o.judged.answers]
    unanswerable = [o for o in outcomes if _is_open(o.judged)]
    return [*answerable, *unanswerable] if answerable and unanswerable else []


def _histogram(outcomes: Sequence[Outcome]) -> _Histogram | None:
    """Questions by the score of their first quote; None where answerable or unanswerable questions are absent."""
    both = _answerable_and_open(outcomes)
    if not both:
        return None
    scores = [outcome.confidence for outcome in both]
    width = _BIN * math.ceil(max(1.0, (max(scores) - min(scores)) / _BIN / _MOST_BINS))
    first = math.floor(min(scores) / width + 1e-9)
    count = math.floor(max(scores) / width + 1e-9) - first + 1
    bins = [Counter[bool]() for _ in range(count)]
    for outcome in both:
        bins[math.floor(outcome.confidence / width + 1e-9) - first][bool(outcome.judged.answers)] += 1
    most = max(max(found.values()) for found in bins if found)
    columns = tuple(
        _Column(
            x=round(100 * place / count, 3),
            width=round(100 / count, 3),
            up=round(50 * found[True] / most, 2),
            down=round(50 * found[False] / most, 2),
            answerable=found[True],
            unanswerable=found[False],
            span=f"{(first + place) * width:.2f} to {(first + place + 1) * width:.2f}",
        )
        for place, found in enumerate(bins)
    )
    step = max(1, math.ceil(count / 6))
    ticks = tuple((round(100 * edge / count, 3), f"{(first + edge) * width:.2f}") for edge in range(0, count + 1, step))
    return _Histogram(columns, ticks, most)


# Routes and groups


def _routes(outcomes: Sequence[Outcome]) -> tuple[list[str], list[tuple[str, list[int]]]] | None:
    """The routes that were taken, and for each wanted route how often each was; None where no message has a route."""
    counts = confusion(outcomes)
    if not counts:
        return None
    taken = sorted({was for _, was in counts} | {wanted for wanted, _ in counts})
    return taken, [(wanted, [counts[wanted, was] for was in taken]) for wanted in sorted({wanted for wanted, _ in counts})]


def _groups(evaluation: Evaluation, other: Evaluation | None, key: Callable[[Judged], str]) -> list[_Group]:
    mine, theirs = by(evaluation.outcomes, key), by(other.outcomes, key) if other else {}
    sizes: dict[str, Counter[str]] = {name: Counter() for name in mine}
    for outcome in evaluation.outcomes:
        kind = "answerable" if outcome.judged.answers else "open" if _is_open(outcome.judged) else "routed"
        sizes[key(outcome.judged) or "none"][kind] += 1
    rows = []
    for name, found in mine.items():
        sources = [(found, figure) for figure in ("hit@1", "hit@3", "shown quotes answer", "answered in vain")]
        if other:
            sources += [(theirs.get(name, {}), figure) for figure in ("hit@1", "hit@3")]
        cells = tuple(_cells(figure, source.get(figure)) for source, figure in sources)
        rows.append(_Group(name, sizes[name]["answerable"], sizes[name]["open"], cells))
    return rows


# The misses


def _misses(outcomes: Iterable[Outcome], texts: Mapping[str, str]) -> list[tuple[str, str, str, list[_Miss]]]:
    """Every question that went wrong, once, under the gravest of its faults; all kinds, also those without any."""
    found: dict[str, list[_Miss]] = {kind: [] for kind, _, _ in _KINDS}
    for outcome in outcomes:
        kind = _fault(outcome)
        if kind:
            wanted = tuple(_wanted(span, texts) for span in outcome.judged.answers)
            rank = next((rank for rank, shown in enumerate(outcome.top, start=1) if shown.answers), 0)
            found[kind].append(_Miss(outcome, outcome.top[:_FIRST], wanted, rank))
    return [(kind, title, hint, found[kind]) for kind, title, hint in _KINDS]


def _fault(outcome: Outcome) -> str:
    """What went wrong with a question; empty where nothing did."""
    judged = outcome.judged
    if judged.route and outcome.route != judged.route:
        return "route"
    if judged.answers and not any(shown.answers for shown in outcome.top[:_FIRST]):
        return "missed"
    if _is_open(judged) and outcome.answered:
        return "vain"
    return "withheld" if judged.answers and not outcome.right else ""


def _wanted(span: Span, texts: Mapping[str, str]) -> _Wanted:
    """A span with its words, unless the article's text is not at hand or has changed since it was judged."""
    text = texts.get(span.doc)
    if text is None:
        return _Wanted(span.doc, span.start, span.end, "", changed=False)
    changed = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest() != span.digest
    return _Wanted(span.doc, span.start, span.end, "" if changed else text[span.start : span.end], changed)
