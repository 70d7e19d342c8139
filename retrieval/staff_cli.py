"""The staff's commands: add, check, diff, publish, releases, rollback, history, withdraw, gaps, export, import.

They do what the staff screen does, by the same desk (keeping/desk.py), on the folder as it lies there: whoever keeps the corpus
with git uses `check` and `publish` alone.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from retrieval.errors import PublishRefused
from retrieval.locks import somebody
from retrieval.terminal import (
    FOUND_WANTING,
    WRONG_USE,
    CorpusOption,
    IndexOption,
    JsonOption,
    fail,
    print_json,
    progress_line,
    settings_from,
)  # fmt: skip

if TYPE_CHECKING:
    from retrieval.history import Entry
    from retrieval.keeping.checking import Finding
    from retrieval.keeping.desk import Desk
    from retrieval.keeping.gaps import Gap

__all__ = [
    "add", "check", "diff", "export", "gaps", "history", "import_", "publish", "register", "releases", "rollback", "withdraw",
]  # fmt: skip

ByOption = Annotated[str, typer.Option("--by", help="Your name, as the history shall have it.")]
NoteOption = Annotated[str, typer.Option("--note", help="Why, in a sentence; the history keeps it.")]


def register(app: typer.Typer) -> None:
    """Add the staff's commands to the command."""
    for command, name, example in (
        (add, "add", "patient-faq add aftercare.pdf --by 'Ann Tan'"),
        (check, "check", "patient-faq check aftercare.pdf"),
        (diff, "diff", "patient-faq diff"),
        (publish, "publish", "patient-faq publish --by 'Ann Tan' --note 'new aftercare leaflet'"),
        (releases, "releases", "patient-faq releases"),
        (rollback, "rollback", "patient-faq rollback 1a2b3c --by 'Ann Tan' --note 'the new leaflet was wrong'"),
        (history, "history", "patient-faq history --verify"),
        (
            withdraw,
            "withdraw",
            "patient-faq withdraw aftercare.pdf --by 'Ann Tan' --note 'it names a cream that is no longer sold'",
        ),
        (gaps, "gaps", "patient-faq gaps"),
        (export, "export", "patient-faq export backup.zip"),
        (import_, "import", "patient-faq import backup.zip --corpus new/corpus --index new/index"),
    ):
        app.command(name, epilog=f"Example: {example}")(command)


def add(
    files: Annotated[list[Path], typer.Argument(help="Files to add: .md, .txt, .html, .docx, .pdf.", show_default=False)],
    by: ByOption = "",
    corpus: CorpusOption = None,
    index: IndexOption = None,
) -> None:
    """Add files to the folder of articles, each as a draft, and say what there is to know of them.

    Exit status: 0 added; 1 added, with something serious to look at; 2 not added.
    """
    desk = _desk(corpus, index)
    serious = False
    for file in files:
        try:
            data = file.read_bytes()
        except OSError as problem:
            fail(f"{file}: cannot be read ({problem.strerror}).", WRONG_USE)
        name = desk.library.add(file.name, data, by or somebody())
        typer.echo(f"{name}: added as a draft. Patients are shown nothing of it yet.")
        found = desk.findings(name)
        _tell(found)
        serious |= any(one.serious for one in found)
    typer.echo(
        "Next: `patient-faq check FILE --read` shows what was read; `patient-faq check FILE --off --by NAME` checks it off."
    )
    if serious:
        raise typer.Exit(FOUND_WANTING)


def check(
    doc: Annotated[str, typer.Argument(help="One article's file name; without it, all.", show_default=False)] = "",
    read: Annotated[bool, typer.Option("--read", help="Print what was read: sections, sentences, passages, tokens.")] = False,
    confirm: Annotated[
        str, typer.Option("--confirm", help="Sentences that look damaged and are right: their names, or all.")
    ] = "",
    off: Annotated[bool, typer.Option("--off", help="Check it off: it goes out with the next release.")] = False,
    carry_judged: Annotated[
        bool, typer.Option("--carry-judged", help="Move judged questions along with sentences of edited articles.")
    ] = False,
    by: ByOption = "",
    as_json: JsonOption = False,
    corpus: CorpusOption = None,
    index: IndexOption = None,
) -> None:
    """Say how each article stands and what is wrong with it: damage, copies, differences, advice, prices, what is missing.

    Exit status: 0 nothing serious; 1 something serious, or judged questions that lost their answer.
    """
    desk = _desk(corpus, index)
    name = by or somebody()
    if (confirm or off or read) and not doc:
        fail("Name the article that you mean. Example: patient-faq check aftercare.pdf --read", WRONG_USE)
    if confirm:
        doubtful = desk.doubtful(doc)
        names = list(doubtful) if confirm == "all" else [part.strip() for part in confirm.split(",") if part.strip()]
        desk.confirm(doc, names, name, desk.look(doc).seen)
        typer.echo(f"{doc}: {len(names)} sentences confirmed by {name}.")
    if off:
        desk.library.check_off(doc, name, desk.look(doc).seen, date.today())
        typer.echo(f"{doc}: checked off by {name}. It goes out with the next release.")
    if read:
        for row in desk.preview(doc):
            page, tokens = f"p. {row.page} " if row.page else "", f" [{row.tokens} tokens]" if row.tokens else ""
            typer.echo(f"{row.kind:9} {page}{row.text}{tokens}{f'  NOT QUOTED: {row.why}' if row.why else ''}")
    lost = _carried(desk, name) if carry_judged else False
    found = desk.findings(doc)
    if as_json:
        for one in found:
            print_json(dataclasses.asdict(one))
    else:
        for held in desk.held():
            if not doc or held.doc == doc:
                typer.echo(f"{held.standing:11} {held.doc}: {held.title}")
        _tell(found)
        for sentence, text in desk.doubtful(doc).items() if doc else ():
            typer.echo(f"  looks damaged, --confirm {sentence}: {text}")
    if lost or any(one.serious for one in found):
        raise typer.Exit(FOUND_WANTING)


def diff(
    old: Annotated[str, typer.Argument(help="A release; without it, the one in force.", show_default=False)] = "",
    new: Annotated[str, typer.Argument(help="Another; without it, the folder as it is.", show_default=False)] = "",
    verbose: Annotated[bool, typer.Option("--all", help="List everything, however long.")] = False,
    as_json: JsonOption = False,
    corpus: CorpusOption = None,
    index: IndexOption = None,
) -> None:
    """Say what would change for patients: answers, quotes and cards for judged and recent questions, old and new side by side.

    Exit status: 0 within the gate's limits; 1 a limit would be broken.
    """
    from retrieval.keeping.compared import lines, values

    desk = _desk(corpus, index)
    progress, finish = progress_line()
    try:
        if old and new:
            found = desk.compared(_named(desk, old), _named(desk, new), progress)
        elif old:
            fail("Name two releases, or none to compare the folder with what is in force.", WRONG_USE)
        else:
            change = desk.what_would_change(somebody(), progress)
            _notes(change.report.notes, change.report.unread)
            if change.comparison is None:
                typer.echo(f"Nothing would change: in force is release {change.report.release}, made from the same files.")
                return
            found = change.comparison
    finally:
        finish()
    if as_json:
        print_json(values(found))
    else:
        for line in lines(found, verbose):
            typer.echo(line)
    if found.broken:
        raise typer.Exit(FOUND_WANTING)


def publish(
    by: ByOption = "",
    note: NoteOption = "",
    override: Annotated[str, typer.Option("--override", help="A reason to publish below the gate all the same.")] = "",
    expected: Annotated[str, typer.Option("--expected", help="The release that `diff` showed; stop if it is another.")] = "",
    corpus: CorpusOption = None,
    index: IndexOption = None,
) -> None:
    """Put the folder as it lies there in force; a running chat takes it up by itself.

    Exit status: 0 published, or nothing had changed; 1 refused, since patients would be worse off; 2 not published.
    """
    from retrieval.keeping.compared import lines

    desk = _desk(corpus, index)
    by, note = _signed(by, note)
    progress, finish = progress_line()
    try:
        done, comparison = desk.publish(by, note, override=override, expected=expected, progress=progress)
    except PublishRefused as refused:
        finish()
        for reason in refused.reasons:
            typer.echo(f"not kept: {reason}", err=True)
        fail(f"{refused} Give the reason with --override.", FOUND_WANTING)
    finally:
        finish()
    _notes(done.report.notes, done.report.unread)
    if done.entry is None:
        typer.echo(f"Nothing changed; in force is release {done.report.release}.")
        return
    for line in lines(comparison) if comparison else ():
        typer.echo(line)
    typer.echo(f"Published by {by}: release {done.report.release} is in force (entry {done.entry.number} of the history).")


def releases(as_json: JsonOption = False, index: IndexOption = None) -> None:
    """List the releases that were in force, the latest first."""
    for kept in _desk(None, index).releases():
        last = kept.entries[-1]
        if as_json:
            entries = [entry.number for entry in kept.entries]
            print_json({"release": kept.release, "in_force": kept.in_force, "usable": kept.usable, "entries": entries})
            continue
        state = "in force" if kept.in_force else "can be put back" if kept.usable else "deleted"
        typer.echo(f"{kept.release}  {state:15} {last.at[:16].replace('T', ' ')}  {last.what} by {last.by}: {last.note}")


def rollback(
    release: Annotated[str, typer.Argument(help="The release, or the beginning of its name.", show_default=False)],
    by: ByOption = "",
    note: NoteOption = "",
    keep_folder: Annotated[bool, typer.Option("--keep-folder", help="Leave the folder's files as they are.")] = False,
    corpus: CorpusOption = None,
    index: IndexOption = None,
) -> None:
    """Put a release back that was in force before, articles and all. Drafts stay; what is overwritten is set aside.

    Exit status: 0 done; 2 nothing was changed.
    """
    desk = _desk(corpus, index)
    by, note = _signed(by, note)
    entry, changed = desk.roll_back(release, by, note, folder=not keep_folder)
    typer.echo(f"Put back by {by}: release {entry.release} is in force (entry {entry.number} of the history).")
    come, go = desk.articles_between(entry.before, entry.release)
    for said, titles in (("Patients see again", come), ("Patients do not see any more", go)):
        if titles:
            typer.echo(f"{said}: {', '.join(titles)}")
    for path in changed:
        typer.echo(f"  {path}: as it was then")
    if changed:
        typer.echo(f"What stood there is kept: patient-faq export FOLDER --entry {entry.number} --set-aside")


def history(
    verify: Annotated[bool, typer.Option("--verify", help="Check that no entry is missing or was altered.")] = False,
    as_json: JsonOption = False,
    index: IndexOption = None,
) -> None:
    """Print who put which release in force, when and why, oldest first.

    Exit status: 0 whole; 1 with --verify: something is missing or was altered.
    """
    from retrieval.in_force import history_faults

    found = history_faults(settings_from(index=index).index)  # a folder without a release may be a slip in its name: told here
    faults = found if verify else []
    for fault in faults:
        typer.echo(f"not whole: {fault}", err=True)
    if not verify:
        for entry in _desk(None, index).history()[0]:
            print_json(dataclasses.asdict(entry)) if as_json else _print_entry(entry)
    elif not faults:
        entries = _desk(None, index).history()[0]
        last = entries[-1].digest if entries else ""
        typer.echo(f"Whole: {len(entries)} entries, each with the digest of the one before. The last one's: {last}")
    if faults:
        raise typer.Exit(FOUND_WANTING)


def withdraw(
    doc: Annotated[str, typer.Argument(help="The article's file name.", show_default=False)],
    by: ByOption = "",
    note: NoteOption = "",
    corpus: CorpusOption = None,
    index: IndexOption = None,
) -> None:
    """Take an article out at once, without waiting for the gate and without publishing anything else.

    Exit status: 0 done; 2 nothing was changed.
    """
    desk = _desk(corpus, index)
    by, note = _signed(by, note)
    entry = desk.withdraw(doc, by, note)
    typer.echo(
        f"{doc}: withdrawn by {by}. Release {entry.release} is in force, without it (entry {entry.number} of the history)."
    )


def gaps(
    gap: Annotated[str, typer.Argument(help="One gap, by its name; without it, all.", show_default=False)] = "",
    take: Annotated[str, typer.Option("--take", help="Who is at it from now on.")] = "",
    state: Annotated[str, typer.Option("--state", help="open, taken, answered or set aside.")] = "",
    attach: Annotated[
        str, typer.Option("--attach", help="An article, and the number of a sentence or two: leaf.pdf:3-4.")
    ] = "",
    judge: Annotated[bool, typer.Option("--judge", help="With --attach: add a judged question too.")] = False,
    question: Annotated[str, typer.Option("--question", help="The question's words; without it, the gap's title.")] = "",
    start: Annotated[str, typer.Option("--start", help="Begin a draft article with this title.")] = "",
    prove: Annotated[bool, typer.Option("--prove", help="Ask the gap's questions of the release in force.")] = False,
    by: ByOption = "",
    as_json: JsonOption = False,
    corpus: CorpusOption = None,
    index: IndexOption = None,
) -> None:
    """List what patients asked in vain or did not like, grouped by what they meant, and close such a gap.

    `patient-faq check ARTICLE --read` shows sentences; their numbers are counted from 1.
    """
    desk = _desk(corpus, index)
    if not gap:
        for one in desk.gaps():
            _print_gap(one, as_json)
        return
    name, words = by or take or somebody(), question or desk.gap(gap).title
    if take or state:
        desk.change_gap(gap, owner=take or None, state=state)
    if attach:
        doc, first, last = _spot(attach)
        new = desk.attach(doc, first, last, words, name)
        typer.echo(f"{doc}: “{words}” {'is attached' if new else 'was attached before'}; it counts from the next release on.")
        if judge and desk.add_judged(doc, first, last, words, name):
            typer.echo("And added as a judged question: from now on publishing holds the answer against it.")
    if start:
        typer.echo(f"{desk.start_article(start, words, name)}: begun as a draft. Write what it says, then check it.")
    _print_gap(desk.gap(gap), as_json)
    if prove:
        proof = desk.proof(gap)
        typer.echo(f"Release {proof.release}: {proof.answered} of {len(proof.asked)} questions get a quote.")
        for asked in proof.asked:
            typer.echo(f"  {asked.question} -> {asked.route}" + (f": “{asked.quotes[0].text}”" if asked.quotes else ""))


def export(
    target: Annotated[Path, typer.Argument(help="The ZIP file to write; with --entry a new folder; with --journal a file.")],
    entry: Annotated[int, typer.Option("--entry", help="Only the articles of this entry of the history.")] = 0,
    set_aside: Annotated[bool, typer.Option("--set-aside", help="With --entry: what a rollback set aside.")] = False,
    journal: Annotated[
        bool, typer.Option("--journal", help="Only the journal, as lines of JSON. It is patients' data.")
    ] = False,
    corpus: CorpusOption = None,
    index: IndexOption = None,
) -> None:
    """Write corpus, history and the files of every release into one file, without the journal; or a part of it."""
    from retrieval.keeping.archive import export_all
    from retrieval.keeping.publishing import lay_out_entry

    settings = settings_from(corpus, index)
    if journal:
        kept = _desk(corpus, index).journal()
        if kept is None:
            fail("This clinic keeps no journal.", WRONG_USE)
        try:
            with closing(kept), target.open("x", encoding="utf-8") as file:
                count = sum(1 for line in kept.export() if file.write(line + "\n"))
        except OSError as problem:
            fail(f"{target}: cannot be written ({problem.strerror}). Nothing is overwritten; choose another name.", WRONG_USE)
        typer.echo(f"{target}: {count} entries of the journal. Treat the file as personal data.")
    elif entry:
        count = lay_out_entry(settings.index, entry, target, set_aside=set_aside)
        typer.echo(f"{target}: {count} files as they were.")
    else:
        typer.echo(f"{target}: {export_all(settings, target)} files. The journal is not in it.")


def import_(
    source: Annotated[Path, typer.Argument(help="A file that `patient-faq export` wrote.")],
    by: ByOption = "",
    corpus: CorpusOption = None,
    index: IndexOption = None,
) -> None:
    """Take up what `export` wrote, in new folders, and put it in force there.

    Exit status: 0 done; 2 nothing was written.
    """
    from retrieval.encoder import open_encoder
    from retrieval.keeping.archive import import_all

    settings = settings_from(corpus, index)
    progress, finish = progress_line()
    try:
        report = import_all(settings, source, open_encoder(settings), by or somebody(), progress)
    finally:
        finish()
    typer.echo(f"Release {report.release} is in force in {settings.index}, {report.articles} articles in {settings.corpus}.")


def _desk(corpus: Path | None, index: Path | None) -> Desk:
    from retrieval.keeping.desk import Desk

    return Desk(settings_from(corpus, index))


def _signed(by: str, note: str) -> tuple[str, str]:
    """Who and why; asked for on a terminal where they are missing."""
    if sys.stdin.isatty():
        by, note = by or typer.prompt("Your name"), note or typer.prompt("Why")
    if not by.strip() or not note.strip():
        fail('The history keeps who did this and why. Give --by "NAME" and --note "WHY".', WRONG_USE)
    return by.strip(), note.strip()


def _named(desk: Desk, beginning: str) -> str:
    found = [kept.release for kept in desk.releases() if kept.release.startswith(beginning)]
    if len(found) != 1:
        fail(
            f"{beginning}: {'no' if not found else 'more than one'} release is called so. `patient-faq releases` lists them.", 2
        )
    return found[0]


def _carried(desk: Desk, by: str) -> bool:
    """Carry judged questions, and say what became of them; whether any lost its answer."""
    from retrieval.evaluation.carrying import lost_lines

    lost = False
    for name, renewed in desk.carry_judged(by).items():
        typer.echo(f"{name}: {renewed.moved} answers of {renewed.questions} questions moved with their sentences.")
        for line in lost_lines(renewed.lost):
            typer.echo(f"  {line}")
        lost |= bool(renewed.lost)
    return lost


def _spot(text: str) -> tuple[str, int, int]:
    doc, _, numbers = text.rpartition(":")
    first, _, last = numbers.partition("-")
    if not doc or not first.isdigit() or (last and not last.isdigit()) or int(first) < 1:
        fail(
            f"{text!r}: write an article and the number of a sentence, as leaf.pdf:3, or of some in a row, as leaf.pdf:3-4.", 2
        )
    return doc, int(first) - 1, int(last or first) - 1


def _tell(found: Sequence[Finding]) -> None:
    for one in found:
        typer.echo(f"  {'!' if one.serious else '-'} {one.doc}: {one.says} {one.what_to_do}")


def _notes(notes: Sequence[str], unread: Sequence[Exception]) -> None:
    for note in notes:
        typer.echo(f"note: {note}", err=True)
    for problem in unread:
        typer.echo(f"left out: {problem}", err=True)


def _print_entry(entry: Entry) -> None:
    typer.echo(f"{entry.number:4}  {entry.at[:16].replace('T', ' ')}  {entry.what} by {entry.by}: {entry.note}")
    typer.echo(f"      release {entry.release}" + (f", before {entry.before}" if entry.before else ""))
    for reason in entry.details.get("overridden", ()):
        typer.echo(f"      although {reason}")
    if entry.details.get("reason"):
        typer.echo(f"      since {entry.details['reason']}")


def _print_gap(gap: Gap, as_json: bool) -> None:
    if as_json:
        questions = [{"question": one.question, "day": one.day.isoformat(), "why": one.why} for one in gap.questions]
        values = {"gap": gap.id, "title": gap.title, "state": gap.state, "owner": gap.owner, "note": gap.note}
        print_json({**values, "count": gap.count, "questions": questions})
        return
    owner = f", {gap.owner}" if gap.owner else ""
    typer.echo(f"{gap.id}  {gap.count:4}  {gap.state}{owner}: {gap.title}")
