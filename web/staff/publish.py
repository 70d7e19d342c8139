"""The tab Publish: what would change for patients, and putting it in force with a name and a note."""

from __future__ import annotations

from collections.abc import Callable

from retrieval.errors import CorpusError, PublishRefused
from retrieval.keeping.figures import in_plain_words
from web.look import gr
from web.staff.room import PRIVATE, Room, Updates, done, escaped, problem, telling
from web.staff.showing import change_html

__all__ = ["lay_out"]

_ABOUT = (
    "First look at what would change: the articles are made into a release that nobody sees yet, and it is asked the same "
    "questions as the one that patients have. This can take some minutes. Nothing changes for patients by looking."
)
_ABOUT_PUBLISHING = (
    "Patients get the new release from the next question on, without a restart. Your name and note go into the history. Any "
    "earlier release can be put back."
)
_ABOUT_OVERRIDE = (
    "Patients would be worse off in what is named under limits. It is published only with a reason, which the history keeps."
)


def lay_out(room: Room, tab: gr.Tab) -> None:
    """Lay out the tab; called inside it."""
    _Publish(room)


class _Publish:
    def __init__(self, room: Room) -> None:
        self.room = room
        self.said = gr.Markdown("", elem_id="pf-said-publish")
        self.looked = gr.State("")  # the release that was looked at
        gr.Markdown(f"## Publish\n\n{_ABOUT}")
        self.look = gr.Button("See what would change", variant="primary")
        self.changes = gr.Markdown("", elem_id="pf-changes")
        with gr.Column(visible=False, elem_id="pf-publishing") as self.form:
            gr.Markdown(f"### Publish it\n\n{_ABOUT_PUBLISHING}")
            self.note = gr.Textbox(label="Note: what is new, and why", max_length=500)
            self.override = gr.Textbox(
                label="Reason to publish it all the same", info=_ABOUT_OVERRIDE, visible=False, max_length=500
            )
            self.publish = gr.Button("Publish", variant="primary")
        changed = [self.said, self.looked, self.changes, self.form, self.note, self.override]
        for event, handler, inputs in (
            (self.look.click, self.see, []),
            (self.publish.click, self.put_in_force, [self.looked, self.note, self.override]),
        ):
            # These take minutes and tell how far they are: only the queue can.
            told = {**PRIVATE, "queue": True}
            event(telling(self.said, handler), inputs, changed, show_progress_on=[self.changes], **told)

    def see(self, request: gr.Request, progress: gr.Progress = gr.Progress()) -> Updates:  # noqa: B008  Gradio finds it there
        person = self.room.person(request)
        change = self.room.desk.what_would_change(person.name, _telling(progress))
        articles = {one.doc: one.article for one in self.room.desk.held() if one.article}
        broken = bool(change.comparison and change.comparison.broken)
        may = change.report.changed and person.publishes
        only = (
            "" if may or not change.report.changed else "<p>A publisher can publish this. You are signed in as an editor.</p>"
        )
        return {
            self.said: "",
            self.looked: change.report.release if change.report.changed else "",
            self.changes: f"<h2>What would change</h2>{change_html(change, articles)}{only}",
            self.form: gr.update(visible=may),
            self.override: gr.update(visible=broken, value=""),
        }

    def put_in_force(
        self, looked: str, note: str, override: str, request: gr.Request, progress: gr.Progress = gr.Progress()  # noqa: B008
    ) -> Updates:  # fmt: skip
        person = self.room.person(request, publisher=True)
        if not looked:
            raise CorpusError("Look at what would change first.")
        try:
            published, _ = self.room.desk.publish(
                person.name, note, override=override, expected=looked, progress=_telling(progress)
            )
        except PublishRefused as refused:
            return {
                self.said: problem(str(refused), tuple(map(in_plain_words, refused.reasons))),
                self.override: gr.update(visible=True),
            }
        if published.entry is None:
            said = "Patients have this release already. Nothing was changed."
        else:
            said = (
                f"Release {published.entry.release} is in force: patients get it from the next question on. It is entry "
                f"{published.entry.number} of the history, signed by {published.entry.by}."
            )
        return {
            self.said: done(said),
            self.looked: "",
            self.changes: f"<p>{escaped(said)}</p>",
            self.form: gr.update(visible=False),
            self.note: "",
            self.override: gr.update(visible=False, value=""),
        }


def _telling(progress: gr.Progress) -> Callable[[str, int, int], None]:
    """What the desk tells of its work, on the page."""
    return lambda what, made, total: progress((made, total), desc=what)
