"""The tab History: who put what in force, when and why; what it changed; putting a release back; taking everything away."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence
from typing import Any

from retrieval.errors import CorpusError, EditConflict, ReleaseError
from retrieval.history import Entry
from retrieval.keeping.publishing import Kept
from web.look import gr
from web.staff.room import PRIVATE, Room, Updates, done, escaped, telling
from web.staff.showing import comparison_html
from web.staff.tables import table_html

__all__ = ["chain_html", "entries_html", "lay_out", "will_html"]

_LOG = logging.getLogger(__name__)
_MOST = 200
_TOLD: dict[str, Any] = {"show_progress": "minimal", **PRIVATE}
_EXPORT = """<form method="post" action="/export"><button type="submit">Download everything as a ZIP file</button></form>
<p>It holds the articles, the history and the files of every release; the journal is not in it.</p>"""
_JOURNAL = """<form method="post" action="/journal"><button type="submit">Download the journal</button></form>
<p>It holds what patients asked: keep it as you keep patients' files.</p>"""
_EMPTYING = """<p><strong>This deletes all that patients asked and told, and the gaps with your notes.</strong> Nobody can bring
it back, and questions that were asked until now are in no comparison any more. Articles, releases and the history stay.</p>"""


def lay_out(room: Room, tab: gr.Tab) -> None:
    """Lay out the tab, and connect what happens in it."""
    desk = room.desk
    gr.Markdown("## History\n\nWho put what in force for patients, when and why.")
    said = gr.Markdown(elem_id="pf-past-said")
    look = gr.Button("Look again", elem_id="pf-past-look")
    chain = gr.Markdown(elem_id="pf-past-chain")
    listed = gr.Markdown(elem_id="pf-past-list")
    with gr.Column(visible=False) as more:
        older, newer = _lay_out_comparing(room, said)
        with gr.Column(visible=False) as publishers:
            chosen, was_put_back = _lay_out_putting_back(room, said)
            gr.Markdown(f"### Take everything away\n\n{_EXPORT}", elem_id="pf-past-export")
            with gr.Column(visible=False) as journal:
                gr.Markdown(f"### The journal\n\n{_JOURNAL}", elem_id="pf-past-journal")
                _lay_out_emptying(room, said)

    def refresh(request: gr.Request) -> Updates:
        person = room.person(request)
        entries, faults = desk.history()
        kept = desk.releases() if entries else []
        names = [(_release(one), one.release) for one in kept if one.usable]
        back = [(_release(one), one.release) for one in kept if one.usable and not one.in_force]
        return {
            chain: chain_html(entries, faults),
            listed: entries_html(entries),
            more: gr.update(visible=True),
            older: gr.update(choices=names, value=names[1][1] if len(names) > 1 else None),
            newer: gr.update(choices=names, value=names[0][1] if names else None),
            publishers: gr.update(visible=person.publishes),
            chosen: gr.update(choices=back, value=None),
            journal: gr.update(visible=desk.clinic.journal),
        }

    def show(request: gr.Request) -> Updates:
        return refresh(request) | {said: ""}

    page = [said, chain, listed, more, older, newer, publishers, chosen, journal]
    tab.select(telling(said, show), None, page, show_progress="hidden", **PRIVATE)
    look.click(telling(said, show), None, page, **_TOLD)
    was_put_back.change(telling(said, refresh), None, page, **_TOLD)


def _lay_out_comparing(room: Room, said: gr.Markdown) -> tuple[gr.Dropdown, gr.Dropdown]:
    """What lies between two releases. Returns the lists to choose them from."""
    gr.Markdown("### What changed between two releases")
    with gr.Row():
        older = gr.Dropdown([], label="From", elem_id="pf-past-older")
        newer = gr.Dropdown([], label="To", elem_id="pf-past-newer")
    compare = gr.Button("Compare these two", elem_id="pf-past-compare")
    compared = gr.Markdown(elem_id="pf-past-compared")

    def compare_them(old: str | None, new: str | None, request: gr.Request) -> Updates:
        room.person(request)
        if not old or not new or old == new:
            raise CorpusError("Choose two releases that are not the same.")
        return {said: "", compared: comparison_html(room.desk.compared(old, new))}

    compare.click(telling(said, compare_them), [older, newer], [said, compared], **_TOLD)
    return older, newer


def _lay_out_putting_back(room: Room, said: gr.Markdown) -> tuple[gr.Dropdown, gr.State]:
    """Putting an earlier release back. Returns the list to choose it from, and the number of the entry that put one back."""
    desk = room.desk
    gr.Markdown("### Put an earlier release back")
    chosen = gr.Dropdown([], label="Release", elem_id="pf-past-release")
    ask = gr.Button("Put this one back …", elem_id="pf-past-ask")
    asked = gr.State(None)
    was_put_back = gr.State(0)
    with gr.Column(visible=False) as sure:
        will = gr.Markdown(elem_id="pf-past-will")
        note = gr.Textbox(label="Why (the history keeps it)", max_length=500, elem_id="pf-past-note")
        with gr.Row():
            yes = gr.Button("Yes, put it back", variant="stop", elem_id="pf-past-yes")
            no = gr.Button("No, leave all as it is", elem_id="pf-past-no")

    def ask_first(release: str | None, request: gr.Request) -> Updates:
        room.person(request, publisher=True)
        kept = desk.releases()
        one = next((each for each in kept if each.release == release), None)
        if one is None:
            raise CorpusError("Choose the release that should be put back.")
        now = next((each.release for each in kept if each.in_force), "")
        return {
            said: "",
            sure: gr.update(visible=True),
            will: will_html(one, now, *desk.articles_between(now, one.release)),
            asked: (one.release, now),
            note: "",
        }

    def put_back(about: tuple[str, str] | None, why: str, request: gr.Request) -> Updates:
        person = room.person(request, publisher=True)
        if not about:
            raise CorpusError("Choose the release that should be put back.")
        if about[1] != next((each.release for each in desk.releases() if each.in_force), ""):
            raise EditConflict("Another release was put in force since you were asked. Show the history again, and look at it.")
        entry, changed = desk.roll_back(about[0], person.name, why)
        files = "1 file in the folder was" if len(changed) == 1 else f"{len(changed)} files in the folder were"
        told = f"Patients get release {_short(entry.release)} from now on; {files} changed."
        return {said: done(told), sure: gr.update(visible=False), asked: None, was_put_back: entry.number}

    def leave() -> Updates:
        return {sure: gr.update(visible=False), asked: None}

    # What was asked about is what is put back, whatever is chosen meanwhile.
    chosen.change(leave, None, [sure, asked], **_TOLD)
    ask.click(telling(said, ask_first), chosen, [said, sure, will, asked, note], **_TOLD)
    no.click(leave, None, [sure, asked], **_TOLD)
    yes.click(telling(said, put_back), [asked, note], [said, sure, asked, was_put_back], **_TOLD)
    return chosen, was_put_back


def _lay_out_emptying(room: Room, said: gr.Markdown) -> None:
    """Emptying the journal, which asks first."""
    empty = gr.Button("Empty the journal …", elem_id="pf-past-empty")
    with gr.Column(visible=False) as sure:
        gr.Markdown(_EMPTYING)
        with gr.Row():
            yes = gr.Button("Yes, delete it all", variant="stop", elem_id="pf-past-emptied")
            no = gr.Button("No, keep it", elem_id="pf-past-stay")

    def ask_first(request: gr.Request) -> Updates:
        room.person(request, publisher=True)
        if not room.desk.clinic.journal:
            raise CorpusError("This clinic keeps no journal. What is left of an earlier one deletes itself when it is old.")
        return {said: "", sure: gr.update(visible=True)}

    def empty_it(request: gr.Request) -> Updates:
        person = room.person(request, publisher=True)
        journal = room.desk.journal()
        if journal is None:
            raise CorpusError("This clinic keeps no journal.")
        with contextlib.closing(journal):
            journal.empty()
        _LOG.warning("%s emptied the journal", person.name)
        return {said: done("The journal is empty."), sure: gr.update(visible=False)}

    empty.click(telling(said, ask_first), None, [said, sure], **_TOLD)
    yes.click(telling(said, empty_it), None, [said, sure], **_TOLD)
    no.click(lambda: {sure: gr.update(visible=False)}, None, [sure], **_TOLD)


def chain_html(entries: Sequence[Entry], faults: Sequence[str]) -> str:
    """Whether each entry still follows the one before."""
    if faults:
        told = "".join(f"<li>{escaped(fault)}</li>" for fault in faults)
        return (
            '<div class="pf-note pf-problem" role="alert"><strong>The history is not whole.</strong> Put the folder back from '
            f"a copy, and ask who has changed it.<ul>{told}</ul></div>"
        )
    count = "1 entry" if len(entries) == 1 else f"{len(entries)} entries"
    return f"<p>The history is whole: {count}, each as it was written.</p>" if entries else "<p>Nothing was published yet.</p>"


def entries_html(entries: Sequence[Entry]) -> str:
    """The entries, newest first."""
    if not entries:
        return ""
    rows = [
        (
            escaped(one.at[:16].replace("T", " ")),
            escaped(one.what),
            escaped(one.by),
            f"{escaped(one.note)}{_overridden(one)}",
            escaped(_short(one.release)),
        )
        for one in [*reversed(entries)][:_MOST]
    ]
    more = f"<p>{len(entries) - _MOST} older ones are in the download.</p>" if len(entries) > _MOST else ""
    return table_html(("When (UTC)", "What", "Who", "Why", "Release"), rows) + more


def will_html(kept: Kept, now: str, come: Sequence[str] = (), go: Sequence[str] = ()) -> str:
    """What putting a release back will do, for who is about to: the articles that come back and that go are named."""
    if not kept.usable:
        raise ReleaseError("This release was deleted. Its files are in the history: `patient-faq export --entry` gets them.")
    last = kept.entries[-1]
    return (
        f"<p><strong>Put back release {escaped(_short(kept.release))}</strong>, {escaped(last.what)} by {escaped(last.by)} on "
        f"{escaped(last.at[:10])}?</p><ul><li>Patients get its answers at once, in place of release {escaped(_short(now))}. "
        "The chat goes on without a restart.</li><li>The files in the folder become those of that release. Those that lie "
        "there now are kept aside, and the history says where. Drafts that were never published stay as they are.</li>"
        f"{_named('Patients see these again', come)}{_named('Patients do not see these any more', go)}"
        "<li>The clinic's settings become what they were then: look at them afterwards.</li>"
        "<li>The history shows your name and your reason.</li></ul>"
    )


def _named(what: str, titles: Sequence[str]) -> str:
    return f"<li><strong>{what}: {escaped(', '.join(titles))}.</strong></li>" if titles else ""


def _overridden(entry: Entry) -> str:
    against = entry.details.get("overridden") or ()
    if not against:
        return ""
    told = "".join(f"<li>{escaped(one)}</li>" for one in against)
    reason = escaped(entry.details.get("reason", ""))
    return f"<br><strong>Published although:</strong><ul>{told}</ul><strong>Reason:</strong> {reason}"


def _release(kept: Kept) -> str:
    last = kept.entries[-1]
    return f"{_short(kept.release)}, {last.what} {last.at[:10]} by {last.by}{' (in force)' if kept.in_force else ''}"


def _short(release: str) -> str:
    return release[:12]
