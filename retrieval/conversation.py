"""Chat so far + question -> the question to search: what leans on the question before is made complete, by rules.

A message leans in one of several ways: it corrects, asks why, asks the same of something else, compares, is a question word
or a thing and no more, or points back. Each is a function that returns the complete question, or None where the message does
not lean so; the first that finds something decides. Messages lean on the last one that asks something, itself made complete.
What takes the place of what, and the small words that give leaning away, are in field/conversation.toml.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from retrieval.lexical import stems
from retrieval.phrases import clauses
from retrieval.said import SUBJECTS, THINGS, TREATED, Said, Thing, field, key_of, singular
from retrieval.types import Turn

__all__ = ["to_search"]

_LATIN = re.compile(r"[a-z]", re.IGNORECASE)
# "No" that answers, not the "no" of "no fever".
_NO = re.compile(
    r"^(?:\W*(?:no|nah|nope)\b)+(?:\W*[,.!;:]\s*|\s+(?=(?:i|im|its?|the|a|my|for|on|before|after|during|like|what|how|not)\b))",
    re.IGNORECASE,
)
_NOT_BUT = re.compile(
    r"^(?:\W*(?:sorry|sry|oh|oops|ops|ah|um|er|wait|no|nope|nah))*\W*not\s+(?!just\b|only\b)([^,;.]+)[,;.]\s*(.+)$",
    re.IGNORECASE,
)
_BUT_NOT = re.compile(r"^(.+?)[,;.]?\s+not\s+(?!so\b|sure\b|really\b|too\b|only\b|just\b)([^,;.?!]+)[.?!]*$", re.IGNORECASE)
_MEANT = re.compile(r"^.+\W(i mean\w* .+)$", re.IGNORECASE)
_TURNS = 6  # earlier messages that are looked at
_CLAUSES = 12  # clauses of an earlier message that are looked at
_DENIED = 4  # words that a correction can deny
_CONDITION = 9  # words that a condition can have
_LONGEST = 14  # words of a message that can lean on another
_ASKED, _TOLD = 24, 60  # words that are kept of an earlier question, and of what is told before one
_TELLING = 4  # words of its own from which a message that names no thing tells something
_BRIEF = 6  # words of a question in which "they" can be more than those who treat
_SUBJECT = 6  # words that a pointer is replaced by
_NOT_PEOPLE = tuple(kind for kind in SUBJECTS if kind != "person")
_BACK = 3  # questions back that a subject is looked for in


def to_search(question: str, history: Sequence[Turn]) -> str:
    """Make a question complete.

    Parameters: the question, and the earlier turns of the chat, oldest first.
    Returns the question as it is where it stands alone or nothing came before; otherwise one that says all it means, with
    every word of its own that has a meaning (but what a correction denies) and at most a few dozen more.
    """
    earlier: list[Said] = []
    for turn in history[-_TURNS:]:
        earlier += _kept(turn.question, earlier)
    complete = _completed(question, earlier)
    return question if complete is None else " ".join(complete.words)


def _kept(message: str, earlier: Sequence[Said]) -> list[Said]:
    """What later messages can lean on: an earlier one made complete, or its clauses, those that ask something last."""
    complete = _completed(message, earlier)
    if complete is not None:
        return [complete[-_ASKED:]]
    asked, told = [], []
    for clause in clauses(message)[-_CLAUSES:]:
        for piece in [clause] if len(clause.split()) <= _ASKED else clause.split(","):
            said = _bared(Said.of(piece))
            reported = said.begins("reports")
            said = said[reported:] if reported < len(said) else said
            if said.begins("asking") or said[:1].has("aux"):
                asked.append(said[-_ASKED:])
            elif not _is_chat(said) and (not earlier or "?" in message or _names(said) or len(said.own) >= _TELLING):
                told.append(said[-_TOLD:])
    told = [*filter(_names, told)] or [said for said in told if len(said.own) >= _TELLING] or told
    # What others said comes after what the patient tells of themself: "why?" asks about the former.
    return [*sorted(told, key=lambda said: not said[:1].has("personal")), *asked]


def _completed(question: str, earlier: Sequence[Said]) -> Said | None:
    """The complete question, or None where it is complete as it is."""
    said = Said.of(question)
    if not earlier or not said or not _LATIN.search(question):
        return None
    if "?" in question and said.begins("doubting") == len(said):
        return earlier[-1]
    if _is_chat(said):
        return None
    found, denied = _corrected(question, earlier) if len(said) <= _LONGEST else (None, "")
    if found is None and len(said_so := clauses(question)) > 1:
        found, denied = _corrected(said_so[0], earlier)
    if found is None:
        said_so = clauses(question)
        while len(said_so) > 1 and _is_chat(Said.of(said_so[0])):
            said_so = said_so[1:]
        if len(said_so) > 1:  # what is told first may be leant on like an earlier message
            told = ". ".join(clause for clause in said_so[:-1] if _names(Said.of(clause)))
            found = _leaning(Said.of(said_so[-1]), [*earlier, *_kept(told, earlier)])
        found = found or _leaning(Said.of(" ".join(said_so)), earlier)
    if found is None:
        return None
    # Whatever the rules made of it: no word that could be a sign of danger is lost.
    there = {*stems(" ".join(found.words)), *stems(denied)}
    return found + Said(tuple(w for w in said.words if key_of(w) not in field().forms and not there.issuperset(stems(w))))


def _leaning(clause: Said, earlier: Sequence[Said]) -> Said | None:
    """A message, or its last clause, made complete; None where it does not lean."""
    if len(clause) > _LONGEST:
        return None
    turn = _bared(clause)
    if turn.key == clause.key and _is_new(turn, earlier[-1]):
        return None
    ways = (_why, _same_for, _compared, _unsaid, _asked, _named, _pointed)
    return next((complete for way in ways if (complete := way(turn, earlier)) is not None), None)


def _corrected(question: str, earlier: Sequence[Said]) -> tuple[Said | None, str]:
    """A message that corrects the one before, made complete, and what it denies."""
    said = _NO.sub("", question)
    text, denied = said, ""
    if found := _NOT_BUT.match(said):
        denied, text = found[1], found[2]
    elif (found := _BUT_NOT.match(said)) and not Said.of(found[1])[-1:].has("helpers"):  # "it is not stopping" denies nothing
        text, denied = found[1], found[2]
    no = Said.of(denied)
    base = next((base for base in reversed(earlier[-_BACK:]) if _shares(base, no.own or no)), earlier[-1])
    kinds = set() if no.has("helpers") or len(no) > _DENIED else {thing.kind for thing in no.things}
    alike = kinds & {thing.kind for thing in Said.of(text).things}
    if not (alike or kinds & {thing.kind for thing in base.things}):  # "still not breathing" denies nothing that was asked
        text, denied = said, ""
    if not denied and (found := _MEANT.match(said)):
        text = found[1]
    turn = Said.of(text)
    start, ending = turn.begins("corrections"), turn.ends("corrections_after")
    turn = _bared(turn[start : len(turn) - ending])
    if not turn or not (denied or start or ending or said != question or text.lstrip().startswith("*")):
        return None, ""
    if denied and not alike:
        base = Said(tuple(word for word in base.words if not (stems(word) and set(stems(denied)).issuperset(stems(word)))))
    if turn.has("helpers"):
        complete = turn.begins("asking") or turn[:1].has("aux") or turn[:1].has("personal")
        return (_asked(turn, [base]) or _pointed(turn, [base]) or turn) if complete else _under(turn, base), denied
    return _asked(turn, [base]) or _named(turn, [base], forced=True) or turn, denied


def _why(turn: Said, earlier: Sequence[Said]) -> Said | None:
    """`Why?`, `why not?`, `how come?`, `why so long?`: the question before, asked for its reason."""
    length = turn.begins("why")
    rest = turn[length:]
    if not length or len(rest.own) > 1 or rest.things or rest[:1].has("aux"):
        return None
    front, statement = _divided(earlier[-1])
    if "not" in turn[:length].keys:
        statement = statement[:1].instead("negative") + statement[1:]
    if stems(" ".join(rest.words)):
        much = Said(("so",)) + rest if turn.keys[length - 1] == "so" else rest
    else:
        much = Said(("so",)) + front[1:] if front.key == "how" and len(front) > 1 else Said()
    return Said(("why",)) + statement + much


def _same_for(turn: Said, earlier: Sequence[Said]) -> Said | None:
    """`Is it the same with face cream?`, `are peels the same?`"""
    if (tail := turn.ends("same_after")) and turn[:1].has("aux") and any(thing.first == 1 for thing in turn.things):
        return _named(turn[1 : len(turn) - tail], earlier, forced=True)
    length = turn.begins("same_for")
    if not 0 < length < len(turn) or any(thing.first == 0 for thing in turn.things):
        return None
    rest = _bared(turn[length:])
    while rest[:1].has("pointers") or rest[:1].has("personal"):
        rest = rest[1:]
    if not (turn[length - 1 : length].has("before_things") or any(thing.first == 0 for thing in rest.things)):
        return None
    return _named(rest, earlier, forced=True)


def _compared(turn: Said, earlier: Sequence[Said]) -> Said | None:
    """`Which is harder?` takes both things along, `is a tattoo harder?` the other."""
    if length := turn.begins("difference"):
        both = _two(earlier) if length == len(turn) else None
        return Said(("difference", "between")) + both[0] + Said(("and",)) + both[1] if both else None
    if not turn.has("comparing") or "than" in turn.keys or len(turn.own) > 3 or turn[:1].has("before_things"):
        return None
    mine = [thing for thing in turn.things if thing.kind in SUBJECTS]
    if not mine and turn.key in {"which", "who", "whose", "what", "whats"}:
        if both := _two(earlier):
            return turn + both[0] + Said(("or",)) + both[1]
        return turn + earlier[-1] if earlier[-1].has("choice") else None
    base, kind = earlier[-1], mine[0].kind if mine else "laser"
    other = base.subjects([kind])
    if not other or not turn.has("helpers") or turn.has("pointers"):
        return None
    topic = _topic([base], ["problem"]) if kind == "laser" else None
    return turn + Said(("than",)) + base[other[-1].first : other[-1].end] + _for(topic)


def _two(earlier: Sequence[Said]) -> tuple[Said, Said] | None:
    """The last two things of one kind that were spoken of, or else the two different ones of the last question."""
    for kind in ("problem", "laser", "colour", "product", "effect", "provider"):
        alike = dict.fromkeys(base[thing.first : thing.end] for base in earlier for thing in base.things if thing.kind == kind)
        if len(alike) > 1:
            return tuple(alike)[-2], tuple(alike)[-1]
    named = [earlier[-1][thing.first : thing.end] for thing in earlier[-1].subjects(_NOT_PEOPLE)]
    return (named[0], named[-1]) if len(set(named)) > 1 else None


def _unsaid(turn: Said, earlier: Sequence[Said]) -> Said | None:
    """A question whose subject was said before: `what helps?`, `is there a cure?`."""
    topic = _topic(earlier, THINGS)
    length = turn.begins("unsaid")
    said = length and not turn[length:].own
    return turn + _for(topic) if said and topic and not any(_points(turn, at) for at in range(len(turn))) else None


def _asked(turn: Said, earlier: Sequence[Said]) -> Said | None:
    """A question word and little else: `how long?`, `how many sessions?`, `which colours?`."""
    if turn.keys in {("who", "does"), ("who", "will"), ("who", "do"), ("who", "would")}:
        someone = earlier[-1][:1].has("someone")
        return Said(("who",)) + earlier[-1][1:] if someone else None
    length = turn.begins("asking")
    rest = turn[length:]
    if not length or rest.key == "if" or (rest.subjects() and len(rest) > 1) or len(rest.own) > 3 or rest.has("pointers"):
        return None
    if length == 1 and rest.own and turn.key not in {"which", "what"}:
        return None  # "who performs the treatment" is complete
    if rest[:1].has("counted") or (length > 1 and rest.has("helpers") and not rest.own):
        topic = _topic(earlier, ("problem", "colour")) or _topic(earlier, TREATED)
        return turn + _for(topic) if topic else None
    return None if rest.has("helpers") else turn + _divided(earlier[-1])[1]


def _named(turn: Said, earlier: Sequence[Said], forced: bool = False) -> Said | None:
    """A thing and little else, put in the place of the thing of its kind in the question before.

    `forced`: the message is known to be no question of its own.
    """
    base = earlier[-1]
    if forced:  # what was asked of a thing of this kind, if that is not long ago
        kinds = {thing.kind for thing in turn.things}
        base = next((said for said in reversed(earlier[-_BACK:]) if kinds & {thing.kind for thing in said.things}), base)
    if turn.keys[:2] == ("what", "if"):
        turn = turn[1:] if len(turn.own) < 2 or turn.has("pointers") else Said()
    if turn[:1].has("conditions") or ("than" in turn.keys and not turn.has("helpers")):
        asks = len(turn) > _CONDITION or any(turn[at:].begins("asking") for at in range(1, len(turn)))
        return None if asks else _under(turn, base)
    if not (turn.own or (forced and turn.things)):
        return None
    things = turn.things
    opened = turn[:1].has("before_things") and things and not turn[: things[0].end].has("helpers")
    tells = turn.has("helpers") or turn[:1].has("none") or (turn[:1].has("personal") and len(turn) > 3)
    if not (forced or opened) and (tells or len(turn) > 7):
        return None
    if not forced and (turn.begins("asking") or (turn.subjects() and any(thing.kind == "aspect" for thing in things))):
        return None
    turn = turn.without("pointers", but=("one", "ones"))
    things = turn.things
    if things and all(thing.kind == "aspect" for thing in things):
        topic = _topic(earlier, TREATED)
        return turn + _for(topic) if topic else None
    named = [thing for thing in things if thing.kind != "aspect"] or [Thing("", 0, 0, len(turn))]
    done = 0
    for thing, after in zip(named, [*named[1:], None], strict=True):
        if after is None or after.kind != thing.kind:
            end = thing.end
            while after is None and end < len(turn) and turn[end : end + 1].own and thing.kind != "time":
                end += 1  # "acne dents"
            base = _placed(turn[done:end], thing.kind, base)
            done = end
    return base + turn[done:] if turn[done:].own else base


def _under(condition: Said, base: Said) -> Said:
    """A question with a condition; with the time that a duration is asked up to nothing else of the question is left."""
    until = condition[:1].has("end_of_time") and base.keys[:2] == ("how", "long")
    return (base[:2] if until else base) + condition


def _pointed(turn: Said, earlier: Sequence[Said]) -> Said | None:
    """Put what a pointer points at in its place: `how long does that last?`."""
    compared = turn.has("comparing")
    if not turn.has("helpers") or len(turn.own) > 4:
        return None
    if not compared and len(turn.own) > 1 and any(thing.kind == "laser" for thing in turn.things):
        return None  # a question that names the treatment is complete
    base = earlier[-1]
    defined = base.keys[:2] == ("what", "is") or base.key == "whats"
    defined = defined and not any(thing.kind in {*THINGS, "aspect"} for thing in base.things)
    places = [at for at in range(len(turn)) if _points(turn, at)]
    for at in sorted(places, key=lambda at: (turn.keys[at] in {"it", "its"}) != (compared and defined)):
        word, *verb = turn[at : at + 1].instead("contracted").words[0].lower().split()
        if turn.keys[at] == "its" and at:  # "how short are its pulses"
            word, verb = "its", []
        vague = word in {"it", "this", "one", "they"}
        named = turn.subjects(("effect", "product", "activity", "problem"))
        most = 3 if turn.has("of_all") or compared else 2 if word == "they" and len(turn) <= _BRIEF else 1
        busy = len(turn.without("of_the_problem").own) > most
        if turn[:at].subjects(THINGS) or (vague and not defined and (named or busy)):
            return None
        either = turn.has("of_either")
        treatment = either or turn.has("of_the_treatment")
        subject = not at or turn[at - 1 : at].has("aux")  # "does it hurt", not "more of it"
        if word in {"it", "this"} and subject and treatment and not (defined or (either and _topic(earlier, THINGS[:4]))):
            topic = _topic(earlier, ("problem", "colour"))
            return turn + _for(topic) if topic and not turn.without("of_the_treatment").without("of_either").own else None
        pointed_at = _pointed_at(turn, word, earlier, defined)
        if pointed_at and not (word == "they" and _is_one(pointed_at)):  # "they" are then those who treat
            return turn[:at] + pointed_at + Said(tuple(verb)) + turn[at + 1 :]
    return None


def _pointed_at(turn: Said, word: str, earlier: Sequence[Said], defined: bool) -> Said:
    """What a pointer points at; nothing where that cannot be told."""
    if word in {"that", "this", "it"} and turn.has("of_all"):
        return _matter(earlier[-1])
    one = word in {"it", "its", "that", "this"}
    kinds = [kind for kind in SUBJECTS if kind != ("person" if one else "laser")]
    if "than" in turn.keys:
        kinds = ["laser"] if one and turn.keys.index("than") > 1 and turn.keys[1] == word else ["laser", *kinds]
    if turn.has("counted"):
        kinds = list(TREATED)
    elif turn.has("of_the_problem") and (problem := _topic(earlier, ("problem", "part"))):
        return problem
    return _topic(earlier, kinds) or (_matter(earlier[-1]) if word != "it" or defined else Said())


def _points(turn: Said, at: int) -> bool:
    """Whether a word points back."""
    key, before, after = turn[at : at + 1], turn[max(at - 1, 0) : at], turn[at + 1 : at + 2]
    match key.key if key.has("pointers") else "":
        case "":
            return False
        case "one":
            return before.has("before_one")
        case "they":
            return not turn.has("of_staff")
        case "it":  # "is it safe to ..." points at nothing
            return before.key not in {"is", "be", "was"} or not {"to", "if"} & set(turn.keys[at + 2 : at + 4])
        case "that" if after.key not in {"or", "and", ""}:
            return not before.has("joins") and (before.has("aux") or not before.own)
    return True


def _placed(piece: Said, kind: str, base: Said) -> Said:
    """Put a thing into a question: in the place of one of its kind, or of one behind the same small word, else at its end."""
    front = 1 if len(piece) > 1 and piece[:1].has("before_things") else 0
    same = [thing for thing in base.things if thing.kind == kind]
    if not same and (front or not kind) and not any(map(str.isdigit, " ".join(piece.words))):
        same = [thing for thing in base.subjects() if not front or base.keys[thing.first - 1 : thing.first] == piece.keys[:1]]
        if not front and len({thing.kind for thing in same}) > 1:
            same = []
    if not same:
        return base + piece
    first, end = same[-1].first, same[-1].end
    for thing in reversed(same[:-1]):
        if not base.has("between") and base.keys[thing.end : first] in ((), ("and",)):
            first = thing.first
    new = piece[front:]
    if kind == "time":
        end += base.keys[end : end + 1] == ("of",)
        new = new.instead("before_noun") if end < len(base) else new
        while new.ends("stands_alone") + (len(new) == 1 and new.has("stands_alone")) and end < len(base):
            if base[end : end + 1].own or base[end : end + 1].has("aux"):
                break
            end += 1
    elif base.keys[end : end + 1] == new.keys[-1:]:
        end += 1
    before = base[:first] if kind == "time" else _agreeing(base[:first], new)
    return before + new + base[end:]


def _agreeing(before: Said, subject: Said) -> Said:
    """Let a verb before a new subject agree with it: `do a tattoo` -> `does a tattoo`."""
    return before[:-1] + before[-1:].instead("singular" if _is_one(subject) else "plural")


def _is_one(subject: Said) -> bool:
    last = subject.keys[-1]
    return last == singular(last) and not subject[-1:].has("plural")


def _topic(earlier: Sequence[Said], kinds: Sequence[str]) -> Said:
    """The subject of the last question that has one, of the first kind that it has, with what directly follows it."""
    for base in reversed(earlier[-_BACK:]):
        things = base.subjects(kinds)
        if things:
            chosen = min(things, key=lambda thing: kinds.index(thing.kind))
            end = chosen.end
            for thing in things:
                if thing.first >= end and base.keys[end : thing.first] in ((), ("on",), ("of",), ("in",), ("and",), ("from",)):
                    end = thing.end
            return (
                _in_nouns(base[chosen.first : end])[:_SUBJECT]
                if chosen.kind == "effect"
                else base[chosen.first : end][:_SUBJECT]
            )
    return Said()


def _in_nouns(effect: Said) -> Said:
    """What skin looks like, by its name: `goes really red` -> `redness`."""
    named = [field().instead["effect"][key] for key in effect.keys if key in field().instead["effect"]]
    return Said((" and ".join(dict.fromkeys(named)),)) if named else effect


def _shares(base: Said, other: Said) -> bool:
    """Whether a question has a word of meaning that is in another."""
    return not set(stems(" ".join(base.words))).isdisjoint(stems(" ".join(other.words)))


def _matter(base: Said) -> Said:
    """What a question is about where that is no known thing, or all of it: its words after question word and helper."""
    rest = base[base.begins("asking") :]
    while rest and (not stems(rest.words[0]) or rest[:1].has("aux") or rest[:1].has("small")):
        rest = rest[1:]
    rest = rest.without("small")[:_SUBJECT]
    while rest and not rest[-1:].own:
        rest = rest[:-1]
    return rest


def _divided(base: Said) -> tuple[Said, Said]:
    """A question's question words, with what they count, and the rest from its helper on."""
    length = base.begins("asking")
    if not length:
        return Said(), base
    helper = next((at for at in range(length, min(length + 4, len(base))) if base[at : at + 1].has("aux")), length)
    return base[:helper], base[helper:]


def _for(topic: Said | None) -> Said:
    return Said(("for",)) + topic if topic else Said()


def _is_chat(said: Said) -> bool:
    """Whether a message asks nothing: `clever`, `ok thanks`, `thats fine then`."""
    if len(said) > _LONGEST or said[:1].has("aux") or said.has("question_words") or not said.has("chat") or _names(said):
        return False
    return not stems(" ".join(said.without("chat").words))


def _names(said: Said) -> bool:
    """Whether a message names a thing that is not in every question."""
    return any(said[thing.start : thing.end].own for thing in said.things)


def _is_new(turn: Said, base: Said) -> bool:
    """Whether a message is keywords on something else: `staff training`, `chemical peel drawbacks`."""
    things = turn.things
    covered = sum(len(turn[thing.first : thing.end].own) for thing in things)
    leans = any(turn.begins(name) for name in ("asking", "why", "same_for", "unsaid", "corrections"))
    leans = (
        leans
        or any(turn.has(name) for name in ("helpers", "comparing", "pointers"))
        or any(map(str.isdigit, "".join(turn.words)))
    )
    leans = leans or turn[:1].has("before_things") or turn[:1].has("conditions")
    alike = {thing.kind for thing in things} & {*(thing.kind for thing in base.things), "aspect"}
    return not leans and not alike and len(turn.own) > max(covered, 1)


def _bared(turn: Said) -> Said:
    """A message without what is only said in front of the question and after it."""
    while 0 < (length := turn.begins("openers")) < len(turn) and not any(thing.first == 0 for thing in turn.things):
        turn = turn[length:]
    while tag := turn.ends("tags"):
        turn = turn[:-tag]
    return turn
