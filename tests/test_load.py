"""Many patients at once, over the real HTTP interface of the real app: the load benchmark in small, whatever the times."""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from support import ROOT

from retrieval.clinic import load_clinic

FOLDER = ROOT / "benchmarks" / "load"
QUESTION = "How many sessions will it take?"
EMERGENCY = "My face is swelling and I can't breathe"


@pytest.fixture(scope="module")
def load() -> Iterator[tuple[ModuleType, ...]]:
    """The benchmark's modules: run, patient, server."""
    sys.path.insert(0, str(FOLDER))
    names = ("run", "patient", "server")
    yield tuple(importlib.import_module(name) for name in names)
    sys.path.remove(str(FOLDER))
    for name in (*names, "wire"):
        del sys.modules[name]


@pytest.fixture(scope="module")
def served(load: tuple[ModuleType, ...], project_index: Path) -> Any:
    def start(**settings: str) -> AbstractContextManager[Any]:
        given = {f"PATIENT_FAQ_{name.upper()}": value for name, value in settings.items()}
        return load[2].served({"PATIENT_FAQ_INDEX": str(project_index), "PATIENT_FAQ_CORPUS": str(ROOT / "corpus"), **given})

    return start


def test_every_patient_gets_an_answer_and_every_danger_is_seen(load: tuple[ModuleType, ...], served: Any) -> None:
    with served() as server:
        figures = asyncio.run(load[0].run_burst(server, 10))
    assert (figures.answered, figures.busy, figures.errors) == (10, 0, {})
    assert (figures.emergencies, figures.emergencies_missed) == (1, 0)
    assert figures.memory_start > 0
    assert figures.server_cores > 0
    assert "| burst | 10 | 10 of 10 |" in load[0].table([figures])


def test_past_its_capacity_the_chat_says_so_keeps_the_question_and_still_sees_danger(
    load: tuple[ModuleType, ...], served: Any
) -> None:
    patients = load[1].Patient

    async def press(server: Any) -> list[Any]:
        here = [patients(server.port, 30.0) for _ in range(10)]
        for patient in here:
            assert not (await patient.open()).error
        outcomes = await asyncio.gather(*(one.ask(EMERGENCY if at == 7 else QUESTION) for at, one in enumerate(here)))
        told = next(one for one, outcome in zip(here, outcomes, strict=True) if outcome.kind == "busy")
        shown = [str(message["content"]) for message in told.history]
        again = await told.ask(told.typed)
        for patient in here:
            await patient.close()
        return [outcomes, shown, again, told]

    with served(capacity="1") as server:
        outcomes, shown, again, told = asyncio.run(press(server))
    kinds = [outcome.kind for outcome in outcomes]
    assert kinds[7] == "urgent"
    assert set(kinds) - {"urgent"} == {"quotes", "busy"}
    assert "How many sessions" in shown[0]
    card = next(card for card in load_clinic(ROOT / "corpus").cards if (card.kind, card.language) == ("busy", "en"))
    assert card.heading in shown[1]
    # Asked again from the box, it is answered in its place.
    assert again.kind == "quotes"
    assert told.typed == ""
    assert len(told.history) == 2


def test_only_real_answers_count(load: tuple[ModuleType, ...]) -> None:
    kind_of = load[1].kind_of
    card = '<section class="pf-card pf-{}"><p class="pf-label"><span class="pf-icon" aria-hidden="true">{}</span></p></section>'
    assert kind_of('<figure class="pf-quote">') == "quotes"
    assert kind_of(card.format("plain", "?")) == "card"
    assert kind_of(card.format("emergency", "!")) == kind_of(card.format("support", "♥")) == "urgent"
    assert kind_of(card.format("plain", "×")) == "trouble"
    assert kind_of(card.format("busy", "…")) == "busy"
    assert kind_of("<p>We are sorry</p>") == "nothing"
    for kind, error in (("trouble", True), ("nothing", True), ("status 503", True), ("timeout", True), ("busy", False)):
        assert load[1].Outcome(kind, 0.1, 0.0).error is error


def test_memory_that_grows_is_told_from_memory_that_does_not(load: tuple[ModuleType, ...]) -> None:
    slope = load[0]._slope
    assert slope([100.0, 400.0, 400.0, 400.0, 400.0, 400.0]) == 0  # what is loaded at the beginning does not count
    assert slope([float(value) for value in range(20)]) == pytest.approx(6)
    assert slope([1.0, 2.0]) == 0
