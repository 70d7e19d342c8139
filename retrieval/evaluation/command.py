"""The command `patient-faq evaluate`: figures, comparison, report and gate."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_args

from retrieval.assistant import Assistant
from retrieval.build import build
from retrieval.encoder import open_encoder
from retrieval.errors import EvaluationError
from retrieval.evaluation.beir import DocumentIndex, evaluate_set, is_beir, load_beir
from retrieval.evaluation.gate import broken_limits, gate_text
from retrieval.evaluation.judged import CHANGED, SPLITS, Judged, find_faults, load_judged
from retrieval.evaluation.report import write_report
from retrieval.evaluation.run import Evaluation, confusion, evaluate, p_value
from retrieval.evaluation.statistics import Figure
from retrieval.messages import load_messages
from retrieval.search import DENSE_ONLY, FUSED, LEXICAL_ONLY, PLAIN, UNASKED, UNTAUGHT, Weights
from retrieval.settings import Settings
from retrieval.types import Route

__all__ = ["RANKINGS", "Request", "Result", "run_request"]

RANKINGS: dict[str, Weights] = {
    "fused": FUSED,
    "dense": DENSE_ONLY,
    "lexical": LEXICAL_ONLY,
    "unasked": UNASKED,
    "untaught": UNTAUGHT,
    "plain": PLAIN,
}

_RENEW = (
    "`patient-faq check --carry-judged` carries those whose words are still there over to the changed articles, and lists the "
    "others, which are to be judged anew."
)

Progress = Callable[[str, int, int], None]


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """What is to be evaluated.

    `judged` are files of judged questions, or one folder in BEIR's shape, or, where `cross_validated` is set, files and
    folders of example messages; `corpus`, where given, is built into a temporary index first; `compare` is a ranking's name
    or the folder of a second index.
    """

    judged: tuple[Path, ...]
    settings: Settings
    corpus: Path | None = None
    split: str = "dev"
    ranking: str = "fused"
    compare: str = ""
    report: Path | None = None
    gate: Path | None = None
    write_gate: Path | None = None
    commit: str = ""
    cross_validated: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """What came out: lines for people, values for programs, and the reasons why a gate was not passed."""

    lines: tuple[str, ...]
    values: dict[str, Any]
    reasons: tuple[str, ...] = ()


def run_request(request: Request, tell: Progress) -> Result:
    """Evaluate as asked; raises EvaluationError for what cannot be evaluated."""
    if request.ranking not in RANKINGS:
        raise EvaluationError(f"--ranking {request.ranking}: is one of {', '.join(RANKINGS)}.")
    if request.cross_validated and (request.compare or request.gate or request.write_gate):
        raise EvaluationError("--cross-validate trains anew for each part; it goes with --report and --json only.")
    if len(request.judged) == 1 and is_beir(request.judged[0]):
        return _public_set(request, tell)
    with tempfile.TemporaryDirectory() as temporary:
        settings = request.settings
        if request.corpus is not None:
            settings = dataclasses.replace(settings, index=Path(temporary) / "index", corpus=request.corpus)
            build(request.corpus, settings.index, open_encoder(settings), tell)
        return (
            _cross_validated(request, settings, tell) if request.cross_validated else _judged_questions(request, settings, tell)
        )


def _cross_validated(request: Request, settings: Settings, tell: Progress) -> Result:
    # Imported here: it trains with torch, which takes longer to load than many an evaluation takes.
    from retrieval.evaluation.crossval import cross_validate

    messages = load_messages(*request.judged)
    one = cross_validate(Assistant.open(settings), open_encoder(settings), messages, tell)
    if request.report:
        write_report(request.report, one, None, None, {})
    return Result(tuple(_lines(one, None)), _values(one, None, ()))


def _judged_questions(request: Request, settings: Settings, tell: Progress) -> Result:
    if request.gate:
        broken_limits(request.gate, {})  # a file that is no gate is told before anybody has waited
    assistant = Assistant.open(settings)
    judged = _chosen(request, assistant)
    one = _run(assistant, judged, request.ranking, tell)
    other = None
    if request.compare in RANKINGS:
        other = _run(assistant, judged, request.compare, tell)
    elif request.compare:
        other_settings = dataclasses.replace(settings, index=Path(request.compare))
        other = _run(Assistant.open(other_settings), judged, request.ranking, tell)
    reasons = tuple(broken_limits(request.gate, one.figures)) if request.gate else ()
    if request.write_gate:
        names = ", ".join(path.name for path in request.judged)
        request.write_gate.write_text(gate_text(one.figures, request.commit, f"{names}, {request.split}"), encoding="utf-8")
    if request.report:
        texts = {article.doc: article.text for article in assistant.release().articles}
        write_report(request.report, one, other, reasons if request.gate else None, texts)
    return Result(tuple(_lines(one, other)), _values(one, other, reasons), reasons)


def _chosen(request: Request, assistant: Assistant) -> list[Judged]:
    """Load the questions of the split, checked against the articles that will be asked."""
    if request.split not in {*SPLITS, "all"}:
        raise EvaluationError(f"--split {request.split}: is one of {', '.join(SPLITS)}, all.")
    loaded = [item for path in request.judged for item in load_judged(path)]
    faults = find_faults(loaded, {article.doc: article for article in assistant.release().articles})
    if faults:
        more = f" and {len(faults) - 5} more" if len(faults) > 5 else ""
        said = f"The judged questions do not fit the articles: {'; '.join(faults[:5])}{more}."
        raise EvaluationError(f"{said} {_RENEW}" if any(CHANGED in fault for fault in faults) else said)
    chosen = [item for item in loaded if request.split == "all" or item.split in {request.split, ""}]
    if not chosen:
        raise EvaluationError(f"No judged question is in the split {request.split}. Choose another with --split.")
    return chosen


def _run(assistant: Assistant, judged: Sequence[Judged], ranking: str, tell: Progress) -> Evaluation:
    name = f"{ranking}, release {assistant.release().id}"
    return evaluate(assistant, judged, name, RANKINGS[ranking], lambda done, total: tell(f"Asking ({name})", done, total))


def _lines(one: Evaluation, other: Evaluation | None) -> list[str]:
    lines = [f"{one.name}: {len(one.outcomes)} questions"]
    if other:
        lines.append(f"against {other.name}")
    for name, figure in one.figures.items():
        line = f"  {name:28} {_text(figure)}"
        if other and name in other.figures:
            line += f"   {_text(other.figures[name])}   {figure.mean - other.figures[name].mean:+.3f}"
            likely = p_value(name, one.outcomes, other.outcomes)
            line += f"   p = {likely:.4f}" if likely is not None else ""
        lines.append(line)
    return [*lines, *_confusion_lines(one)]


def _confusion_lines(one: Evaluation) -> list[str]:
    """A table of routes: a line for each that messages should have taken, a column for each that they took."""
    table = confusion(one.outcomes)
    if not table:
        return []
    names = get_args(Route)
    rows = [f"  {'should be':10} " + "".join(f"{name:>11}" for name in names)]
    for wanted in names:
        rows.append(f"  {wanted:10} " + "".join(f"{table[wanted, name]:11}" for name in names))
    return rows


def _text(figure: Figure) -> str:
    if figure.low == figure.high:
        return f"{figure.mean:7.3f}                  "
    return f"{figure.mean:7.3f} ({figure.low:.3f} to {figure.high:.3f})"


def _values(one: Evaluation, other: Evaluation | None, reasons: Sequence[str]) -> dict[str, Any]:
    values: dict[str, Any] = {
        "name": one.name,
        "release": one.release,
        "questions": len(one.outcomes),
        "figures": {name: dataclasses.asdict(figure) for name, figure in one.figures.items()},
        "confusion": {f"{wanted} -> {was}": count for (wanted, was), count in sorted(confusion(one.outcomes).items())},
        "gate": list(reasons),
    }
    if other:
        compared = {name: dataclasses.asdict(figure) for name, figure in other.figures.items()}
        values["compared"] = {"name": other.name, "figures": compared}
    return values


def _public_set(request: Request, tell: Progress) -> Result:
    chosen = load_beir(request.judged[0])
    index = DocumentIndex.build(chosen.documents, open_encoder(request.settings), lambda d, t: tell("Encoding", d, t))
    names = list(dict.fromkeys([request.ranking, *([request.compare] if request.compare in RANKINGS else [])]))
    lines = [f"{chosen.name}: {len(chosen.documents):,} documents, {len(chosen.relevant):,} judged queries"]
    values: dict[str, Any] = {"name": chosen.name, "documents": len(chosen.documents), "queries": len(chosen.relevant)}
    for name in names:
        found = evaluate_set(index, chosen, RANKINGS[name])
        values[name] = {metric: dataclasses.asdict(figure) for metric, figure in found.items()}
        lines.append(f"  {name:8} " + "  ".join(f"{metric} {figure.mean:.4f}" for metric, figure in found.items()))
    return Result(tuple(lines), values)
