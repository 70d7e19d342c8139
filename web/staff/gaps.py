"""The tab Gaps: what patients asked in vain or did not like, and what closes it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date
from typing import Any

from retrieval.errors import CorpusError, EditConflict
from retrieval.keeping.closing import Proof
from retrieval.keeping.desk import Desk
from retrieval.keeping.gaps import STATES, Gap
from web.look import gr
from web.staff.room import PRIVATE, Room, Updates, done, escaped, telling
from web.staff.tables import table_html

__all__ = ["Choice", "gap_html", "lay_out", "list_html", "proof_html", "sentence_choices", "sentences_chosen"]

Choice = tuple[str, str]
"""What is shown in a list to choose from, and the value that stands for it."""
_LONGEST = 90
_MOST_QUESTIONS = 50
_NO_JOURNAL = """<p><strong>This clinic keeps no journal, so there are no gaps to see.</strong></p>
<p>To turn it on, write <code>journal = true</code> into <code>corpus/clinic.toml</code>, and publish. From then on every
question that the chat answers is kept: its words, the day, and what the patient got. Not kept are names, addresses, times,
messages with private data in them, and the words of urgent messages. All of it is deleted after 90 days, or as
<code>journal_days</code> says. Tell your patients so in your privacy notice first. docs/privacy.md lists
all that is kept.</p>"""
_WILL = """<p>This changes the folder only. Patients notice nothing yet: the question finds these sentences
<strong>from the next release on</strong>. A judged question is asked of every release before it is published; one that is not
answered well counts against it.</p>"""
_NO_ARTICLE = """### No article says it?

<p>Start one: a draft with this title, and the question above for a heading. Patients see nothing of it until somebody
has written and checked it, and it is published.</p>"""
_ROUTES = {
    "answer": "quotes",
    "consult": "the card that a clinician must answer this",
    "urgent": "the card for urgent help",
    "no_answer": "the card that our articles do not say",
}
_NEXT = "Next: look at what would change in Publish, and publish there. Then ask here again what a patient gets."


def lay_out(room: Room, tab: gr.Tab) -> None:
    """Lay out the tab, and connect what happens in it."""
    desk = room.desk
    gr.Markdown("## Gaps\n\nWhat patients asked in vain or did not like, grouped by meaning.")
    said = gr.Markdown(elem_id="pf-gaps-said")
    with gr.Row():
        look = gr.Button("Look again", elem_id="pf-gaps-look")
        every = gr.Checkbox(label="Also those answered or set aside", elem_id="pf-gaps-every")
    listed = gr.Markdown(elem_id="pf-gaps-list")
    pick = gr.Dropdown([], label="Open a gap", visible=False, elem_id="pf-gaps-pick")
    with gr.Column(visible=False) as opened:
        shown = gr.Markdown(elem_id="pf-gap")
        with gr.Row():
            take = gr.Button("Take it on", elem_id="pf-gap-take")
            back = gr.Button("Give it back", elem_id="pf-gap-back")
            prove = gr.Button("What a patient gets now", elem_id="pf-gap-prove")
        proof = gr.Markdown(elem_id="pf-gap-proof")
        with gr.Accordion("Title, note and state", open=False):
            title = gr.Textbox(
                label="Title", max_length=300, info="In your own words. A gap with a title outlives its questions."
            )
            note = gr.Textbox(label="Note", lines=2, max_length=2000, info="Do not copy patients' words into it.")
            state = gr.Radio(list(STATES), label="State")
            save = gr.Button("Keep these", elem_id="pf-gap-save")
        answering = _lay_out_answering(room, said)

    def wanted(also: bool) -> list[Gap]:
        return [gap for gap in desk.gaps() if also or gap.state in {"open", "taken"} or gap.again]

    def refresh(also: bool, request: gr.Request) -> Updates:
        room.person(request)
        if not desk.clinic.journal:
            return {said: "", listed: _NO_JOURNAL, pick: gr.update(visible=False), opened: gr.update(visible=False)}
        found = wanted(also)
        choices = [(f"{_cut(gap.title)} ({gap.count})", gap.id) for gap in found]
        return {
            said: "",
            listed: list_html(found),
            pick: gr.update(choices=choices, value=None, visible=bool(found)),
            opened: gr.update(visible=False),
        }

    def open_gap(key: str | None, request: gr.Request) -> Updates:
        room.person(request)
        if not key:
            return {opened: gr.update(visible=False)}
        gap = desk.gap(key)
        doc, first, last, question, name = answering
        docs = [(held.title, held.doc) for held in desk.held() if held.article and held.standing != "withdrawn"]
        return {
            said: "",
            opened: gr.update(visible=True),
            shown: gap_html(gap),
            proof: "",
            title: gap.title,
            note: gap.note,
            state: gap.state,
            doc: gr.update(choices=docs, value=None),
            first: gr.update(choices=[], value=None),
            last: gr.update(choices=[], value=None),
            question: gap.questions[0].question if gap.questions else gap.title,
            name: "",
        }

    def changed(also: bool, gap: Gap, told: str) -> Updates:
        return {said: done(told), listed: list_html(wanted(also)), shown: gap_html(gap), state: gap.state}

    def take_on(also: bool, key: str, request: gr.Request) -> Updates:
        gap = desk.change_gap(key, owner=room.person(request).name)
        return changed(also, gap, f"{gap.owner} is at it now.")

    def give_back(also: bool, key: str, request: gr.Request) -> Updates:
        room.person(request)
        return changed(also, desk.change_gap(key, owner=""), "Nobody is at it now.")

    def keep(also: bool, key: str, named: str, noted: str, stands: str, request: gr.Request) -> Updates:
        room.person(request)
        gap = desk.gap(key)
        fresh: dict[str, Any] = {"title": named} if named.strip() != gap.title else {}
        gap = desk.change_gap(key, note=noted, state=stands if stands != gap.state else "", **fresh)
        return changed(also, gap, "Kept.")

    def prove_gap(key: str, request: gr.Request) -> Updates:
        room.person(request)
        return {said: "", proof: proof_html(desk.proof(key))}

    told: dict[str, Any] = {"show_progress": "minimal", **PRIVATE}
    page = [said, listed, pick, opened]
    tab.select(telling(said, refresh), every, page, show_progress="hidden", **PRIVATE)
    look.click(telling(said, refresh), every, page, **told)
    every.change(telling(said, refresh), every, page, **told)
    about = [said, opened, shown, proof, title, note, state, *answering]
    pick.change(telling(said, open_gap), pick, about, **told)
    one = [said, listed, shown, state]
    take.click(telling(said, take_on), [every, pick], one, **told)
    back.click(telling(said, give_back), [every, pick], one, **told)
    save.click(telling(said, keep), [every, pick, title, note, state], one, **told)
    prove.click(telling(said, prove_gap), pick, [said, proof], **told)


def _lay_out_answering(room: Room, said: gr.Markdown) -> tuple[gr.Dropdown, gr.Dropdown, gr.Dropdown, gr.Textbox, gr.Textbox]:
    """What answers a gap: sentences of an article, or a new article. Returns what is filled in when a gap is opened."""
    desk = room.desk
    gr.Markdown(f"### Answer it from an article\n\n{_WILL}")
    doc = gr.Dropdown([], label="Article", elem_id="pf-gap-doc")
    first = gr.Dropdown([], label="First sentence that answers", elem_id="pf-gap-first")
    last = gr.Dropdown([], label="Last sentence (at most three in all)", elem_id="pf-gap-last")
    question = gr.Textbox(
        label="The question", lines=2, max_length=500, elem_id="pf-gap-question",
        info="These are a patient's words. Put it in your own: it will stay in the files of the corpus.",
    )  # fmt: skip
    with gr.Row():
        attach = gr.Button("Attach the question", variant="primary", elem_id="pf-gap-attach")
        judge = gr.Button("Add it as a judged question", elem_id="pf-gap-judge")
    gr.Markdown(_NO_ARTICLE)
    name = gr.Textbox(label="Title of the new article", max_length=200, elem_id="pf-gap-new")
    start = gr.Button("Start an article", elem_id="pf-gap-start")

    def open_article(chosen: str | None, request: gr.Request) -> Updates:
        room.person(request)
        choices = sentence_choices(desk, chosen) if chosen else []
        return {first: gr.update(choices=choices, value=None), last: gr.update(choices=choices, value=None)}

    def attach_it(chosen: str | None, one: str | None, two: str | None, asked: str, request: gr.Request) -> Updates:
        by = room.person(request).name
        new = desk.attach(*sentences_chosen(desk, chosen, one, two), asked, by)
        return {said: done(f"The question is attached to {chosen}. {_NEXT}" if new else "It was attached there already.")}

    def judge_it(chosen: str | None, one: str | None, two: str | None, asked: str, request: gr.Request) -> Updates:
        by = room.person(request).name
        new = desk.add_judged(*sentences_chosen(desk, chosen, one, two), asked, by)
        return {
            said: done("It is asked of every release from now on, before it is published." if new else "It is there already.")
        }

    def start_it(named: str, asked: str, request: gr.Request) -> Updates:
        path = desk.start_article(named, asked, room.person(request).name)
        return {said: done(f"{path.name} is begun, as a draft. Next: write what it says in Articles, and have it checked.")}

    told: dict[str, Any] = {"show_progress": "minimal", **PRIVATE}
    doc.change(telling(said, open_article), doc, [said, first, last], **told)
    # The last sentence is the first one until another is chosen.
    first.change(lambda one: one, first, last, **told)
    attach.click(telling(said, attach_it), [doc, first, last, question], said, **told)
    judge.click(telling(said, judge_it), [doc, first, last, question], said, **told)
    start.click(telling(said, start_it), [name, question], said, **told)
    return doc, first, last, question, name


def list_html(found: Sequence[Gap]) -> str:
    """The gaps as a table: what, how many, the newest, where it stands and who is at it."""
    if not found:
        return "<p>There are no gaps: nothing was asked in vain or disliked in the time that the journal keeps.</p>"
    columns = ("What patients ask", "Questions", "Newest", "State", "Who is at it")
    return table_html(
        columns,
        [(escaped(gap.title), str(gap.count), _day(gap.newest), _state(gap), escaped(gap.owner or "–")) for gap in found],
    )


def gap_html(gap: Gap) -> str:
    """One gap: its questions and what staff noted."""
    questions = "".join(
        f"<li>{escaped(one.question)} <small>({_day(one.day)}, {escaped(one.why)}"
        f"{f', on a quote of {escaped(one.doc)}' if one.doc else ''})</small></li>"
        for one in gap.questions[:_MOST_QUESTIONS]
    )
    more = f"<p>and {gap.count - _MOST_QUESTIONS} more.</p>" if gap.count > _MOST_QUESTIONS else ""
    listed = f"<ul>{questions}</ul>{more}" if questions else "<p>Its questions have expired.</p>"
    note = f"<p><strong>Note:</strong> {escaped(gap.note)}</p>" if gap.note else ""
    owner = f", {escaped(gap.owner)} is at it" if gap.owner else ""
    return f"<h3>{escaped(gap.title)}</h3><p><strong>{_state(gap)}</strong>{owner}</p>{note}{listed}"


def proof_html(proof: Proof) -> str:
    """What each question gets from the release in force, with the quotes."""
    head = f"<p><strong>{proof.answered} of {len(proof.asked)}</strong> get a quote from release {escaped(proof.release)}.</p>"
    told = []
    for one in proof.asked:
        quotes = "".join(
            f"<blockquote>{escaped(quote.text)}</blockquote><p><small>{escaped(quote.citation.title)}"
            f"{f' › {escaped(quote.citation.section)}' if quote.citation.section else ''}</small></p>"
            for quote in one.quotes
        )
        told.append(f"<p><strong>{escaped(one.question)}</strong><br>A patient gets {_ROUTES[one.route]}.</p>{quotes}")
    return head + "".join(told)


def sentence_choices(desk: Desk, doc: str) -> list[Choice]:
    """The sentences of an article to choose from, each named by its place and its words."""
    return [(f"{number + 1}. {_cut(text)}", _named(number, text)) for number, text in desk.sentences(doc)]


def sentences_chosen(desk: Desk, doc: str | None, first: str | None, last: str | None) -> tuple[str, int, int]:
    """The article and the numbers of the sentences that were chosen.

    Raises CorpusError where nothing was, EditConflict where the article has changed since: numbers would mean other sentences.
    """
    if not doc or not first:
        raise CorpusError("Choose the article, and the first sentence that answers.")
    there = {_named(number, text): number for number, text in desk.sentences(doc)}
    if first not in there or (last or first) not in there:
        raise EditConflict(f"{doc} has changed since you opened it here. Choose the article again, and then the sentences.")
    return doc, there[first], there[last or first]


def _named(number: int, text: str) -> str:
    return f"{number} {hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _state(gap: Gap) -> str:
    again = f", asked {gap.again} times since" if gap.again > 1 else ", asked once since" if gap.again else ""
    return f"{gap.state}{again}"


def _day(day: date | None) -> str:
    return f"{day.day} {day:%b %Y}" if day else "–"


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
