"""The staff's gate, asked directly: what comes through for whom, and what never does."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from staffing import EDITOR, PASSWORD, PUBLISHER, Clock, cheap
from starlette.types import Message, Receive, Scope, Send

from web.staff.accounts import Accounts
from web.staff.gate import MAX_CALL, MAX_FORM, MAX_UPLOAD, StaffGate, Visit
from web.staff.sessions import IDLE, Sessions

JOIN = "/gradio_api/queue/join"
HOST = (b"host", b"127.0.0.1:7861")
OWN = (b"origin", b"http://127.0.0.1:7861")
# Every path of Gradio's, and of others, that the page does not need.
NOT_THERE = [
    "/gradio_api/upload", "/gradio_api/file=/etc/passwd", "/gradio_api/file=https://evil.example", "/gradio_api/file/etc",
    "/gradio_api/proxy=https://evil.example", "/config", "/config/", "/gradio_api/info", "/docs", "/redoc", "/openapi.json",
    "/monitoring", "/metrics", "/gradio_api/runs", "/gradio_api/call/x", "/gradio_api/api/x", "/gradio_api/run/greet", "/x",
    "/gradio_api/component_server", "/gradio_api/process_recording", "/gradio_api/upload_progress", "/gradio_api/login_check",
    "/gradio_api/token", "/gradio_api/user", "/gradio_api/dev/reload", "/gradio_api/vibe-edit", "/gradio_api/mcp", "/svelte/x",
    "/gradio_api/stream/a/b/1/playlist.m3u8", "/gradio_api/custom_component/a/b/c/d", "/gradio_api/deep_link", "//", "/a//b",
    "/assets/../app.py", "/look/../x.css", "/own/../x", "/own/a\\..\\x", "/assets/a b", "/gradio_api/queue/data/x", "/\n",
    "/gradio_api/heartbeat/a/b", "/login/", "/login/x", "/LOGIN", "/healthz/", "/look/login.css/x", "/login\n", "/healthz/../",
    "/gradio_api/queue/join/x",
]  # fmt: skip


@dataclass
class Behind:
    """An application that reads its whole body, and remembers what it was asked."""

    scopes: list[Scope] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        self.bodies.append(body)
        headers = [(b"access-control-allow-origin", b"https://evil.example"), (b"access-control-allow-credentials", b"true")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"through"})


@dataclass
class Reply:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name]


@dataclass
class Front:
    """A gate with two people signed in."""

    gate: StaffGate
    behind: Behind
    clock: Clock
    tokens: dict[str, str]

    def ask(
        self,
        path: str = "/",
        method: str = "GET",
        who: str = "",
        headers: Sequence[tuple[bytes, bytes]] = (HOST, OWN),
        body: bytes = b"{}",
        cookie: bytes = b"staff",
        query: bytes = b"",
    ) -> Reply:
        kept = [*headers, *([(b"cookie", cookie + b"=" + self.tokens[who].encode())] if who else [])]
        if method == "POST" and not {b"content-length", b"transfer-encoding"} & {name for name, _ in kept}:
            kept.append((b"content-length", str(len(body)).encode()))
        scope = {"type": "http", "method": method, "path": path, "headers": kept, "query_string": query, "scheme": "http"}
        parts = [{"type": "http.request", "body": body if method == "POST" else b""}]
        sent: list[Message] = []

        async def receive() -> Message:
            return parts.pop(0) if parts else {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)

        asyncio.run(self.gate({**scope, "client": ("192.0.2.1", 5)}, receive, send))
        pairs = [(name.decode(), value.decode()) for name, value in sent[0]["headers"]]
        return Reply(sent[0]["status"], pairs, b"".join(message.get("body", b"") for message in sent[1:]))


@pytest.fixture
def front(tmp_path: Path) -> Front:
    return _front(tmp_path)


def _front(folder: Path, hosts: Sequence[str] = (), trust_proxy: bool = False) -> Front:
    accounts, clock, behind = Accounts(folder / "staff.json", cheap()), Clock(), Behind()
    sessions = Sessions(accounts, clock)
    tokens = {
        name: sessions.open(accounts.add(name, role, PASSWORD)) for name, role in ((EDITOR, "editor"), (PUBLISHER, "publisher"))
    }
    return Front(StaffGate(behind, sessions, hosts, trust_proxy), behind, clock, tokens)


def test_without_a_session_there_is_only_the_way_in(front: Front) -> None:
    for path in ("/login", "/look/login.css", "/healthz"):
        assert front.ask(path).status == 200
        assert front.ask(path, "HEAD").status == 200
    assert front.ask("/login", "POST").status == 200
    assert all(scope["staff"].seat is None for scope in front.behind.scopes)


@pytest.mark.parametrize(
    "path",
    ["/", "/theme.css", "/assets/index-1a.js", "/static/x.woff2", "/look/page.js", "/look/page.css", "/own/sheet/a.pdf",
     "/upload", "/gradio_api/queue/data", "/gradio_api/heartbeat/abc", "/gradio_api/startup-events", "/gradio_api/app_id",
     "/manifest.json", "/favicon.ico", JOIN, "/gradio_api/run/predict", "/gradio_api/cancel", "/gradio_api/reset", *NOT_THERE],
)  # fmt: skip
def test_everything_else_needs_one(front: Front, path: str) -> None:
    html = [HOST, (b"accept", b"text/html")]
    for reply in (front.ask(path), front.ask(path, headers=html), front.ask(path, "HEAD"), front.ask(path, "POST")):
        assert reply.status in {303, 401}
        assert reply.all("location") == (["/login"] if reply.status == 303 else [])
        assert b"through" not in reply.body
    assert front.ask(path, "POST").status == 401
    if path.startswith("/gradio_api"):
        assert front.ask(path, headers=html).status == 401
    assert front.behind.scopes == []


@pytest.mark.parametrize("path", NOT_THERE)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_what_the_page_does_not_need_is_not_there_for_anybody(front: Front, method: str, path: str) -> None:
    assert front.ask(path, method, PUBLISHER).status == 404
    assert front.behind.scopes == []


def test_who_is_signed_in_gets_what_the_page_needs_and_is_known_behind(front: Front) -> None:
    read = ["/", "/theme.css", "/assets/index-1a.js", "/static/fonts/x.woff2", "/look/page.js", "/own/sheet/a & b.pdf"]
    read += ["/gradio_api/queue/data", "/gradio_api/heartbeat/a1", "/gradio_api/startup-events"]
    for path in read:
        assert front.ask(path, who=EDITOR).status == 200
    for path in (JOIN, JOIN + "/", "/gradio_api/run/predict", "/gradio_api/cancel", "/gradio_api/reset"):
        assert front.ask(path, "POST", EDITOR).status == 200
    visits: list[Visit] = [scope["staff"] for scope in front.behind.scopes]
    assert {visit.seat.name for visit in visits if visit.seat} == {EDITOR}
    assert {visit.address for visit in visits} == {"192.0.2.1"}


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "get"])
def test_no_other_method_comes_through(front: Front, method: str) -> None:
    assert front.ask("/", method, PUBLISHER).status == 405
    assert front.ask("/login", method).status == 405
    assert front.behind.scopes == []


@pytest.mark.parametrize(
    "headers",
    [
        [], [(b"origin", b"null")], [(b"origin", b"https://evil.example")], [(b"origin", b"http://127.0.0.1:7862")],
        [(b"origin", b"http://127.0.0.1")], [(b"origin", b"http://127.0.0.1:7861.evil.example")], [(b"origin", b"")],
        [(b"origin", b"ftp://127.0.0.1:7861")], [(b"origin", b"127.0.0.1:7861")], [(b"origin", b"http://x@127.0.0.1:7861")],
        [(b"origin", b"http://localhost:7861")], [(b"origin", b"\xff")], [(b"origin", b"http://[::1")],
        [(b"referer", b"https://evil.example/http://127.0.0.1:7861/")], [(b"referer", b"http://127.0.0.1:7861@evil.example/")],
        [(b"origin", b"null"), (b"referer", b"http://127.0.0.1:7861/")],
        [(b"origin", b"https://evil.example"), (b"referer", b"http://127.0.0.1:7861/")],
    ],
)  # fmt: skip
def test_what_another_site_sends_is_refused_before_anything_is_done(front: Front, headers: list[tuple[bytes, bytes]]) -> None:
    for path in ("/login", "/logout", "/upload", JOIN, "/gradio_api/run/predict"):
        assert front.ask(path, "POST", PUBLISHER, [HOST, *headers]).status == 403
        assert front.ask(path, "POST", "", [HOST, *headers]).status == 403
    assert front.behind.scopes == []


def test_our_own_page_is_known_by_its_origin_or_by_where_it_was(front: Front) -> None:
    for header in (OWN, (b"origin", b"HTTP://127.0.0.1:7861"), (b"referer", b"http://127.0.0.1:7861/login?x")):
        assert front.ask("/login", "POST", "", [HOST, header]).status == 200


def test_what_another_site_sends_keeps_no_session_alive(front: Front) -> None:
    front.clock.pass_(IDLE - 1)
    front.ask(JOIN, "POST", EDITOR, [HOST, (b"origin", b"https://evil.example")])
    front.clock.pass_(1)
    assert front.ask("/", who=EDITOR).status == 303


@pytest.mark.parametrize("path", ["/gradio_api/heartbeat/a", "/gradio_api/queue/data", "/assets/x.js", "/theme.css"])
def test_a_page_that_lies_open_keeps_no_session_alive(front: Front, path: str) -> None:
    front.clock.pass_(IDLE - 1)
    assert front.ask(path, who=EDITOR).status == 200
    front.clock.pass_(1)
    assert front.ask("/", who=EDITOR).status == 303


@pytest.mark.parametrize("path", ["/", JOIN])
def test_doing_something_does(front: Front, path: str) -> None:
    front.clock.pass_(IDLE - 1)
    assert front.ask(path, "GET" if path == "/" else "POST", EDITOR).status == 200
    front.clock.pass_(IDLE - 1)
    assert front.ask("/", who=EDITOR).status == 200


@pytest.mark.parametrize(
    "host", [b"evil.example", b"", b"127.0.0.1.evil.example", b"localhost.evil.example", b"a b", b"192.0.2.7"]
)
def test_other_names_than_this_machine_s_are_not_answered_to(front: Front, host: bytes) -> None:
    own = (b"origin", b"http://" + host)
    for reply in (front.ask(who=EDITOR, headers=[(b"host", host)]), front.ask("/login", headers=[(b"host", host)])):
        assert reply.status == 400
    assert front.ask("/login", "POST", "", [(b"host", host), own]).status == 400
    assert front.ask("/healthz", headers=[(b"host", host)]).status == 200
    for ours in (b"localhost:7861", b"127.0.0.1", b"[::1]:7861"):
        assert front.ask("/login", headers=[(b"host", ours)]).status == 200


def test_names_that_were_set_are_answered_to_and_this_machine_s_no_more(tmp_path: Path) -> None:
    front = _front(tmp_path, ["staff.clinic.example"])
    assert front.ask("/login", headers=[(b"host", b"Staff.Clinic.example:443")]).status == 200
    assert front.ask("/login").status == 400


def test_a_body_has_a_limit_that_fits_its_use(front: Front) -> None:
    call = b'{"data": ["' + b"x" * (MAX_CALL - 14) + b'"]}'
    assert len(call) == MAX_CALL
    assert front.ask(JOIN, "POST", EDITOR, body=call).status == 200
    assert front.ask(JOIN, "POST", EDITOR, body=call + b" ").status == 413
    assert front.ask("/login", "POST", body=b"x" * MAX_FORM).status == 200
    assert front.ask("/login", "POST", body=b"x" * (MAX_FORM + 1)).status == 413
    assert front.ask("/logout", "POST", EDITOR, body=b"x" * (MAX_FORM + 1)).status == 413
    assert front.ask(JOIN, "POST", "", body=b"{}" + b" " * MAX_CALL).status == 413


def test_a_body_that_says_it_is_small_is_measured_all_the_same(front: Front) -> None:
    for length in ((b"content-length", b"5"), (b"content-length", b"-1"), (b"transfer-encoding", b"chunked")):
        assert front.ask("/login", "POST", "", [HOST, OWN, length], b"x" * (MAX_FORM + 1)).status == 413
    assert front.behind.scopes == []


def test_a_file_may_be_as_long_as_it_says_and_says_so(front: Front) -> None:
    for said, status in ((1, 200), (MAX_UPLOAD, 200), (MAX_UPLOAD + 1, 413), (0, 411)):
        length = (b"content-length", str(said).encode())
        assert front.ask("/upload", "POST", EDITOR, [HOST, OWN, length]).status == status
    assert front.ask("/upload", "POST", EDITOR, [HOST, OWN, (b"transfer-encoding", b"chunked")]).status == 411
    assert front.ask("/upload", "POST", "", [HOST, OWN, (b"content-length", b"9")]).status == 401


def test_a_body_that_is_not_asked_for_and_one_of_two_lengths_are_not_taken(front: Front) -> None:
    for header in ((b"content-length", b"5"), (b"transfer-encoding", b"chunked")):
        assert front.ask("/", "GET", EDITOR, [HOST, header]).status == 413
    both = [HOST, OWN, (b"content-length", b"2"), (b"transfer-encoding", b"chunked")]
    reply = front.ask(JOIN, "POST", EDITOR, both)
    assert (reply.status, reply.all("connection")) == (400, ["close"])
    assert front.behind.scopes == []


@pytest.mark.parametrize(
    "body",
    [b"", b"x", b"[]", b'{"data": [{"path": "/etc/passwd"}]}', b'{"data": [{"url": "http://evil.example"}]}',
     b'{"data": [[{"x": {"file": {}}}]]}', b'{"data": [{"component": "html"}]}', b'{"session_hash": "../x"}', b"[" * 60_000],
)  # fmt: skip
def test_a_call_that_names_a_file_or_cannot_be_read_is_refused(front: Front, body: bytes) -> None:
    assert front.ask(JOIN, "POST", PUBLISHER, body=body).status == 400
    assert front.behind.scopes == []


def test_a_page_is_its_opener_s_alone(front: Front) -> None:
    own, other = b'{"session_hash": "page1"}', b'{"session_hash": "page2"}'
    assert front.ask(JOIN, "POST", PUBLISHER, body=own).status == 200
    assert front.ask("/gradio_api/heartbeat/page2", who=EDITOR).status == 200
    for path in (JOIN, "/gradio_api/run/predict", "/gradio_api/cancel", "/gradio_api/reset"):
        assert front.ask(path, "POST", EDITOR, body=own).status == 401
        assert front.ask(path, "POST", PUBLISHER, body=other).status == 401
        assert front.ask(path, "POST", EDITOR, body=other).status == 200
    for query in (b"session_hash=page1", b"session_hash=page2&session_hash=page1", b"session_hash=%70age1"):
        assert front.ask("/gradio_api/queue/data", who=EDITOR, query=query).status == 401
    assert front.ask("/gradio_api/queue/data", who=PUBLISHER, query=b"session_hash=page1").status == 200
    assert front.ask("/gradio_api/heartbeat/page1", who=EDITOR).status == 401


def test_of_two_cookies_with_one_name_none_is_believed(front: Front) -> None:
    own, other = (front.tokens[name].encode() for name in (EDITOR, PUBLISHER))
    for cookies in ([b"staff=" + own + b"; staff=" + other], [b"staff=" + own, b"staff=" + other], [b"staff=" + own + b"x"]):
        assert front.ask(headers=[HOST, *((b"cookie", cookie) for cookie in cookies)]).status == 303
    assert front.ask(headers=[HOST, (b"cookie", b"other=1; staff=" + own + b"; b=2")]).status == 200


def test_by_https_only_the_cookie_of_this_host_counts_and_only_the_proxy_says_so(tmp_path: Path) -> None:
    front = _front(tmp_path, ["staff.clinic.example"], trust_proxy=True)
    host, origin = (b"host", b"staff.clinic.example"), (b"origin", b"https://staff.clinic.example")
    https = [host, origin, (b"x-forwarded-proto", b"https"), (b"x-forwarded-for", b"192.0.2.66, 198.51.100.9")]
    assert front.ask(who=EDITOR, headers=https, cookie=b"__Host-staff").status == 200
    assert front.ask(who=EDITOR, headers=https, cookie=b"staff").status == 303
    assert front.behind.scopes[0]["staff"].address == "198.51.100.9"
    # By https, what a page of http sends is another origin's.
    plain = [host, (b"origin", b"http://staff.clinic.example"), (b"x-forwarded-proto", b"https")]
    assert front.ask("/login", "POST", headers=plain).status == 403
    assert front.ask("/login", "POST", headers=https).status == 200


def test_who_only_claims_to_be_a_proxy_is_not_believed(front: Front) -> None:
    claimed = [
        HOST,
        OWN,
        (b"x-forwarded-proto", b"https"),
        (b"x-forwarded-for", b"192.0.2.9"),
        (b"x-forwarded-host", b"evil.example"),
    ]
    assert front.ask(who=EDITOR, headers=claimed).status == 200
    assert front.ask(who=EDITOR, headers=claimed, cookie=b"__Host-staff").status == 303
    scope = front.behind.scopes[0]
    assert (scope["staff"].address, scope["staff"].https) == ("192.0.2.1", False)
    assert not {name for name, _ in scope["headers"] if name.startswith(b"x-forwarded")}


def test_every_reply_has_the_policies_once_is_kept_by_nobody_and_permits_no_other_site(front: Front) -> None:
    replies = [front.ask(who=EDITOR), front.ask(), front.ask("/login"), front.ask("/x", who=EDITOR), front.ask("/x", "PUT")]
    replies += [front.ask(JOIN, "POST"), front.ask(JOIN, "POST", EDITOR, body=b"x"), front.ask("/assets/x.js")]
    replies += [front.ask("/login", "POST", headers=[HOST]), front.ask(headers=[(b"host", b"evil.example")])]
    for reply in replies:
        assert reply.all("cache-control") == ["no-store"]
        assert reply.all("x-frame-options") == ["DENY"]
        assert reply.all("x-content-type-options") == ["nosniff"]
        assert reply.all("referrer-policy") == ["same-origin"]
        assert reply.all("cross-origin-opener-policy") == reply.all("cross-origin-resource-policy") == ["same-origin"]
        assert not [name for name, _ in reply.headers if name.startswith("access-control")]
        policy = reply.all("content-security-policy")
        assert len(policy) == 1
        assert "frame-ancestors 'none'" in policy[0]
        assert "default-src 'none'" in policy[0]
        assert "unsafe-eval" not in policy[0]
    assert "script" not in replies[2].all("content-security-policy")[0]
    # What Gradio's own files say is the same for everybody, and each version has another name.
    assert front.ask("/assets/x.js", who=EDITOR).all("cache-control") == ["private, max-age=86400"]


def test_a_stream_ends_with_its_session(front: Front) -> None:
    sent: list[Message] = []
    went_on: list[int] = []

    async def streaming(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for number in range(5):
            if number == 2:
                front.clock.pass_(IDLE)
            await send({"type": "http.response.body", "body": b"%d" % number, "more_body": True})
            went_on.append(number)

    async def send(message: Message) -> None:
        sent.append(message)

    front.gate._app = streaming
    headers = [HOST, (b"cookie", b"staff=" + front.tokens[EDITOR].encode())]
    scope = {"type": "http", "method": "GET", "path": "/gradio_api/queue/data", "headers": headers, "query_string": b""}
    asyncio.run(front.gate({**scope, "client": None}, _never, send))
    assert [message.get("body") for message in sent[1:]] == [b"0", b"1", b""]
    assert not sent[-1].get("more_body")
    assert went_on == [0, 1]


async def _never() -> Message:
    return {"type": "http.disconnect"}


def test_a_failure_behind_is_called_ours_and_what_was_sent_is_not_written_down(
    front: Front, caplog: pytest.LogCaptureFixture
) -> None:
    async def failing(scope: Scope, receive: Receive, send: Send) -> None:
        raise ValueError("the password was zebra")

    front.gate._app = failing
    reply = front.ask(JOIN, "POST", EDITOR)
    assert reply.status == 500
    assert "ValueError" in caplog.text
    assert "zebra" not in caplog.text + reply.body.decode()


def test_websockets_are_closed_and_the_lifespan_goes_through(front: Front) -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [HOST, (b"cookie", b"staff=" + front.tokens[EDITOR].encode())]
    asyncio.run(front.gate({"type": "websocket", "path": "/", "headers": headers}, _never, send))
    assert [message["type"] for message in sent] == ["websocket.close"]
    assert front.behind.scopes == []
    asyncio.run(front.gate({"type": "lifespan"}, _never, send))
    assert len(front.behind.scopes) == 1
