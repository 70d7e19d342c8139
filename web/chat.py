"""The patients' chat: one page of Gradio, which keeps nothing of what is asked itself."""

from __future__ import annotations

import dataclasses
import html
import json
import logging
import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request

from retrieval.assistant import MAX_QUESTION, Assistant, clean
from retrieval.errors import QuestionError
from retrieval.private import masked
from retrieval.types import Answer, Turn
from web.line import Line, Reply
from web.look import accent_css, gr, own_fonts
from web.render import answer_html, footer_html, header_html, notice_html, question_html, start_html
from web.words import FIRST, Words, words_for, words_of

__all__ = ["build_chat", "mount_chat"]

_LOG = logging.getLogger(__name__)
_EXAMPLES = 6
_HISTORY = 6
_MOST_BYTES = 32 * 1024
"""How much of a chat is kept on the page: all of it comes back with each question, and the gate has a limit."""
_SESSIONS = 16
_AT_ONCE = 1
"""Questions worked on at once. Most of the work is Python's, which runs one thread at a time, and the model has threads of its
own: a second one would not make answers more, and would keep back what takes requests in (docs/design.md, Under load)."""
_ECHOED = 200
_BUSY = "pf-card pf-busy"
_UNNOTED = ("pf-card pf-emergency", "pf-card pf-support", "pf-card pf-private")
"""How the cards of messages begin whose text is noted nowhere."""
_MOST_TYPED = 2 * MAX_QUESTION
_TAG = re.compile(r"<[^>]+>")
# Without Gradio's queue a question is one request and one reply. The queue would let every question wait for its turn
# alike, an emergency too, and have no answer for those that it has no room for.
_PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}

_HEAD = """<meta name="robots" content="noindex">
<link rel="stylesheet" href="/look/print.css" media="print">
<script src="/look/embedded.js" defer></script>
<script src="/look/chat.js" defer></script>"""

Message = dict[str, Any]
_Answered = tuple[Answer, str] | QuestionError | None
Note = Callable[[str, Answer], None]
"""Who is told of each message of a patient and of its answer."""


def _nobody(text: str, answer: Answer) -> None:
    """Nothing is noted of what is asked."""


def build_chat(assistant: Assistant, note: Note = _nobody) -> gr.Blocks:
    """Lay out the chat around an assistant; nothing is opened or started by this.

    Parameters: the assistant, and who is told of what is asked and answered.
    """
    clinic, words = assistant.clinic(), words_of(FIRST)
    line = Line(_AT_ONCE)
    # Plain Markdown throughout: gr.HTML fills its templates by evaluating script, which the gate's policy forbids.
    title = f"{words('page.title')} – {clinic.name}"
    with gr.Blocks(title=title, analytics_enabled=False, delete_cache=(3600, 3600)) as page:
        header = gr.Markdown(header_html(clinic, words))
        start = gr.Markdown("", elem_id="pf-start")
        chat = gr.Chatbot(
            elem_id="pf-chat", label=words("page.title"), show_label=False, visible=False, autoscroll=False, buttons=[],
            allow_tags=False, latex_delimiters=[], sanitize_html=True, layout="panel", feedback_options=None,
        )  # fmt: skip
        clear = gr.Button(words("page.clear"), elem_id="pf-clear", visible=False)
        with gr.Row(elem_id="pf-ask", equal_height=True):
            box = gr.Textbox(
                label=words("page.question"), placeholder=words("page.in_your_words"), lines=1, max_lines=5,
                max_length=_MOST_TYPED, scale=5, min_width=160,
            )  # fmt: skip
            send = gr.Button(words("page.ask"), variant="primary", scale=1, min_width=80)
        footer = gr.Markdown(footer_html(clinic, words))
        speak = gr.Button("", elem_id="pf-speak")  # pressed by chat.js where the page's address names another language

        async def respond(question: str, history: list[Message] | None, request: gr.Request) -> tuple[Any, ...]:
            text, words = clean(str(question or "")), words_for(request.query_params, request.headers)
            if not text:
                return _shown(question, history or [], None, words)
            earlier = _without_busy(history or [])
            answered: tuple[Answer, str] | QuestionError
            try:
                answered = await _answered(assistant, line, text, _turns(earlier), words)
                note(text, _noted(answered[0], earlier))
            except QuestionError as problem:
                answered = problem
            return _shown(question, earlier, answered, words)

        def forget() -> tuple[Any, ...]:
            return "", gr.update(value=[], visible=False), gr.update(visible=True), gr.update(visible=False)

        def greet(request: gr.Request) -> tuple[Any, ...]:
            said, now = words_for(request.query_params, request.headers), assistant.clinic()
            return (
                gr.update(value=header_html(now, said, assistant.articles_in(said.code))),
                gr.update(value=start_html(_example_questions(assistant), said)),
                gr.update(label=said("page.title")),
                gr.update(value=said("page.clear")),
                gr.update(label=said("page.question"), placeholder=said("page.in_your_words")),
                gr.update(value=said("page.ask")),
                gr.update(value=footer_html(now, said)),
            )

        outputs = [box, chat, start, clear]
        gr.on([box.submit, send.click], respond, [box, chat], outputs, **_PRIVATE)
        clear.click(forget, None, outputs, **_PRIVATE)
        for event in (page.load, speak.click):
            event(greet, None, [header, start, chat, clear, box, send, footer], **_PRIVATE)
    page.queue(max_size=1, default_concurrency_limit=1, api_open=False)  # nothing of the page uses it
    # Gradio keeps what each page shows, for ten thousand pages. Nothing here needs it: forget all but those being served.
    page.state_session_capacity = _SESSIONS
    return page


def mount_chat(app: FastAPI, assistant: Assistant, css: Sequence[Path], note: Note = _nobody) -> Reply:
    """Put the chat at the root of an application, with everything of Gradio's off that is not the chat.

    Parameters: the application, the assistant, style sheets, and who is told of what is asked and answered.
    Returns what replies to the body of a question when there is no room for it, by the rules alone: None to any other call.
    """
    page = build_chat(assistant, note)
    gr.mount_gradio_app(
        app, page, path="/", run_history=False, footer_links=[], show_error=False, enable_monitoring=False,
        max_file_size="1kb", pwa=False, mcp_server=False, ssr_mode=False, allowed_paths=[], theme=own_fonts(),
        css=accent_css(assistant.clinic().accent), css_paths=list(css), head=_HEAD,
    )  # fmt: skip
    return _busy_reply(assistant, page, note)


def _busy_reply(assistant: Assistant, page: gr.Blocks, note: Note) -> Reply:
    """What replies to questions past the page's capacity, in the form in which Gradio replies to a call."""
    asking = {number for number, block in page.fns.items() if getattr(block.fn, "__name__", "") == "respond"}
    chat = next(block for block in page.blocks.values() if isinstance(block, gr.Chatbot))

    def reply(body: bytes, request: Request) -> bytes | None:
        words = words_for(request.query_params, request.headers)
        try:
            sent = json.loads(body)
            number, (question, history) = sent["fn_index"], sent["data"]
            messages = chat.preprocess(chat.data_model(root=history or [])) if number in asking else []
        except Exception:  # noqa: BLE001  what is no question of the page is let in, where Gradio says so
            return None
        text, earlier = clean(str(question or "")), _without_busy(messages)
        if number not in asking or not text:
            return None
        try:
            found = _with_html(assistant, assistant.ask_rules, text, _turns(earlier), words)
            note(text, _noted(found[0], earlier))
            answered: _Answered = found
        except QuestionError as problem:
            answered = problem
        outputs = list(_shown(question, earlier, answered, words))
        outputs[1]["value"] = chat.postprocess(outputs[1]["value"]).model_dump()
        return json.dumps({"data": outputs, "is_generating": False}).encode()

    return reply


def _shown(question: object, earlier: list[Message], answered: _Answered, words: Words) -> tuple[Any, ...]:
    """What becomes of the box, the chat, the start and the button that clears, when a question was answered.

    What could not be asked or looked up is left in the box. An empty question changes nothing.
    """
    unasked, exchange = "", []
    if answered is not None:
        text = clean(str(question))
        if isinstance(answered, QuestionError):
            told = words("page.too_long", count=f"{len(text):,}", most=f"{MAX_QUESTION:,}")
            said, unasked = notice_html(told), str(question)
            text = text if len(text) <= _ECHOED else f"{text[:_ECHOED]} …"
        else:
            answer, said = answered
            unasked = str(question) if answer.card is not None and answer.card.kind == "busy" else ""
            # Private data is not shown again: the page is sent back with each later question, and screens are seen by others.
            text = masked(text) if answer.private else text
        exchange = [{"role": "user", "content": question_html(text)}, {"role": "assistant", "content": said}]
    shown = _latest([*earlier, *exchange], words)
    begun = bool(shown)
    return unasked, gr.update(value=shown, visible=begun), gr.update(visible=not begun), gr.update(visible=begun)


async def _answered(assistant: Assistant, line: Line, text: str, turns: list[Turn], words: Words) -> tuple[Answer, str]:
    """An answer and its HTML when its turn comes, or what the rules say where it does not come. Danger stands in no line."""
    by_rules = partial(_with_html, assistant, assistant.ask_rules, text, turns, words)
    if line.stands:
        at_once = await line.past(by_rules)
        if at_once[0].route == "urgent":
            return at_once
    answered = await line.through(partial(_with_html, assistant, assistant.ask, text, turns, words))
    return answered if answered else await line.past(by_rules)


def _with_html(
    assistant: Assistant, ask: Callable[..., Answer], text: str, turns: list[Turn], words: Words
) -> tuple[Answer, str]:
    answer = ask(text, turns, language=words.code)
    return answer, answer_html(answer, assistant.clinic(), words)


def _noted(answer: Answer, earlier: list[Message]) -> Answer:
    """An answer as it may be noted: without what was looked for, where that may hold words of a message that is not kept."""
    unkept = any(card in _text(message.get("content")) for message in earlier for card in _UNNOTED)
    return dataclasses.replace(answer, searched="") if unkept else answer


def _without_busy(history: list[Message]) -> list[Message]:
    """The chat without a question at its end that was not looked up: it is asked again, and answered in its place."""
    unanswered = len(history) > 1 and _BUSY in _text(history[-1].get("content"))
    return history[:-2] if unanswered else history


def _latest(messages: list[Message], words: Words) -> list[Message]:
    """The last questions and answers that are not too much to send back with the next question; at least one."""
    total = 0
    begin = len(messages)
    for place in reversed(range(len(messages))):
        total += len(json.dumps(messages[place], ensure_ascii=False).encode("utf-8", "replace"))
        if total > _MOST_BYTES and begin < len(messages):
            return [{"role": "assistant", "content": notice_html(words("page.shortened"))}, *messages[begin:]]
        if messages[place].get("role") == "user":
            begin = place
    return messages


def _turns(history: list[Message]) -> list[Turn]:
    """The questions of the chat so far, taken back out of the page."""
    turns = []
    for message in history:
        if message.get("role") == "user":
            text = clean(html.unescape(_TAG.sub(" ", _text(message.get("content")))))
            if text:
                turns.append(Turn(text[:MAX_QUESTION]))
    return turns[-_HISTORY:]


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else [content]
    return " ".join(str(part.get("text", "")) if isinstance(part, dict) else str(part) for part in parts)


def _example_questions(assistant: Assistant) -> list[tuple[str, str]]:
    try:
        return assistant.example_questions(_EXAMPLES)
    except Exception:  # noqa: BLE001  without examples the page still answers; the fault is reported
        _LOG.exception("no example questions could be found")
        return []
