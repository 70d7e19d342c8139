"""Passwords of staff: which are too easy to guess, and how what is kept of them is made and compared."""

from __future__ import annotations

import re
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from retrieval.errors import AccountError

__all__ = ["LEAST", "MOST", "Passwords"]

LEAST = 12
MOST = 256
"""Characters; without a limit a password could be a megabyte to be hashed."""
_FEWEST_DIFFERENT = 6
# What is left of the usual ones without their figures and signs.
_WELL_KNOWN = frozenset(
    "password passwort passw letmein letmeinplease welcome welcometo changeme changemeplease iloveyou admin administrator "
    "clinic clinicadmin reception receptionist doctor nurse staff publisher editor patient patients patientfaq secret "
    "topsecret sunshine princess football monkey dragon qwerty qwertyuiop qwertz azerty trustno abc test testtest "
    "correcthorsebatterystaple".split()
)
_AROUND = "0123456789 !?.,#*+-_$@"
_IN_DISGUISE = str.maketrans("4@301$5", "aaeoiss")
_ROWS = (
    "1234567890", "0123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm",
    "1q2w3e4r5t6y7u8i9o0p", "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
)  # fmt: skip


class Passwords:
    """Makes and compares what is kept of passwords: argon2id, which costs a guesser memory and time.

    Parameters: a hasher, for other costs than the library's own.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._nobodys = ""

    def check_choice(self, password: str, name: str) -> None:
        """Raise AccountError, with what to do, for a password that is too easy to guess or is no text."""
        chosen = _plain(password)
        said = ""
        if len(chosen) < LEAST:
            said = (
                f"is shorter than {LEAST} characters. Three or four words that do not belong together are easy to keep in mind"
            )
        elif len(chosen) > MOST:
            said = f"is longer than {MOST} characters"
        elif any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in chosen):
            said = "has characters that cannot be typed"
        elif _holds(chosen, name):
            said = "is the name, or nearly. Choose words that nobody would guess"
        elif _is_easy(chosen):
            said = "is one of the first that anybody would try. Choose words that do not belong together"
        if said:
            raise AccountError(f"This password {said}.")

    def hashed(self, password: str) -> str:
        """What is kept of a password."""
        return self._hasher.hash(_plain(password))

    def fits(self, kept: str | None, password: str) -> bool:
        """Whether a password is the one that this was kept of; without any (no such account) it takes as long and is not."""
        # Compared with where there is no such account, so that a stranger's name takes as long as a wrong password.
        self._nobodys = self._nobodys or self._hasher.hash("nobody has this password")
        try:
            fits = self._hasher.verify(kept or self._nobodys, _plain(password)[:MOST])
        except (VerificationError, InvalidHashError):
            return False
        return fits and kept is not None

    def is_old(self, kept: str) -> bool:
        """Whether it was kept with other costs than are in force now."""
        return self._hasher.check_needs_rehash(kept)


def _plain(password: str) -> str:
    """One form for what can be typed in several ways, by the keyboard at hand."""
    return unicodedata.normalize("NFKC", password)


def _holds(password: str, name: str) -> bool:
    """Whether a password is not much more than the name."""
    bare, own = (re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).casefold()) for text in (password, name))
    return bool(own) and len(bare.replace(own, "")) < LEAST // 2 and own in bare


def _is_easy(password: str) -> bool:
    """Whether it is a row of keys, few letters again and again, or a usual word with figures and signs about it."""
    lower = password.casefold()
    if len(set(lower)) < _FEWEST_DIFFERENT or any(lower in row * 4 or lower in row[::-1] * 4 for row in _ROWS):
        return True
    core = lower.strip(_AROUND)
    words = {re.sub(r"[\W\d_]+", "", text) for text in (lower, core, core.translate(_IN_DISGUISE))}
    halves = {word[: len(word) // 2] for word in words if word[: len(word) // 2] * 2 == word}
    return not _WELL_KNOWN.isdisjoint(words | halves)
