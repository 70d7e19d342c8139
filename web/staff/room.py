"""What the tabs of the staff's page share: who is asking, words made safe, and what went wrong said in one way."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from retrieval.errors import AccountError, PatientFaqError, PublishRefused
from retrieval.keeping.desk import Desk
from retrieval.settings import Settings
from retrieval.types import Clinic
from web.look import gr
from web.staff.gate import Visit
from web.staff.sessions import Person, Sessions
from web.staff.uploads import Shelf

__all__ = ["PRIVATE", "Room", "Updates", "done", "escaped", "problem", "telling"]

_LOG = logging.getLogger(__name__)
PRIVATE: dict[str, Any] = {"api_visibility": "private", "queue": False}
"""For every event of the page: it has no name by which it could be called from outside, and is one request with one reply.

By Gradio's queue replies come in a stream that ends with the last one awaited. What is asked while it ends is never heard of.
"""
Updates = dict[Any, Any]
"""What a handler changes on the page: new values by component."""
_MARKS = str.maketrans({letter: f"&#{ord(letter)};" for letter in "\\`*_{}[]()#+-.!|~$<>&\"'\n\r\t:@"})


@dataclass(frozen=True, slots=True)
class Room:
    """What the tabs work with: the settings, who is signed in, the files that came, the clinic as it is now, and the desk."""

    settings: Settings
    sessions: Sessions
    shelf: Shelf
    clinic: Callable[[], Clinic]
    desk: Desk

    def person(self, request: gr.Request, *, publisher: bool = False) -> Person:
        """Who sent an event, by the session that the gate found, looked at again now. Every handler begins with it.

        Parameters: the event's request, and whether only a publisher may do this.
        Raises AccountError where the session has ended meanwhile or the role is another.
        """
        sent: Request = request.request
        visit: Visit = sent.scope["staff"]
        person = self.sessions.person(visit.seat.digest) if visit.seat else None
        if person is None:
            raise AccountError("You are not signed in any more. Sign in again, and then go on here.")
        if publisher and not person.publishes:
            raise AccountError(f"{person.name}: only a publisher can do this. Ask one, or whoever runs this server.")
        return person


def escaped(text: object) -> str:
    """Words as they are, whatever they mean to HTML or Markdown."""
    return str(text).translate(_MARKS)


def done(text: str) -> str:
    """What was done, for the top of a tab."""
    return f'<div class="pf-note pf-done" role="status"><strong>Done.</strong> {escaped(text)}</div>'


def problem(text: str, reasons: tuple[str, ...] = ()) -> str:
    """What went wrong or is in the way, for the top of a tab."""
    listed = f"<ul>{''.join(f'<li>{escaped(reason)}</li>' for reason in reasons)}</ul>" if reasons else ""
    return f'<div class="pf-note pf-problem" role="alert"><strong>Not done.</strong> {escaped(text)}{listed}</div>'


def telling(said: gr.Markdown, handler: Callable[..., Updates]) -> Callable[..., Updates]:
    """A handler whose errors are said at the top of its tab, and change nothing else there: what was typed stays.

    Parameters: where to say them, and the handler, which returns new values by component.
    """

    @functools.wraps(handler)
    def told(*args: Any, **kwargs: Any) -> Updates:
        try:
            return handler(*args, **kwargs)
        except PatientFaqError as wrong:
            return {said: problem(str(wrong), wrong.reasons if isinstance(wrong, PublishRefused) else ())}
        except OSError as wrong:
            _LOG.error("a change could not be written: %s", type(wrong).__name__)
            return {said: problem(f"The disk refuses it ({wrong.strerror or 'no reason given'}). Nothing else was changed.")}

    return told
