"""Answer -> HTML for the chat. Everything that is not ours is escaped here, HTML and Markdown alike."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from urllib.parse import quote as url_quote

from retrieval.types import Answer, Card, Citation, Clinic, Heading, Quote, SideBySide
from web.words import FIRST, LANGUAGES, Words, words_of

__all__ = [
    "answer_html",
    "digits",
    "escape",
    "footer_html",
    "header_html",
    "notice_html",
    "overdue",
    "question_html",
    "reader_url",
    "review_state",
    "start_html",
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
    "busy": "…",
}
# Stand for the borders of a mark while the text is escaped as a whole.
_OPEN, _CLOSE = "\x02", "\x03"
_NO_BORDERS = {ord(_OPEN): None, ord(_CLOSE): None}
_RIGHT_TO_LEFT = {"ar", "fa", "he", "ur"}
_LEVELS = {
    "urgent": "emergency",
    "self_harm": "support",
    "consult": "consult",
    "private_data": "private",
    "trouble": "trouble",
    "busy": "busy",
    "language": "language",
    "clinic_matter": "desk",
}
_FELT = ("helped", "other", "outdated")


def escape(text: str) -> str:
    """Make text safe to stand in HTML inside Markdown; line breaks stay visible."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return "<br>".join(_MEANING.sub(lambda found: f"&#{ord(found.group())};", line) for line in lines)


def question_html(question: str) -> str:
    """The patient's own words, echoed."""
    return f'<div class="pf-asked">{escape(question)}</div>'


def answer_html(answer: Answer, clinic: Clinic, words: Words) -> str:
    """All that is shown for one answer, as one line of HTML (a blank line would end it for Markdown)."""
    parts: list[str] = []
    if answer.searched and answer.route != "urgent":
        parts.append(f'<p class="pf-looked">{escape(words("answer.looking_for", text=answer.searched))}</p>')
    if answer.card:
        parts.append(_card_html(answer.card, clinic, words))
    if answer.notice:
        parts.append(_card_html(replace(answer.notice, contacts=False), clinic, words))  # they stand on the card above
    quoted = bool(answer.quotes or answer.differs)
    if quoted:
        parts.append(_lead_html(answer, words))
    in_tables = [quote.citation for one in answer.differs for quote in one.quotes]
    shown = [quote for quote in answer.quotes if not _stands_in(quote.citation, in_tables)]
    parts.extend(_quote_html(quote, answer.release, clinic, words) for quote in shown)
    parts.extend(_differs_html(one, answer.release, clinic, words) for one in answer.differs)
    if answer.route != "urgent" and (quoted or (answer.card and answer.card.kind in {"consult", "not_found"})):
        parts.append(_actions_html(words, quoted=quoted))
    if answer.suggestions and answer.route in {"answer", "no_answer"}:
        parts.append(_more_html(answer, words))
    return f'<div class="pf-answer">{"".join(parts)}</div>'


def notice_html(text: str) -> str:
    """A plain message of the program, such as that a question is too long."""
    return f'<div class="pf-answer"><p class="pf-notice">{escape(text)}</p></div>'


def header_html(clinic: Clinic, words: Words, articles_in: str = "") -> str:
    """The top of the page: the clinic, what this is, the phone.

    Parameters: the clinic, the words, and the names of the articles' languages where the screens' is not one of them.
    """
    phone = f'<p class="pf-phone">{_phone(clinic)}</p>' if clinic.phone else ""
    example = f'<p class="pf-example">{escape(words("page.example_clinic"))}</p>' if clinic.placeholder else ""
    languages = f"<p>{escape(words('page.articles_in', languages=articles_in))}</p>" if articles_in else ""
    return (
        f'<header class="pf-header" lang="{words.code}">{example}<div class="pf-name">'
        f"<h1>{escape(clinic.name)}</h1>{phone}</div>"
        f"<p>{escape(words('page.promise'))}</p>{languages}</header>"
    )


def start_html(examples: Sequence[tuple[str, str]], words: Words, language: str = FIRST) -> str:
    """What a chat begins with: topics, each with a question that can be asked by pressing it, and the other languages.

    Parameters: topics ("" for none) with questions, the words, and the language of the questions.
    """
    lang = _lang(language, words)
    rows = "".join(
        f'<li><button type="button" class="pf-ask-this"{lang}>'
        + (f'<span class="pf-topic">{escape(topic[0].upper() + topic[1:])}</span> ' if topic else "")
        + f'<span class="pf-example-question">{escape(question)}</span></button></li>'
        for topic, question in examples
    )
    others = "".join(
        f'<li><a href="?lang={code}" lang="{code}">{escape(words_of(code)("language"))}</a></li>'
        for code in LANGUAGES
        if code != words.code
    )
    begin = f'<h2>{escape(words("page.begin"))}</h2><ul class="pf-topics">{rows}</ul>' if rows else ""
    # No nav: the chat's HTML passes Gradio's sanitiser, which takes its label away.
    return f'<div class="pf-start">{begin}<div class="pf-languages"><ul>{others}</ul></div></div>'


def footer_html(clinic: Clinic, words: Words) -> str:
    """The foot of the page: how to reach a person, always, and what else there is to know."""
    number = clinic.emergency_number or words("page.local_emergency")
    emergency = escape(words("page.emergency", number=number))
    pages = "".join(
        f'<li><a href="/{page}{_query(words)}" target="_blank" rel="noopener">{escape(words(f"page.{page}"))}</a></li>'
        for page in ("privacy", "accessibility")
    )
    contacts = _contacts(clinic, words)
    return f'<footer class="pf-foot"><p><strong>{emergency}</strong></p>{contacts}<ul class="pf-pages">{pages}</ul></footer>'


def reader_url(cited: Citation | Heading, release: str, words: Words) -> str:
    """The address of the article at a quote, stable for as long as the release is kept."""
    screen = "" if words.code == FIRST else f"&lang={words.code}"
    return f"/read/{url_quote(release)}/{url_quote(cited.doc)}?start={cited.start}&end={cited.end}{screen}#quote"


def review_state(reviewed_on: date | None, reviewed_by: str, words: Words) -> str:
    """What patients are told about an article's review; never more than is known."""
    if not reviewed_on:
        return words("review.none")
    day = words.day(reviewed_on)
    return words("review.on_by", date=day, name=reviewed_by) if reviewed_by else words("review.on", date=day)


def overdue(review_by: date | None, words: Words) -> str:
    """What patients are told about an article whose review is overdue, as a sentence of its own."""
    return words("review.due", date=words.day(review_by)) if review_by else ""


def digits(number: str) -> str:
    """A phone number as it stands in a link."""
    return re.sub(r"[^\d+]", "", number)


def _lead_html(answer: Answer, words: Words) -> str:
    if answer.route == "consult":
        return f'<h3 class="pf-lead">{escape(words("answer.lead_consult"))}</h3>'
    return f'<p class="pf-lead">{escape(words("answer.lead"))}</p>'


def _stands_in(cited: Citation, others: Sequence[Citation]) -> bool:
    """Whether all of a quote stands in one of some others, so that nobody reads it twice."""
    return any(other.doc == cited.doc and other.start <= cited.start and cited.end <= other.end for other in others)


def _differs_html(one: SideBySide, release: str, clinic: Clinic, words: Words) -> str:
    """What articles say differently, a row an article: who says it, and what."""
    rows = "".join(
        f'<tr><th scope="row"><span{_lang(cited.language, words)}>{escape(cited.title)}</span><span class="pf-state">'
        f"{escape(review_state(cited.reviewed_on, cited.reviewed_by, words))}</span>{_overdue_html(cited, words)}</th>"
        f"<td>{''.join(_statement_html(quote, release, clinic, words) for quote in quotes)}</td></tr>"
        for cited, quotes in ((quotes[0].citation, quotes) for quotes in _by_article(one.quotes))
    )
    return (
        f'<section class="pf-differs"><h3>{escape(words("answer.differ"))}</h3><table>'
        f"<caption{_lang(FIRST, words)}>{escape(one.point)}</caption><tbody>{rows}</tbody></table></section>"
    )


def _by_article(quotes: Sequence[Quote]) -> list[list[Quote]]:
    groups: dict[str, list[Quote]] = {}
    for quote in quotes:
        groups.setdefault(quote.citation.doc, []).append(quote)
    return list(groups.values())


def _statement_html(quote: Quote, release: str, clinic: Clinic, words: Words) -> str:
    return (
        f'<div class="pf-statement"><p{_lang(quote.citation.language, words)}>{_words(quote)}</p>'
        f"{_read_html(quote.citation, release, words)}{_felt_html(clinic, words)}</div>"
    )


def _read_html(cited: Citation, release: str, words: Words) -> str:
    address = html.escape(reader_url(cited, release, words))
    return f'<a class="pf-read" href="{address}" target="_blank" rel="noopener">{escape(words("answer.read"))}</a>'


def _words(quote: Quote) -> str:
    """A quote's words, those marked that answer the question."""
    first, last = (offset - quote.citation.start for offset in quote.marked)
    if not 0 <= first < last <= len(quote.text):
        return escape(quote.text.translate(_NO_BORDERS))  # nobody sees these signs, marked or not
    parts = (part.translate(_NO_BORDERS) for part in (quote.text[:first], quote.text[first:last], quote.text[last:]))
    before, within, after = parts
    escaped = escape(f"{before}{_OPEN}{within}{_CLOSE}{after}")
    return escaped.replace(_OPEN, "<mark>").replace(_CLOSE, "</mark>")


def _place(cited: Citation) -> str:
    return escape(cited.title) + (f" › {escape(cited.section)}" if cited.section else "")


def _quote_html(quote: Quote, release: str, clinic: Clinic, words: Words) -> str:
    cited = quote.citation
    lang = _lang(cited.language, words)
    page = f", {escape(words('answer.article_page', number=cited.page))}" if cited.page else ""
    state = escape(review_state(cited.reviewed_on, cited.reviewed_by, words))
    also = "".join(
        f"<li><span{_lang(other.language, words)}>{_link(reader_url(other, release, words), _place(other), safe=True)}</span>"
        f"{_overdue_html(other, words)}</li>"
        for other in quote.also
    )
    also = f'<div class="pf-also"><span>{escape(words("answer.also"))}</span><ul>{also}</ul></div>' if also else ""
    return (
        f'<figure class="pf-quote"><blockquote{lang}>{_words(quote)}</blockquote>'
        f'<figcaption><span class="pf-place"><span{lang}>{_place(cited)}</span>{page}</span>'
        f'<span class="pf-state">{state}</span>{_overdue_html(cited, words)}'
        f"{_read_html(cited, release, words)}{also}{_felt_html(clinic, words)}</figcaption></figure>"
    )


def _overdue_html(cited: Citation, words: Words) -> str:
    """The label of a quote whose article's review is overdue."""
    return f'<span class="pf-due">{escape(overdue(cited.review_by, words))}</span>' if cited.overdue else ""


def _felt_html(clinic: Clinic, words: Words) -> str:
    """What a patient can tell about a quote, where the clinic collects that."""
    buttons = "".join(
        f'<button type="button" class="pf-felt pf-felt-{name}">{escape(words(f"feedback.{name}"))}</button>' for name in _FELT
    )
    return f'<div class="pf-feedback">{buttons}</div>' if clinic.journal else ""


def _actions_html(words: Words, *, quoted: bool) -> str:
    """What can be done with an answer; the chat's script answers the buttons."""
    names = ("hand_over", "copy", "print") if quoted else ("hand_over",)
    buttons = "".join(
        f'<button type="button" class="pf-do pf-{name.replace("_", "-")}">{escape(words(f"answer.{name}"))}</button>'
        for name in names
    )
    return f'<div class="pf-actions">{buttons}</div>'


def _more_html(answer: Answer, words: Words) -> str:
    """Headings near by: questions can be asked by pressing them, others are opened in their article."""
    lead = words("answer.more" if answer.quotes else "answer.did_you_mean")
    items = "".join(
        f'<li{_lang(heading.language, words)}><button type="button" class="pf-ask-this">{escape(heading.title)}</button></li>'
        if heading.title.rstrip().endswith(("?", "？"))
        else f"<li{_lang(heading.language, words)}>{_link(reader_url(heading, answer.release, words), heading.title)}</li>"
        for heading in answer.suggestions
    )
    return f'<div class="pf-more"><p>{escape(lead)}</p><ul>{items}</ul></div>'


def _card_html(card: Card, clinic: Clinic, words: Words) -> str:
    level = _LEVELS.get(card.kind, "plain")
    bullets = "".join(f"<li>{escape(bullet)}</li>" for bullet in card.bullets)
    text = f"<p>{escape(card.text)}</p>" if card.text else ""
    # The buttons of a card are in its own language where the screens have it.
    said = words_of(card.language) if card.language in LANGUAGES else words
    contacts = _contacts(clinic, said, emergency=card.kind == "urgent", booking=card.kind == "consult") if card.contacts else ""
    if contacts and said.code != card.language:
        contacts = f'<div lang="{said.code}" dir="ltr">{contacts}</div>'
    body = (
        f"<ul>{bullets}</ul>{text}"
        if card.kind in {"urgent", "self_harm"}
        else f"{text}<ul>{bullets}</ul>"
        if bullets
        else text
    )
    return (
        f'<section class="pf-card pf-{level}"{_lang(card.language, words)}><p class="pf-label">'
        f'<span class="pf-icon" aria-hidden="true">{_ICONS.get(card.kind, "i")}</span>{escape(card.label)}'
        f'<span class="pf-hidden">. {escape(card.level)}.</span></p><h3>{escape(card.heading)}</h3>{body}{contacts}</section>'
    )


def _lang(code: str, words: Words) -> str:
    """Says to screen readers in which language to read something that is not in the page's."""
    if code.split("-")[0].lower() == words.code:
        return ""
    right_to_left = ' dir="rtl"' if code in _RIGHT_TO_LEFT else ""
    return f' lang="{html.escape(code)}"{right_to_left}'


def _query(words: Words) -> str:
    return "" if words.code == FIRST else f"?lang={words.code}"


def _contacts(clinic: Clinic, words: Words, *, emergency: bool = False, booking: bool = True) -> str:
    ways: list[str] = []
    if emergency and clinic.emergency_number:
        number = clinic.emergency_number
        ways.append(_button(f"tel:{digits(number)}", words("ways.call_number", number=number)))
    if clinic.booking_url and not emergency and booking:
        ways.append(_button(clinic.booking_url, words("ways.book")))
    if clinic.phone:
        ways.append(_button(f"tel:{digits(clinic.phone)}", words("ways.call_us", number=clinic.phone)))
    if clinic.email and not emergency:
        ways.append(_button(f"mailto:{clinic.email}", words("ways.mail", address=clinic.email)))
    if not ways:
        return f'<p class="pf-ways">{escape(words("ways.directly"))}</p>'
    return f'<p class="pf-ways">{"".join(ways)}</p>'


def _phone(clinic: Clinic) -> str:
    return f'<a href="tel:{digits(clinic.phone)}">{escape(clinic.phone)}</a>'


def _button(link: str, text: str) -> str:
    return f'<a class="pf-way" href="{html.escape(link)}" target="_blank" rel="noopener">{escape(text)}</a>'


def _link(address: str, text: str, *, safe: bool = False) -> str:
    """A link that opens beside the chat; `safe`: the text is escaped already."""
    return f'<a href="{html.escape(address)}" target="_blank" rel="noopener">{text if safe else escape(text)}</a>'
