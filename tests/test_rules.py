"""The rules: each does what its examples say, and the frames around a match are understood."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval.clinic import CARD_KINDS
from retrieval.errors import SettingsError
from retrieval.rules import Rule, Rules, load_rules

RULES_IN_FORCE = Rules.floor()
RULES = [pytest.param(rule, id=rule.name) for rule in RULES_IN_FORCE.rules]

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
        routing = RULES_IN_FORCE.route(example)
        assert routing is not None, example
        assert rule.name in routing.rules, example
    for example in rule.counterexamples:
        routing = RULES_IN_FORCE.route(example)
        assert routing is None or rule.name not in routing.rules, example


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_can_be_read_and_signed(rule: Rule) -> None:
    assert rule.says
    assert rule.card in CARD_KINDS
    assert rule.route in {"urgent", "consult", "no_answer"}


def test_rules_have_names_of_their_own() -> None:
    names = [rule.name for rule in RULES_IN_FORCE.rules]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("message", DANGERS)
def test_every_danger_of_the_policy_is_urgent(message: str) -> None:
    routing = RULES_IN_FORCE.route(message)
    assert routing is not None
    assert routing.route == "urgent"


@pytest.mark.parametrize("message", CLINICAL)
def test_what_needs_to_know_the_person_goes_to_a_clinician(message: str) -> None:
    routing = RULES_IN_FORCE.route(message)
    assert routing is not None
    assert routing.route == "consult"


@pytest.mark.parametrize("message", GENERAL)
def test_ordinary_questions_are_left_to_the_articles(message: str) -> None:
    assert RULES_IN_FORCE.route(message) is None


def test_self_harm_has_a_card_of_its_own() -> None:
    routing = RULES_IN_FORCE.route("I want to kill myself")
    assert routing is not None
    assert routing.card == "self_harm"


def test_the_highest_need_wins() -> None:
    routing = RULES_IN_FORCE.route("How much does it cost? I am pregnant and I can't breathe")
    assert routing is not None
    assert routing.route == "urgent"


@pytest.mark.parametrize("message", ["", "?", "asdf qwer", "tell me a joke", "皮"])
def test_what_says_nothing_raises_nothing(message: str) -> None:
    assert RULES_IN_FORCE.route(message) is None


def rules_folder(tmp_path: Path, rule: str) -> Path:
    (tmp_path / "ours.toml").write_text(rule, encoding="utf-8")
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
def test_a_rule_that_is_wrong_is_named(tmp_path: Path, rule: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said) as problem:
        Rules.from_folder(rules_folder(tmp_path, rule))
    assert "ours.toml" in str(problem.value)


OURS = """
[[rule]]
name = "cooling-gel"
says = "Burning after our cooling gel"
route = "urgent"
when = ["cooling gel & burn*"]
examples = ["the cooling gel burns my face", "my mum's cheek burns from the cooling gel"]
counterexamples = ["do you use cooling gel"]
"""


def test_a_clinic_adds_rules_that_only_raise(tmp_path: Path) -> None:
    added = Rules.from_folder(rules_folder(tmp_path, OURS))
    assert load_rules(tmp_path) == {"ours.toml": OURS}
    raised = added.route("The cooling gel burns me badly")
    assert raised is not None
    assert (raised.route, raised.rules) == ("urgent", ("cooling-gel",))
    assert added.route("I can't breathe") is None


def test_a_folder_without_rules_adds_none(tmp_path: Path) -> None:
    assert load_rules(tmp_path) == {}
    assert Rules.from_folder(tmp_path).route("I can't breathe") is None


def test_a_clinic_s_rule_cannot_take_the_place_of_another(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="trouble-breathing"):
        load_rules(rules_folder(tmp_path, OURS.replace("cooling-gel", "trouble-breathing")))


@pytest.mark.parametrize(
    ("old", "new"),
    [('"the cooling gel burns my face"', '"my nose tickles"'), ('"do you use cooling gel"', '"the cooling gel burns"')],
)
def test_a_rule_that_does_not_do_what_its_examples_say_is_refused(tmp_path: Path, old: str, new: str) -> None:
    with pytest.raises(SettingsError, match="cooling-gel"):
        load_rules(rules_folder(tmp_path, OURS.replace(old, new)))
