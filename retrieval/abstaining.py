"""Question + what was found for it -> how likely it is that the articles answer it.

Two logistic models over several signals: is the message a question in the articles' field at all, and if so, do they
answer it? No single score tells questions in the field's own words that the articles leave open from those that they
answer. What the second says is then scaled (Platt's way) to how often the quotes that would be shown do answer. The few
coefficients (safety/abstaining.toml) were fitted on dev questions and example messages by
benchmarks/fit_abstaining.py; one setting for all corpora.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from retrieval.classifier import Kinds
from retrieval.encoder import Question
from retrieval.errors import SettingsError
from retrieval.lexical import stems
from retrieval.passages import passage_in_context
from retrieval.release import Release
from retrieval.types import Match

__all__ = ["COEFFICIENTS", "SIGNALS", "Likely", "likely", "signals"]

COEFFICIENTS = Path(__file__).parent / "safety" / "abstaining.toml"
SIGNALS = (
    "dense", "lexical", "gap", "agreement", "known", "length", "coverage", "kind_of_answer", "foreign", "general", "examples",
    "nearness",
)  # fmt: skip
_BEST = 3
# What an article plainly says is in the field and answered, also where no example and no router knows the subject: a clinic
# may add an article on anything. Of what is so near, 97 % of the questions of the field are answered; docs/design.md.
_SAID_DENSE, _SAID_COVERAGE, _SAID = 0.55, 0.6, 0.9
# Somebody attached this very question, but for a word, to what was found: they said that it is answered there.
_SAID_ASKED = 0.9
_HOW_LONG = re.compile(r"\bhow (?:long|soon|fast|quick)|\bwhen (?:will|do|does|can)\b", re.IGNORECASE)
_HOW_MANY = re.compile(r"\bhow (?:many|often|frequent)", re.IGNORECASE)
_NUMBER = r"(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|several|few|couple|once|twice)"
_TIME = re.compile(rf"\b{_NUMBER}\b.{{0,12}}\b(?:second|minute|hour|day|week|month|year)s?\b", re.IGNORECASE)
_COUNT = re.compile(rf"\b{_NUMBER}\b", re.IGNORECASE)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Likely:
    """How likely it is that a question is in the articles' field, and, if it is, that they answer it, and that the quotes do.

    All from 0 to 1. The articles may answer where the quotes do not: what is found first can be the wrong place.
    """

    in_the_field: float
    answered: float
    by_quotes: float


@dataclass(frozen=True, slots=True)
class _Model:
    """A logistic model: offset and weights, for signals from which `means` are taken off and that are divided by `scales`."""

    offset: float
    weights: Floats
    means: Floats
    scales: Floats

    def of(self, values: Floats) -> float:
        # A signal that is not there counts as an average one.
        scaled = np.nan_to_num((values - self.means) / self.scales)
        return float(1.0 / (1.0 + np.exp(-(self.offset + scaled @ self.weights))))


@dataclass(frozen=True, slots=True)
class _Scale:
    """A logistic curve over the log odds of another likelihood (Platt 1999)."""

    offset: float
    slope: float

    def of(self, likelihood: float) -> float:
        odds = np.clip(likelihood, 1e-6, 1 - 1e-6)
        return float(1.0 / (1.0 + np.exp(-(self.offset + self.slope * np.log(odds / (1 - odds))))))


def likely(release: Release, question: Question, matches: Sequence[Match], kinds: Kinds | None) -> Likely:
    """Judge what was found for a question; nothing found is nothing likely.

    Parameters: the release, the question as encoded, what was found for it, best first, and what kind of message the
    classifier takes it for, if there is one.
    """
    if not matches:
        return Likely(0.0, 0.0, 0.0)
    examples = "with examples" if release.examples.has_questions else "without examples"
    values = signals(release, question, matches, kinds)
    in_the_field = _models()[f"field, {examples}"].of(values)
    answered = _models()[f"answered, {examples}"].of(values)
    plainly = values[SIGNALS.index("dense")] >= _SAID_DENSE and values[SIGNALS.index("coverage")] >= _SAID_COVERAGE
    if plainly or matches[0].asked >= _SAID_ASKED:
        in_the_field, answered = max(in_the_field, _SAID), max(answered, _SAID)
    return Likely(in_the_field, answered, _scales()[examples].of(answered))


def signals(release: Release, question: Question, matches: Sequence[Match], kinds: Kinds | None) -> Floats:
    """The signals, in the order of SIGNALS: float64 (12,).

    dense, lexical: the best of each. gap: by how much the best score is ahead of the next. agreement: 1 where both are
    led by the same passage. known: the share of the question's words that the articles have. length: the logarithm of
    their number. coverage: the share of the question's word weight in the best three passages and their headings.
    kind_of_answer: 1 where a question after a time or a number meets passages that hold one, -1 where these do not.
    foreign: the share of its words that belong to no article and no example question of the field.
    general: how much likelier a general question is than a message that no article is for (log odds; NaN without a
    classifier). examples: how the example questions nearest to it were answered (log odds). nearness: how near these are.
    """
    text = question.text
    terms = stems(text)
    weights = [release.lexical.weight_of(term) for term in terms]
    best = [passage_in_context(release.articles[match.passage.article], match.passage) for match in matches[:_BEST]]
    held = set(stems(" ".join(best)))
    dense = [match.dense for match in matches]
    lexical = [match.lexical for match in matches]
    share, nearness = release.examples.near(question.vector)
    return np.array(
        [
            dense[0],
            max(lexical),
            matches[0].score - matches[1].score if len(matches) > 1 else 0.0,
            float(int(np.argmax(dense)) == int(np.argmax(lexical))),
            sum(map(release.lexical.knows, terms)) / max(1, len(terms)),
            np.log1p(len(terms)),
            sum(weight for weight, term in zip(weights, terms, strict=True) if term in held) / (sum(weights) or 1.0),
            _kind_of_answer(text, " ".join(best)),
            len(release.vocabulary.foreign(text)) / max(1, len(text.split())),
            np.log((kinds.general + 0.01) / (kinds.other + 0.01)) if kinds is not None else np.nan,
            np.log((share + 0.02) / (1.02 - share)),
            nearness,
        ]
    )


def _kind_of_answer(question: str, found: str) -> float:
    for asked, wanted in ((_HOW_LONG, _TIME), (_HOW_MANY, _COUNT)):
        if asked.search(question):
            return 1.0 if wanted.search(found) else -1.0
    return 0.0


def _models() -> Mapping[str, _Model]:
    return _coefficients()[0]


def _scales() -> Mapping[str, _Scale]:
    return _coefficients()[1]


@cache
def _coefficients() -> tuple[Mapping[str, _Model], Mapping[str, _Scale]]:
    try:
        values = tomllib.loads(COEFFICIENTS.read_text(encoding="utf-8"))
        scales = {name: _Scale(**scale) for name, scale in values.pop("by quotes").items()}
        return {name: _model(model) for name, model in values.items()}, scales
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError) as problem:
        raise SettingsError(f"{COEFFICIENTS}: cannot be read ({problem}). Install patient-faq again.") from problem


def _model(values: Mapping[str, Mapping[str, float]]) -> _Model:
    rows = np.array([[values[kind][name] for name in SIGNALS] for kind in ("weights", "means", "scales")])
    return _Model(float(values["fit"]["offset"]), *rows)
