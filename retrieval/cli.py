"""The command `patient-faq`: build, ask, search, differences, rules, cards, train, evaluate; staff_cli.py has the staff's."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from retrieval.errors import PatientFaqError, QuestionError
from retrieval.staff_cli import register
from retrieval.terminal import FOUND_WANTING, WRONG_USE, IndexOption, JsonOption, fail, print_json, progress_line, settings_from
from retrieval.types import Answer, Citation, Quote, Turn

__all__ = ["app", "ask", "build", "cards", "differences", "evaluate", "main", "rules", "search", "train"]

app = typer.Typer(
    name="patient-faq",
    help="Answers patients' questions with quotes from a clinic's own articles, and nothing else.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

register(app)

QuestionsOption = Annotated[
    Path | None,
    typer.Option("--questions", help='A file with a JSON object a line: {"id", "question"} or {"id", "turns": [...]}.'),
]


@dataclass(frozen=True, slots=True)
class _Asked:
    """One line of a file of questions."""

    id: str
    question: str
    history: tuple[Turn, ...] = ()


def main() -> None:
    """Run the command; what a person can cause ends with a message and a status, never with a traceback."""
    try:
        app(prog_name="patient-faq")
    except PatientFaqError as problem:
        fail(str(problem), WRONG_USE)
    except KeyboardInterrupt:
        fail("Stopped. What was there before is unchanged.", 130)
    except BrokenPipeError:
        # The reader of our output went away (`| head`); there is nobody to tell.
        sys.stderr.close()
        raise SystemExit(0) from None


@app.command(epilog="Example: patient-faq build --corpus corpus --index index")
def build(
    corpus: Annotated[
        Path | None, typer.Option("--corpus", help="The corpus, or any folder of articles.", show_default="corpus")
    ] = None,
    index: IndexOption = None,
) -> None:
    """Build a release of the articles and put it in force; a running chat takes it up by itself.

    Exit status: 0 built, or nothing had changed; 1 built, but without the files that are named; 2 nothing was built.
    """
    from retrieval.build import build as build_release
    from retrieval.encoder import open_encoder
    from retrieval.shared import sharing

    settings = settings_from(corpus=corpus, index=index)
    if not settings.corpus.is_dir():
        fail(f"{settings.corpus}: there is no such folder. Name the folder that holds the articles with --corpus.", WRONG_USE)
    progress, finish = progress_line()
    progress("Loading the model", 0, 1)
    try:
        with sharing(settings) as shared:
            report = build_release(settings.corpus, settings.index, open_encoder(settings), progress, shared)
    finally:
        finish()
    for note in report.notes:
        typer.echo(f"note: {note}", err=True)
    for problem in report.unread:
        typer.echo(f"left out: {problem}", err=True)
    what = "Built and now in force" if report.changed else "Nothing changed; in force is"
    renewed = f" ({len(report.encoded)} read anew)" if report.changed else ""
    typer.echo(f"{what}: release {report.release}, {report.articles} articles{renewed}, {report.passages} passages.")
    if report.unread:
        raise typer.Exit(FOUND_WANTING)


@app.command(epilog='Example: patient-faq ask "How many sessions will it take?"')
def ask(
    question: Annotated[str | None, typer.Argument(help="What a patient would write.", show_default=False)] = None,
    index: IndexOption = None,
    as_json: JsonOption = False,
    questions: QuestionsOption = None,
) -> None:
    """Answer a question as a patient would see it: route, quotes with citations, card."""
    asked = _asked(question, questions)
    from retrieval.assistant import Assistant

    assistant = Assistant.open(settings_from(index=index))
    for item in asked:
        try:
            answer = assistant.ask(item.question, item.history)
        except QuestionError as problem:
            if not questions:
                raise
            print_json({"id": item.id, **_answer_json(Answer("no_answer")), "error": str(problem)})
            continue
        if as_json or questions:
            print_json({"id": item.id, **_answer_json(answer)})
        else:
            _print_answer(answer)


@app.command(epilog='Example: patient-faq search "does it hurt" --top 5')
def search(
    question: Annotated[str | None, typer.Argument(help="What to look for.", show_default=False)] = None,
    top: Annotated[int, typer.Option("--top", min=1, max=1000, help="How many quotes at most.")] = 10,
    index: IndexOption = None,
    as_json: JsonOption = False,
    questions: QuestionsOption = None,
) -> None:
    """Rank quotes for a question without routing it, best first: to judge retrieval alone."""
    asked = _asked(question, questions)
    from retrieval.assistant import Assistant

    assistant = Assistant.open(settings_from(index=index))
    for item in asked:
        began = time.perf_counter()
        try:
            quotes, release = assistant.search(item.question, top, item.history)
        except QuestionError:
            if not questions:
                raise
            quotes, release = [], ""
        took = round((time.perf_counter() - began) * 1000, 2)
        if as_json or questions:
            values = {"route": "answer" if quotes else "no_answer", "quotes": [_quote_json(quote) for quote in quotes]}
            print_json({"id": item.id, **values, "card": None, "differs": [], "release": release, "elapsed_ms": took})
        else:
            _print_quotes(quotes)


@app.command(epilog="Example: patient-faq differences")
def differences(index: IndexOption = None, as_json: JsonOption = False) -> None:
    """Print the points on which the articles of the release in force say different things, marked ones too.

    A point is marked as settled, or as no difference, in corpus/differences.toml; docs/finding.md says how.
    """
    from retrieval.answering import quote_of
    from retrieval.release import open_current
    from retrieval.types import Match, Passage

    release = open_current(settings_from(index=index).index)
    for found in release.differences.found:
        said = [
            (one.value, quote_of(release, Match(Passage(one.article, one.first, one.last), 0.0, 0.0, 0.0)))
            for one in found.statements
        ]
        if as_json:
            mark = {"kind": found.settled.kind, "by": found.settled.by, "on": found.settled.on} if found.settled else None
            statements = [{"value": value, **_quote_json(quote)} for value, quote in said]
            print_json({"point": found.point, "marked": mark, "statements": statements})
            continue
        mark_text = f" [{found.settled.kind}, {found.settled.by}, {found.settled.on}]" if found.settled else ""
        typer.echo(f"{found.point}{mark_text}")
        for value, quote in said:
            typer.echo(f"  {value}\n    “{quote.text}”\n    {quote.citation.title} ({quote.citation.doc})")
        typer.echo("")
    if not as_json:
        typer.echo(f"{len(release.differences.found)} points. Not shown to patients: those that are marked.")


@app.command(epilog="Example: patient-faq rules > rules.md")
def rules(
    corpus: Annotated[Path | None, typer.Option("--corpus", help="Whose rules are added.", show_default="corpus")] = None,
) -> None:
    """Print every routing rule in force, with its examples, for a clinician to read and sign."""
    from retrieval.rules import Rules, load_rules

    folder = settings_from(corpus=corpus).corpus / "routing"
    load_rules(folder)
    for title, found in (("Rules of the program", Rules.floor()), ("Rules of the clinic", Rules.from_folder(folder))):
        typer.echo(f"# {title}: {len(found.rules)}\n")
        for rule in found.rules:
            typer.echo(f"## {rule.name} -> {rule.route} (card: {rule.card})\n\n{rule.says}.\n")
            for label, texts in (("Caught", rule.examples), ("Not caught", rule.counterexamples)):
                typer.echo("".join(f"- {label}: {text}\n" for text in texts), nl=False)
            typer.echo("- Patterns: " + "; ".join(f"`{pattern.source}`" for pattern in rule.when))
            if rule.unless:
                typer.echo("- Unless: " + "; ".join(f"`{pattern.source}`" for pattern in rule.unless))
            typer.echo("")


@app.command(epilog="Example: patient-faq cards --language ms")
def cards(
    language: Annotated[str, typer.Option("--language", help="Whose cards: a code such as en, ms, zh.")] = "en",
    corpus: Annotated[Path | None, typer.Option("--corpus", help="Whose wording and numbers.", show_default="corpus")] = None,
) -> None:
    """Print every card as patients read it, for a clinician to read and sign off, and whether that was done."""
    from retrieval.clinic import is_signed, load_clinic, wording_of

    folder = settings_from(corpus=corpus).corpus
    clinic = load_clinic(folder)
    codes = sorted({card.language for card in clinic.cards})
    if language not in codes:
        fail(f"There are no cards in {language!r}. There are some in: {', '.join(codes)}.", WRONG_USE)
    if is_signed(clinic):
        typer.echo(f"Signed off by {clinic.signed_off_by} on {clinic.signed_off_on} (wording {wording_of(clinic)}).\n")
    else:
        typer.echo(
            "DRAFT: this wording is not signed off. Whoever signs it for the clinic writes into "
            f'{folder / "clinic.toml"}:\n\nsigned_off_by = "..."\nsigned_off_on = 2026-01-31\n'
            f'signed_off_wording = "{wording_of(clinic)}"\n\nThe last line names all cards in all languages '
            f"({', '.join(codes)}); when a word or a number in them changes, they are a draft again.\n"
        )
    for card in (card for card in clinic.cards if card.language == language):
        typer.echo(f"# {card.kind}\n\n{card.label} ({card.level})\n{card.heading}")
        typer.echo("".join(f"{line}\n" for line in (card.text, *(f"- {bullet}" for bullet in card.bullets)) if line))


@app.command(epilog="Example: patient-faq train")
def train(
    messages: Annotated[
        list[Path] | None,
        typer.Option(
            "--messages",
            help="Files or folders of example messages.",
            show_default="the package's, corpus/routing, corpus/questions",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Where to write the arrays.", show_default="the package's")] = None,
) -> None:
    """Train the router on example messages; the next build takes it into its release. For whoever keeps the messages.

    Takes some minutes. Exit status: 0 trained; 2 nothing was written.
    """
    from retrieval.classifier import SHIPPED
    from retrieval.encoder import open_encoder
    from retrieval.messages import MESSAGES, load_messages
    from retrieval.training import encode_messages, with_questions
    from retrieval.training import train as train_classifier

    settings = settings_from()
    examples = load_messages(*(messages or [MESSAGES, *filter(Path.is_dir, [settings.corpus / "routing"])]))
    if not messages:
        examples = with_questions(examples, settings.corpus / "questions")
    target = out or SHIPPED
    progress, finish = progress_line()
    try:
        encoder = open_encoder(settings)
        encoded = encode_messages(examples, encoder, progress)
        classifier = train_classifier(encoded, range(len(examples)), encoder.name, progress=progress)
    finally:
        finish()
    target.write_bytes(classifier.to_bytes())
    typer.echo(f"Trained on {len(examples):,} messages: {target}. Build to put it in force.")


@app.command(epilog="Example: patient-faq evaluate corpus/judged/questions.jsonl --split dev --report /tmp/report")
def evaluate(
    judged: Annotated[list[Path], typer.Argument(help="Files of judged questions, or a folder in BEIR's shape.")],
    index: IndexOption = None,
    corpus: Annotated[Path | None, typer.Option("--corpus", help="Build this corpus for the occasion.")] = None,
    split: Annotated[str, typer.Option("--split", help="dev, test, mixed or all. Test is for reports only.")] = "dev",
    ranking: Annotated[
        str, typer.Option("--ranking", help="fused, dense, lexical; without: unasked, untaught, plain.")
    ] = "fused",
    compare: Annotated[str, typer.Option("--compare", help="A second ranking, or the folder of a second index.")] = "",
    as_json: JsonOption = False,
    report: Annotated[Path | None, typer.Option("--report", help="Write report.html into this folder.")] = None,
    gate: Annotated[Path | None, typer.Option("--gate", help="Hold the figures against this file of limits.")] = None,
    write_gate: Annotated[Path | None, typer.Option("--write-gate", help="Write such a file from these figures.")] = None,
    commit: Annotated[str, typer.Option("--commit", help="What --write-gate says the figures are from.")] = "unknown",
    cross_validated: Annotated[
        bool, typer.Option("--cross-validate", help="The files are example messages: route each by what others taught.")
    ] = False,
) -> None:
    """Measure how well judged questions are answered, compare, report, and hold against limits.

    Exit status: 0 measured and within the limits; 1 a limit is broken, with the reasons; 2 nothing was measured.
    """
    from retrieval.evaluation.command import Request, run_request

    chosen = (settings_from(index=index), corpus, split, ranking, compare, report, gate, write_gate, commit, cross_validated)
    request = Request(tuple(judged), *chosen)
    progress, finish = progress_line()
    try:
        result = run_request(request, progress)
    finally:
        finish()
    if as_json:
        print_json(result.values)
    else:
        for line in result.lines:
            typer.echo(line)
    if report and not as_json:
        typer.echo(f"Report: {report / 'report.html'}")
    for reason in result.reasons:
        typer.echo(f"not kept: {reason}", err=True)
    if result.reasons:
        raise typer.Exit(FOUND_WANTING)


def _asked(question: str | None, questions: Path | None) -> Sequence[_Asked]:
    if (question is None) == (questions is None):
        fail(
            'Give either a question in quotation marks or --questions FILE. Example: patient-faq ask "does it hurt"', WRONG_USE
        )
    if questions is None:
        return [_Asked("1", question or "")]
    try:
        lines = questions.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        fail(f"{questions}: cannot be read ({problem}).", WRONG_USE)
    # Every line is checked before the first is answered: a run of an hour must not end at a typing error.
    return [_parsed(questions, number, line) for number, line in enumerate(lines, start=1) if line.strip()]


def _parsed(path: Path, number: int, line: str) -> _Asked:
    where = f"{path}, line {number}"
    try:
        values = json.loads(line)
    except json.JSONDecodeError as problem:
        fail(f"{where}: not JSON ({problem.msg}). Write one object a line.", WRONG_USE)
    if not isinstance(values, dict):
        fail(f'{where}: not an object. Write {{"id": "1", "question": "..."}}.', WRONG_USE)
    name = str(values.get("id", number))
    turns = values.get("turns", [values["question"]] if "question" in values else [])
    texts = [turn.get("question", turn.get("text", turn.get("content"))) if isinstance(turn, dict) else turn for turn in turns]
    said = [text for text in texts if isinstance(text, str) and text.strip()]
    if not said or len(said) < len(texts):
        fail(f'{where}: has neither "question" nor "turns" with text in them.', WRONG_USE)
    return _Asked(name, said[-1], tuple(Turn(text) for text in said[:-1]))


def _answer_json(answer: Answer) -> dict[str, Any]:
    return {
        "route": answer.route,
        "quotes": [_quote_json(quote) for quote in answer.quotes],
        "card": answer.card.kind if answer.card else None,
        "notice": answer.notice.kind if answer.notice else None,
        "confidence": round(answer.confidence, 4),
        "differs": [{"point": one.point, "statements": [_quote_json(quote) for quote in one.quotes]} for one in answer.differs],
        "release": answer.release,
        "elapsed_ms": answer.elapsed_ms,
        "searched": answer.searched,
        "rules": list(answer.rules),
        "suggestions": [heading.title for heading in answer.suggestions],
    }


def _quote_json(quote: Quote) -> dict[str, Any]:
    return {
        **_place_json(quote.citation),
        "text": quote.text,
        "score": round(quote.score, 4),
        "digest": quote.citation.digest,
        "also": [_place_json(cited) for cited in quote.also],
        "marked": list(quote.marked),
        "review_by": quote.citation.review_by.isoformat() if quote.citation.review_by else None,
        "due": quote.citation.overdue,
    }


def _place_json(cited: Citation) -> dict[str, Any]:
    return {
        "doc": cited.doc,
        "title": cited.title,
        "section": cited.section,
        "page": cited.page or None,
        "start": cited.start,
        "end": cited.end,
    }


def _print_answer(answer: Answer) -> None:
    if answer.searched:
        typer.echo(f"Looking for: {answer.searched}\n")
    for card in filter(None, (answer.card, answer.notice)):
        typer.echo(f"[{card.label}] {card.heading}")
        for line in filter(None, (*card.bullets, card.text)):
            typer.echo(f"  {line}")
    if answer.card and (answer.quotes or answer.differs):
        typer.echo("\nGeneral information, not about you:")
    _print_quotes(answer.quotes)
    for one in answer.differs:
        typer.echo(f"Our articles say different things on this: {one.point}")
        _print_quotes(one.quotes)
    if answer.suggestions:
        typer.echo("See also: " + " | ".join(heading.title for heading in answer.suggestions))


def _print_quotes(quotes: Sequence[Quote]) -> None:
    if not quotes:
        return
    for quote in quotes:
        cited = quote.citation
        place = " > ".join(filter(None, (cited.title, cited.section)))
        page = f", page {cited.page}" if cited.page else ""
        state = f"reviewed {cited.reviewed_on}" if cited.reviewed_on else "not yet reviewed by a clinician"
        typer.echo(f"\n  “{quote.text}”\n    {place}{page} ({cited.doc} {cited.start}-{cited.end}); {state}{_overdue(cited)}")
        for other in quote.also:
            also = " > ".join(filter(None, (other.title, other.section)))
            typer.echo(f"    also in: {also} ({other.doc}){_overdue(other)}")
    typer.echo("")


def _overdue(cited: Citation) -> str:
    return f"; was due for review on {cited.review_by}" if cited.overdue else ""
