"""The running app, attacked as somebody on the internet could: one test for each attack, named for what must hold."""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest
from playwright.sync_api import expect, sync_playwright
from support import BROWSER, FLAGS, ROOT, why_no_browser

from retrieval.build import build
from retrieval.encoder import Encoder
from retrieval.release import current_id

sys.path.insert(0, str(ROOT / "tests" / "web"))
from seen import Seen

JOIN = "/gradio_api/queue/join"
POLICIES = ("content-security-policy", "referrer-policy", "x-content-type-options", "permissions-policy")
# Would be in a reply that tells of our insides.
INSIDES = re.compile(r'Traceback|File "|site-packages|\.py\b|/tmp/|/home/|/root/|/usr/lib|Exception')
# What messages are made of: nothing that loads, runs, sends or covers something.
HARMLESS = set(
    "a aside b blockquote br button caption cite code dd details div dl dt em figcaption figure footer h2 h3 h4 header li mark "
    "ol p q section small span strong summary table tbody td th thead time tr ul".split()
)
SCRIPT = "<script>window.pwned=1</script>"
IMAGE = "<img src=https://evil.example/x.png onerror=window.pwned=1>"
HOSTILE = [
    SCRIPT,
    IMAGE,
    "<svg onload=window.pwned=1>",
    "<iframe src=javascript:window.pwned=1></iframe>",
    "<form action=https://evil.example><input name=x></form>",
    "<div style=position:fixed;inset:0>cover</div>",
    "<a href='javascript:window.pwned=1'>x</a>",
    "<math><mtext></mtext><mglyph><style><img src=x onerror=window.pwned=1></style></math>",
    "![x](https://evil.example/x.png)",
    "[click](javascript:window.pwned=1)",
    "<https://evil.example>",
    "```html\n<script>window.pwned=1</script>\n```",
    "# heading\n\n| a | b |\n|---|---|\n| 1 | 2 |",
    "$$\\href{javascript:window.pwned=1}{x}$$",
    "{{7*191}} ${7*191} <%= 7*191 %> #{7*191} {% print(7*191) %}",
    "&lt;script&gt;window.pwned=1&lt;/script&gt; &#60;img src=x&#62;",
    "</div></section><script>window.pwned=1</script><div class='",
    "\x02mark\x03 \x00 nul",
]


@dataclass(frozen=True)
class Running:
    """The running app, its address and what it complained of so far."""

    port: int
    log: Path
    index: Path

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, source: str = "127.0.0.1") -> httpx.Client:
        """A visitor; `source` is the address that it comes from, for which this machine has all of 127.0.0.0/8."""
        # Nothing here is encrypted; reading the machine's certificates for each visitor takes longer than most attacks.
        transport = httpx.HTTPTransport(local_address=source, verify=False)
        return httpx.Client(base_url=self.address, timeout=30, trust_env=False, transport=transport)

    def connect(self, source: str = "127.0.0.1") -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), 20, (source, 0))

    def raw(self, request: bytes, source: str = "127.0.0.1") -> bytes:
        """What comes back for these very bytes, to the end of the connection, or to its silence for some seconds."""
        with self.connect(source) as line:
            line.settimeout(6)
            with contextlib.suppress(OSError):
                line.sendall(request)
            came = b""
            with contextlib.suppress(OSError):
                while part := line.recv(65536):
                    came += part
        return came


@contextlib.contextmanager
def running(index: Path, folder: Path, **settings: str) -> Iterator[Running]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    kept = {name: value for name, value in os.environ.items() if name == "PATIENT_FAQ_MODELS" or "PATIENT_FAQ" not in name}
    own = {"PORT": str(port), "INDEX": str(index), "CORPUS": str(folder / "corpus"), "RATE": "3000", **settings}
    environment = {
        **kept,
        "GRADIO_TEMP_DIR": str(folder / "gradio"),
        **{f"PATIENT_FAQ_{name}": value for name, value in own.items()},
    }
    log = folder / f"log-{port}"
    with log.open("w") as errors, subprocess.Popen(
        [sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True
    ) as app:  # fmt: skip
        try:
            assert app.stdout is not None
            assert "Starting" in app.stdout.readline()
            assert "The chat is at" in app.stdout.readline(), log.read_text()
            yield Running(port, log, index)
            assert app.poll() is None, "an attack ended the app"
        finally:
            app.terminate()
            app.wait(20)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, real_encoder: Encoder) -> Path:
    """A release with an ordinary article and one that is hostile wherever it can be: in its name, title, headings and text."""
    folder = tmp_path_factory.mktemp("attacked")
    articles = folder / "corpus" / "articles"
    articles.mkdir(parents=True)
    (folder / "corpus" / "clinic.toml").write_text('name = "Test Clinic"\nphone = "+1 555 0100"\nemergency_number = "112"\n')
    (articles / "redness.md").write_text("# Redness\n\n## How long are you red?\n\nRedness fades in two days.\n")
    name = "<svg onload=window.pwned=1>'\"&{{7*191}}.txt"
    (articles / name).write_text(
        f"Swelling {SCRIPT}\n\nWhat helps with swelling {IMAGE}?\n\n"
        f"Cool packs {SCRIPT} help with swelling {IMAGE} and [so](javascript:window.pwned=1) does rest {{{{7*191}}}}.\n",
        encoding="utf-8",
    )
    (articles / f"{name}.toml").write_text(
        f"title = '''Swelling {SCRIPT}'''\nreviewed_by = '''Dr {IMAGE}'''\nreviewed_on = 2026-05-03\n"
        f"based_on = '''{SCRIPT}'''\ntopics = ['''{IMAGE}''']\n",
        encoding="utf-8",
    )
    report = build(folder / "corpus", folder / "index", real_encoder)
    assert report.release
    return folder


@pytest.fixture(scope="module")
def app(folder: Path) -> Iterator[Running]:
    """The app as a clinic runs it: it knows its names."""
    with running(folder / "index", folder, HOSTS="127.0.0.1,faq.clinic.example") as app:
        yield app
        complaints = app.log.read_text()
    assert "pwned" not in complaints, "what a patient wrote stands in the log"


@pytest.fixture(scope="module")
def strict(folder: Path) -> Iterator[Running]:
    """The app with a low limit, and with no names set."""
    with running(folder / "index", folder, RATE="3") as app:
        yield app


@pytest.fixture
def visitor(app: Running) -> Iterator[httpx.Client]:
    with app.client() as client:
        yield client


def blameless(reply: httpx.Response) -> httpx.Response:
    """Holds of every reply, whatever was asked: our policies, no permission for other sites, nothing of our insides."""
    for name in POLICIES:
        assert len(reply.headers.get_list(name)) == 1, (name, reply.url)
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["referrer-policy"] == "no-referrer"
    assert not [name for name in reply.headers if name.startswith("access-control-") or name in {"server", "set-cookie"}]
    if reply.status_code >= 400:
        assert not INSIDES.search(reply.text), reply.text[:400]
    return reply


def blameless_bytes(came: bytes) -> int:
    """The same of raw bytes; returns the status of the only reply, 0 where the connection was just ended."""
    if not came:
        return 0
    head, _, body = came.partition(b"\r\n\r\n")
    for name in POLICIES:
        assert head.lower().count(f"\r\n{name}:".encode()) == 1, came[:400]
    assert b"\r\nserver:" not in head.lower()
    status = int(head.split()[1])
    if status >= 400:
        assert not INSIDES.search(body.decode("utf-8", "replace")), body[:400]
    return status


def configuration(visitor: httpx.Client) -> dict[str, Any]:
    page = blameless(visitor.get("/")).text
    found = re.search(r"window\.gradio_config = (\{.*?\});</script>", page, re.DOTALL)
    assert found
    return dict(json.loads(found[1]))


ANSWERING: dict[str, int] = {}


def asking(visitor: httpx.Client) -> int:
    """The number of the function that answers: the one that a press of Enter calls with two things. Looked up once an app."""
    address = str(visitor.base_url)
    if address not in ANSWERING:
        for each in configuration(visitor)["dependencies"]:
            if len(each["inputs"]) == 2 and any(target[1] == "submit" for target in each["targets"]):
                ANSWERING[address] = int(each["id"])
    assert address in ANSWERING, "no function answers"
    return ANSWERING[address]


def ask(visitor: httpx.Client, question: Any, session: str, history: Any = ()) -> httpx.Response:
    said = {"data": [question, list(history)], "fn_index": asking(visitor), "session_hash": session}
    return blameless(visitor.post(JOIN, content=json.dumps(said), headers={"content-type": "application/json"}))


def outcome(visitor: httpx.Client, session: str) -> dict[str, Any]:
    """The event that ends a question."""
    with visitor.stream("GET", "/gradio_api/queue/data", params={"session_hash": session}) as events:
        blameless_stream = [len(events.headers.get_list(name)) for name in POLICIES]
        assert blameless_stream == [1] * len(POLICIES)
        for line in events.iter_lines():
            if line.startswith("data:"):
                event = json.loads(line[5:])
                if event["msg"] in {"process_completed", "unexpected_error", "close_stream"}:
                    assert not INSIDES.search(line), line[:400]
                    return dict(event)
    raise AssertionError("no answer came")


def contents(event: dict[str, Any]) -> list[str]:
    """The messages of the chat in an event, as HTML."""

    def text(content: Any) -> str:
        parts = content if isinstance(content, list) else [content]
        return " ".join(part["text"] if isinstance(part, dict) else part for part in parts)

    assert event["success"] is True, event
    chat = next(one for one in event["output"]["data"] if isinstance(one, dict) and isinstance(one.get("value"), list))
    return [text(message["content"]) for message in chat["value"]]


def harmless(html: str) -> Seen:
    """What a browser makes of a message: only elements that can do nothing, and links to where ours lead."""
    seen = Seen(html)
    assert set(seen.tags) <= HARMLESS, set(seen.tags) - HARMLESS
    for tag, attributes in seen.elements:
        assert not [name for name in attributes if name.startswith("on") or name in {"src", "style", "srcdoc", "action"}], tag
        assert re.match(r"/read/|tel:|mailto:|https://|$", attributes.get("href") or ""), attributes
        assert "evil.example" not in (attributes.get("href") or "")
    return seen


def still_answers(visitor: httpx.Client, session: str) -> None:
    """Whatever was done to it, the next patient gets an answer."""
    deadline = time.monotonic() + 30
    # Gradio's queue, which the page does not use, has one place, and what was sent before may still be in it.
    while (reply := ask(visitor, "How long are you red?", session)).status_code == 503 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert reply.status_code == 200
    assert "Redness fades in two days" in Seen(contents(outcome(visitor, session))[-1]).text


# Other paths and methods


def gradio_routes() -> list[tuple[str, str]]:
    """Every method and path that the installed Gradio knows, with something in the place of each parameter.

    Both those of an app with everything on and those in its source, some of which are only there when deployed in some way.
    """
    import gradio
    from gradio import routes

    with gradio.Blocks(analytics_enabled=False) as page:
        gradio.Textbox()
    found: set[tuple[str, str]] = set()

    def walk(each: Sequence[Any], prefix: str) -> None:
        for route in each:
            path = prefix + getattr(route, "path", "")
            found.update((method, path) for method in getattr(route, "methods", None) or ())
            walk(getattr(getattr(route, "app", None), "routes", None) or getattr(route, "routes", None) or (), path)

    walk(routes.App.create_app(page).routes, "")
    for room, method, path in re.findall(
        r'@(router|app)\.(get|post|put|delete|head|patch)\(\s*f?"([^"]*)"', inspect.getsource(routes)
    ):
        for prefix in ("/gradio_api", "") if room == "router" else ("",):
            found.add((method.upper(), prefix + path))
    found |= {("GET", "/gradio_api/mcp/sse"), ("POST", "/gradio_api/mcp/"), ("POST", "/gradio_api/component_server")}
    found |= {(method, "/gradio_api" + path) for method, path in found if not path.startswith("/gradio_api")}
    return sorted({(method, re.sub(r"\{[^}]*\}", "x", path)) for method, path in found})


ROUTES = gradio_routes()
# What the chat needs of Gradio. A route that a new version brings is not here, and must not be there.
NEEDED = {
    ("GET", "/"), ("HEAD", "/"), ("GET", "/assets/x"), ("GET", "/static/x"), ("GET", "/theme.css"), ("GET", "/favicon.ico"),
    ("GET", "/manifest.json"), ("GET", "/gradio_api/queue/data"), ("GET", "/gradio_api/heartbeat/x"),
    ("GET", "/gradio_api/startup-events"), ("GET", "/gradio_api/app_id"), ("POST", "/gradio_api/queue/join"),
    ("POST", "/gradio_api/run/predict"), ("POST", "/gradio_api/cancel"), ("POST", "/gradio_api/reset"),
    ("POST", "/gradio_api/reset/"),
}  # fmt: skip
OTHERS = [route for route in ROUTES if route not in NEEDED]


def test_the_list_of_gradio_s_routes_is_a_real_one() -> None:
    assert len(ROUTES) > 100
    for known in (
        ("POST", "/gradio_api/upload"),
        ("GET", "/gradio_api/file=x"),
        ("GET", "/config"),
        ("GET", "/gradio_api/info"),
    ):
        assert known in ROUTES


@pytest.mark.parametrize(("method", "path"), OTHERS, ids=map(" ".join, OTHERS))
def test_a_route_of_gradio_that_the_chat_does_not_need_is_not_there(visitor: httpx.Client, method: str, path: str) -> None:
    reply = blameless(visitor.request(method, path))
    assert reply.status_code == 404
    if method != "HEAD":
        assert reply.json() == {"detail": "There is nothing at this address."}


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND", "get", "X" * 3000])
def test_an_odd_method_gets_nothing(app: Running, method: str) -> None:
    for target in ("/", JOIN, "*", "127.0.0.1:22"):
        came = app.raw(f"{method} {target} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n".encode())
        assert blameless_bytes(came) in {400, 404, 405}


@pytest.mark.parametrize(
    "target",
    [
        "/../app.py", "/..%2fapp.py", "/%2e%2e/app.py", "/%252e%252e%252fapp.py", "/..\\app.py", "/..%5capp.py",
        "/assets/../../app.py", "/assets/..%2f..%2fgradio%2froutes.py", "/assets/%2e%2e/%2e%2e/routes.py",
        "/assets/%252e%252e/routes.py", "/assets//etc/passwd", "/assets/%2fetc%2fpasswd", "/assets/..%c0%afroutes.py",
        "/static/..%2f..%2froutes.py", "/static/%00", "/static/x%00.css", "/look/..%2fchat.py", "/look/chat.css%00.py",
        "/look//etc/passwd", "/read/../../etc/passwd", "/read/%2e%2e/%2e%2e/etc/passwd", "/read/..%2f..%2fcurrent",
        "/read/x/..%5c..%5ccurrent", "/read/%00/%00", "/read/%ff%fe/x", "/read/x/" + "a/" * 5000, "/" + "a" * 15000,
        "/gradio_api%2fupload", "/gradio_api/./upload", "/gradio_api/queue/../upload", "//gradio_api/upload",
        "/gradio_api//upload",
        "/GRADIO_API/UPLOAD", "/gradio_api/upload;x", "/gradio_api/upload%23", "/gradio_api/heartbeat/..%2fupload",
        "http://evil.example/", "http://evil.example/gradio_api/file=/etc/passwd", "https://127.0.0.1/config",
        "/?__theme=../../x", "/?view=api&deep_link=../../../etc/passwd",
        "/gradio_api/queue/data?session_hash=../../x", "/gradio_api/file%3d/etc/passwd", "/%0d%0aset-cookie:%20x=1",
    ],
)  # fmt: skip
def test_no_path_leads_out_of_what_is_served(app: Running, target: str) -> None:
    if "queue/data" in target:
        with app.connect() as line:  # a stream of events: it may stay open
            line.sendall(f"GET {target} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".encode())
            came = line.recv(65536)
    else:
        came = app.raw(f"GET {target} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n".encode())
    status = blameless_bytes(came)
    assert status in ({200, 404} if "?" in target else {400, 403, 404}), came[:200]
    for secret in (b"root:", b"import ", b'"manifest"', b"sha256", b"set-cookie"):
        assert secret not in (came if status != 200 else b"")


@pytest.mark.parametrize("path", ["/", "/gradio_api/queue/join", "/gradio_api/queue/data", "/ws"])
@pytest.mark.parametrize("protocol", ["websocket", "h2c"])
def test_a_connection_is_not_turned_into_another_kind(app: Running, path: str, protocol: str) -> None:
    lines = [f"GET {path} HTTP/1.1", "host: 127.0.0.1", "connection: Upgrade, HTTP2-Settings", f"upgrade: {protocol}",
             "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==", "sec-websocket-version: 13",
             "http2-settings: AAMAAABkAAQAAP__"]  # fmt: skip
    with app.connect() as line:
        line.sendall("\r\n".join([*lines, "", ""]).encode())
        assert b" 101 " not in line.recv(65536).split(b"\r\n")[0]


# Too much, too slow, too often


def memory(app: Running) -> int:
    """Resident memory of the app's processes in bytes, as /proc has it."""
    found = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            environ = (status.parent / "environ").read_bytes()
            if f"PATIENT_FAQ_PORT={app.port}".encode() in environ.split(b"\0"):
                size = re.search(r"VmRSS:\s*(\d+)", status.read_text())
                found += int(size[1]) * 1024 if size else 0
    return found


@pytest.mark.parametrize("path", [JOIN, "/gradio_api/run/predict", "/gradio_api/upload", "/", "/read/x/y"])
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_body_of_30_megabytes_is_not_taken_in(app: Running, visitor: httpx.Client, path: str, method: str) -> None:
    part = b"x" * 65536

    def chunks() -> Iterator[bytes]:
        for _ in range(480):
            yield part

    before = memory(app)
    for headers in ({"content-length": str(480 * 65536)}, {}):
        try:
            reply = visitor.request(method, path, content=chunks(), headers=headers)
        except httpx.TransportError:
            continue  # the connection was ended
        assert blameless(reply).status_code in {404, 413}
    assert memory(app) - before < 20_000_000
    still_answers(visitor, f"big{abs(hash((path, method)))}")


def test_a_file_cannot_be_left_here(visitor: httpx.Client) -> None:
    assert blameless(visitor.post("/gradio_api/upload", files={"files": ("x.html", SCRIPT.encode())})).status_code == 404


def test_headers_without_end_are_cut_off(app: Running) -> None:
    for line in (b"x: " + b"a" * 100_000, b"\r\n".join(b"x%d: y" % n for n in range(20_000))):
        assert blameless_bytes(app.raw(b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n" + line)) in {0, 400, 431}


def test_connections_that_trickle_block_nobody_and_are_ended(app: Running, visitor: httpx.Client) -> None:
    post = f"POST {JOIN} HTTP/1.1\r\nhost: 127.0.0.1\r\n".encode()
    begins = [
        b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n",
        post + b"content-length: 999\r\n\r\n",
        post + b"transfer-encoding: chunked\r\n\r\n",
        b"",
    ]
    drips = [b"x: y\r\n", b" ", b"1\r\nx\r\n", b""]
    lines = [(app.connect(f"127.0.0.{9 + n % 4}"), n % 4) for n in range(160)]
    try:
        for line, kind in lines:
            line.sendall(begins[kind])
        still_answers(visitor, "trickle")
        deadline = time.monotonic() + 60
        waiting = list(lines)
        while waiting:
            assert time.monotonic() < deadline, f"{len(waiting)} connections still trickle"
            time.sleep(1)
            waiting = [(line, kind) for line, kind in waiting if not _ended(line, drips[kind])]
        still_answers(visitor, "trickled")
    finally:
        for line, _ in lines:
            line.close()


def _ended(line: socket.socket, drip: bytes) -> bool:
    """Send a drop more; whether the other side has ended the connection."""
    try:
        line.sendall(drip)
        line.setblocking(False)
        return line.recv(65536) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        line.setblocking(True)


def test_an_address_cannot_hold_all_connections(app: Running) -> None:
    lines = [app.connect("127.0.0.77") for _ in range(260)]
    try:
        time.sleep(0.5)
        assert sum(_ended(line, b"") for line in lines) >= 60
        with app.client() as other:
            still_answers(other, "crowded")
    finally:
        for line in lines:
            line.close()
    time.sleep(0.5)
    with app.client("127.0.0.77") as again:
        assert blameless(again.get("/healthz")).status_code == 200


def test_a_flood_of_questions_from_one_address_is_told_to_wait_and_others_are_not(strict: Running) -> None:
    with strict.client("127.0.0.21") as flood, strict.client("127.0.0.22") as other:
        body = {"data": ["red?", []], "fn_index": asking(other), "session_hash": "flood"}
        replies = [
            blameless(flood.post(JOIN, json=body, headers={"x-forwarded-for": f"192.0.2.{n}", "x-real-ip": f"192.0.2.{n}"}))
            for n in range(12)
        ]
        assert [reply.status_code for reply in replies[3:]] == [429] * 9
        assert "Please wait a minute, or phone us." in replies[-1].json()["detail"]
        still_answers(other, "calm")


@pytest.mark.parametrize(
    ("number", "path"),
    list(enumerate(["/", "/read/x/y", "/gradio_api/queue/data", "/gradio_api/app_id", "/gradio_api/startup-events"])),
)
def test_a_flood_of_pages_from_one_address_is_told_to_wait(strict: Running, number: int, path: str) -> None:
    with strict.client(f"127.0.0.{30 + number}") as flood:
        statuses = []
        for _ in range(62):
            with flood.stream("GET", path) as reply:
                statuses.append(reply.status_code)
        assert statuses[-2:] == [429, 429]
        assert 429 not in statuses[:60]
        assert blameless(flood.get("/healthz")).status_code == 200


# Lies in headers


@pytest.mark.parametrize("path", ["/", "/theme.css", "/gradio_api/app_id", "/read/x/y", "/nothing", "/healthz", "/readyz"])
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1.evil.example", "http://localhost"])
def test_no_other_site_is_let_read_anything(visitor: httpx.Client, path: str, origin: str) -> None:
    blameless(visitor.get(path, headers={"origin": origin}))
    preflight = {"origin": origin, "access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    assert blameless(visitor.options(path, headers=preflight)).status_code == 404


def test_another_site_s_question_is_answered_to_nobody(visitor: httpx.Client) -> None:
    # A form of another site's can be sent here, as plain text; what comes of it can not be read there.
    body = json.dumps({"data": ["red?", []], "fn_index": asking(visitor), "session_hash": "forged"})
    headers = {"origin": "https://evil.example", "content-type": "text/plain"}
    blameless(visitor.post(JOIN, content=body, headers=headers))


FORGED = {
    "x-forwarded-host": "evil.example", "x-forwarded-proto": "https", "x-forwarded-port": "666",
    "x-forwarded-prefix": "/evil.example",
    "x-gradio-server": "https://evil.example", "forwarded": "host=evil.example;proto=https", "x-original-url": "/config",
    "x-rewrite-url": "/config", "x-forwarded-server": "evil.example", "x-forwarded-for": "evil.example",
    "x-host": "evil.example",
    "x-forwarded-path": "/evil.example", "x-direct-url": "https://evil.example", "x-ip-token": "evil.example",
    "x-gradio-user": "evil.example", "cookie": "access-token=evil.example", "authorization": "Bearer evil.example",
    "accept-language": "evil.example", "user-agent": SCRIPT, "referer": "https://evil.example/" + SCRIPT,
}  # fmt: skip


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_header_changes_nothing_in_the_page(visitor: httpx.Client, name: str) -> None:
    for path in ("/", "/read/x/y", "/theme.css"):
        plain, forged = (blameless(visitor.get(path, headers=headers)) for headers in ({}, {name: FORGED[name]}))
        assert forged.status_code == plain.status_code
        assert "evil.example" not in forged.text
        assert "pwned" not in forged.text
    assert configuration(visitor)["root"].startswith("http://127.0.0.1")


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "127.0.0.1@evil.example", '"><script>', "", "[::1]", "a b"]
)
def test_a_forged_host_gets_nothing_where_names_are_set(app: Running, host: str) -> None:
    for path in ("/", "/read/x/y", "/theme.css", "/nothing"):
        came = app.raw(f"GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n".encode())
        assert blameless_bytes(came) == 400
        assert b"evil" not in came


def test_without_names_a_forged_host_is_seen_by_its_forger_alone(strict: Running) -> None:
    with strict.client("127.0.0.41") as forger, strict.client("127.0.0.42") as patient:
        forged = blameless(forger.get("/", headers={"host": "evil.example"}))
        assert forged.headers["cache-control"] == "private, no-cache"  # no cache between may keep it for others
        assert "evil.example" not in blameless(patient.get("/")).text
        assert blameless(forger.get("/", headers={"host": 'x"><script>'})).status_code == 400


SMUGGLED = "GET /smuggled HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"


@pytest.mark.parametrize(
    "head",
    [
        "content-length: 4\r\ntransfer-encoding: chunked", "transfer-encoding: chunked\r\ncontent-length: 4",
        "content-length: 4\r\ncontent-length: 40", "content-length: 4, 40", "content-length: +4", "content-length: 0x4",
        "content-length: -4", "transfer-encoding: xchunked", "transfer-encoding: chunked, identity",
        "transfer-encoding : chunked",
        "transfer-encoding:\x0bchunked", "transfer-encoding: identity\r\ncontent-length: 4",
        "x: y\r\n transfer-encoding: chunked",
        "x: y\ntransfer-encoding: chunked", "content-length: 4\r\nhost: evil.example",
        "transfer_encoding: chunked\r\ncontent-length : 4",
    ],
)  # fmt: skip
def test_no_second_request_hides_in_a_first(app: Running, head: str) -> None:
    came = app.raw(f"POST {JOIN} HTTP/1.1\r\nhost: 127.0.0.1\r\n{head}\r\n\r\n0\r\n\r\n{SMUGGLED}".encode("latin-1"))
    status = blameless_bytes(came)
    assert status in {0, 400, 408, 411, 413, 422, 501}, came[:300]
    assert b" 404 " not in came, "the second request was answered"


# What is written as a question


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_markup_in_a_question_is_shown_as_it_was_written_and_does_nothing(visitor: httpx.Client, number: int) -> None:
    question = f"swelling {HOSTILE[number]}"
    ask(visitor, question, f"hostile{number}")
    asked, answered = contents(outcome(visitor, f"hostile{number}"))
    seen = harmless(asked)
    assert set(seen.tags) <= {"div", "br"}
    harmless(answered)
    assert "1337" not in asked + answered
    visible = re.sub(r"[\x00-\x1f]", " ", question).split()
    assert seen.words == visible
    # Nor is anything left that means something to Markdown or to a template.
    assert not re.search(r"[`*\[\]{}$\\]", re.sub(r"<[^>]*>|&#\d+;", "", asked))


def test_a_hostile_article_is_quoted_as_text(visitor: httpx.Client) -> None:
    ask(visitor, "What helps with swelling?", "article")
    answered = contents(outcome(visitor, "article"))[-1]
    seen = harmless(answered)
    assert "window.pwned=1" in seen.text  # it was quoted
    assert "1337" not in seen.text


def test_a_hostile_article_is_read_as_text(app: Running, visitor: httpx.Client) -> None:
    ask(visitor, "What helps with swelling?", "reader")
    links = [link["href"] for link in Seen(contents(outcome(visitor, "reader"))[-1]).of("a")]
    link = next(link for link in links if link and link.startswith("/read/"))
    page = blameless(visitor.get(link))
    assert page.status_code == 200
    seen = Seen(page.text)
    assert {tag for tag in seen.tags if tag in {"img", "svg", "iframe", "form", "input", "object", "embed", "base"}} == set()
    assert all("pwned" not in text for text in seen.texts.get("script", []))
    assert not [name for _, attributes in seen.elements for name in attributes if name.startswith("on")]
    for attributes in seen.of("a"):
        assert not re.match(r"\s*(javascript|data|vbscript):", attributes.get("href") or "", re.IGNORECASE)
    assert "window.pwned=1" in seen.text
    assert "1337" not in seen.text
    assert "{{" in seen.text


@pytest.mark.parametrize("length", [4_001, 20_000, 60_000])
def test_an_overlong_question_is_refused_in_plain_words(visitor: httpx.Client, length: int) -> None:
    ask(visitor, "w " * (length // 2) + "w", f"long{length}")
    event = outcome(visitor, f"long{length}")
    assert "Please ask it in at most" in Seen(contents(event)[-1]).text


UNICODE = {
    "turned round": "swelling \u202e\u2066gnillews\u2069\u202c",
    "zero width": "s\u200bw\u200ce\u200dl\ufeffling \u2060",
    "a lone surrogate": "swelling \ud800 \udfff",
    "surrogates the wrong way round": "\udc00\ud800 swelling",
    "a flood of accents": "swelling" + "\u0300" * 3000,
    "emoji and their joiners": "swelling 👩‍👩‍👧‍👦🏳️‍🌈" * 50,
    "nul": "swelling\x00 \x00",
    "control characters": "".join(map(chr, range(32))) + "swelling\x7f\x80\x9f",
    "separators": "swelling\u2028\u2029\x0b\x0c\x85",
    "private use and noncharacters": "swelling \ue000 \uffff \U0010ffff \ufdd0",
    "tags": "swelling " + "".join(chr(0xE0000 + ord(c)) for c in "hidden"),
    "ligatures": "ﷺ" * 500 + " swelling",
    "wide letters": "ｓｗｅｌｌｉｎｇ ＜ｓｃｒｉｐｔ＞",
    "digits of other writing": "٣ ５ ㊿ swelling",
    "hangul to compose": "\u1100\u1161\u11a8" * 500,
}


@pytest.mark.parametrize("kind", UNICODE)
def test_odd_characters_are_a_question_like_any_other(visitor: httpx.Client, kind: str) -> None:
    session = f"odd{abs(hash(kind))}"
    ask(visitor, UNICODE[kind], session)
    asked, answered = contents(outcome(visitor, session))
    harmless(answered)
    text = harmless(asked).text
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b\u2060\ufeff\ud800-\udfff\x00]", text)


# What is not a question at all


def wrong_bodies() -> dict[str, bytes]:
    deep = 10_000
    shapes: dict[str, Any] = {
        "nothing": None, "a number": 1, "a list": [], "empty": {}, "text": "x", "true": True,
        "data only": {"data": ["x", []]}, "no data": {"fn_index": 0, "session_hash": "w"},
        "data is null": {"fn_index": 0, "data": None}, "data is an object": {"fn_index": 0, "data": {"a": 1}},
        "data is text": {"fn_index": 0, "data": "xx"}, "too little data": {"fn_index": 0, "data": []},
        "too much data": {"fn_index": 0, "data": ["x"] * 5000}, "no such function": {"fn_index": 999, "data": ["x", []]},
        "a negative function": {"fn_index": -1, "data": ["x", []]}, "a huge function": {"fn_index": 10**400, "data": ["x", []]},
        "a function by name": {"fn_index": "respond", "data": ["x", []]},
        "function and name": {"fn_index": 0, "api_name": "/x", "data": []},
        "a half function": {"fn_index": 0.5, "data": ["x", []]}, "a history of text": {"fn_index": 0, "data": ["x", "history"]},
        "a history of numbers": {"fn_index": 0, "data": ["x", [1, 2]]}, "a history of pairs": {"fn_index": 0, "data": ["x",
        [["a", "b"]]]},
        "odd roles": {"fn_index": 0, "data": ["x", [{"role": "system", "content": "x"}, {"role": None}]]},
        "a history with a file": {"fn_index": 0, "data": ["x", [{"role": "user", "content": {"path": "/etc/passwd"}}]]},
        "a history with a file of Gradio's": {
            "fn_index": 0, "data": ["x", [{"role": "user", "content": [{"type": "file", "file": {
                "path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}}]}]]},
        "a history with an address": {
            "fn_index": 0, "data": ["x", [{"role": "user", "content": {"path": "http://127.0.0.1:1/x",
            "url": "http://127.0.0.1:1/x",
                "meta": {"_type": "gradio.FileData"}}}]]},
        "a history with a component": {
            "fn_index": 0, "data": ["x", [{"role": "assistant", "content": {"component": "html",
            "value": SCRIPT, "props": {}}}]]},
        "a question that is a file": {
            "fn_index": 0, "data": [{"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}, []]},
        "a session that is a number": {"fn_index": 0, "data": ["x", []], "session_hash": 5},
        "a session that is a list": {"fn_index": 0, "data": ["x", []], "session_hash": ["a"]},
        "a session of a path": {"fn_index": 0, "data": ["x", []], "session_hash": "../../etc/passwd"},
        "a long session": {"fn_index": 0, "data": ["x", []], "session_hash": "s" * 60_000},
        "event data": {"fn_index": 0, "data": ["x", []], "event_data": {"__class__": "os"}, "trigger_id": 10**30},
        "a forged event": {"fn_index": 0, "data": ["x", []], "event_id": "../x", "request": {"username": "admin"},
        "batched": True},
        "odd keys": {"__proto__": {"x": 1}, "constructor": 1, "fn_index": 0, "data": ["x", []]},
    }  # fmt: skip
    bodies = {name: json.dumps(shape).encode() for name, shape in shapes.items()}
    return bodies | {
        "no JSON": b"hello", "half of JSON": b'{"data": ["x', "nothing at all": b"", "bytes": bytes(range(256)) * 4,
        "another encoding": json.dumps({"data": ["x", []]}).encode("utf-16"),
        "not a number": b'{"fn_index": NaN, "data": [Infinity]}',
        "a number without end": b'{"fn_index": 0, "data": [' + b"9" * 50_000 + b", []]}",
        "a big power": b'{"fn_index": 1e999999999, "data": ["x", []]}',
        "deep lists": b'{"fn_index": 0, "data": ' + b"[" * deep + b"]" * deep + b"}",
        "deep objects": b'{"fn_index": 0, "data": ' + b'{"a":' * deep + b"1" + b"}" * deep + b"}",
        "a deep history": b'{"fn_index": 0, "data": ["x", ' + b"[" * 900 + b"]" * 900 + b"]}",
        "lists without end": b"[" * 60_000, "keys twice": b'{"fn_index": 0, "fn_index": 999, "data": ["x", []], "data": 1}',
    }  # fmt: skip


BODIES = wrong_bodies()


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("path", [JOIN, "/gradio_api/run/predict", "/gradio_api/cancel", "/gradio_api/reset"])
def test_a_body_of_the_wrong_shape_is_refused_without_a_word_of_our_insides(
    visitor: httpx.Client, path: str, name: str
) -> None:
    session = f"wrong{abs(hash((path, name)))}"
    body = BODIES[name].replace(b'"fn_index": 0', f'"fn_index": {asking(visitor)}'.encode())
    if b"session_hash" not in body and body.endswith(b"}"):
        body = body[:-1] + f', "session_hash": "{session}"}}'.encode()
    reply = blameless(visitor.post(path, content=body, headers={"content-type": "application/json"}))
    assert not INSIDES.search(reply.text), reply.text[:600]
    assert "root:" not in reply.text
    if path == JOIN and reply.status_code == 200 and session.encode() in body:
        event = outcome(visitor, session)
        assert "root:" not in json.dumps(event)


@pytest.mark.parametrize(
    "file",
    [
        {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}},
        {"path": "https://127.0.0.1:1/x", "url": "https://127.0.0.1:1/x", "meta": {"_type": "gradio.FileData"}},
        {"path": "x", "url": "http://169.254.169.254/latest/meta-data", "meta": {"_type": "gradio.FileData"}},
    ],
    ids=["of this machine", "of another", "of the cloud"],
)
def test_a_forged_chat_makes_no_file_be_copied_or_fetched(app: Running, visitor: httpx.Client, file: dict[str, Any]) -> None:
    in_a_chat = [{"role": "user", "content": [{"type": "file", "file": file}]}]
    for question, history in ((file, []), ("x", in_a_chat), ("x", [{"role": "user", "content": file}]), ([[file]], [])):
        assert ask(visitor, question, "fetch", history).status_code == 400
    assert [path for path in app.log.parent.glob("gradio/**/*") if path.is_file()] == []


def test_after_all_of_that_patients_are_answered(visitor: httpx.Client) -> None:
    still_answers(visitor, "after")


def test_an_unknown_session_hears_nothing_of_another(app: Running) -> None:
    with app.client() as patient, app.client() as other:
        ask(patient, "How long are you red?", "patient-1")
        with other.stream("GET", "/gradio_api/queue/data", params={"session_hash": "patient-2"}, timeout=3) as events:
            heard = b""
            with contextlib.suppress(httpx.TransportError):
                for part in events.iter_bytes():
                    heard += part
        assert b"edness" not in heard
        assert "Redness fades" in contents(outcome(patient, "patient-1"))[-1]


FORGED_HISTORY = [
    {"role": "user", "content": [{"type": "text", "text": "What is safe?"}]},
    {"role": "assistant", "content": [{"type": "text", "text": f"Our clinic says: take ten pills. {SCRIPT}{IMAGE}"}]},
]


def test_a_forged_chat_is_shown_to_its_forger_alone(app: Running) -> None:
    # A page keeps its own chat and sends it with each question, so that nothing is kept here. Who forges it forges it on their
    # own page; the answer is put below, and nobody else ever gets it.
    with app.client() as forger, app.client() as patient:
        ask(forger, "How long are you red?", "forger", FORGED_HISTORY)
        own = contents(outcome(forger, "forger"))
        assert "take ten pills" in own[1]
        assert "Redness fades in two days" in Seen(own[-1]).text
        ask(patient, "How long are you red?", "patient")
        assert "pills" not in json.dumps(outcome(patient, "patient"))
        assert "pills" not in blameless(patient.get("/")).text


# In a browser


@pytest.mark.skipif(bool(why_no_browser()), reason=why_no_browser())
def test_in_a_browser_no_script_runs_and_no_element_of_it_is_there(app: Running) -> None:
    asked: list[str] = []
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS.split())
        page = started.new_page()
        page.set_default_timeout(20_000)
        page.on("request", lambda request: asked.append(request.url))
        page.on("dialog", lambda dialog: asked.append("https://dialog"))
        page.goto(app.address)
        box = page.get_by_role("textbox")
        for number, hostile in enumerate([*HOSTILE[:14], "What helps with swelling?"]):
            box.fill(f"swelling {hostile}")
            page.get_by_role("button", name="Ask", exact=True).click()
            expect(page.get_by_test_id("bot")).to_have_count(number + 1)
            messages = "[data-testid=user], [data-testid=bot]"
            inside = ", ".join(
                f":is({messages}) {tag}" for tag in "script img iframe form input object embed style math".split()
            )
            assert page.locator(inside).count() == 0
            foreign = f":is({messages}) :is([href*='evil.example'], [src], [href^='javascript:'], [onerror])"
            assert page.locator(foreign).count() == 0
        link = page.get_by_role("link", name="Read in the article").last
        reader = started.new_page()
        reader.on("request", lambda request: asked.append(request.url))
        reader.goto(app.address + (link.get_attribute("href") or ""))
        assert reader.locator("img, iframe, form, object, embed, svg").count() == 0
        for each in (page, reader):
            assert each.evaluate("window.pwned") is None
        started.close()
    hosts = {urlsplit(url).netloc for url in asked if urlsplit(url).scheme not in {"data", "blob"}}
    assert hosts == {f"127.0.0.1:{app.port}"}


def test_every_kind_of_reply_carries_the_policies(app: Running, visitor: httpx.Client) -> None:
    release = current_id(app.index)[0]
    doc = quote("<svg onload=window.pwned=1>'\"&{{7*191}}.txt", safe="")
    paths = ["/", "/healthz", "/readyz", "/theme.css", "/favicon.ico", "/manifest.json", "/assets/none.js", "/static/none.css",
             "/look/reader.css", "/look/none.css", f"/read/{release}/redness.md", f"/read/{release}/{doc}", "/read/x",
             "/gradio_api/app_id", "/gradio_api/queue/data", "/gradio_api/startup-events", "/nothing"]  # fmt: skip
    statuses = {path: blameless(visitor.get(path)).status_code for path in paths}
    assert statuses[f"/read/{release}/{doc}"] == 200
    assert {200, 404} <= set(statuses.values())
    for came in (
        b"\r\n\r\n",
        b"hello\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
        b"GET / HTTP/1.1\r\n\r\n",
    ):
        assert blameless_bytes(app.raw(came)) in {0, 400}
    assert blameless_bytes(app.raw(b"GET /\r\n\r\n")) in {0, 400}
