"""Cross-validation of the whole routing by scenario: each message is routed by what was learned from other scenarios."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from retrieval.assistant import Assistant
from retrieval.encoder import Encoder
from retrieval.evaluation.judged import Judged
from retrieval.evaluation.run import Evaluation, Outcome, evaluate, figures
from retrieval.examples import Examples
from retrieval.language import other_language
from retrieval.messages import Message, comparable
from retrieval.passages import passage_in_context
from retrieval.training import encode_messages, scenario_folds, train
from retrieval.vocabulary import Vocabulary

__all__ = ["as_judged", "cross_validate"]

_FOLDS = 5

Progress = Callable[[str, int, int], None]


def cross_validate(assistant: Assistant, encoder: Encoder, messages: Sequence[Message], tell: Progress) -> Evaluation:
    """Route every message by a trained router and examples that have seen nothing of its scenario.

    Parameters: an opened assistant, whose release is changed on the way and must not be used for anything else, the model,
    the messages, and whom to tell. The rules are those in force: they were written with some of these messages in sight.
    Returns the outcomes in the order of the parts.
    """
    release = assistant.release()
    encoded = encode_messages(messages, encoder, tell)
    texts = [passage_in_context(release.articles[passage.article], passage) for passage in release.passages]
    outcomes: list[Outcome] = []
    for number, (learned, tested) in enumerate(scenario_folds(messages, _FOLDS), start=1):
        tell("Training and routing", number - 1, _FOLDS)
        release.classifier = train(encoded, learned, encoder.name)
        near = [place for place in learned if comparable(messages[place])]
        release.examples = Examples.of(encoded.vectors[near], [messages[place].route for place in near])
        release.vocabulary = Vocabulary.of([*texts, *(messages[place].text for place in near)])
        judged = as_judged([messages[place] for place in tested], release.languages, first=len(outcomes))
        outcomes.extend(evaluate(assistant, judged, "").outcomes)
    tell("Training and routing", _FOLDS, _FOLDS)
    return Evaluation(f"cross-validated over scenarios, {_FOLDS} parts", release.id, tuple(outcomes), figures(outcomes))


def as_judged(messages: Sequence[Message], languages: Sequence[str], first: int = 0) -> list[Judged]:
    """Example messages as judged questions with a route.

    A general question in a language that the articles do not have is not answered: it gets the card that says so.
    """
    judged = []
    for number, message in enumerate(messages, start=first + 1):
        route = "no_answer" if message.route == "answer" and other_language(message.text, languages) else message.route
        judged.append(Judged(f"m-{number:05}", (message.text,), (), style="message", topic=message.scenario, route=route))
    return judged
