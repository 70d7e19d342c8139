"""What closes a gap: a question attached to sentences that answer it, an article begun, a judged question, and the proof."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from retrieval.assistant import MAX_QUESTION, Assistant, clean
from retrieval.errors import CorpusError
from retrieval.evaluation.judged import Judged, Span, find_faults, load_judged
from retrieval.keeping.gaps import Gap
from retrieval.private import private_data
from retrieval.types import Article, Quote, Route

__all__ = ["JUDGED", "Proof", "Proved", "add_judged", "attach", "proof", "span_of", "start_article"]

JUDGED = "judged/staff.jsonl"
"""The judged questions that staff add, in the corpus."""
_MOST_SENTENCES = 3
_MOST_ATTACHED = 500
_MOST_NAME = 60


@dataclass(frozen=True, slots=True)
class Proved:
    """What a question of a gap gets now: a route, and the quotes if there are any."""

    question: str
    route: Route
    quotes: tuple[Quote, ...]


@dataclass(frozen=True, slots=True)
class Proof:
    """What the questions of a gap get from one release."""

    release: str
    asked: tuple[Proved, ...]

    @property
    def answered(self) -> int:
        """How many of them get a quote."""
        return sum(1 for one in self.asked if one.quotes)


def attach(corpus: Path, doc: str, sentences: Sequence[str], question: str) -> bool:
    """Attach a question to sentences of an article: it is an asked-as question from the next release on.

    Parameters: the corpus; the article's file name; one to three sentences in a row, as they stand there; the question, in
    the staff's words or as the journal has it. Returns whether it is new there. Raises CorpusError where the article is not
    there, or the question has private data in it or cannot stand in such a file.
    """
    _article_file(corpus, doc)
    question = _question(question, _MOST_ATTACHED)
    named = [" ".join(sentence.split()) for sentence in sentences]
    if not 0 < len(named) <= _MOST_SENTENCES or not all(named):
        raise CorpusError(f"{doc}: name one to {_MOST_SENTENCES} sentences that answer the question.")
    file = corpus / "questions" / f"{doc}.txt"
    begun = f"# Questions that patients ask, and the sentences of {doc} that answer them: see docs/finding.md.\n"
    text = _read(file) if file.exists() else begun
    lines = text.splitlines()
    group = _group(lines, named)
    if group is None:
        while lines and not lines[-1].strip():
            lines.pop()
        lines += ["", *(f"> {sentence}" for sentence in named), question]
    else:
        first, end = group
        if _alike(question) in {_alike(line) for line in lines[first:end]}:
            return False
        lines.insert(end, question)
    _write(file, "\n".join(lines) + "\n")
    return True


def span_of(article: Article, first: int, last: int) -> Span:
    """The span of sentences `first` to `last` (inclusive) of an article, for a judged question."""
    return Span(article.doc, article.sentences[first].start, article.sentences[last].end, article.digest)


def add_judged(corpus: Path, question: str, spans: Sequence[Span], articles: Mapping[str, Article]) -> Judged | None:
    """Add a judged question to those of the staff; it counts in the gate from the next publishing on.

    Parameters: the corpus; the question; the spans that answer it (none: the articles must not answer it); the articles by
    file name. Returns it, or None where it stands there already. Raises CorpusError where it has private data in it or a span
    is no run of whole sentences of its article as it is now, EvaluationError where the file cannot be read.
    """
    question = _question(question, MAX_QUESTION)
    file = corpus / JUDGED
    before = load_judged(file) if file.exists() and file.stat().st_size else []
    if _alike(question) in {_alike(one.turns[0]) for one in before if len(one.turns) == 1}:
        return None
    name = "staff-" + hashlib.sha256(_alike(question).encode()).hexdigest()[:8]
    judged = Judged(name, (question,), tuple(spans), style="staff")
    faults = find_faults([judged], articles)
    if faults:
        raise CorpusError(f"This cannot be a judged question. {faults[0]}. Choose whole sentences of the article as it is now.")
    answers = [{"doc": span.doc, "start": span.start, "end": span.end, "digest": span.digest} for span in judged.answers]
    row = {"id": judged.id, "turns": list(judged.turns), "style": judged.style, "topic": "", "split": "", "answers": answers}
    text = _read(file) if file.exists() else ""
    text += "\n" if text and not text.endswith("\n") else ""
    _write(file, text + json.dumps(row, ensure_ascii=False) + "\n")
    return judged


def start_article(corpus: Path, title: str, question: str) -> Path:
    """Begin an article: a draft with a title and a question for a heading, and no text. Staff write what it says.

    Until then builds say that it holds no text that could be quoted. Returns its file. Raises CorpusError as `attach` does.
    """
    title, question = _question(title, 200), _question(question, 200)
    folder = corpus / "articles" if (corpus / "articles").is_dir() else corpus
    quoted = json.dumps(title, ensure_ascii=False).replace("\x7f", "")  # a text in JSON is one in TOML too, but for DEL
    text = f'+++\ntitle = {quoted}\nstate = "draft"\n+++\n\n# {_heading(title)}\n\n## {_heading(question)}\n'
    name = _file_name(title)
    for number in range(1, 1000):
        path = folder / (f"{name}.md" if number == 1 else f"{name}-{number}.md")
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            continue
        except OSError as problem:
            raise CorpusError(f"{path}: cannot be written ({problem.strerror}). Check the folder's permissions.") from problem
        return path
    raise CorpusError(f"{folder}: there are too many articles called {name}. Choose another title.")


def proof(gap: Gap, assistant: Assistant) -> Proof:
    """Ask the questions of a gap of the release in force, or of the one that the assistant was opened for."""
    release = assistant.release().id
    asked = []
    for question in dict.fromkeys([one.question for one in gap.questions] or [gap.title]):
        answer = assistant.ask(question)
        asked.append(Proved(question, answer.route, answer.quotes))
    return Proof(release, tuple(asked))


def _question(text: str, most: int) -> str:
    text = clean(text)
    if not any(character.isalnum() for character in text) or len(text) > most:
        raise CorpusError(f"Write the question in words, in at most {most} characters.")
    if text.startswith((">", "#")):
        raise CorpusError("A question cannot begin with > or #, which mean something else in these files. Leave it out.")
    kinds = private_data(text)
    if kinds:
        raise CorpusError(f"The question has private data in it ({', '.join(kinds)}). Write it in your own words, without.")
    return text


def _article_file(corpus: Path, doc: str) -> Path:
    folder = corpus / "articles" if (corpus / "articles").is_dir() else corpus
    # The name of an article is that of its file alone: with a way in it, it could name any file of this machine.
    if Path(doc).name != doc or doc.startswith(".") or not (folder / doc).is_file():
        raise CorpusError(f"There is no article {doc!r}. Name the file of one, such as aftercare.md.")
    return folder / doc


def _group(lines: Sequence[str], named: Sequence[str]) -> tuple[int, int] | None:
    """Where the questions of the first group begin and end that names just these sentences; read as in retrieval.asked."""
    quoted: list[str] = []
    first = end = 0
    asked = True
    for number, line in enumerate(map(str.strip, lines), start=1):
        if not line or line.startswith("#"):
            continue
        if line.startswith(">"):
            if asked and quoted == list(named):
                break
            quoted = [*([] if asked else quoted), " ".join(line[1:].split())]
            first = end = number
            asked = False
        else:
            asked, end = True, number
    return (first, end) if quoted == list(named) else None


def _alike(text: str) -> str:
    return " ".join(text.lower().split())


def _heading(text: str) -> str:
    """A text as Markdown that reads as it is."""
    return re.sub(r"([\\`*_{}\[\]<>#|~&])", r"\\\1", text)


def _file_name(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    name = "-".join(re.findall(r"[a-z0-9]+", plain))[:_MOST_NAME].strip("-")
    return name or "article-" + hashlib.sha256(title.encode()).hexdigest()[:8]


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise CorpusError(f"{file}: cannot be read ({problem}). It must be text in UTF-8.") from problem


def _write(file: Path, text: str) -> None:
    """Replace a file as a whole, or leave it as it was."""
    fresh = None
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=file.parent, prefix=".", delete=False) as written:
            fresh = Path(written.name)
            written.write(text)
            written.flush()
            os.fsync(written.fileno())
        fresh.chmod(file.stat().st_mode & 0o777 if file.exists() else 0o644)
        os.replace(fresh, file)
    except OSError as problem:
        if fresh is not None:
            fresh.unlink(missing_ok=True)
        raise CorpusError(f"{file}: cannot be written ({problem.strerror}). Nothing was changed.") from problem
