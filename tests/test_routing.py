"""The rules: each does what its examples say, and the frames around a match are understood."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval.clinic import CARD_KINDS
from retrieval.errors import SettingsError
from retrieval.routing import FLOOR, Router, Rule

ROUTER = Router.from_folder()
RULES = [pytest.param(rule, id=rule.name) for rule in ROUTER.rules]

# Ordinary questions: sending one of these to a clinician makes the FAQ useless.
GENERAL = [
    "How many sessions will it take?",
    "does it hurt",
    "Can the laser cause blistering?",
    "how long will my skin be red?",
    "can I go back to work after?",
    "is it safe for all skin types?",
    "What is a picosecond?",
    "Is swelling normal after pico laser?",
    "what are the side effects",
    "Does pico work on acne scars?",
    "how do I look after my skin afterwards",
    "do I need to wear goggles?",
    "When will I see results?",
    "can it remove tattoos",
    "how long is one session",
]
# From the routing policy's own list of dangers, in plain words.
DANGERS = [
    "I can't breathe",
    "my lips and tongue are swelling up",
    "the pain is getting worse and worse",
    "the laser went into my eye",
    "my vision is blurry since the treatment",
    "I have a fever and the skin is hot and spreading red",
    "there is pus coming out of my cheek",
    "it won't stop bleeding",
    "my wife fainted after the laser",
    "I have chest pain",
    "the laser left a deep burn",
    "I think I am having an allergic reaction to the cream",
    "he had a seizure after the numbing cream",
    "my heart is beating irregularly after the numbing cream",
    "my son got hurt by the laser",
    "I want to kill myself",
]
CLINICAL = [
    "I am pregnant, can I have it?",
    "can I do pico while breastfeeding",
    "I get keloids, is it safe for me?",
    "I take Accutane, can I have pico laser?",
    "my mole has changed shape, can you laser it?",
    "which laser is right for me?",
    "day 5 after my laser and it is still itchy, what should I do?",
    "can my 9 year old have it?",
    "what is this brown patch on my cheek?",
    "how many sessions will I need for my melasma?",
]


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_catches_its_examples_and_not_its_counterexamples(rule: Rule) -> None:
    assert len(rule.examples) >= 3
    for example in rule.examples:
        routing = ROUTER.route(example)
        assert routing is not None, example
        assert rule.name in routing.rules, example
    for example in rule.counterexamples:
        routing = ROUTER.route(example)
        assert routing is None or rule.name not in routing.rules, example


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_can_be_read_and_signed(rule: Rule) -> None:
    assert rule.says
    assert rule.card in CARD_KINDS
    assert rule.route in {"urgent", "consult", "no_answer"}


def test_rules_have_names_of_their_own() -> None:
    names = [rule.name for rule in ROUTER.rules]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("message", DANGERS)
def test_every_danger_of_the_policy_is_urgent(message: str) -> None:
    routing = ROUTER.route(message)
    assert routing is not None
    assert routing.route == "urgent"


@pytest.mark.parametrize("message", CLINICAL)
def test_what_needs_to_know_the_person_goes_to_a_clinician(message: str) -> None:
    routing = ROUTER.route(message)
    assert routing is not None
    assert routing.route == "consult"


@pytest.mark.parametrize("message", GENERAL)
def test_ordinary_questions_are_left_to_the_articles(message: str) -> None:
    assert ROUTER.route(message) is None


def test_self_harm_has_a_card_of_its_own() -> None:
    routing = ROUTER.route("I want to kill myself")
    assert routing is not None
    assert routing.card == "self_harm"


def test_the_highest_need_wins() -> None:
    routing = ROUTER.route("How much does it cost? I am pregnant and I can't breathe")
    assert routing is not None
    assert routing.route == "urgent"


@pytest.mark.parametrize("message", ["", "?", "asdf qwer", "tell me a joke", "皮"])
def test_what_says_nothing_raises_nothing(message: str) -> None:
    assert ROUTER.route(message) is None


def rules_folder(tmp_path: Path, rule: str) -> Path:
    for path in FLOOR.glob("*.toml"):
        (tmp_path / path.name).write_text("", encoding="utf-8")
    (tmp_path / "danger_signs.toml").write_text(rule, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("[[rule]]\nname = 'x'\nsays = 'x'\nroute = 'urgent'\nexamples = []", "when"),
        ("[[rule]]\nname = 'x'\nsays = 'x'\nroute = 'panic'\nwhen = ['a']\nexamples = []", "panic"),
        ("[[rule]]\nname = 'x'\nsays = 'x'\nroute = 'urgent'\nwhen = ['!']\nexamples = []", "'!'"),
        ("[[rule]]\nname = 'x'\nsays = 'x'\nroute = 'urgent'\nwhen = ['a']\nexamples = []\nwhn = 1", "whn"),
        ("[[rule", "cannot be read"),
    ],
)
def test_a_rule_that_is_wrong_stops_the_start_and_is_named(tmp_path: Path, rule: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said) as problem:
        Router.from_folder(rules_folder(tmp_path, rule))
    assert "danger_signs.toml" in str(problem.value)


def test_a_missing_file_of_rules_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no message can be routed"):
        Router.from_folder(tmp_path)
