"""What the machine read, found and compared, as HTML for staff. Every word of files and people is escaped."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from urllib.parse import quote

from retrieval.keeping.checking import Finding
from retrieval.keeping.compared import lines
from retrieval.keeping.comparing import Comparison
from retrieval.keeping.desk import Change, Overview
from retrieval.keeping.figures import called, in_plain_words
from retrieval.keeping.preview import Row
from retrieval.types import Article
from web.staff.room import escaped
from web.staff.tables import table_html

__all__ = ["STANDING", "change_html", "comparison_html", "files_html", "findings_html", "pages_html", "rows_html", "shown_date"]

STANDING = {
    "unreadable": "cannot be read",
    "draft": "draft: patients do not see it",
    "withdrawn": "withdrawn: patients do not see it",
    "new": "checked: goes out with the next release",
    "changed": "changed since it was published",
    "published": "published as it stands here",
}
_COLUMNS = ("Article", "How it stands", "Review", "To look at")
_FIGURE = re.compile(r"  (\S.*?) +(-?\d+\.\d+)(?: +(-?\d+\.\d+) +([+-]\d+\.\d+)(?: {2,}(.*))?)?")
_LIMITS = "Limits that are not kept"
_FEW = 3
"""So many entries are shown; more of their kind are folded up."""
_URGENT = ("Messages for a person", _LIMITS)


def files_html(rows: Sequence[Overview], findings: Iterable[Finding]) -> str:
    """All files of the folder, a row each, with a button that opens it."""
    if not rows:
        return "<p>There are no articles yet. Add a file.</p>"
    counts = Counter((one.doc, one.serious) for one in findings)
    return table_html(_COLUMNS, [_file(row, counts[row.held.doc, True], counts[row.held.doc, False]) for row in rows])


def _file(row: Overview, serious: int, others: int) -> tuple[str, ...]:
    held = row.held
    name = (
        f'<button type="button" class="pf-open">{escaped(held.title)}</button> <span class="pf-file">{escaped(held.doc)}</span>'
    )
    return name, escaped(STANDING.get(held.standing, held.standing)), escaped(_review(row)), _numbers(serious, others)


def _review(row: Overview) -> str:
    metadata = row.held.article.metadata if row.held.article else None
    if metadata is None:
        return ""
    by, on = shown_date(metadata.review_by), shown_date(metadata.reviewed_on)
    said = {
        "withdrawn": f"review was due on {by}: withdrawn by itself",
        "due": f"review was due on {by}: patients are told",
        "soon": f"review due on {by}",
    }
    return said.get(row.review) or (f"reviewed {on}" if on else "never reviewed")


def _numbers(serious: int, others: int) -> str:
    if not serious and not others:
        return "nothing"
    parts = [f'<strong class="pf-serious">{serious} serious</strong>'] if serious else []
    return " and ".join([*parts, *([f"{others} to improve"] if others else [])])


def findings_html(findings: Sequence[Finding]) -> str:
    """What was found in one article, what is serious first, each with what to do."""
    if not findings:
        return "<p>Nothing was found that you need to look at.</p>"
    differing = [one for one in findings if one.kind == "differs"]
    others = [one for one in findings if one.kind != "differs"]
    if len(differing) <= _FEW:
        return _told(findings)
    title = f"{len(differing)} points on which other articles say something else"
    return (_told(others) if others else "") + f"<details><summary>{title}</summary>{_told(differing)}</details>"


def _told(findings: Sequence[Finding]) -> str:
    told = "".join(
        f'<li class="{"pf-serious-one" if one.serious else "pf-small-one"}">'
        f"{'<strong>Serious:</strong> ' if one.serious else ''}{escaped(one.says)}"
        f'<span class="pf-what">What to do: {escaped(one.what_to_do)}</span></li>'
        for one in findings
    )
    return f'<ul class="pf-findings">{told}</ul>'


def rows_html(rows: Sequence[Row]) -> str:
    """What was read: headings, sentences with their tokens, and what is not quoted with the reason."""
    if not rows:
        return "<p>Nothing of it could be read.</p>"
    paged = any(row.page for row in rows)
    columns = ("Text", "Page", "Tokens") if paged else ("Text", "Tokens")
    heads = "".join(f'<th scope="col">{name}</th>' for name in columns)
    starts = [row.start for row in rows if row.kind == "sentence"]
    body = "".join(_row(row, starts, paged) for row in rows)
    return f'<table class="pf-table pf-rows"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'


def _row(row: Row, starts: Sequence[int], paged: bool) -> str:
    page = f"<td>{f'page {row.page}' if row.page else ''}</td>" if paged else ""
    why = f'<span class="pf-what">Not quoted: {escaped(row.why)}</span>' if row.why else ""
    if row.kind == "section":
        return f'<tr class="pf-section"><th scope="row">{escaped(row.text)}</th>{page}<td></td></tr>'
    if row.kind == "passage":
        count = sum(row.start <= start < row.end for start in starts)
        what = f"quoted together: {count} sentences from here"
        return f'<tr class="pf-passage"><td>{what}{why}</td>{page}<td>{row.tokens} tokens</td></tr>'
    tokens = f"{row.tokens} tokens" if row.tokens else "not quoted"
    kind = "pf-left-out" if row.kind == "left out" else "pf-sentence"
    return f'<tr class="{kind}"><td>{escaped(row.text)}{why}</td>{page}<td>{tokens}</td></tr>'


def pages_html(doc: str, seen: str, pages: int) -> str:
    """A PDF's pages, one below the other."""
    return "".join(
        f'<p class="pf-page"><img src="/own/original/{escaped(quote(doc, safe=""))}?page={page}&amp;seen={seen[:12]}" '
        f'alt="Page {page} of {escaped(doc)}, as it is printed"></p>'
        for page in range(1, pages + 1)
    )


def change_html(change: Change, articles: Mapping[str, Article]) -> str:
    """What would change for patients: what matters most first, each kind under a heading of its own.

    Parameters: what would change, and the articles by file name, for their titles.
    """
    report, told = change.report, []
    if change.comparison is None:
        told.append("<p><strong>Nothing would change.</strong> Patients have all of this already.</p>")
    else:
        told += _sections(lines(change.comparison))
    missing = [f"{escaped(problem)}" for problem in map(str, report.unread)]
    if missing:
        told.append(_listed("Files that cannot be read, and would not be in it", missing, urgent=True))
    if report.notes:
        told.append(_notes([escaped(_titled(note, articles)) for note in report.notes]))
    return "".join(told)


def comparison_html(comparison: Comparison) -> str:
    """What lies between two releases, each kind under a heading of its own."""
    return "".join(_sections(lines(comparison)))


def _notes(notes: Sequence[str]) -> str:
    """What else staff should know: notes on asked-as questions can be many, and say the same of many lines."""
    asked = [note for note in notes if note.startswith("questions/")]
    others = [note for note in notes if note not in asked]
    if len(asked) <= _FEW:
        return _listed("What else you should know", notes)
    folded = f"<details><summary>{len(asked)} notes on questions that were attached to sentences</summary>"
    folded += f"<ul>{''.join(f'<li>{note}</li>' for note in asked)}</ul></details>"
    return _listed("What else you should know", others) + folded


def _sections(said: Sequence[str]) -> list[str]:
    """The lines of a comparison, those that are indented under the one before them that ends in a colon."""
    told: list[str] = []
    title, entries = "", list[str]()
    for line in [*said, ""]:
        if line.startswith("  "):
            entries.append(line)
            continue
        if title:
            told.append(_section(title, entries))
        title, entries = (line[:-1], []) if line.endswith(":") else ("", [])
        if line and not title:
            told.append(f"<p>{escaped(line.removeprefix('note: '))}</p>")
    return told


def _section(title: str, entries: Sequence[str]) -> str:
    figures = [_FIGURE.fullmatch(entry) for entry in entries]
    if title.startswith("Figures") and all(figures):
        rows = [_figure(*found.groups()) for found in figures if found]
        return f"<h3>{escaped(title)}</h3>{table_html(('Figure', 'Before', 'Now', 'Change', 'Chance'), rows)}"
    if title.startswith(_LIMITS):
        entries = [in_plain_words(entry.strip()) for entry in entries]
    return _listed(title, [_entry(entry) for entry in entries], urgent=title.startswith(_URGENT))


def _figure(name: str, *values: str | None) -> tuple[str, ...]:
    said = f'{escaped(called(name))} <span class="pf-file">{escaped(name)}</span>'
    return said, *(escaped(value or "–") for value in values)


def _entry(entry: str) -> str:
    first, *rest = (line.strip() for line in entry.splitlines())
    return escaped(first) + "".join(f'<span class="pf-what">{escaped(line)}</span>' for line in rest)


def _listed(title: str, entries: Iterable[str], *, urgent: bool = False) -> str:
    kind = ' class="pf-urgent"' if urgent else ""
    return f"<h3{kind}>{escaped(title)}</h3><ul{kind}>{''.join(f'<li>{entry}</li>' for entry in entries)}</ul>"


def _titled(note: str, articles: Mapping[str, Article]) -> str:
    """A note that begins with a file's name, with the article's title before it."""
    doc, colon, rest = note.partition(": ")
    return f"{articles[doc].title} ({doc}): {rest}" if colon and doc in articles else note


def shown_date(day: date | None) -> str:
    """A date as people write it; nothing where there is none."""
    return f"{day.day} {day:%B %Y}" if day else ""
