"""The gate lets through what the chat needs, in small sizes and numbers, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from web.gate import MAX_BODY, Gate

HEADERS = {
    "content-security-policy",
    "referrer-policy",
    "x-content-type-options",
    "permissions-policy",
    "cross-origin-opener-policy",
}


JOIN = ("/gradio_api/queue/join", "POST")


@dataclass
class Behind:
    """An application that reads its whole body, and remembers what it was asked."""

    scopes: list[Scope] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        self.bodies.append(body)
        headers = [(b"access-control-allow-origin", b"https://evil.example"), (b"access-control-allow-credentials", b"true")]
        headers += [(b"x-own", b"kept"), (b"Referrer-Policy", b"unsafe-url")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"through"})


@dataclass
class Reply:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name]


def ask(
    gate: Gate,
    path: str = "/",
    method: str = "GET",
    headers: Sequence[tuple[bytes, bytes]] = (),
    body: Sequence[bytes] = (),
    client: str | None = "192.0.2.1",
) -> Reply | None:
    """Send a request through the gate; None where nothing came back. Without a body, one that is as small as can be."""
    body = body or (b"{}" if method == "POST" else b"",)
    scope = {"type": "http", "method": method, "path": path, "headers": list(headers), "query_string": b""}
    scope["client"] = (client, 5000) if client else None
    parts = [{"type": "http.request", "body": part, "more_body": n < len(body) - 1} for n, part in enumerate(body)]
    sent: list[Message] = []

    async def receive() -> Any:
        return parts.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(gate(scope, receive, send))
    if not sent:
        return None
    pairs = [(name.decode(), value.decode()) for name, value in sent[0]["headers"]]
    return Reply(sent[0]["status"], pairs, b"".join(message.get("body", b"") for message in sent[1:]))


def status(*args: Any, **named: Any) -> int:
    reply = ask(*args, **named)
    assert reply is not None
    return reply.status


@pytest.fixture
def behind() -> Behind:
    return Behind()


@pytest.fixture
def gate(behind: Behind) -> Gate:
    return Gate(behind, rate=1000)


@pytest.mark.parametrize(
    "path",
    ["/", "/healthz", "/readyz",
     "/assets/index-1a.js", "/static/fonts/x.woff2", "/theme.css", "/favicon.ico", "/manifest.json", "/look/reader.css",
     "/look/embedded.js", "/embed.js", "/privacy", "/accessibility", "/words/ms",
     "/read/abc/some article.md", "/gradio_api/queue/data", "/gradio_api/heartbeat/a1b2", "/gradio_api/startup-events",
     "/gradio_api/app_id", "/sheet/0123456789abcdef/some article.pdf"],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_the_pages_read_goes_through(gate: Gate, behind: Behind, method: str, path: str) -> None:
    assert status(gate, path, method) == 200
    assert status(gate, path, "POST") == 404
    assert len(behind.scopes) == 1


@pytest.mark.parametrize("path", ["queue/join", "run/predict", "cancel", "reset"])
def test_what_the_chat_writes_goes_through(gate: Gate, path: str) -> None:
    assert status(gate, f"/gradio_api/{path}", "POST") == 200
    assert status(gate, f"/gradio_api/{path}/", "POST") == 200
    assert status(gate, f"/gradio_api/{path}") == 404


@pytest.mark.parametrize(
    "path",
    ["/gradio_api/upload", "/gradio_api/file=https://evil.example", "/gradio_api/file=/etc/passwd", "/gradio_api/file/etc",
     "/gradio_api/proxy=https://evil.example", "/config", "/config/", "/gradio_api/info", "/docs", "/redoc", "/openapi.json",
     "/login", "/monitoring", "/metrics",
     "/gradio_api/runs", "/gradio_api/call/respond", "/gradio_api/api/respond", "/robots.txt", "/x",
     "/gradio_api/run/respond", "/gradio_api/deep_link", "/gradio_api/mcp", "/gradio_api/vibe-edit", "/admin", "//", "",
     "/read/", "/read/a/../../x", "/assets/../app.py", "/look/../x.css", "/look/a/b.css", "/look/a/b.js", "/look/x.json",
     "/embed.jsx", "/embed.js/", "/embed/x.js", "/embedXjs", "/assets/", "/theme.css/",
     "/gradio_api/heartbeat/a/b", "/gradio_api/queue/data/x", "/gradio_api/queue/status", "/\n", "/theme.css\n",
     "/sheet", "/sheet/", "/sheet/0123456789abcdef", "/sheet/0123456789abcdef/", "/sheet/0123456789abcdef/a/b.pdf",
     "/sheet/0123456789abcde/a.pdf", "/sheet/0123456789abcdefa/a.pdf", "/sheet/0123456789ABCDEF/a.pdf", "/sheet/current/a.pdf",
     "/sheet/0123456789abcdef/..", "/sheet/../0123456789abcdef/a.pdf", "/sheets/0123456789abcdef/a.pdf"],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nothing_else_exists(gate: Gate, behind: Behind, method: str, path: str) -> None:
    reply = ask(gate, path, method)
    assert reply is not None
    if path == "":  # the root, as some servers write it
        assert method == "GET" or reply.status == 404
        return
    assert reply.status == 404
    assert b"There is nothing at this address." in reply.body
    assert behind.scopes == []


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "get"])
def test_no_other_method_goes_through(gate: Gate, behind: Behind, method: str) -> None:
    assert status(gate, "/", method) == 404
    assert behind.scopes == []


def test_a_body_may_have_just_so_much(gate: Gate, behind: Behind) -> None:
    path = "/gradio_api/queue/join"
    fits, over = b"{" + b" " * (MAX_BODY - 2) + b"}", b"{" + b" " * (MAX_BODY - 1) + b"}"
    assert status(gate, path, "POST", [(b"content-length", str(len(fits)).encode())], [fits]) == 200
    reply = ask(gate, path, "POST", [(b"content-length", str(len(over)).encode())], [over])
    assert reply is not None
    assert reply.status == 413
    assert b"fewer words" in reply.body
    assert behind.bodies == [fits]


def test_a_body_that_says_it_is_small_is_measured_all_the_same(gate: Gate, behind: Behind) -> None:
    chunks = [b"x" * 10_000] * 7
    for headers in ([], [(b"content-length", b"5")], [(b"content-length", b"-1")], [(b"content-length", b"x")]):
        assert status(gate, "/gradio_api/queue/join", "POST", headers, chunks) == 413
    assert behind.scopes == []


def test_a_body_that_is_not_asked_for_is_not_taken(gate: Gate, behind: Behind) -> None:
    for header in ((b"content-length", b"5"), (b"transfer-encoding", b"chunked")):
        assert status(gate, "/", "GET", [header], [b"hello"]) == 413
    assert status(gate, "/", "GET", [(b"content-length", b"0")]) == 200
    assert len(behind.scopes) == 1


def test_a_body_that_does_not_come_is_not_waited_for(gate: Gate, behind: Behind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.gate._BODY_WITHIN", 0.05)
    sent: list[Message] = []

    async def receive() -> Message:
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": JOIN[0], "headers": [], "client": None}
    asyncio.run(gate(scope, receive, send))
    assert sent[0]["status"] == 408
    assert behind.scopes == []


def test_who_goes_away_before_the_end_of_a_body_gets_no_reply(gate: Gate, behind: Behind) -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(gate({"type": "http", "method": "POST", "path": JOIN[0], "headers": [], "client": None}, receive, send))
    assert (sent, behind.scopes) == ([], [])


@pytest.mark.parametrize(
    "body",
    [
        b"", b"x", b"[]", b"null", b'"x"', b'{"data": ["x"', b'{"fn_index": -1}', b'{"fn_index": "x"}', b'{"fn_index": true}',
        b'{"fn_index": 10000}', b'{"fn_index": 0.5}', b'{"session_hash": 5}', b'{"session_hash": "../x"}',
        b'{"session_hash": ""}', b'{"data": [{"path": "/etc/passwd"}]}', b'{"data": ["x", [{"content": {"url": "http://x"}}]]}',
        b'{"data": ["x", [{"content": [{"type": "file", "file": {}}]}]]}', b'{"data": [{"component": "html"}]}',
        b'{"data": ' + b"[" * 20 + b"]" * 20 + b"}", b"[" * 60_000, b'{"a":' * 5000 + b"1" + b"}" * 5000, b"\xff\xfe{}",
    ],
)  # fmt: skip
def test_what_our_page_would_not_send_is_refused(gate: Gate, behind: Behind, body: bytes) -> None:
    for path in ("queue/join", "run/predict", "cancel", "reset"):
        assert status(gate, f"/gradio_api/{path}", "POST", body=[body]) == 400
    assert behind.scopes == []


def test_what_our_page_sends_goes_through_whole(gate: Gate, behind: Behind) -> None:
    message = '{"role": "user", "metadata": null, "content": [{"text": "path: /x, \\ud800", "type": "text"}], "options": null}'
    body = (
        f'{{"data": ["hi", [{message}]], "fn_index": 3, "session_hash": "a1b2", "trigger_id": 5, "event_data": null}}'.encode()
    )
    assert status(gate, *JOIN, body=[body[:20], body[20:]]) == 200
    assert behind.bodies == [body]


def test_a_failure_behind_is_called_ours_and_what_was_asked_is_not_written_down(caplog: pytest.LogCaptureFixture) -> None:
    async def failing(scope: Scope, receive: Receive, send: Send) -> None:
        raise ValueError("the patient said: zebra")

    reply = ask(Gate(failing, rate=9))
    assert reply is not None
    assert reply.status == 500
    assert b"Something went wrong on our side" in reply.body
    assert all(len(reply.all(name)) == 1 for name in HEADERS)
    assert "ValueError" in caplog.text
    assert "zebra" not in caplog.text
    assert b"zebra" not in reply.body


def test_what_is_made_for_one_patient_is_kept_by_no_cache_between(gate: Gate) -> None:
    for path, kept in (("/", ["private, no-cache"]), ("/read/a/b", ["private, no-cache"]), ("/assets/x.js", [])):
        reply = ask(gate, path)
        assert reply is not None
        assert reply.all("cache-control") == kept


def test_two_lengths_for_one_body_are_refused(gate: Gate, behind: Behind) -> None:
    headers = [(b"content-length", b"5"), (b"transfer-encoding", b"chunked")]
    reply = ask(gate, *JOIN, headers, [b"hello"])
    assert reply is not None
    assert (reply.status, reply.all("connection"), behind.scopes) == (400, ["close"], [])


@pytest.mark.parametrize("name", ["faq.clinic.example", "FAQ.clinic.example:443", "a.trusted.example"])
def test_the_names_that_were_set_are_answered_to(behind: Behind, name: str) -> None:
    gate = Gate(behind, rate=9, hosts=["faq.clinic.example", "*.trusted.example"])
    assert status(gate, headers=[(b"host", name.encode())]) == 200


@pytest.mark.parametrize(
    "name", ["", "evil.example", "trusted.example", "faq.clinic.example.evil.example", "xfaq.clinic.example"]
)
def test_other_names_are_not_but_for_probes(behind: Behind, name: str) -> None:
    gate = Gate(behind, rate=9, hosts=["faq.clinic.example", "*.trusted.example"])
    assert status(gate, headers=[(b"host", name.encode())]) == 400
    assert status(gate, *JOIN, [(b"host", name.encode())]) == 400
    assert status(gate, "/readyz", headers=[(b"host", name.encode())]) == 200


@pytest.mark.parametrize("name", ["a b", "x/../y", 'x"><script>', "x@evil.example", "evil.example#", "x:port", "[::1"])
def test_what_cannot_be_a_name_is_refused_where_none_was_set(gate: Gate, name: str) -> None:
    assert status(gate, headers=[(b"host", name.encode())]) == 400
    for good in (b"localhost:7860", b"127.0.0.1", b"[::1]:7860"):
        assert status(gate, headers=[(b"host", good)]) == 200


def test_each_refusal_is_counted_by_its_reason(behind: Behind) -> None:
    told: list[str] = []
    gate = Gate(behind, rate=1, hosts=["x"], refused=told.append)
    own = (b"host", b"x")
    ask(gate, headers=[own])
    ask(gate, "/admin", headers=[own])
    ask(gate, headers=[(b"host", b"y")])
    ask(gate, *JOIN, [own, (b"content-length", b"99999999")])
    ask(gate, *JOIN, [own])
    ask(gate, *JOIN, [own])
    assert told == ["path", "host", "size", "rate"]


def test_every_reply_carries_the_policies_once_and_no_permission_for_other_sites(behind: Behind) -> None:
    gate = Gate(behind, rate=1, frame_ancestors="https://clinic.example https://www.clinic.example")
    join = "/gradio_api/queue/join"
    too_big = [(b"content-length", b"99999999")]
    replies = [ask(gate), ask(gate, "/nothing"), ask(gate, join, "POST", too_big), ask(gate, join, "POST")]
    replies.append(ask(gate, join, "POST"))
    assert [reply.status for reply in replies if reply] == [200, 404, 413, 200, 429]
    for reply in replies:
        assert reply is not None
        assert all(len(reply.all(name)) == 1 for name in HEADERS)
        assert reply.all("referrer-policy") == ["no-referrer"]
        assert reply.all("access-control-allow-origin") == reply.all("access-control-allow-credentials") == []
        policy = reply.all("content-security-policy")[0].split("; ")
        assert policy[0] == "default-src 'none'"
        assert policy[-1] == "frame-ancestors 'self' https://clinic.example https://www.clinic.example"
        assert "unsafe-eval" not in str(policy)
    assert replies[0] is not None
    assert replies[0].all("x-own") == ["kept"]


def test_without_framing_origins_only_the_site_itself_may_frame(gate: Gate) -> None:
    reply = ask(gate)
    assert reply is not None
    assert reply.all("content-security-policy")[0].endswith("frame-ancestors 'self'")


def test_an_address_may_ask_so_often_and_is_told_why_not_more(behind: Behind) -> None:
    gate = Gate(behind, rate=3)
    assert [status(gate, *JOIN) for _ in range(5)] == [200, 200, 200, 429, 429]
    assert status(gate, "/gradio_api/run/predict", "POST") == 429
    reply = ask(gate, *JOIN)
    assert reply is not None
    assert b"wait a minute, or phone us" in reply.body
    assert status(gate) == 200  # reading goes on
    assert status(gate, *JOIN, client="192.0.2.2") == 200  # and so does everybody else


def test_other_requests_are_limited_too_but_not_what_a_page_is_made_of(behind: Behind) -> None:
    gate = Gate(behind, rate=2)
    paths = ["/", "/read/a/b", "/gradio_api/heartbeat/a", "/gradio_api/queue/data"] * 11
    codes = [status(gate, path) for path in paths]
    assert codes == [200] * 40 + [429] * 4
    assert status(gate, *JOIN) == 200  # asking is counted for itself
    for path in ("/assets/x.js", "/look/x.css", "/healthz"):
        assert {status(gate, path) for _ in range(50)} == {200}


def _from(address: str) -> list[tuple[bytes, bytes]]:
    return [(b"x-forwarded-for", address.encode())]


def test_an_untrusted_word_about_the_address_changes_nothing(behind: Behind) -> None:
    gate = Gate(behind, rate=2)
    assert [status(gate, *JOIN, _from(f"198.51.100.{n}")) for n in range(4)] == [200, 200, 429, 429]


def test_behind_a_proxy_each_patient_is_counted_alone_by_the_proxy_s_own_entry(behind: Behind) -> None:
    gate = Gate(behind, rate=1, trust_proxy=True)
    assert [status(gate, *JOIN, _from(address)) for address in ("198.51.100.1", "198.51.100.2", "198.51.100.1")] == [
        200,
        200,
        429,
    ]
    # What stands before the last entry was written by the patient.
    assert [status(gate, *JOIN, _from(f"203.0.113.{n}, 198.51.100.9")) for n in range(2)] == [200, 429]
    assert [status(gate, *JOIN) for _ in range(2)] == [200, 429]


def test_one_line_of_the_new_internet_counts_as_one_address(behind: Behind) -> None:
    gate = Gate(behind, rate=1)
    assert [
        status(gate, *JOIN, client=client) for client in ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1")
    ] == [
        200,
        429,
        200,
    ]
    mapped = ["::ffff:192.0.2.7", "::ffff:192.0.2.8", "192.0.2.8"]
    assert [status(gate, *JOIN, client=client) for client in mapped] == [200, 200, 429]


def test_a_request_from_nowhere_is_counted_too(behind: Behind) -> None:
    gate = Gate(behind, rate=1)
    assert [status(gate, *JOIN, client=None) for _ in range(2)] == [200, 429]


@pytest.mark.parametrize("trust_proxy", [False, True])
def test_headers_that_bend_addresses_never_reach_the_application(behind: Behind, trust_proxy: bool) -> None:
    bent = [(b"X-Forwarded-Host", b"evil.example"), (b"x-gradio-server", b"https://evil.example"), (b"forwarded", b"host=e")]
    believed = [(b"x-forwarded-proto", b"https"), (b"x-forwarded-for", b"192.0.2.9")]
    own = [(b"host", b"chat.example"), (b"accept", b"text/html")]
    assert status(Gate(behind, rate=9, trust_proxy=trust_proxy), headers=[*bent, *believed, *own]) == 200
    assert behind.scopes[0]["headers"] == [*(believed if trust_proxy else []), *own]


def test_websockets_are_refused_and_the_start_goes_through(behind: Behind) -> None:
    sent: list[Message] = []
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    gate = Gate(app, rate=1)
    asyncio.run(gate({"type": "websocket", "path": "/", "headers": []}, receive, send))
    assert (seen, [message["type"] for message in sent]) == ([], ["websocket.close"])
    asyncio.run(gate({"type": "lifespan"}, receive, send))
    assert [scope["type"] for scope in seen] == ["lifespan"]
