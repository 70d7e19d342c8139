"""The patients' chat: one page of Gradio, which keeps nothing of what is asked."""

from __future__ import annotations

import html
import json
import logging
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from retrieval.assistant import MAX_QUESTION, Assistant, clean
from retrieval.errors import QuestionError
from retrieval.private import masked
from retrieval.types import Turn
from web.render import answer_html, contacts_html, header_html, notice_html, question_html

# Gradio looks these up at its import.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", DO_NOT_TRACK="1")

import gradio as gr

__all__ = ["build_chat", "mount_chat"]

_LOG = logging.getLogger(__name__)
_EXAMPLES = 6
_HISTORY = 6
_MOST_BYTES = 32 * 1024
"""How much of a chat is kept on the page: all of it comes back with each question, and the gate has a limit."""
_SESSIONS = 16
_ECHOED = 200
_MOST_TYPED = 2 * MAX_QUESTION
_SHORTENED = "The start of this chat is no longer shown, to keep the page quick."
_TAG = re.compile(r"<[^>]+>")
_PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}

# Brings each new question to the top of the screen, where its answer is read from, and names the messages for screen
# readers: the chat would read out their HTML.
_HEAD = """
<meta name="robots" content="noindex">
<script>
(function begin() {
  // Gradio may put this in before or after the page has been read.
  if (!document.body) return addEventListener("DOMContentLoaded", begin);
  var seen = "";
  new MutationObserver(function () {
    document.querySelectorAll("[data-testid=user], [data-testid=bot]").forEach(function (message) {
      var name = message.dataset.testid === "user" ? "Your question" : "Answer";
      if (message.getAttribute("aria-label") !== name) message.setAttribute("aria-label", name);
    });
    var asked = document.querySelectorAll(".pf-asked");
    var last = asked[asked.length - 1];
    var now = last ? asked.length + last.textContent : "";
    if (last && now !== seen) setTimeout(function () { last.scrollIntoView({block: "start"}); }, 60);
    seen = now;
  }).observe(document.body, {childList: true, subtree: true});
})();
</script>
"""

Message = dict[str, Any]


def build_chat(assistant: Assistant) -> gr.Blocks:
    """Lay out the chat around an assistant; nothing is opened or started by this."""
    clinic = assistant.clinic()
    # Plain Markdown throughout: gr.HTML fills its templates by evaluating script, which the gate's policy forbids.
    with gr.Blocks(title=f"Questions and answers – {clinic.name}", analytics_enabled=False, delete_cache=(3600, 3600)) as page:
        header = gr.Markdown(header_html(clinic))
        with gr.Column(elem_id="pf-start") as start:
            gr.Markdown("<h2>You can ask, for example</h2>")
            examples = [gr.Button("", visible=False) for _ in range(_EXAMPLES)]
        chat = gr.Chatbot(
            elem_id="pf-chat", label="Questions and answers", show_label=False, visible=False, autoscroll=False, buttons=[],
            allow_tags=False, latex_delimiters=[], sanitize_html=True, layout="panel", feedback_options=None,
        )  # fmt: skip
        clear = gr.Button("Clear this chat", elem_id="pf-clear", visible=False)
        with gr.Row(elem_id="pf-ask", equal_height=True):
            box = gr.Textbox(
                label="Your question", placeholder="In your own words", lines=1, max_lines=5, max_length=_MOST_TYPED,
                scale=5, min_width=160,
            )  # fmt: skip
            send = gr.Button("Ask", variant="primary", scale=1, min_width=80)
        footer = gr.Markdown(contacts_html(clinic))

        def respond(question: str, history: list[Message] | None) -> tuple[Any, ...]:
            exchange, unasked = _exchange(assistant, question, history or [])
            shown = _latest([*(history or []), *exchange])
            begun = bool(shown)
            return unasked, gr.update(value=shown, visible=begun), gr.update(visible=not begun), gr.update(visible=begun)

        def forget() -> tuple[Any, ...]:
            return "", gr.update(value=[], visible=False), gr.update(visible=True), gr.update(visible=False)

        def greet() -> tuple[Any, ...]:
            now = assistant.clinic()
            questions = _example_questions(assistant)
            labels = [gr.update(value=text, visible=bool(text)) for text in (*questions, *[""] * _EXAMPLES)[:_EXAMPLES]]
            return (gr.update(value=header_html(now)), gr.update(value=contacts_html(now)), *labels)

        outputs = [box, chat, start, clear]
        gr.on([box.submit, send.click], respond, [box, chat], outputs, **_PRIVATE)
        for button in examples:
            button.click(respond, [button, chat], outputs, **_PRIVATE)
        clear.click(forget, None, outputs, **_PRIVATE)
        page.load(greet, None, [header, footer, *examples], **_PRIVATE)
    page.queue(max_size=64, default_concurrency_limit=2, api_open=False)
    # Gradio keeps what each page shows, for ten thousand pages. Nothing here needs it: forget all but those being served.
    page.state_session_capacity = _SESSIONS
    return page


def mount_chat(app: FastAPI, assistant: Assistant, css: Sequence[Path]) -> None:
    """Put the chat at the root of an application, with everything of Gradio's off that is not the chat."""
    # The fonts of the patient's own device: nothing is downloaded.
    theme = gr.themes.Base(font=["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"], font_mono=["monospace"])
    colour = assistant.clinic().accent
    accent = f":root {{ --pf-accent: {colour}; --pf-on-accent: {_readable_on(colour)}; }}"
    gr.mount_gradio_app(
        app, build_chat(assistant), path="/", run_history=False, footer_links=[], show_error=False, enable_monitoring=False,
        max_file_size="1kb", pwa=False, mcp_server=False, ssr_mode=False, allowed_paths=[], theme=theme, css=accent,
        css_paths=list(css), head=_HEAD,
    )  # fmt: skip


def _readable_on(colour: str) -> str:
    """White or black, whichever stands out more from a colour in #rrggbb (relative luminance as in WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "#fff" if 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.05 else "#000"


def _exchange(assistant: Assistant, question: str, history: list[Message]) -> tuple[list[Message], str]:
    """A question and its answer as two messages, and what is left in the box: a question that could not be asked.

    No messages for an empty question.
    """
    text = clean(str(question or ""))
    if not text:
        return [], ""
    unasked = ""
    try:
        answer = assistant.ask(text, _turns(history))
        said = answer_html(answer, assistant.clinic())
        # Private data is not shown again: the page is sent back with each later question, and screens are seen by others.
        text = masked(text) if answer.private else text
    except QuestionError as problem:
        said = notice_html(str(problem))
        unasked = str(question)
        text = text if len(text) <= _ECHOED else f"{text[:_ECHOED]} …"
    return [{"role": "user", "content": question_html(text)}, {"role": "assistant", "content": said}], unasked


def _latest(messages: list[Message]) -> list[Message]:
    """The last questions and answers that are not too much to send back with the next question; at least one."""
    total = 0
    begin = len(messages)
    for place in reversed(range(len(messages))):
        total += len(json.dumps(messages[place], ensure_ascii=False).encode("utf-8", "replace"))
        if total > _MOST_BYTES and begin < len(messages):
            return [{"role": "assistant", "content": notice_html(_SHORTENED)}, *messages[begin:]]
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


def _example_questions(assistant: Assistant) -> list[str]:
    try:
        return assistant.example_questions(_EXAMPLES)
    except Exception:  # noqa: BLE001  without examples the page still answers; the fault is reported
        _LOG.exception("no example questions could be found")
        return []
