"""Example messages with their routes, as people write and read them: safety/messages/ and corpus/routing/messages.txt.

# lips-swelling                          a scenario: its messages tell alike stories, whatever their routes
u: my lip is like a sausage since noon   u urgent, s self-harm (urgent too), c consult, a answered by the articles,
c: can the cream make my lips swell?     n not answered, x none for articles (the office, chit-chat, other subjects)
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from retrieval.errors import ClassifierError
from retrieval.language import language_of
from retrieval.types import Route

__all__ = ["MESSAGES", "Message", "comparable", "digest_of", "load_messages"]

MESSAGES = Path(__file__).parent / "safety" / "messages"
_LINE = re.compile(r"([uscanx]): (\S.*)")
_ROUTES: dict[str, Route] = {"u": "urgent", "s": "urgent", "c": "consult", "a": "answer", "n": "no_answer", "x": "no_answer"}
_KINDS = {"u": "urgent", "s": "self_harm", "c": "consult", "a": "general", "n": "general", "x": "other"}


@dataclass(frozen=True, slots=True)
class Message:
    """An example: its text, its route by the policy, the kind of message it is, and the scenario that it belongs to."""

    text: str
    route: Route
    kind: str
    scenario: str


def load_messages(*paths: Path) -> tuple[Message, ...]:
    """Read files of example messages, and all .txt files of folders, in the order of their names.

    Raises ClassifierError naming the file and line that cannot be read; the same message twice counts once.
    """
    found: dict[str, Message] = {}
    for path in paths:
        for file in sorted(path.glob("*.txt")) if path.is_dir() else [path]:
            for message in _read(file):
                found.setdefault(message.text, message)
    return tuple(found.values())


def comparable(message: Message) -> bool:
    """Whether a message is a question in English that articles may answer: what new questions are compared with."""
    return message.kind == "general" and language_of(message.text) in {"en", ""}


def digest_of(messages: Sequence[Message]) -> str:
    """The SHA-256 of messages and their kinds, by which a trained router names what it was trained on."""
    lines = "".join(f"{message.kind}\t{message.text}\n" for message in messages)
    return hashlib.sha256(lines.encode()).hexdigest()


def _read(file: Path) -> list[Message]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        raise ClassifierError(f"{file}: cannot be read ({problem}). It must be text in UTF-8.") from problem
    scenario, found = "", []
    for number, line in enumerate(lines, start=1):
        if line.startswith("#"):
            scenario = line[1:].strip()
        elif line.strip():
            parts = _LINE.fullmatch(line.strip())
            if parts is None:
                raise ClassifierError(
                    f"{file}, line {number}: {line[:60]!r} is no message. Write `u: text` (or s, c, a, n, x)."
                )
            found.append(Message(parts[2], _ROUTES[parts[1]], _KINDS[parts[1]], scenario))
    return found
