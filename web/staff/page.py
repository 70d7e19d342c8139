"""The staff's page: one page of Gradio with a tab for each part of the work."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI
from starlette.requests import Request

from retrieval.types import Clinic
from web.look import accent_css, gr, own_fonts
from web.staff import articles, gaps, overview, past, publish
from web.staff.gate import Visit
from web.staff.room import PRIVATE, Room, escaped
from web.staff.sessions import Person

__all__ = ["TABS", "build_page", "mount_page"]

TABS: dict[str, Callable[[Room, gr.Tab], None]] = {
    "Articles": articles.lay_out,
    "Publish": publish.lay_out,
    "Gaps": gaps.lay_out,
    "History": past.lay_out,
    "Overview": overview.lay_out,
}
"""The tabs in their order, and who lays out each."""
_MAY = {
    "editor": "You can add, edit and check articles, and take on gaps.",
    "publisher": "You can add, edit and check articles, take on gaps, publish, put back, withdraw and export.",
}
_SESSIONS = 64
_HEAD = """<meta name="robots" content="noindex">
<link rel="stylesheet" href="/look/page.css">
<script src="/look/page.js"></script>"""
# The style is linked and not given to Gradio, whose prefix would raise all of its rules above those for narrow screens.


def build_page(room: Room) -> gr.Blocks:
    """Lay out the page; nothing is opened or started by this."""
    # Plain Markdown throughout: gr.HTML fills its templates by evaluating script, which the gate's policy forbids.
    title = f"Staff – {room.clinic().name}"
    with gr.Blocks(title=title, analytics_enabled=False, delete_cache=(3600, 3600)) as page:
        header = gr.Markdown(_header_html(room.clinic(), None), elem_id="pf-staff")

        def greet(request: gr.Request) -> str:
            return _header_html(room.clinic(), room.person(request))

        page.load(greet, None, header, show_progress="hidden", **PRIVATE)
        with gr.Tabs():
            for name, lay_out in TABS.items():
                with gr.Tab(name, elem_id=f"pf-{name.lower()}") as tab:
                    lay_out(room, tab)
    page.queue(max_size=64, default_concurrency_limit=2, api_open=False)
    page.state_session_capacity = _SESSIONS
    return page


def mount_page(app: FastAPI, room: Room) -> None:
    """Put the page at the root of an application, with everything of Gradio's off that is not used."""

    def known(request: Request) -> str | None:
        """A second door behind the gate: Gradio, too, serves only who is signed in."""
        visit: Visit = request.scope["staff"]
        person = room.sessions.person(visit.seat.digest) if visit.seat else None
        return person.name if person else None

    gr.mount_gradio_app(
        app, build_page(room), path="/", run_history=False, footer_links=[], show_error=False, enable_monitoring=False,
        max_file_size="1kb", pwa=False, mcp_server=False, ssr_mode=False, allowed_paths=[], theme=own_fonts(),
        css=accent_css(room.clinic().accent), head=_HEAD, auth_dependency=known,
    )  # fmt: skip


def _header_html(clinic: Clinic, person: Person | None) -> str:
    """Clinic, who is signed in and what they may do, and the way out."""
    who = ""
    if person:
        who = (
            f'<p class="pf-who"><strong>{escaped(person.name)}</strong> · {person.role}</p>'
            '<form method="post" action="/logout" class="pf-out"><button type="submit">Sign out</button></form>'
            f'<p class="pf-may">{_MAY[person.role]}</p>'
        )
    return f'<div class="pf-header"><h1>{escaped(clinic.name)}: articles</h1>{who}</div>'
