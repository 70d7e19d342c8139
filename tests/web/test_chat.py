"""The chat keeps its history in the patient's page, in bounds, and forgets it here."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seen import Seen

from retrieval.assistant import MAX_QUESTION, Assistant, clean
from retrieval.types import Turn
from web import chat
from web.gate import MAX_BODY
from web.look import readable_on
from web.render import question_html

Respond = Callable[[str, list[dict[str, Any]] | None], Any]


@dataclass(frozen=True)
class Request:
    """As much of a request as the chat looks at."""

    query_params: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


def _function(assistant: Assistant, name: str, lang: str = "en") -> Any:
    page = chat.build_chat(assistant)
    found = next(block.fn for block in page.fns.values() if getattr(block.fn, "__name__", "") == name)
    if name == "forget":
        return found

    def called(*given: Any) -> Any:
        result = found(*given, Request({"lang": lang}))
        return asyncio.run(result) if inspect.iscoroutine(result) else result

    return called


@pytest.fixture(scope="module")
def respond(assistant: Assistant) -> Respond:
    return _function(assistant, "respond")


def _seen(update: dict[str, Any]) -> list[str]:
    return [" ".join(Seen(message["content"]).words) for message in update["value"]]


def test_a_question_is_echoed_and_answered(respond: Respond) -> None:
    box, shown, start, clear = respond("How long does redness last?", None)
    assert box == ""
    asked, answered = _seen(shown)
    assert asked == "How long does redness last?"
    assert "Redness lasts for two days." in answered
    assert (shown["visible"], start["visible"], clear["visible"]) == (True, False, True)
    assert [message["role"] for message in shown["value"]] == ["user", "assistant"]


@pytest.mark.parametrize("nothing", ["", "   ", "\u200b\u200e", "\n"])
def test_an_empty_question_changes_nothing(respond: Respond, nothing: str) -> None:
    box, shown, start, clear = respond(nothing, [])
    assert (box, shown["value"], shown["visible"], start["visible"], clear["visible"]) == ("", [], False, True, False)
    history = respond("How long does redness last?", [])[1]["value"]
    assert respond(nothing, history)[1]["value"] == history


def test_a_question_that_cannot_be_asked_stays_in_the_box(respond: Respond) -> None:
    long = "why " * 1100
    box, shown, _, _ = respond(long, [])
    asked, answered = _seen(shown)
    assert box == long
    assert answered == f"The question has {len(clean(long)):,} characters. Please ask it in at most {MAX_QUESTION:,}."
    assert len(asked) < 250
    assert asked.endswith("…")


def test_private_data_is_not_shown_again(respond: Respond) -> None:
    _, shown, _, _ = respond("My name is Sarah Lim, call me on 012-345 6789. Does it hurt?", [])
    asked, answered = _seen(shown)
    assert "Sarah" not in asked
    assert "6789" not in asked
    assert "Please leave out personal details" in answered


def test_danger_in_a_question_that_is_too_long_is_still_seen(respond: Respond) -> None:
    answered = _seen(respond("I can't breathe. " + "why " * 1100, [])[1])[1]
    assert "Emergency" in answered


def test_a_follow_up_leans_on_the_question_before(respond: Respond) -> None:
    history = respond("How many sessions are needed?", [])[1]["value"]
    answered = _seen(respond("and for tattoos?", history)[1])[3]
    assert answered.startswith("Looking for: How many sessions are needed for tattoos")
    assert "Most tattoos need nine sessions." in answered


@given(st.text(min_size=1, max_size=80))
def test_questions_come_back_out_of_the_page_as_they_were(text: str) -> None:
    question = clean(text)
    for content in (question_html(question), [{"type": "text", "text": question_html(question)}]):
        turns = chat._turns([{"role": "user", "content": content}, {"role": "assistant", "content": "<p>no</p>"}])
        assert turns == ([Turn(question)] if question else [])


def test_only_the_last_turns_are_taken_up() -> None:
    history = [{"role": "user", "content": question_html(f"question {n}")} for n in range(20)]
    assert chat._turns(history) == [Turn(f"question {n}") for n in range(14, 20)]


def test_odd_histories_break_nothing(respond: Respond) -> None:
    odd: list[dict[str, Any]] = [
        {},
        {"role": "user"},
        {"role": "user", "content": None},
        {"role": "user", "content": [1, {"x": 2}]},
    ]
    box, shown, _, _ = respond("How long does redness last?", odd)
    assert box == ""
    assert "Redness lasts for two days." in " ".join(Seen(shown["value"][-1]["content"]).words)


@pytest.mark.parametrize(
    ("question", "times"), [("How long does redness last?", 40), ("((((*&'" * 500 + "redness?", 5), ("发红多久 " * 700, 8)]
)
def test_a_chat_of_any_length_can_go_on(respond: Respond, question: str, times: int) -> None:
    history: list[dict[str, Any]] = []
    longest = "发" * 2 * MAX_QUESTION  # the most that the box takes
    for number in range(times):
        history = respond(f"{question} {number}"[-MAX_QUESTION:], history)[1]["value"]
        sent = json.dumps({"data": [longest, history], "session_hash": "x" * 20}, ensure_ascii=False).encode()
        assert len(sent) < MAX_BODY - 1024
        assert _seen({"value": history[-2:-1]})[0].endswith(f" {number}")
    roles = [message["role"] for message in history]
    assert roles == ["assistant"] + ["user", "assistant"] * (len(roles) // 2)
    assert _seen({"value": history})[0] == "The start of this chat is no longer shown, to keep the page quick."
    assert len(history) >= 3


def test_a_short_chat_is_kept_whole(respond: Respond) -> None:
    history: list[dict[str, Any]] = []
    for number in range(6):
        history = respond(f"How long does redness last {number}?", history)[1]["value"]
    assert [message["role"] for message in history] == ["user", "assistant"] * 6


def test_clearing_forgets_everything(assistant: Assistant) -> None:
    box, shown, start, clear = _function(assistant, "forget")()
    assert (box, shown["value"], shown["visible"], start["visible"], clear["visible"]) == ("", [], False, True, False)


def test_the_first_view_has_the_clinic_and_questions_of_the_articles(assistant: Assistant) -> None:
    header, start, *_, footer = _function(assistant, "greet")()
    assert "Clinic *of* <Skin>" in Seen(header["value"]).text
    assert "hi@clinic.example" in Seen(footer["value"]).text
    shown = Seen(start["value"]).texts["button"]
    assert shown == ["Redness How long does redness last?", "Swelling What helps with swelling?"]


def test_the_page_speaks_the_language_of_its_address(assistant: Assistant) -> None:
    header, start, _, clear, box, send, footer = _function(assistant, "greet", "ms")()
    assert 'lang="ms"' in header["value"]
    assert "Artikel kami ditulis dalam English" in Seen(header["value"]).text
    assert (clear["value"], box["label"], send["value"]) == ("Padam perbualan ini", "Soalan anda", "Tanya")
    assert "Privasi" in Seen(footer["value"]).text
    assert "Anda boleh bertanya" in Seen(start["value"]).text
    respond = _function(assistant, "respond", "ms")
    answered = _seen(respond("How long does redness last?", [])[1])[1]
    assert "Baca dalam artikel" in answered
    assert "Redness lasts for two days." in answered
    assert "Kecemasan" in _seen(respond("I can't breathe", [])[1])[1]


def test_when_nothing_can_be_looked_up_the_page_points_to_a_person(broken_assistant: Assistant) -> None:
    _, start, *_, footer = _function(broken_assistant, "greet")()
    assert "+1 555 0100" in Seen(footer["value"]).text
    assert "button" not in Seen(start["value"]).tags
    respond = _function(broken_assistant, "respond")
    troubled = _seen(respond("How long does redness last?", [])[1])[1]
    assert "Something went wrong on our side" in troubled
    assert "+1 555 0100" in troubled
    assert "Emergency" in _seen(respond("I can't breathe", [])[1])[1]


def test_the_page_offers_no_way_around_the_gate(assistant: Assistant) -> None:
    page = chat.build_chat(assistant)
    assert all(block.api_visibility == "private" for block in page.fns.values())
    assert page.analytics_enabled is False
    assert page.state_session_capacity <= 32  # what Gradio keeps of chats
    assert all(type(block).__name__ != "HTML" for block in page.blocks.values())  # it would need script to be evaluated


@pytest.mark.parametrize(
    ("colour", "text"),
    [("#0b6e69", "#fff"), ("#000000", "#fff"), ("#ffffff", "#000"), ("#ffe58a", "#000"), ("#0000ff", "#fff")],
)
def test_the_button_can_be_read_on_any_accent(colour: str, text: str) -> None:
    assert readable_on(colour) == text
