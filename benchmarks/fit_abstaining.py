"""Fits the coefficients of abstaining (retrieval/safety/abstaining.toml). Some minutes.

    python benchmarks/fit_abstaining.py

On the dev split of the judged questions over the project's articles, answerable or not, and on the example messages that
are answered by the articles or not. What the examples and the trained router say of a message is always said without its
own scenario: both are cross-validated. Of other worlds altogether (general health, everyday talk) the router has then seen
nothing: patients will always write of more than it was taught, and what it says of that must not be trusted too far. Prints how
well held-out questions are told apart.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from retrieval.abstaining import COEFFICIENTS, SIGNALS, Likely, signals
from retrieval.answering import IN_THE_FIELD_FROM, answer
from retrieval.build import build
from retrieval.encoder import Encoder, open_encoder
from retrieval.evaluation.judged import answering, load_judged
from retrieval.examples import Examples
from retrieval.language import language_of
from retrieval.messages import MESSAGES, comparable, load_messages
from retrieval.passages import passage_in_context
from retrieval.release import Release, open_current
from retrieval.search import FUSED, UNASKED, Weights, search
from retrieval.settings import Settings
from retrieval.training import Encoded, encode_messages, scenario_folds, train, with_questions
from retrieval.vocabulary import Vocabulary

ROOT = Path(__file__).resolve().parent.parent
FOLDS = 5
JUDGED_WEIGHT = 6.0  # a judged question counts as much as so many example messages, which are many and more alike
WORLDS = ("everyday-talk.txt", "off-topic-world.txt")
WORLD_WEIGHT = 2.0
THRESHOLDS = (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6)
OF_EXAMPLES = [SIGNALS.index(name) for name in ("foreign", "examples", "nearness")]
POOL = 8


def main() -> None:
    """Fit, print and write."""
    corpus = ROOT / "corpus"
    encoder = open_encoder(Settings.from_environment())
    with tempfile.TemporaryDirectory() as temporary:
        build(corpus, Path(temporary), encoder)
        release = open_current(Path(temporary))
    examples = load_messages(MESSAGES, corpus / "routing")
    encoded = encode_messages(with_questions(examples, corpus / "questions"), encoder)
    messages = from_messages(release, encoded, len(examples), encoder)
    judged = from_judged(release, corpus, encoder)
    for what, labelled in (("messages", messages), ("judged", judged)):
        print(f"{what}: {len(labelled.rows)}, of which {labelled.answered.sum()} are answered")
    text = "# How likely the articles answer a question: see ../abstaining.py. Written by benchmarks/fit_abstaining.py.\n"
    for examples in ("with examples", "without examples"):
        used = [place for place in range(len(SIGNALS)) if examples == "with examples" or place not in OF_EXAMPLES]
        if examples == "without examples":
            # A corpus that has no examples mostly has no asked-as questions either.
            messages, judged = (replace(one, rows=one.bare, by_quotes=one.by_bare_quotes) for one in (messages, judged))
        both = Labelled(*(np.concatenate([getattr(messages, f), getattr(judged, f)]) for f in Labelled.__annotations__))
        weights = np.concatenate([np.where(messages.worlds, WORLD_WEIGHT, 1.0), np.full(len(judged.rows), JUDGED_WEIGHT)])
        everything = np.ones(len(both.rows), dtype=bool)
        field, coefficients = fitted(f"field, {examples}", used, both, both.field, everything, weights)
        text += coefficients
        answered, coefficients = fitted(f"answered, {examples}", used, both, both.answered, both.field, weights)
        text += coefficients
        report(examples, field, answered, messages, judged)
        text += scaled(examples, answered[len(messages.rows) :], judged)
    COEFFICIENTS.write_text(text, encoding="utf-8")
    print(f"written: {COEFFICIENTS.relative_to(ROOT)}")


@dataclass(frozen=True)
class Labelled:
    """Signals (messages, signals), the same without asked-as questions, whether each is in the field, is answered, is of
    another world, its part, and whether the quotes that would be shown answer it, without asked-as questions as well (known of
    judged questions only)."""

    rows: np.ndarray
    bare: np.ndarray
    field: np.ndarray
    answered: np.ndarray
    worlds: np.ndarray
    parts: np.ndarray
    by_quotes: np.ndarray
    by_bare_quotes: np.ndarray


def from_messages(release: Release, encoded: Encoded, count: int, encoder: Encoder) -> Labelled:
    """The example messages that are questions: the first `count`; all others the router is always trained on as well."""
    messages = encoded.messages[:count]
    questions = range(count, len(encoded.messages))
    rows, bare, field, answered, worlds, parts = [], [], [], [], [], []
    examples, vocabulary = release.examples, release.vocabulary
    texts = [passage_in_context(release.articles[passage.article], passage) for passage in release.passages]
    other_scenarios = {message.scenario for name in WORLDS for message in load_messages(MESSAGES / name)}
    of_world = [message.kind == "other" and message.scenario in other_scenarios for message in messages]
    chance = np.random.default_rng(0)
    folds = [(learned, [p for p in tested if not of_world[p]]) for learned, tested in scenario_folds(messages, FOLDS)]
    folds.append(tuple([p for p, other in enumerate(of_world) if other is wanted] for wanted in (False, True)))
    for part, (learned, tested) in enumerate(folds):
        classifier = train(encoded, [*learned, *questions], encoder.name)
        near = [place for place in learned if comparable(messages[place])]
        release.examples = Examples.of(encoded.vectors[near], [messages[place].route for place in near])
        release.vocabulary = Vocabulary.of([*texts, *(messages[place].text for place in near)])
        for place in tested:
            message = messages[place]
            if message.route not in {"answer", "no_answer"} or language_of(message.text) not in {"en", ""}:
                continue
            question = encoder.encode_questions([message.text])[0]
            kinds = classifier.kinds_of(message.text, question.vector, question.tokens)
            rows.append(signals(release, question, search(release, question, POOL), kinds))
            bare.append(signals(release, question, search(release, question, POOL, UNASKED), kinds))
            field.append(message.kind == "general")
            answered.append(message.route == "answer")
            worlds.append(of_world[place])
            parts.append(part if part < FOLDS else int(chance.integers(FOLDS)))
    release.examples, release.vocabulary = examples, vocabulary
    unknown = [False] * len(rows)
    return Labelled(*map(np.array, (rows, bare, field, answered, worlds, parts, unknown, unknown)))


def from_judged(release: Release, corpus: Path, encoder: Encoder) -> Labelled:
    """The judged questions of the dev split."""
    files = [corpus / "judged" / name for name in ("questions.jsonl", "unanswerable.jsonl")]
    chosen = [item for file in files for item in load_judged(file) if item.split == "dev" and len(item.turns) == 1]
    found: dict[Weights, tuple[list[np.ndarray], list[bool]]] = {FUSED: ([], []), UNASKED: ([], [])}
    for item, question in zip(chosen, encoder.encode_questions([item.turns[0] for item in chosen]), strict=True):
        kinds = release.classifier.kinds_of(question.text, question.vector, question.tokens)
        for weights, (rows, by_quotes) in found.items():
            matches = search(release, question, POOL, weights)
            rows.append(signals(release, question, matches, kinds))
            cited = [quote.citation for quote in answer(release, matches, Likely(1.0, 1.0, 1.0)).quotes]
            by_quotes.append(any(answering(item.answers, place.doc, place.start, place.end) for place in cited))
    answered = np.array([bool(item.answers) for item in chosen])
    in_field, of_world = np.ones(len(chosen), dtype=bool), np.zeros(len(chosen), dtype=bool)
    (rows, by_quotes), (bare, by_bare_quotes) = found.values()
    parts = np.arange(len(chosen)) % FOLDS
    return Labelled(*map(np.array, (rows, bare, in_field, answered, of_world, parts, by_quotes, by_bare_quotes)))


def fitted(
    name: str, used: list[int], labelled: Labelled, wanted: np.ndarray, among: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, str]:
    """Fit one model on some of the messages; returns what it says of all, held out, and its coefficients as TOML."""
    rows = labelled.rows[:, used]
    means, scales = rows[among].mean(axis=0), rows[among].std(axis=0)
    scaled = (rows - means) / scales
    likely = np.zeros(len(rows))
    for part in range(FOLDS):
        learned = among & (labelled.parts != part)
        model = LogisticRegression(max_iter=1000).fit(scaled[learned], wanted[learned], sample_weight=weights[learned])
        likely[labelled.parts == part] = model.predict_proba(scaled[labelled.parts == part])[:, 1]
    model = LogisticRegression(max_iter=1000).fit(scaled[among], wanted[among], sample_weight=weights[among])
    of_all = {kind: np.full(len(SIGNALS), empty) for kind, empty in (("weights", 0.0), ("means", 0.0), ("scales", 1.0))}
    for kind, values in (("weights", model.coef_[0]), ("means", means), ("scales", scales)):
        of_all[kind][used] = values
    text = f'\n["{name}".fit]\noffset = {model.intercept_[0]:.4f}\n'
    for kind, values in of_all.items():
        lines = (f"{signal} = {value:.4f}\n" for signal, value in zip(SIGNALS, values, strict=True))
        text += f'\n["{name}".{kind}]\n' + "".join(lines)
    return likely, text


def scaled(name: str, answered: np.ndarray, judged: Labelled) -> str:
    """Fit the curve from what was said of the held-out judged questions to how often the quotes answered, as TOML."""
    odds = np.log(answered / (1 - answered))[:, None]
    model = LogisticRegression(C=1e6).fit(odds, judged.by_quotes)
    return f'\n["by quotes"."{name}"]\noffset = {model.intercept_[0]:.4f}\nslope = {model.coef_[0][0]:.4f}\n'


def report(name: str, field: np.ndarray, answered: np.ndarray, messages: Labelled, judged: Labelled) -> None:
    """Print how well what was held out is told apart."""
    for what, labelled, part in (
        ("messages", messages, slice(None, len(messages.rows))),
        ("judged", judged, slice(len(messages.rows), None)),
    ):
        inside, off = labelled.field, ~labelled.field
        print(f"{name}, {what}: AUROC in the field {roc_auc_score(labelled.answered[inside], answered[part][inside]):.3f}")
        groups = {
            "answered": labelled.answered,
            "near misses": inside & ~labelled.answered,
            "off the field": off & ~labelled.worlds,
            "other worlds": off & labelled.worlds,
        }
        for threshold in THRESHOLDS:
            quoted = (field[part] >= IN_THE_FIELD_FROM) & (answered[part] >= threshold)
            shares = [f"{group} {quoted[members].mean():.3f}" for group, members in groups.items() if members.any()]
            print(f"  from {threshold}: {', '.join(shares)}")


if __name__ == "__main__":
    main()
