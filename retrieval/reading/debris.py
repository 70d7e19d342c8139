"""Words that come with a web page but say nothing about its subject: they stay in the text and are never quoted."""

from __future__ import annotations

import re

__all__ = ["is_call_to_action", "is_caption", "is_debris", "strip_lead_in", "word_set"]

_LEAD_IN = re.compile(r"^you are currently viewing\s+", re.IGNORECASE)
_LINES = re.compile(
    r"""^\W*(?:
        leave\ a\ (?:reply|comment)\b.*
      | related\ (?:posts?|articles?|reading|topics|stories)\W*
      | you\ are\ currently\ viewing\b.*
      | you\ are\ here(?:\ *[:>»].*|\W*)
      | (?:share|tweet|pin|e-?mail|print)(?:\ this(?:\ (?:post|article|page|story))?)?(?:\ (?:on|via)\ \w+)?\W*
      | (?:previous|next|recent|latest|popular)(?:\ (?:posts?|articles?|stories|page))?\W*
      | read\ (?:more|next|on|also)\b.{0,60}
      | (?:comments?|search|menu|home|subscribe|sign\ up|log\ ?in|register|advertisement|sponsored)\W*
      | (?:tags?|categor(?:y|ies)|filed\ under|source|photo|image|credit)\s*:.*
      | (?:posted|published|written|updated)\ (?:by|on|in)\b.{0,80}
      | (?:table\ of\ )?contents\W*
      | skip\ to\ (?:the\ )?(?:main\ )?(?:content|navigation|menu)\W*
      | (?:(?:follow|like)\ us|find\ us\ on)\b.*
      | .{0,40}\b(?:fb|facebook|instagram|whatsapp|twitter|tiktok|youtube)\s*:\W*
      | (?:©|\(c\)\ |copyright\b).*
      | .{0,60}\ball\ rights\ reserved\W*
      | (?:this|the)\ (?:blog\ )?(?:post|article|page|content)\ (?:was|has\ been|is)\ (?:medically\ )?reviewed\b.*
      | (?:we\ use|this\ (?:web)?site\ uses)\ cookies\b.*
      | (?:your\ )?(?:e-?mail\ address|name|website)\ (?:will\ not\ be\ published|\*).*
    )$""",
    re.IGNORECASE | re.VERBOSE,
)
_CALLS = re.compile(
    r"""^\W*(?:please\ )?(?:
        (?:click|tap\ (?:here|on|below|the\ (?:link|button)))\b.*
      | (?:call|contact|whatsapp|message|e-?mail|text|visit)\ (?:us|our|now|contact|today)\b.*
      | (?:follow|like)\ us\b.*
      | (?:schedule|book|reserve|request|get)\ (?:a|an|your|the|our)\ [^.]*\b(?:today|now|online|here)\b.*
      | (?:subscribe|sign\ up|download|check\ out|stay\ tuned|read\ on|read\ more|keep\ reading|learn\ more)\b.*
      | wondering\b[^.]*\?
    )$""",
    re.IGNORECASE | re.VERBOSE,
)
# "Contact us if it blisters." is advice, and must stay quotable.
_CONDITION = re.compile(r"\b(?:if|when|unless|until|before|after|immediately|at once|straight away|urgently)\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+")


def is_debris(line: str) -> bool:
    """Say whether a whole line is navigation, a notice or a form of the page around the article."""
    return _LINES.match(line) is not None


def is_call_to_action(sentence: str) -> bool:
    """Say whether a sentence only asks the reader to click, call, book or read on; one that says when is advice."""
    return len(sentence.split()) <= 25 and _CALLS.match(sentence) is not None and not _CONDITION.search(sentence)


def strip_lead_in(line: str) -> str:
    """Drop what a page puts before its title ("You are currently viewing ...")."""
    return _LEAD_IN.sub("", line)


def word_set(line: str) -> frozenset[str]:
    """The words of a line, numbers left out, in lower case."""
    return frozenset(_WORD.findall(line.lower()))


def is_caption(line: str, title: str, *, after_heading: bool) -> bool:
    """Say whether a short line repeats the title, as captions of pictures do.

    `after_heading`: the line follows a heading other than the title, with nothing in between.
    """
    words, titled = word_set(line), word_set(title)
    if not words or not titled:
        return False
    return words == titled or (after_heading and words < titled)
