"""Who may try a password, and when: after some wrong ones there is a wait, which grows, and which ends."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from web.staff.sessions import seconds

__all__ = ["Patience", "Waits"]

_MOST = 20_000
"""Names and addresses that are kept count of; beyond, the one that was tried longest ago is forgotten."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How many wrong tries are free, the longest wait, and after how long without a try all is forgotten, in seconds."""

    free: int
    longest: float
    forgotten: float


@dataclass(slots=True)
class _Tries:
    wrong: int = 0
    until: float = 0.0
    last: float = 0.0


class Waits:
    """Counts wrong tries by name or address: each one past the free ones doubles the wait, from one second.

    Parameters: how patient to be, and a clock in seconds.
    """

    def __init__(self, patience: Patience, clock: Callable[[], float] = seconds) -> None:
        self._patience = patience
        self._clock = clock
        self._lock = threading.Lock()
        self._tries: OrderedDict[str, _Tries] = OrderedDict()

    def left(self, who: str) -> int:
        """Whole seconds until the next try is looked at; 0 where one is now. A try that comes earlier does not count."""
        with self._lock:
            tries = self._tries.get(who)
            return max(0, math.ceil(tries.until - self._clock())) if tries else 0

    def begin(self, who: str) -> None:
        """Count a try as wrong before it is looked at, so that many at once are not all looked at; `forgive` takes it back."""
        now = self._clock()
        with self._lock:
            tries = self._tries.pop(who, None)
            if tries is None or now - tries.last >= self._patience.forgotten:
                tries = _Tries()
            tries.wrong += 1
            tries.last = now
            over = tries.wrong - self._patience.free
            tries.until = now + min(2.0 ** min(over, 30), self._patience.longest) if over >= 0 else 0.0
            self._tries[who] = tries
            while len(self._tries) > _MOST:
                self._tries.popitem(last=False)

    def forgive(self, who: str, *, all_of_them: bool) -> None:
        """Take back the try that was right; the wrong ones before it too, or not."""
        with self._lock:
            tries = self._tries.get(who)
            if tries is None:
                return
            tries.wrong = 0 if all_of_them else tries.wrong - 1
            tries.until = 0.0
            if tries.wrong <= 0:
                del self._tries[who]
