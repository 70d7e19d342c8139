"""Answer -> HTML for the chat. Everything that is not ours is escaped here, HTML and Markdown alike."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from urllib.parse import quote as url_quote

from retrieval.types import Answer, Card, Citation, Clinic, Quote, SideBySide

__all__ = [
    "answer_html",
    "contacts_html",
    "digits",
    "escape",
    "header_html",
    "notice_html",
    "question_html",
    "reader_url",
    "review_state",
]

# What means something to HTML or to Markdown, as which the chat renders messages; as entities these mean nothing to either.
_MEANING = re.compile(r"[&<>\"'\\`*_{}\[\]()#+~|$^=!:@-]")
_ICONS = {
    "urgent": "!",
    "self_harm": "♥",
    "consult": "+",
    "not_found": "?",
    "clinic_matter": "i",
    "private_data": "•",
    "language": "A",
    "trouble": "×",
}
# Stand for the borders of a mark while the text is escaped as a whole.
_OPEN, _CLOSE = "\x02", "\x03"
_NO_BORDERS = {ord(_OPEN): None, ord(_CLOSE): None}
_RIGHT_TO_LEFT = {"ar", "fa", "he", "ur"}
_LEVELS = {"urgent": "emergency", "self_harm": "support", "consult": "consult"}


def escape(text: str) -> str:
    """Make text safe to stand in HTML inside Markdown; line breaks stay visible."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return "<br>".join(_MEANING.sub(lambda found: f"&#{ord(found.group())};", line) for line in lines)


def question_html(question: str) -> str:
    """The patient's own words, echoed."""
    return f'<div class="pf-asked">{escape(question)}</div>'


def answer_html(answer: Answer, clinic: Clinic) -> str:
    """All that is shown for one answer, as one line of HTML (a blank line would end it for Markdown)."""
    parts: list[str] = []
    if answer.searched and answer.route != "urgent":
        parts.append(f'<p class="pf-looked">Looking for: {escape(answer.searched)}</p>')
    if answer.card:
        parts.append(_card_html(answer.card, clinic))
    if answer.notice:
        parts.append(_card_html(replace(answer.notice, contacts=False), clinic))  # they stand on the card above
    if answer.quotes or answer.differs:
        parts.append(_lead_html(answer))
    in_tables = [quote.citation for one in answer.differs for quote in one.quotes]
    parts.extend(_quote_html(quote, answer.release) for quote in answer.quotes if not _stands_in(quote.citation, in_tables))
    parts.extend(_differs_html(one, answer.release) for one in answer.differs)
    if answer.route == "answer":
        parts.append(_ask_a_clinician(clinic))
    if answer.suggestions and answer.route in {"answer", "no_answer"}:
        lead = "You could also read about" if answer.quotes else "Did you mean"
        items = "".join(f"<li>{escape(heading)}</li>" for heading in answer.suggestions)
        parts.append(f'<div class="pf-more"><p>{lead}</p><ul>{items}</ul></div>')
    return f'<div class="pf-answer">{"".join(parts)}</div>'


def notice_html(text: str) -> str:
    """A plain message of the program, such as that a question is too long."""
    return f'<div class="pf-answer"><p class="pf-notice">{escape(text)}</p></div>'


def header_html(clinic: Clinic) -> str:
    """The top of the page: the clinic, what this is, the phone."""
    phone = f'<p class="pf-phone">{_phone(clinic)}</p>' if clinic.phone else ""
    example = '<p class="pf-example">Example clinic: its name and numbers are made up.</p>' if clinic.placeholder else ""
    return (
        f'<header class="pf-header">{example}<div class="pf-name">'
        f"<h1>{escape(clinic.name)}</h1>{phone}</div>"
        "<p>Answers are extracts from our articles. They are not medical advice.</p></header>"
    )


def contacts_html(clinic: Clinic) -> str:
    """The foot of the page: how to reach a person, always."""
    number = escape(clinic.emergency_number or "your local emergency number")
    contacts = _contacts(clinic)
    return f'<footer class="pf-foot"><p><strong>In an emergency, call {number}.</strong></p>{contacts}</footer>'


def reader_url(cited: Citation, release: str) -> str:
    """The address of the article at a quote, stable for as long as the release is kept."""
    return f"/read/{url_quote(release)}/{url_quote(cited.doc)}?start={cited.start}&end={cited.end}#quote"


def review_state(reviewed_on: date | None, reviewed_by: str) -> str:
    """What patients are told about an article's review; never more than is known."""
    if not reviewed_on:
        return "not yet reviewed by a clinician"
    by = f" by {reviewed_by}" if reviewed_by else ""
    return f"reviewed {reviewed_on.day} {reviewed_on:%B %Y}{by}"


def _lead_html(answer: Answer) -> str:
    if answer.route == "consult":
        return '<h3 class="pf-lead">General information from our articles. It is not about you.</h3>'
    return '<p class="pf-lead">From our articles, word for word. Not medical advice.</p>'


def _stands_in(cited: Citation, others: Sequence[Citation]) -> bool:
    """Whether all of a quote stands in one of some others, so that nobody reads it twice."""
    return any(other.doc == cited.doc and other.start <= cited.start and cited.end <= other.end for other in others)


def _differs_html(one: SideBySide, release: str) -> str:
    """What articles say differently, one row each: who says it, and what."""
    rows = "".join(
        f'<tr><th scope="row"><a href="{html.escape(reader_url(quote.citation, release))}" target="_blank" rel="noopener">'
        f'{escape(quote.citation.title)}</a><span class="pf-state">'
        f"{escape(review_state(quote.citation.reviewed_on, quote.citation.reviewed_by))}</span></th>"
        f"<td>{_words(quote)}</td></tr>"
        for quote in one.quotes
    )
    return (
        f'<section class="pf-differs"><h3>Our articles say different things on this</h3><table>'
        f"<caption>{escape(one.point)}</caption><tbody>{rows}</tbody></table></section>"
    )


def _words(quote: Quote) -> str:
    """A quote's words, those marked that answer the question."""
    first, last = (offset - quote.citation.start for offset in quote.marked)
    if not 0 <= first < last <= len(quote.text):
        return escape(quote.text)
    parts = (part.translate(_NO_BORDERS) for part in (quote.text[:first], quote.text[first:last], quote.text[last:]))
    before, within, after = parts
    escaped = escape(f"{before}{_OPEN}{within}{_CLOSE}{after}")
    return escaped.replace(_OPEN, "<mark>").replace(_CLOSE, "</mark>")


def _place(cited: Citation) -> str:
    return escape(cited.title) + (f" › {escape(cited.section)}" if cited.section else "")


def _quote_html(quote: Quote, release: str) -> str:
    cited = quote.citation
    place = _place(cited)
    page = f", page {cited.page}" if cited.page else ""
    state = escape(review_state(cited.reviewed_on, cited.reviewed_by))
    link = html.escape(reader_url(cited, release))
    also = "".join(
        f'<li><a href="{html.escape(reader_url(other, release))}" target="_blank" rel="noopener">{_place(other)}</a></li>'
        for other in quote.also
    )
    also = f'<div class="pf-also"><span>Also in</span><ul>{also}</ul></div>' if also else ""
    return (
        f'<figure class="pf-quote"><blockquote>{_words(quote)}</blockquote>'
        f'<figcaption><span class="pf-place">{place}{page}</span><span class="pf-state">{state}</span>'
        f'<a href="{link}" target="_blank" rel="noopener">Read in the article</a>{also}</figcaption></figure>'
    )


def _card_html(card: Card, clinic: Clinic) -> str:
    level = _LEVELS.get(card.kind, "plain")
    bullets = "".join(f"<li>{escape(bullet)}</li>" for bullet in card.bullets)
    text = f"<p>{escape(card.text)}</p>" if card.text else ""
    contacts = _contacts(clinic, emergency=card.kind == "urgent", booking=card.kind == "consult") if card.contacts else ""
    body = (
        f"<ul>{bullets}</ul>{text}"
        if card.kind in {"urgent", "self_harm"}
        else f"{text}<ul>{bullets}</ul>"
        if bullets
        else text
    )
    return (
        f'<section class="pf-card pf-{level}"{_language(card)}><p class="pf-label"><span class="pf-icon" aria-hidden="true">'
        f'{_ICONS.get(card.kind, "i")}</span>{escape(card.label)}<span class="pf-hidden">. {escape(card.level)}.</span></p>'
        f"<h3>{escape(card.heading)}</h3>{body}{contacts}</section>"
    )


def _language(card: Card) -> str:
    """Says to screen readers in which language to read a card; the page itself is in English."""
    right_to_left = ' dir="rtl"' if card.language in _RIGHT_TO_LEFT else ""
    return "" if card.language == "en" else f' lang="{escape(card.language)}"{right_to_left}'


def _contacts(clinic: Clinic, *, emergency: bool = False, booking: bool = True) -> str:
    ways: list[str] = []
    if emergency and clinic.emergency_number:
        ways.append(_button(f"tel:{digits(clinic.emergency_number)}", f"Call {clinic.emergency_number}"))
    if clinic.booking_url and not emergency and booking:
        ways.append(_button(clinic.booking_url, "Book a consultation"))
    if clinic.phone:
        ways.append(_button(f"tel:{digits(clinic.phone)}", f"Call us: {clinic.phone}"))
    if clinic.email and not emergency:
        ways.append(_button(f"mailto:{clinic.email}", f"E-mail {clinic.email}"))
    if not ways:
        return '<p class="pf-ways">Please contact the clinic directly.</p>'
    return f'<p class="pf-ways">{"".join(ways)}</p>'


def _ask_a_clinician(clinic: Clinic) -> str:
    if not clinic.booking_url:
        return ""
    link = html.escape(clinic.booking_url)
    return f'<p class="pf-ask"><a href="{link}" target="_blank" rel="noopener">Ask about this at a consultation</a></p>'


def _phone(clinic: Clinic) -> str:
    return f'<a href="tel:{digits(clinic.phone)}">{escape(clinic.phone)}</a>'


def _button(link: str, text: str) -> str:
    return f'<a class="pf-way" href="{html.escape(link)}" target="_blank" rel="noopener">{escape(text)}</a>'


def digits(number: str) -> str:
    """A phone number as it stands in a link."""
    return re.sub(r"[^\d+]", "", number)
