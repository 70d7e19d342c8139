"""This product beside what a clinic could take instead: python benchmarks/peers/run.py

See README.md in this folder for what is compared, and why it is fair. `--install` makes the peers' environments, once.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from measuring import Failed, Run, figures, misplaced, run_ask, run_index

from retrieval.evaluation.judged import Judged, find_faults, load_judged
from retrieval.release import Release, open_current
from retrieval.settings import Settings

__all__ = ["OURS", "PEERS", "Row", "compare", "main", "table"]

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
VENVS = HERE / ".venvs"
_TEXTS = "texts"
# Offline, and every opt-out from telemetry that these products have.
QUIET = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "LANGSMITH_TRACING": "false",
    "LANGCHAIN_TRACING_V2": "false",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A product in one setting.

    `environment` is the peer's virtual environment, empty for the one that runs this; `corpus` says that it reads the corpus
    as the clinic keeps it, and not the plain texts.
    """

    name: str
    script: str
    environment: str = ""
    options: Mapping[str, int] = field(default_factory=dict)
    corpus: bool = False


OURS = (
    Row("**patient-faq**, search", "with_ours.py", options={"ask": 0}, corpus=True),
    Row("patient-faq, ask (may leave a question open)", "with_ours.py", options={"ask": 1}, corpus=True),
    Row("patient-faq, search on plain text", "with_ours.py", options={"ask": 0}),
)
PEERS = (
    Row("LangChain + FAISS, 1000/200 characters", "with_langchain.py", "langchain", {"size": 1000, "overlap": 200}),
    Row("LangChain + FAISS, 300/50 characters", "with_langchain.py", "langchain", {"size": 300, "overlap": 50}),
    Row("LlamaIndex, as it comes (1024/200 tokens)", "with_llamaindex.py", "llamaindex"),
    Row("LlamaIndex, 80/20 tokens", "with_llamaindex.py", "llamaindex", {"size": 80, "overlap": 20}),
    Row("Haystack hybrid, 512/32 words", "with_haystack.py", "haystack", {"size": 512, "overlap": 32}),
    Row("Haystack hybrid, 60 words", "with_haystack.py", "haystack", {"size": 60, "overlap": 0}),
    Row("txtai hybrid, paragraphs", "with_txtai.py", "txtai"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Install, measure or show; returns the exit status: 0 done, 1 a product could not be installed or measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--install", action="store_true", help="make the peers' environments and stop")
    parser.add_argument("--questions", type=Path, default=ROOT / "tests/judged/sources.jsonl", help="judged questions")
    parser.add_argument("--corpus", type=Path, help="what they are about; default: corpus, or ../shared/sources")
    parser.add_argument("--split", default="dev", help="dev, test or mixed; test is for reports only")
    parser.add_argument("--only", default="", help="rows whose name holds this, beside the first")
    parser.add_argument("--rounds", type=int, default=3, help="fresh processes for each row, by turns")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results", help="folder for the result")
    parser.add_argument("--show", type=Path, help="print the table of a result that was kept")
    chosen = parser.parse_args(arguments)
    peers = [row for row in PEERS if chosen.only.lower() in row.name.lower()]
    if chosen.install:
        # A list, so that one that fails does not keep the others from being installed.
        installed = [_install(name) for name in dict.fromkeys(row.environment for row in peers)]
        return int(not all(installed))
    if chosen.show:
        print(table(json.loads(chosen.show.read_text(encoding="utf-8"))))
        return 0
    own = chosen.questions.resolve().is_relative_to(ROOT / "corpus")
    corpus = (chosen.corpus or (ROOT / "corpus" if own else ROOT.parent / "shared/sources")).resolve()
    if not corpus.is_dir():
        parser.error(f"{corpus}: there is no such folder. Name what the questions are about with --corpus.")
    ours = [row for row in OURS if row is OURS[0] or chosen.only.lower() in row.name.lower()]
    result = compare([*ours, *peers], chosen.questions, corpus, chosen.split, max(1, chosen.rounds))
    threads = f"-threads{found}" if (found := os.environ.get("OMP_NUM_THREADS")) else ""
    kept = chosen.out / f"peers-{chosen.questions.stem}-{chosen.split}{threads}.json"
    kept.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(table(result))
    _say(f"kept in {os.path.relpath(kept)}")
    return int(any("failed" in row for row in result["rows"]))


def compare(rows: Sequence[Row], questions: Path, corpus: Path, split: str, rounds: int) -> dict[str, Any]:
    """Measure every row on the same questions; a row that fails says why and the others go on.

    Parameters: the rows (the first is what the others are compared with, and must be ours), judged questions, the corpus
    they are about, which split of them, and how many times each row is started.
    Returns the result as it is kept. Raises Failed where our own release cannot be built, or does not fit the questions.
    """
    load = os.getloadavg()
    runs: dict[str, list[Run]] = {row.name: [] for row in rows}
    why: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as temporary:
        bench = _Bench.of(rows[0], corpus, Path(temporary))
        if all(doc.endswith(".txt") for doc in bench.texts):
            # Such a corpus is plain text as it is.
            rows = [row for row in rows if row.environment or row.corpus]
        judged = _chosen(questions, split, bench.release)
        for turn in range(1, rounds + 1):
            for number, row in enumerate(rows, start=1):
                if row.name in why:
                    continue
                _say(f"round {turn} of {rounds}, row {number} of {len(rows)}: {row.name}")
                try:
                    runs[row.name].append(bench.ask(row, [item.turns[-1] for item in judged]))
                except Failed as problem:
                    why[row.name] = str(problem)
                    _say(f"  failed: {problem}")
        took = {row.name: bench.indexed[_index_name(row)][0] for row in rows if row.name not in why}
    return {
        "commit": _said("git", "describe", "--always", "--dirty"),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": _machine(),
        "load_before": [round(value, 2) for value in load],
        "load_after": [round(value, 2) for value in os.getloadavg()],
        "questions": os.path.relpath(questions, ROOT),
        "corpus": os.path.relpath(corpus, ROOT),
        "split": split,
        "count": len(judged),
        "rounds": rounds,
        "rows": [
            {"name": row.name, "failed": why[row.name]}
            if row.name in why
            else {
                "name": row.name,
                "options": dict(row.options),
                "index_s": took[row.name],
                "installed_mb": _installed(row.environment),
                **dataclasses.asdict(figures(judged, runs[row.name])),
            }
            for row in rows
        ],
    }


def table(result: Mapping[str, Any]) -> str:
    """The table of a result, in Markdown; what is in parentheses is how many times as much as in the first row."""
    heads = (
        "product", "hit@1", "hit@3", "hit in 100 words", "words to the answer", "shown",
        "ms, median", "ms, 95th", "s to first answer", "s to index", "peak MB", "installed MB",
    )  # fmt: skip
    load = result["load_before"][0], result["load_after"][0]
    lines = [
        f"{result['questions']}, {result['split']}: {result['count']} questions on {result['corpus']}, k = 3, "
        f"{result['rounds']} round{'s' * (result['rounds'] != 1)}. {result['commit']}, {result['date']}, {result['machine']}, "
        f"load before {load[0]}, after {load[1]}.",
        "",
        f"| {' | '.join(heads)} |",
        f"|{'---|' * len(heads)}",
    ]
    first = result["rows"][0]
    for row in result["rows"]:
        if "failed" in row:
            lines.append(f"| {row['name']} | not measured: {row['failed']} {'| ' * (len(heads) - 2)}|")
            continue
        hits = [f"{row[name]['mean']:.3f}" for name in ("hit_1", "hit_3", "hit_few_words")]
        costs = [
            _beside(row[name], first.get(name, 0.0), digits)
            for name, digits in (("median_ms", 1), ("p95_ms", 1), ("first_answer_s", 2), ("index_s", 1))
        ]
        sizes = [_beside(row[name], first.get(name, 0.0), 0) for name in ("peak_mb", "installed_mb")]
        words = _beside(row["words"], first.get("words", 0.0), 0)
        lines.append("| " + " | ".join([row["name"], *hits, words, f"{row['shown']:.2f}", *costs, *sizes]) + " |")
    return "\n".join(lines)


def _beside(value: float, first: float, digits: int) -> str:
    """A value, and how many times the first row's it is."""
    return f"{value:.{digits}f}" + (f" ({value / first:.1f}x)" if first and value != first else "")


@dataclass(frozen=True, slots=True)
class _Bench:
    """One corpus on which rows are measured: our release of it, its texts, and which indexes were made of them."""

    corpus: Path
    work: Path
    release: Release
    texts: dict[str, str]
    indexed: dict[str, tuple[float, dict[str, Any]]]

    @classmethod
    def of(cls, row: Row, corpus: Path, work: Path) -> _Bench:
        """Build our release first: its canonical text is what every peer reads."""
        _say("building our release")
        name = _index_name(row)
        made = run_index([*_start(row), "index", str(corpus), str(work / name), "{}"], _environment(row))
        release = open_current(work / name)
        texts = {article.doc: article.text for article in release.articles}
        (work / _TEXTS).mkdir()
        for doc, text in texts.items():
            # Bytes, so that no line end is changed and every offset holds.
            (work / _TEXTS / f"{doc}.txt").write_bytes(text.encode())
        return cls(corpus, work, release, texts, {name: made})

    def ask(self, row: Row, questions: Sequence[str]) -> Run:
        """Ask a row every question, after it has made its index where it had none; raises Failed."""
        if row.environment and not _python(row.environment).is_file():
            noted = VENVS / f"{row.environment}.txt"
            reason = noted.read_text(encoding="utf-8").strip() if noted.is_file() else "run.py --install was not run"
            raise Failed(f"not installed: {reason}")
        name, options = _index_name(row), json.dumps(dict(row.options))
        if name not in self.indexed:
            command = [*_start(row), "index", str(self.work / _TEXTS), str(self.work / name), options]
            self.indexed[name] = run_index(command, _environment(row))
        if not self.indexed[name][1]["weights"].startswith(self.release.model.partition("@")[2]):
            raise Failed(f"its weights are not those of {self.release.model}")
        run = run_ask([*_start(row), "ask", str(self.work / name), options], _environment(row), questions)
        if not row.environment and not row.corpus:
            run = _by_document(run)
        if wrong := misplaced(run.found, self.texts):
            raise Failed(f"{len(wrong)} chunks do not stand where they are said to, such as {wrong[0]}")
        return run


def _by_document(run: Run) -> Run:
    """Name the document and not its file: ours, on plain text, names what it read."""
    found = [tuple(dataclasses.replace(one, doc=one.doc.removesuffix(".txt")) for one in chunks) for chunks in run.found]
    return dataclasses.replace(run, found=tuple(found))


def _chosen(questions: Path, split: str, release: Release) -> list[Judged]:
    """The questions of a split that the articles answer and that stand for themselves: no peer keeps the chat so far."""
    judged = [item for item in load_judged(questions) if item.split == split and item.answers and len(item.turns) == 1]
    if not judged:
        raise Failed(f"{questions}: has no question with an answer in the split {split}.")
    if faults := find_faults(judged, {article.doc: article for article in release.articles}):
        raise Failed(f"{questions}: does not fit the corpus ({len(faults)} faults, such as {faults[0]}).")
    return judged


def _index_name(row: Row) -> str:
    """A name for an index; rows that differ only in how they ask share one."""
    parts = [row.environment or ("ours" if row.corpus else "ours-plain")]
    return "-".join([*parts, *(f"{name}{value}" for name, value in row.options.items() if name != "ask")])


def _python(environment: str) -> Path:
    return VENVS / environment / "bin/python" if environment else Path(sys.executable)


def _start(row: Row) -> list[str]:
    return [str(_python(row.environment)), str(HERE / row.script)]


def _environment(row: Row) -> dict[str, str]:
    """The environment as it is, offline and without telemetry; only our own scripts may import this project."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return kept | QUIET | ({} if row.environment else {"PYTHONPATH": str(ROOT)})


def _install(environment: str) -> bool:
    """Make a peer's environment; what went wrong is noted beside it, for its row. Returns whether it is there."""
    _say(f"installing {environment}")
    noted = VENVS / f"{environment}.txt"
    VENVS.mkdir(exist_ok=True)
    pip = [str(_python(environment)), "-m", "pip", "install", "--quiet", "-r", str(HERE / f"requirements/{environment}.txt")]
    for command in ([sys.executable, "-m", "venv", str(VENVS / environment)], pip):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["it could not be made"]
            noted.write_text(said[-1][:200] + "\n", encoding="utf-8")
            _python(environment).unlink(missing_ok=True)
            _say(f"  failed: {said[-1]}")
            return False
    noted.unlink(missing_ok=True)
    return True


def _installed(environment: str) -> float:
    """Megabytes that a product and all it needs take on disk, without what only tests need."""
    if environment:
        lines = (HERE / f"requirements/{environment}.txt").read_text(encoding="utf-8").splitlines()
    else:
        lines = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    names = [found.group() for line in lines if (found := re.match(r"[\w.-]+", line))]
    done = subprocess.run([_python(environment), HERE / "peer.py", "size", *names], capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout)) + (0.0 if environment else _our_own_mb())


def _our_own_mb() -> float:
    """Megabytes of our own files, and of the second form of the weights that we keep."""
    models = Settings.from_environment().models
    folders = (ROOT / "retrieval", ROOT / "web", Path(models) if models else Path(sys.prefix, "share/patient-faq/models"))
    return sum(path.stat().st_size for folder in folders for path in folder.rglob("*") if path.is_file()) / 1e6


def _machine() -> str:
    try:
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (OSError, KeyError, ValueError):
        system, memory = platform.system(), 0.0
    threads = os.environ.get("OMP_NUM_THREADS", "not set")
    version = platform.python_version()
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {system}, Python {version}, OMP_NUM_THREADS {threads}"


def _said(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as problem:
        sys.exit(str(problem))
