"""The gate: worse figures are refused with a reason, noise is allowed, and what is no gate lets nothing pass."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.errors import EvaluationError
from retrieval.evaluation.gate import broken_limits, gate_text
from retrieval.evaluation.statistics import Figure

GATE = """
[baseline]
commit = "1a2b3c4"
judged = "corpus/judged/questions.jsonl, dev"

[figures]
"hit@1" = { was = 0.51, at_least = 0.49 }
"answered in vain" = { was = 0.40, at_most = 0.44 }
"""
FIGURES = {
    "hit@1": Figure(0.60, 0.50, 0.70, 100),
    "words to answer": Figure(30.0, 28.0, 32.0, 100),
    "answered in vain": Figure(0.40, 0.30, 0.50, 80),
    "calibration error": Figure(0.20, 0.20, 0.20, 180),
    "mean risk over coverage": Figure(0.30, 0.30, 0.30, 180),
    "auroc of abstaining": Figure(0.80, 0.80, 0.80, 180),
    "urgent: recall": Figure(0.98, 0.96, 1.0, 50),
    "urgent: false alarms": Figure(0.02, 0.0, 0.04, 50),
    "quotes proved": Figure(1.0, 1.0, 1.0, 100),
    "ms search, median": Figure(4.0, 4.0, 4.0, 100),
}


def at(mean: float) -> Figure:
    return Figure(mean, mean, mean, 10)


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    path = tmp_path / "gate.toml"
    path.write_text(GATE, encoding="utf-8")
    return path


def written(tmp_path: Path, figures: dict[str, Figure]) -> Path:
    path = tmp_path / "gate.toml"
    path.write_text(gate_text(figures, "1a2b3c4", "dev"), encoding="utf-8")
    return path


def test_figures_within_their_limits_pass(gate: Path) -> None:
    assert broken_limits(gate, {"hit@1": at(0.49), "answered in vain": at(0.44)}) == []
    assert broken_limits(gate, {"hit@1": at(1.0), "answered in vain": at(0.0), "more": at(0.5)}) == []


def test_a_worse_figure_is_refused_with_its_name_what_it_is_what_it_was_and_when(gate: Path) -> None:
    assert broken_limits(gate, {"hit@1": at(0.482), "answered in vain": at(0.4)}) == [
        "hit@1: 0.482, was 0.510 at 1a2b3c4 (-0.028); must be at least 0.490"
    ]
    assert broken_limits(gate, {"hit@1": at(0.51), "answered in vain": at(0.45)}) == [
        "answered in vain: 0.450, was 0.400 at 1a2b3c4 (+0.050); must be at most 0.440"
    ]
    assert len(broken_limits(gate, {"hit@1": at(0.1), "answered in vain": at(0.9)})) == 2


def test_a_figure_that_was_not_measured_is_refused(gate: Path) -> None:
    assert broken_limits(gate, {"hit@1": at(0.5)}) == ["answered in vain: not measured in this run"]


def test_a_figure_that_is_no_number_does_not_pass(gate: Path) -> None:
    reasons = broken_limits(gate, {"hit@1": at(float("nan")), "answered in vain": at(float("nan"))})
    assert [reason.split(":")[0] for reason in reasons] == ["hit@1", "answered in vain"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not toml at all",
        "[figures]\n",
        '[baseline]\ncommit = "1"\n',
        "baseline = 1\n[figures]\n",
        '[baseline]\ncommit = "1"\n[figures]\n',
        'figures = 3\n[baseline]\ncommit = "1"\n',
        '[baseline]\ncommit = "1"\n[figures]\n"hit@1" = 0.5\n',
        '[baseline]\ncommit = "1"\n[figures]\n"hit@1" = { at_least = 0.5 }\n',
        '[baseline]\ncommit = "1"\n[figures]\n"hit@1" = { was = 0.5 }\n',
        '[baseline]\ncommit = "1"\n[figures]\n"hit@1" = { was = 0.5, atleast = 0.5 }\n',
        '[baseline]\ncommit = "1"\n[figures]\n"hit@1" = { was = 0.5, at_least = "half" }\n',
        '[baseline]\ncommit = "1"\n[figures]\n"hit@1" = { was = [], at_least = 0.5 }\n',
    ],
)
def test_what_is_no_gate_is_an_error_that_names_the_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "gate.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(EvaluationError, match=r"gate\.toml"):
        broken_limits(path, {"hit@1": at(1.0)})


def test_a_gate_that_is_not_there_or_not_text_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"absent\.toml"):
        broken_limits(tmp_path / "absent.toml", {})
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(EvaluationError, match=r"bytes\.toml"):
        broken_limits(tmp_path / "bytes.toml", {})


def test_a_written_gate_says_where_it_comes_from_and_leaves_times_out() -> None:
    values = tomllib.loads(gate_text(FIGURES, "1a2b3c4", "corpus/judged, dev"))
    assert values["baseline"] == {"commit": "1a2b3c4", "judged": "corpus/judged, dev"}
    assert set(values["figures"]) == set(FIGURES) - {"ms search, median"}


def test_a_written_gate_knows_which_figures_are_to_be_small_and_how_much_is_noise() -> None:
    limits = tomllib.loads(gate_text(FIGURES, "1a2b3c4", "dev"))["figures"]
    assert limits == {
        "hit@1": {"was": 0.6, "at_least": 0.55},  # a quarter of 0.5 to 0.7
        "words to answer": {"was": 30.0, "at_most": 31.0},
        "answered in vain": {"was": 0.4, "at_most": 0.45},
        "calibration error": {"was": 0.2, "at_most": 0.21},  # 0.01 at least
        "mean risk over coverage": {"was": 0.3, "at_most": 0.31},
        "auroc of abstaining": {"was": 0.8, "at_least": 0.79},
        "urgent: recall": {"was": 0.98, "at_least": 0.97},
        "urgent: false alarms": {"was": 0.02, "at_most": 0.03},
        "quotes proved": {"was": 1.0, "at_least": 1.0},
    }


def test_quotes_proved_may_not_fall_at_all(tmp_path: Path) -> None:
    path = written(tmp_path, FIGURES)
    assert broken_limits(path, FIGURES) == []
    worse = FIGURES | {"quotes proved": at(0.9999)}
    assert [reason.split(":")[0] for reason in broken_limits(path, worse)] == ["quotes proved"]


@settings(deadline=None, max_examples=60)
@given(
    proved=st.floats(0, 1),
    mean=st.floats(0, 1),
    width=st.floats(0, 1),
    name=st.sampled_from([n for n in FIGURES if n[:2] != "ms"]),
)
def test_a_written_gate_lets_its_own_figures_and_noise_pass_and_no_more(
    tmp_path_factory: pytest.TempPathFactory, proved: float, mean: float, width: float, name: str
) -> None:
    tmp_path = tmp_path_factory.mktemp("gate")
    figures = {name: Figure(mean, mean - width / 2, mean + width / 2, 50), "quotes proved": at(proved)}
    path = written(tmp_path, figures)
    assert broken_limits(path, figures) == []
    if name != "quotes proved":
        worse = -1 if name in {"hit@1", "auroc of abstaining", "urgent: recall"} else 1
        room = max(0.01, width / 4)
        for share, refused in ((0.9, False), (1.1, True)):
            moved = figures | {name: dataclasses.replace(figures[name], mean=mean + worse * share * room)}
            assert bool(broken_limits(path, moved)) is refused
    assert bool(broken_limits(path, figures | {"quotes proved": at(proved - 1e-6)}))


def test_names_with_quotes_and_backslashes_are_written_so_that_they_are_read_again(tmp_path: Path) -> None:
    text = gate_text({'say "ah"': at(0.5)}, 'a"b', "C:\\judged\\new.jsonl")
    values = tomllib.loads(text)
    assert values["baseline"] == {"commit": 'a"b', "judged": "C:\\judged\\new.jsonl"}
    assert list(values["figures"]) == ['say "ah"']
