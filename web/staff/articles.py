"""The tab Articles: files added, what the machine read of them beside the original, and all that is done with one."""

from __future__ import annotations

import json
from datetime import date

from retrieval.errors import CorpusError, PatientFaqError
from retrieval.keeping.checking import Finding
from web.look import gr
from web.staff.editing import FORM, Opened, as_typed, entered, like_it_was, merged, values_of
from web.staff.room import PRIVATE, Room, Updates, done, escaped, problem, telling
from web.staff.sessions import Person
from web.staff.showing import STANDING, files_html, findings_html, pages_html, rows_html

__all__ = ["lay_out"]

_LONGEST_TEXT = 200_000
_ABOUT_ADDING = (
    "PDF, Word, HTML, Markdown or plain text, up to 50 MB. You can drop files here too. What you add is a draft: patients see "
    "nothing of it until you have checked it and a publisher has published it."
)
_FORGOTTEN = (
    "The server was started again and does not know any more what you have open. Nothing was changed. Copy what you have typed "
    "here, reload the page, and open the article again."
)
_ABOUT_TAKING_OUT = (
    "Patients stop seeing it within seconds. Nothing else of the folder is published by this. The file stays here, marked as "
    "withdrawn, and the history keeps your name and reason."
)


def lay_out(room: Room, tab: gr.Tab) -> None:
    """Lay out the tab; called inside it."""
    _Articles(room, tab)


class _Articles:
    def __init__(self, room: Room, tab: gr.Tab) -> None:
        self.room = room
        self.said = gr.Markdown("", elem_id="pf-said-articles")
        self.opened = gr.State(Opened())
        gr.Markdown(f"## Articles\n\n{_ABOUT_ADDING}")
        gr.Button("Add files", elem_id="pf-add", variant="primary")
        self.files = gr.Markdown("Reading the articles.", elem_id="pf-files")
        self.added, self.on_added = _unseen("pf-added", "Files that were sent")
        self.picked, self.on_picked = _unseen("pf-picked", "Article to open")
        with gr.Column(visible=False, elem_id="pf-opened") as self.panel:
            self._lay_out_one()
        # At the beginning (None), and when somebody comes back from where they published.
        for event in (None, [tab.select]):
            gr.on(event, telling(self.said, self.start), None, [self.files, self.said], show_progress="hidden", **PRIVATE)
        self._connect()

    def _lay_out_one(self) -> None:
        self.head = gr.Markdown("", elem_id="pf-head")
        with gr.Row(elem_classes="pf-buttons"):
            self.check = gr.Button("Checked: goes out with the next release", variant="primary")
            gr.Button("Replace file", elem_id="pf-replace")
            self.afresh = gr.Button("Look at it again")
            self.close = gr.Button("Close")
        self.replaced, self.on_replaced = _unseen("pf-replaced", "New version")
        self.unsaved = gr.Textbox(
            label="What you had typed and not saved", lines=4, max_lines=20, visible=False, interactive=False, buttons=["copy"],
            info="Copy from here what you still need. It goes when you open another article.", elem_id="pf-unsaved",
        )  # fmt: skip
        self.findings = gr.Markdown("", elem_id="pf-findings")
        with gr.Column(visible=False, elem_classes="pf-part") as self.doubts:
            self.right = gr.CheckboxGroup(
                [], label="Sentences that look damaged", elem_id="pf-doubtful",
                info="They are not quoted. Hold them beside the original: mend the file, or say that they are right.",
            )  # fmt: skip
            self.confirm = gr.Button("These are right as they stand")
        with gr.Row(elem_id="pf-beside"):
            with gr.Column(min_width=280):
                self.rows = gr.Markdown("", elem_id="pf-read")
            with gr.Column(min_width=280):
                self.original = gr.Markdown("", elem_id="pf-original")
                self.source = gr.Textbox(label="Text of the file", lines=20, max_lines=40, visible=False, elem_id="pf-source")
                self.save = gr.Button("Save text", visible=False)
        gr.Markdown("### What is known of it")
        with gr.Row(elem_id="pf-form"):
            self.form = [gr.Textbox(label=label, info=info, min_width=240, max_length=1000) for _, label, info in FORM]
        self.describe = gr.Button("Save what is known")
        with gr.Column(visible=False, elem_classes=["pf-part", "pf-danger"]) as self.deleting:
            gr.Markdown("### Delete draft\n\nThe file is deleted for good. Nobody can bring it back.")
            self.sure = gr.Checkbox(label="Yes, delete this draft for good")
            self.delete = gr.Button("Delete draft", variant="stop")
        with gr.Column(visible=False, elem_classes=["pf-part", "pf-danger"]) as self.taking:
            gr.Markdown(f"### Take out at once\n\n{_ABOUT_TAKING_OUT}")
            self.reason = gr.Textbox(label="Why it is taken out", max_length=500)
            self.certain = gr.Checkbox(label="Yes, patients are not to see this article any more")
            self.withdraw = gr.Button("Take out at once", variant="stop")

    def _connect(self) -> None:
        typed = [self.opened, self.source, *self.form]
        changed = [
            self.said, self.opened, self.files, self.panel, self.head, self.findings, self.doubts, self.right, self.rows,
            self.original, self.source, self.save, *self.form, self.deleting, self.sure, self.taking, self.reason, self.certain,
            self.unsaved,
        ]  # fmt: skip
        for event, handler, inputs in (
            (self.on_added.click, self.add, [self.added, *typed]),
            (self.on_picked.click, self.open, [self.picked, *typed]),
            (self.on_replaced.click, self.replace, [self.replaced, *typed]),
            (self.check.click, self.check_off, typed),
            (self.confirm.click, self.confirm_right, [self.right, *typed]),
            (self.save.click, self.save_text, typed),
            (self.describe.click, self.save_values, typed),
            (self.delete.click, self.delete_draft, [self.sure, *typed]),
            (self.withdraw.click, self.take_out, [self.reason, self.certain, *typed]),
            (self.afresh.click, self.look_again, typed),
            (self.close.click, self.shut, typed),
        ):
            event(telling(self.said, handler), inputs, changed, show_progress_on=[self.said], scroll_to_output=False, **PRIVATE)

    # What is done. Gradio puts the request where the parameter stands: before those that take all the rest.

    def start(self, request: gr.Request) -> Updates:
        self.room.person(request)
        return self._files()[0]

    def add(self, request: gr.Request, sent: str, opened: Opened, text: str, *values: str) -> Updates:
        person = self.room.person(request)
        names, faults, unread = [], [], []
        for token, fault in _sent(sent):
            try:
                if fault:
                    raise CorpusError(fault)
                names.append(self.room.desk.library.add(*self.room.shelf.take(person.name, token), person.name))
            except PatientFaqError as wrong:
                faults.append(str(wrong))
        for name in names:
            if wrong_with := self.room.desk.library.look(name).problem:
                unread.append(str(wrong_with))
        unsaved = _is_unsaved(opened, text, values)
        then = "There is something here that you have not saved: save that, then open what you added." if unsaved else ""
        notes = done(f"Added as a draft: {', '.join(names)}. {then or 'Now look at what was read.'}") if names else ""
        notes += problem("Some files were not added." if names else "The file was not added.", tuple(faults)) if faults else ""
        if unread:
            notes += problem("Some of what was added cannot be read. Delete it, or replace it by a whole file.", tuple(unread))
        if not names:
            return {self.said: notes}
        shown = self._files()[0] if unsaved else self._shown(person, Opened(names[-1]), None)
        return shown | {self.said: notes}

    def open(self, request: gr.Request, doc: str, opened: Opened, text: str, *values: str) -> Updates:
        person = self.room.person(request)
        self._refuse_unsaved(opened, text, values)
        return self._shown(person, Opened(doc), None) | {self.said: ""}

    def shut(self, request: gr.Request, opened: Opened, text: str, *values: str) -> Updates:
        self.room.person(request)
        self._refuse_unsaved(opened, text, values)
        return self._shut() | {self.said: ""}

    def look_again(self, request: gr.Request, opened: Opened, text: str, *values: str) -> Updates:
        """The article as it is now, with what was typed and not saved beside it, so that no words are lost."""
        person = self.room.person(request)
        _still_open(opened)
        typed = [f"{label}: {now}" for (_, label, _), was, now in zip(FORM, opened.values, values, strict=True) if now != was]
        typed += [text] if text != opened.text else []
        shown = self._shown(person, Opened(opened.doc), None) | {self.said: done(f"This is {opened.doc} as it stands now.")}
        if typed:
            return shown | {self.unsaved: gr.update(value="\n\n".join(typed), visible=True)}
        del shown[self.unsaved]  # what was put there before stays
        return shown

    def replace(self, request: gr.Request, sent: str, opened: Opened, text: str, *values: str) -> Updates:
        person = self.room.person(request)
        _still_open(opened)
        token, fault = next(iter(_sent(sent)), ("", "No file came."))
        if fault:
            raise CorpusError(fault)
        name, data = self.room.shelf.take(person.name, token)
        if name.rpartition(".")[2].lower() != opened.doc.rpartition(".")[2].lower():
            raise CorpusError(f"{name}: it is of another kind than {opened.doc}. Add it as an article of its own.")
        self.room.desk.library.replace(opened.doc, data, person.name, opened.seen)
        said = f"{name} is the new version of {opened.doc}. It is a draft again until it is checked."
        return self._shown(person, opened, (text, values)) | {self.said: done(said)}

    def check_off(self, request: gr.Request, opened: Opened, text: str, *values: str) -> Updates:
        person = self.room.person(request)
        _still_open(opened)
        self._refuse_unsaved(opened, text, values)
        self.room.desk.library.check_off(opened.doc, person.name, opened.seen, date.today())
        said = f"{opened.doc} is checked by {person.name}, and goes out with the next release."
        return self._shown(person, opened, (text, values)) | {self.said: done(said)}

    def confirm_right(self, request: gr.Request, names: list[str], opened: Opened, text: str, *values: str) -> Updates:
        person = self.room.person(request)
        _still_open(opened)
        if not names:
            raise CorpusError("Choose the sentences that are right first.")
        self.room.desk.confirm(opened.doc, names, person.name, opened.seen)
        said = (
            "They can be quoted from the next release on." if len(names) > 1 else "It can be quoted from the next release on."
        )
        return self._shown(person, opened, (text, values)) | {self.said: done(said)}

    def save_text(self, request: gr.Request, opened: Opened, text: str, *values: str) -> Updates:
        person = self.room.person(request)
        _still_open(opened)
        was, _ = self.room.desk.library.text(opened.doc)
        self.room.desk.library.write(opened.doc, like_it_was(text, was), person.name, opened.text_seen)
        said = f"The text of {opened.doc} is saved. Patients see it after the next release."
        return self._shown(person, opened, (text, values)) | {self.said: done(said)}

    def save_values(self, request: gr.Request, opened: Opened, text: str, *values: str) -> Updates:
        person = self.room.person(request)
        _still_open(opened)
        changed = entered(opened.values, values)
        if not changed:
            raise CorpusError("Nothing was changed in what is known of it.")
        self.room.desk.library.describe(opened.doc, changed, person.name, opened.values_seen)
        said = f"What is known of {opened.doc} is saved. Patients see it after the next release."
        return self._shown(person, opened, (text, values)) | {self.said: done(said)}

    def delete_draft(self, request: gr.Request, sure: bool, opened: Opened, *typed: str) -> Updates:
        person = self.room.person(request)
        _still_open(opened)
        if not sure:
            raise CorpusError("Tick the box first: a deleted draft cannot be brought back.")
        self.room.desk.library.remove(opened.doc, person.name, opened.seen)
        files = self._files()[0]
        return files | self._shut() | {self.said: done(f"{opened.doc} is deleted.")}

    def take_out(self, request: gr.Request, reason: str, certain: bool, opened: Opened, text: str, *values: str) -> Updates:
        person = self.room.person(request, publisher=True)
        _still_open(opened)
        if not certain:
            raise CorpusError("Tick the box first: patients stop seeing the article at once.")
        entry = self.room.desk.withdraw(opened.doc, person.name, reason)
        said = f"{opened.doc} is taken out: patients do not see it any more. It is entry {entry.number} of the history."
        cleared = {self.said: done(said), self.reason: "", self.certain: False}
        return self._shown(person, opened, (text, values)) | cleared

    def _refuse_unsaved(self, opened: Opened, text: str, values: tuple[str, ...]) -> None:
        if _is_unsaved(opened, text, values):
            _still_open(opened)
            raise CorpusError(
                f"You have changed something of {opened.doc} and not saved it. Save it first. If you do not want it, press "
                "Look at it again."
            )

    # What is shown.

    def _shut(self) -> Updates:
        nothing = Opened()
        empty = {self.source: nothing.text, self.sure: False, **dict(zip(self.form, nothing.values, strict=True))}
        return {self.opened: nothing, self.panel: gr.update(visible=False), **empty}

    def _files(self) -> tuple[Updates, tuple[Finding, ...]]:
        rows, findings, said = self.room.desk.overview(), tuple[Finding, ...](), ""
        try:
            findings = self.room.desk.findings()
        except PatientFaqError as wrong:
            said = problem(f"The articles could not be looked through. {wrong}")
        return {self.files: files_html(rows, findings)} | ({self.said: said} if said else {}), findings

    def _shown(self, person: Person, opened: Opened, typed: tuple[str, tuple[str, ...]] | None) -> Updates:
        """All of one article, as it stands now. What was typed and not saved stays; None: it has just been opened."""
        desk, doc = self.room.desk, opened.doc
        held = desk.look(doc)
        standing = desk.library.look(doc, desk.release()).standing
        files, findings = self._files()
        text, refused = self._text_of(doc)
        values = values_of(held.article) if held.article else opened.values
        if typed is None:
            opened = Opened(doc, held.seen, values, held.seen, text, held.seen)
            form, source = values, text
        else:
            form, was, form_seen = merged(opened.values, opened.values_seen, typed[1], values, held.seen)
            source, before, text_seen = merged(opened.text, opened.text_seen, typed[0], text, held.seen)
            opened = Opened(doc, held.seen, was, form_seen, before, text_seen)
        fresh: Updates = {self.unsaved: gr.update(value="", visible=False)} if typed is None else {}
        doubtful = desk.doubtful(doc)
        sheets = desk.library.sheets(doc)
        pictures = pages_html(doc, held.seen, len(sheets.pictures)) if sheets else ""
        beside = "" if pictures or not refused else f"<p>{escaped(refused)}</p>"
        mine = [one for one in findings if one.doc == doc]
        return (
            files
            | fresh
            | {
                self.opened: opened,
                self.panel: gr.update(visible=True),
                self.head: f'<h2 class="pf-title">{escaped(held.title)}</h2><p>{escaped(doc)}: <strong>'
                f"{escaped(STANDING.get(standing, standing))}</strong></p>",
                self.findings: f"<h3>What was found</h3>{findings_html(mine)}",
                self.doubts: gr.update(visible=bool(doubtful)),
                self.right: gr.update(choices=[(sentence, name) for name, sentence in doubtful.items()], value=[]),
                self.rows: f"<h3>What was read</h3>{rows_html(desk.preview(doc))}",
                self.original: f"<h3>The original</h3>{pictures}{beside}",
                self.source: gr.update(value=source, visible=not refused),
                self.save: gr.update(visible=not refused),
                **{
                    box: gr.update(value=value, interactive=held.article is not None)
                    for box, value in zip(self.form, form, strict=True)
                },
                self.deleting: gr.update(visible=standing in {"draft", "unreadable"}),
                self.sure: False,
                self.taking: gr.update(visible=person.publishes and standing in {"changed", "published"}),
            }
        )

    def _text_of(self, doc: str) -> tuple[str, str]:
        """The text of a file for the box, or why there is none."""
        try:
            text, _ = self.room.desk.library.text(doc)
        except CorpusError as wrong:
            return "", str(wrong)
        if len(text) > _LONGEST_TEXT:
            return "", f"{doc}: it is too long to be edited here. Upload a new version instead."
        return as_typed(text), ""


def _is_unsaved(opened: Opened, text: str, values: tuple[str, ...]) -> bool:
    """Whether something was typed in the article that is open and not saved."""
    # A box that was never filled holds None.
    return (text or "") != opened.text or tuple(value or "" for value in values) != opened.values


def _still_open(opened: Opened) -> str:
    """The article that is open; raises CorpusError where that is forgotten, since Gradio keeps it in memory only."""
    if not opened.doc:
        raise CorpusError(_FORGOTTEN)
    return opened.doc


def _unseen(name: str, label: str) -> tuple[gr.Textbox, gr.Button]:
    """A box that the page's script fills, and the button that it presses then; people see neither."""
    return (
        gr.Textbox(label=label, elem_id=name, elem_classes="pf-unseen"),
        gr.Button(label, elem_id=f"{name}-go", elem_classes="pf-unseen"),
    )


def _sent(sent: str) -> list[tuple[str, str]]:
    """What the page's script sent: the word of each file, or why it did not come."""
    try:
        values = json.loads(sent)
        return [(str(one.get("token", "")), str(one.get("detail", ""))) for one in values["files"]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise CorpusError("The files did not come. Please try again.") from None
