"""A staff page without a server: what its tabs do, called as the page would call it."""

from __future__ import annotations

import inspect
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from staffing import EDITOR, PASSWORD, PUBLISHER, Clock, cheap
from support import WordEncoder

from retrieval.clinic import load_clinic
from retrieval.keeping.desk import Desk
from retrieval.settings import Settings
from web.staff.accounts import Accounts
from web.staff.gate import Visit
from web.staff.page import build_page
from web.staff.room import Room
from web.staff.sessions import Seat, Sessions
from web.staff.uploads import Shelf

__all__ = ["Tabs"]


class Tabs:
    """The page of a clinic with an editor and a publisher, over a model that anyone can work out by hand."""

    def __init__(self, folder: Path, corpus: Path, index: Path) -> None:
        self.clock, self.accounts = Clock(), Accounts(folder / "staff.json", cheap())
        for name, role in ((EDITOR, "editor"), (PUBLISHER, "publisher")):
            self.accounts.add(name, role, PASSWORD)
        self.sessions = Sessions(self.accounts, self.clock)
        self.desk = Desk(Settings(corpus=corpus, index=index, journal=str(folder / "journal.sqlite3")))
        self.desk._encoder = WordEncoder()
        shelf = Shelf(folder, self.clock)
        self._page = build_page(Room(self.desk.settings, self.sessions, shelf, lambda: load_clinic(corpus), self.desk))

    def seat(self, name: str) -> Seat | None:
        account = self.accounts.find(name)
        assert account
        return self.sessions.seat(self.sessions.open(account), used=True)

    def act(self, event: str, *given: object, by: str | None = EDITOR) -> dict[str, Any]:
        """What a handler of that name changes, by the element's id on the page or by its place."""
        handler = next(each.fn for each in self._page.fns.values() if each.fn and each.fn.__name__ == event)
        seat = self.seat(by) if by else None
        request = SimpleNamespace(request=SimpleNamespace(scope={"staff": Visit("127.0.0.1", False, seat)}))
        takes = list(inspect.signature(handler).parameters).index("request")
        changed = handler(*given[:takes], request, *given[takes:])
        return {
            part.elem_id or f"{type(part).__name__} {getattr(part, 'label', None)}": value for part, value in changed.items()
        }
