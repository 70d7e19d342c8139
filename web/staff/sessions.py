"""Who is signed in: a random token in the browser, and here only its digest, until it was not used for a while."""

from __future__ import annotations

import hashlib
import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from retrieval.errors import AccountError
from web.staff.accounts import Account, Accounts, Role

__all__ = ["ABSOLUTE", "IDLE", "Person", "Seat", "Sessions", "seconds"]

_LOG = logging.getLogger(__name__)
IDLE = 30 * 60.0
ABSOLUTE = 12 * 3600.0
"""Seconds after which one has to sign in again: without having done anything, and in any case."""
_MOST_OF_ONE = 10
"""Browsers that one person can be signed in with; the one not used for longest goes."""
_BYTES = 32


def seconds() -> float:
    """A clock that only goes forward, also while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(frozen=True, slots=True)
class Person:
    """Who is signed in, by the name that the history shows, and what they may do."""

    name: str
    role: Role

    @property
    def publishes(self) -> bool:
        """Whether they may put something in force for patients, put it back, withdraw and export."""
        return self.role == "publisher"


@dataclass(frozen=True, slots=True)
class Seat:
    """One sign-in: the token's digest, the account, and the account's stamp at that time."""

    digest: str
    name: str
    stamp: str


@dataclass(slots=True)
class _Times:
    begun: float
    used: float


class Sessions:
    """All who are signed in, in memory only: a restart ends them all.

    Parameters: the accounts, and a clock in seconds.
    """

    def __init__(self, accounts: Accounts, clock: Callable[[], float] = seconds) -> None:
        self._accounts = accounts
        self._clock = clock
        self._lock = threading.Lock()
        self._seats: dict[str, tuple[Seat, _Times]] = {}

    def open(self, account: Account) -> str:
        """Begin a session for an account whose password was right; returns its token, which is nowhere else."""
        token = secrets.token_urlsafe(_BYTES)
        seat = Seat(_digest(token), account.name, account.stamp)
        now = self._clock()
        with self._lock:
            own = sorted((times.used, each.digest) for each, times in self._seats.values() if each.name == account.name)
            for _, digest in own[: max(0, len(own) - _MOST_OF_ONE + 1)]:
                del self._seats[digest]
            self._seats[seat.digest] = (seat, _Times(now, now))
        return token

    def seat(self, token: str, *, used: bool) -> Seat | None:
        """Whose token this is, if it is still good; `used` says that they did something now."""
        digest = _digest(token)
        if self.person(digest) is None:
            return None
        with self._lock:
            found = self._seats.get(digest)
            if found and used:
                found[1].used = self._clock()
            return found[0] if found else None

    def person(self, digest: str) -> Person | None:
        """Who has the session of that digest now, with the role of now; None once it has ended in any way."""
        with self._lock:
            found = self._seats.get(digest)
            if found is None:
                return None
            seat, times = found
            now = self._clock()
            if now - times.used >= IDLE or now - times.begun >= ABSOLUTE:
                del self._seats[digest]
                return None
        try:
            account = self._accounts.find(seat.name)
        except AccountError as problem:
            _LOG.error("nobody can be signed in: %s", problem)
            return None  # the file may be put right again: the session is not ended, but it is not believed
        if account is None or account.stamp != seat.stamp:
            self.close(digest)
            return None
        return Person(account.name, account.role)

    def close(self, digest: str) -> None:
        """End a session."""
        with self._lock:
            self._seats.pop(digest, None)

    def sweep(self) -> None:
        """Forget the sessions that have ended by themselves."""
        for digest in list(self._seats):
            self.person(digest)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
