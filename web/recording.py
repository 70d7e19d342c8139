"""What patients ask and tell, on its way to the journal: in a thread of its own, so that no answer waits for a database."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from retrieval.assistant import Assistant
from retrieval.errors import JournalError, PatientFaqError
from retrieval.private import private_data
from retrieval.types import Answer

if TYPE_CHECKING:
    from retrieval.journal import Feedback, Journal, Noted

__all__ = ["Recorder"]

_LOG = logging.getLogger(__name__)
_ROOM = 1000
"""Entries that may wait. They are held without a database for minutes; more are dropped."""
_EXPIRES_EVERY, _TRIES_AGAIN = 6 * 3600.0, 300.0
_RESTS = 5.0
"""Seconds that a database that failed is left alone: each try may take as long as a server that does not answer."""
_TOGETHER = 100
_TELLS_WITHIN = 5.0
_STOPS_WITHIN = 5.0
_UNJUDGED = {"language", "trouble"}
"""Cards of messages that the router can't judge, so that any of them may be urgent."""

_Work = Callable[["Journal"], None]
_Asked = tuple[str, Answer]


class Recorder:
    """Writes to the journal where the clinic turned it on, and keeps what is in it no longer than was set.

    Parameters: the assistant, whose clinic says whether; where the journal is; entries that may wait.
    """

    def __init__(self, assistant: Assistant, where: str, room: int = _ROOM) -> None:
        self._assistant = assistant
        self._where = where
        self._waiting: queue.Queue[_Work | _Asked | None] = queue.Queue(room)
        self._thread: threading.Thread | None = None
        self._journal: Journal | None = None
        self._dropped = 0
        self._failed_at = float("-inf")
        self._expires_at = float("-inf")

    def start(self) -> None:
        """Begin to write, and delete what is too old."""
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, then stop; a database that does not answer is not waited for long."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        ends = time.monotonic() + _STOPS_WITHIN
        with suppress(queue.Full):
            self._waiting.put(None, timeout=_STOPS_WITHIN)
        thread.join(max(0.0, ends - time.monotonic()))
        if thread.is_alive():
            _LOG.error("the journal does not answer: what was not yet written is lost")

    def asked(self, text: str, answer: Answer) -> None:
        """Note a question that was answered, where the clinic keeps a journal. Waits for nothing.

        Parameters: the message as it was written, and the answer.
        """
        self._put((text, answer))

    def told(self, feedback: Feedback) -> bool:
        """Keep what a patient told about a quote; returns whether it is kept. Waits some seconds at most."""
        clinic = self._assistant.clinic()
        if not clinic.journal or time.monotonic() - self._failed_at < _RESTS:
            return False
        done: Future[bool] = Future()

        def tell(journal: Journal) -> None:
            if done.set_running_or_notify_cancel():  # who told it may have been told already that it was not kept
                try:
                    journal.tell(feedback, clinic.journal_days)
                except JournalError as problem:
                    done.set_exception(problem)
                    raise
                done.set_result(True)

        try:
            return self._put(tell) and done.result(_TELLS_WITHIN)
        except (TimeoutError, JournalError):
            # A timeout after the writing began leaves open whether it is kept: then the patient may press again.
            done.cancel()
            return False

    def _put(self, work: _Work | _Asked) -> bool:
        if self._thread is None:
            return False
        try:
            self._waiting.put_nowait(work)
        except queue.Full:
            self._drop("too many entries are waiting")
            return False
        return True

    def _run(self) -> None:
        stopping = False
        while not stopping:
            self._expire()
            waiting = self._next()
            stopping = None in waiting
            # Questions are written together: each time, a disk has to say that it has them.
            noted = self._noted([one for one in waiting if isinstance(one, tuple)])
            if noted:
                self._attempt(partial(self._note, noted), len(noted))
            for work in waiting:
                if callable(work):
                    self._attempt(work, 1)
        if self._journal is not None:
            self._journal.close()

    def _next(self) -> list[_Work | _Asked | None]:
        """What waits, at least one unless it is time to delete what is too old."""
        waiting: list[_Work | _Asked | None] = []
        with suppress(queue.Empty):
            waiting.append(self._waiting.get(timeout=max(0.0, self._expires_at - time.monotonic())))
            while len(waiting) < _TOGETHER:
                waiting.append(self._waiting.get_nowait())
        return waiting

    def _attempt(self, work: _Work, entries: int) -> None:
        """Write some entries, or drop them where that fails."""
        if time.monotonic() - self._failed_at < _RESTS:
            self._dropped += entries
        elif problem := self._do(work):
            self._drop(problem, entries)
        elif self._dropped:
            _LOG.warning("what patients ask is kept in the journal again; %d entries were not", self._dropped)
            self._dropped = 0

    def _noted(self, asked: Sequence[_Asked]) -> list[Noted]:
        """What may be noted of questions: nothing where the clinic keeps no journal."""
        found = []
        for text, answer in asked:
            try:
                noted = self._noted_of(text, answer) if self._assistant.clinic().journal else None
            except Exception as problem:  # noqa: BLE001  the thread must live, and no fault may repeat a question
                _LOG.error("what a patient asked could not be noted: %s", type(problem).__name__)
                continue
            found += [noted] if noted else []
        return found

    def _noted_of(self, text: str, answer: Answer) -> Noted | None:
        """None of messages with private data, and of those that there was no time for: they are asked again."""
        from retrieval.journal import Noted, Spot

        kind = answer.card.kind if answer.card else ""
        if answer.private or kind == "busy":
            return None
        spots = tuple(Spot(one.citation.doc, one.citation.start, one.citation.end) for one in answer.quotes)
        return Noted(answer.release, self._words(text, answer, kind), answer.route, kind, spots)

    def _words(self, text: str, answer: Answer, kind: str) -> str:
        """The words of a question that may be kept: none where the whole of the routing did not see it.

        A question that leans on the one before is noted as it was looked for, unless private data came together in that.
        """
        if answer.route == "urgent" or kind in _UNJUDGED or "route" not in dict(answer.stages_ms):
            return ""
        if self._assistant.release(answer.release).classifier is None:
            return ""
        return text if private_data(answer.searched) else answer.searched or text

    def _note(self, noted: Sequence[Noted], journal: Journal) -> None:
        journal.note_all(noted, self._assistant.clinic().journal_days)

    def _delete_old(self, journal: Journal) -> None:
        journal.expire(self._assistant.clinic().journal_days)

    def _do(self, work: _Work) -> str:
        """Do some work with the journal, opened anew where it failed before; returns why it failed, "" where it did not."""
        try:
            self._journal = self._journal or self._open()
            work(self._journal)
        except Exception as problem:  # noqa: BLE001  the thread must live, and no fault may repeat a question
            self._failed_at = time.monotonic()
            if self._journal is not None:
                self._journal.close()
            self._journal = None
            return str(problem) if isinstance(problem, PatientFaqError) else type(problem).__name__
        return ""

    def _open(self) -> Journal:
        from retrieval.journal import Journal  # most clinics have none, and do without its import

        return Journal.open(self._where)

    def _expire(self) -> None:
        """Delete what is too old when its time has come: also where the journal was turned off since."""
        if time.monotonic() < self._expires_at:
            return
        problem = ""
        if "://" in self._where or Path(self._where).is_file():
            problem = self._do(self._delete_old)
        if problem:
            _LOG.error("what is too old cannot be deleted from the journal: %s", problem)
        self._expires_at = time.monotonic() + (_TRIES_AGAIN if problem else _EXPIRES_EVERY)

    def _drop(self, why: str, entries: int = 1) -> None:
        """Count what is not kept, and say so once in a row."""
        self._dropped += entries
        if self._dropped == entries:
            _LOG.error("what patients ask is not kept at the moment: %s", why)
