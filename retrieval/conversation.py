"""Chat so far + question -> the question to search."""

from __future__ import annotations

import re
from collections.abc import Sequence

from retrieval.lexical import stems
from retrieval.types import Turn

__all__ = ["to_search"]

_OPENERS = re.compile(
    r"^\W*(?:(?:ok|okay|hm+|yes|no|thanks|right|oh)\b\W*)*"
    r"(?:and|but|or|so|then|also|plus|what about|how about|why|why not|really|i mean|i meant|what if|same for|even)\b",
    re.IGNORECASE,
)
# "It" mostly means the treatment, which is in every question; with these verbs it means what was spoken of before.
_POINTERS = re.compile(
    r"\b(?:that|this|these|those|they|them|their|ones?|there|instead)\b"
    r"|\bit(?:s|'s|ll|'ll)?\s+(?:\w+\s+)?(?:last|go|goes|stop|fade|happen|come|disappear|settle|mean|normal)",
    re.IGNORECASE,
)
_MAX_POINTING_STEMS = 3
_MAX_OPENING_STEMS = 4


def to_search(question: str, history: Sequence[Turn]) -> str:
    """Make a question complete.

    Parameters: the question, and the earlier turns of the chat, oldest first.
    Returns the question itself where it stands alone or nothing came before; otherwise the last question that stands
    alone, with this one after it. A question leans on the one before when it opens like a follow-up ("and for tattoos?",
    "why?"), or points back with few words of its own ("how long does that last?").
    """
    if not _leans(question):
        return question
    base = next((turn.question for turn in reversed(history) if not _leans(turn.question)), "")
    return f"{base} {question}".strip()


def _leans(question: str) -> bool:
    content = len(stems(question))
    if content == 0 or (_OPENERS.match(question) and content <= _MAX_OPENING_STEMS):
        return True
    return content <= _MAX_POINTING_STEMS and _POINTERS.search(question) is not None
