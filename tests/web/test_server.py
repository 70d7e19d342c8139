"""The whole application on a port: what it serves, what it refuses, and that it always points to a person."""

from __future__ import annotations

import dataclasses
import gc
import json
import re
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from seen import Seen

from retrieval.assistant import Assistant
from retrieval.build import build
from retrieval.clinic import load_clinic
from retrieval.encoder import Encoder
from retrieval.errors import NoRelease
from retrieval.journal import Journal
from retrieval.release import Release, current_id
from retrieval.rules import Rules
from web.gate import MAX_BODY
from web.words import LANGUAGES, words_of

Serve = Callable[..., AbstractContextManager[httpx.Client]]
DOC = "redness & <care>.md"
LEAFLET = "hand & <wrist>.pdf"
POLICIES = ("content-security-policy", "referrer-policy", "x-content-type-options", "permissions-policy")


def _read(release: str, doc: str = DOC, query: str = "") -> str:
    return f"/read/{quote(release)}/{quote(doc)}{query}"


def _points_to_a_person(page: httpx.Response) -> bool:
    links = {link["href"] for link in Seen(page.text).of("a")}
    return page.headers["content-type"].startswith("text/html") and {"tel:+15550100", "mailto:hi@clinic.example", "/"} <= links


def _functions(site: httpx.Client) -> dict[str, int]:
    """The numbers of the chat's functions, by how many things each is given: asking 2, clearing and greeting none."""
    config = json.loads(re.search(r"window\.gradio_config = (\{.*?\});</script>", site.get("/").text, re.DOTALL)[1])
    return {f"{target[1]}:{len(each['inputs'])}": each["id"] for each in config["dependencies"] for target in each["targets"]}


def _ask(site: httpx.Client, question: Any, session: str = "s1", **headers: str) -> httpx.Response:
    asking = _functions(site)["submit:2"]
    return site.post(
        "/gradio_api/queue/join", json={"data": [question, []], "fn_index": asking, "session_hash": session}, headers=headers
    )


def _answer(site: httpx.Client, session: str = "s1") -> str:
    with site.stream("GET", "/gradio_api/queue/data", params={"session_hash": session}) as events:
        for line in events.iter_lines():
            if line.startswith("data:") and json.loads(line[5:])["msg"] == "process_completed":
                return line
    raise AssertionError("no answer came")


def test_a_question_is_answered(site: httpx.Client) -> None:
    assert _ask(site, "How long does redness last?").status_code == 200
    said = _answer(site)
    assert json.loads(said[5:])["success"] is True
    assert "<mark>Redness lasts for two days</mark>." in said


@pytest.mark.parametrize("question", [None, 5, ["a"], {"x": 1}, True, "x" * 20_000])
def test_what_is_no_question_is_no_failure(site: httpx.Client, question: Any) -> None:
    session = f"odd{abs(hash(str(question)))}"
    assert _ask(site, question, session).status_code == 200
    assert "Traceback" not in _answer(site, session)


def test_only_so_many_chats_are_remembered(site: httpx.Client) -> None:
    from gradio.state_holder import StateHolder

    holders = [each for each in gc.get_objects() if type(each) is StateHolder]
    for number in range(20):
        _ask(site, "How long does redness last?", f"many{number}")
        _answer(site, f"many{number}")
    assert holders
    assert any(each.session_data for each in holders)
    assert all(len(each.session_data) <= 16 for each in holders)


@pytest.mark.parametrize(
    "path",
    [
        "/config",
        "/config/",
        "/docs",
        "/redoc",
        "/openapi.json",
        "/gradio_api/openapi.json",
        "/gradio_api/info",
        "/info",
        "/gradio_api/upload",
        "/upload",
        "/gradio_api/file=https://example.com",
        "/gradio_api/file=/etc/passwd",
        "/file=app.py",
        "/gradio_api/proxy=https://example.com",
        "/login",
        "/logout",
        "/monitoring",
        "/gradio_api/runs",
        "/svelte/x",
        "/token",
        "/gradio_api/call/respond",
        "/gradio_api/mcp/sse",
        "/gradio_api/upload_progress",
        "/robots.txt",
        "/nothing",
        "/admin",
        "/static/../app.py",
        "/assets/..%2f..%2fapp.py",
        "/look/..%2fchat.py",
        "/%2e%2e/app.py",
    ],
)
def test_nothing_that_the_chat_does_not_need_exists(site: httpx.Client, path: str) -> None:
    for reply in (site.get(path), site.post(path, content=b"x")):
        assert reply.status_code == 404
        assert "root:" not in reply.text


def test_a_file_cannot_be_left_here(site: httpx.Client) -> None:
    reply = site.post("/gradio_api/upload", files={"files": ("x.txt", b"hello")})
    assert reply.status_code == 404


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE", "PATCH"])
def test_other_methods_do_not_exist(site: httpx.Client, method: str) -> None:
    assert site.request(method, "/", headers={"origin": "https://evil.example"}).status_code == 404


def test_a_body_that_is_too_big_is_refused_however_it_comes(site: httpx.Client) -> None:
    declared = site.post("/gradio_api/queue/join", content=b'{"data": ["' + b"x" * MAX_BODY + b'"]}')
    assert declared.status_code == 413
    assert "fewer words" in declared.text

    def chunks() -> Iterator[bytes]:
        yield b'{"fn_index": 0, "session_hash": "c", "data": ["'
        for _ in range(70):
            yield b"x" * 1024
        yield b'", []]}'

    try:
        reply = site.post("/gradio_api/queue/join", content=chunks(), headers={"content-type": "application/json"})
    except httpx.TransportError:
        return  # the connection was ended
    assert reply.status_code >= 400


def test_every_reply_carries_the_policies_and_none_lets_other_sites_in(site: httpx.Client, assistant: Assistant) -> None:
    evil = {"origin": "https://evil.example"}
    release = assistant.release().id
    replies = [site.get(path, headers=evil) for path in ("/", "/nothing", "/theme.css", "/look/reader.css", "/read/x/y")]
    replies += [site.get(_read(release), headers=evil), site.head("/", headers=evil), site.options("/", headers=evil)]
    replies += [_ask(site, "redness", **evil), site.post("/gradio_api/upload", headers=evil)]
    for reply in replies:
        assert [len(reply.headers.get_list(name)) for name in POLICIES] == [1, 1, 1, 1], reply.url
        assert "access-control-allow-origin" not in reply.headers
        assert "access-control-allow-credentials" not in reply.headers
        assert "set-cookie" not in reply.headers
        assert "server" not in reply.headers or "uvicorn" in reply.headers["server"]


def test_pages_cannot_be_made_to_name_another_site(site: httpx.Client) -> None:
    for name in ("x-forwarded-host", "x-gradio-server", "forwarded"):
        assert "evil.example" not in site.get("/", headers={name: "https://evil.example"}).text


def test_a_websocket_is_not_opened(site: httpx.Client) -> None:
    upgrade = {
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
        "sec-websocket-version": "13",
    }
    for path in ("/", "/gradio_api/queue/join", "/ws"):
        with socket.create_connection((site.base_url.host, site.base_url.port or 0), 10) as raw:
            lines = [f"GET {path} HTTP/1.1", "host: x", *(f"{name}: {value}" for name, value in upgrade.items())]
            raw.sendall("\r\n".join([*lines, "", ""]).encode())
            assert b" 101 " not in raw.recv(200)


def test_an_address_that_asks_too_often_is_told_to_wait_and_a_made_up_address_does_not_help(
    serve: Serve, assistant: Assistant
) -> None:
    with serve(assistant, rate=3) as site:
        codes = [_ask(site, "redness", **{"x-forwarded-for": f"198.51.100.{n}"}).status_code for n in range(5)]
        assert codes == [200, 200, 200, 429, 429]
        assert "Please wait a minute, or phone us." in _ask(site, "redness").json()["detail"]
        assert site.get("/").status_code == 200
    with serve(assistant, rate=1, trust_proxy=True) as site:
        addresses = ["198.51.100.1", "198.51.100.2", "198.51.100.1"]
        assert [_ask(site, "redness", **{"x-forwarded-for": each}).status_code for each in addresses] == [200, 200, 429]


def test_the_chat_answers_only_to_its_names(serve: Serve, assistant: Assistant) -> None:
    with serve(assistant, hosts="faq.clinic.example, *.trusted.example") as site:
        for name, status in (
            ("faq.clinic.example", 200),
            ("a.trusted.example", 200),
            ("evil.example", 400),
            ("127.0.0.1", 400),
        ):
            reply = site.get("/", headers={"host": name})
            assert reply.status_code == status
            assert all(policy in reply.headers for policy in POLICIES)


def test_framing_is_allowed_to_the_clinic_s_site_alone(serve: Serve, assistant: Assistant) -> None:
    with serve(assistant, frame_ancestors="https://clinic.example") as site:
        assert site.get("/").headers["content-security-policy"].endswith("frame-ancestors 'self' https://clinic.example")


def test_the_script_for_the_clinic_s_site_may_be_used_there_and_is_not_kept_for_long(site: httpx.Client) -> None:
    for reply in (site.get("/embed.js"), site.head("/embed.js")):
        assert reply.status_code == 200
        assert reply.headers["content-type"] == "text/javascript; charset=utf-8"
        assert reply.headers["cross-origin-resource-policy"] == "cross-origin"
        assert 0 < int(reply.headers["cache-control"].removeprefix("public, max-age=")) <= 3600
        assert all(policy in reply.headers for policy in POLICIES)
    assert site.post("/embed.js").status_code == 404
    assert site.get("/look/embedded.js").headers["content-type"].split(";")[0].endswith("/javascript")
    assert "cross-origin-resource-policy" not in site.get("/").headers


def test_an_article_opens_at_its_quote(site: httpx.Client, assistant: Assistant) -> None:
    answer = assistant.ask("How long does redness last?")
    cited = answer.quotes[0].citation
    page = site.get(_read(answer.release, cited.doc, f"?start={cited.start}&end={cited.end}"))
    assert page.status_code == 200
    assert Seen(page.text).texts["mark"] == [answer.quotes[0].text]
    assert "Reviewed 3 May 2026 by Dr A. Tan." in page.text
    head = site.head(_read(answer.release, cited.doc))
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?start=0",
        "?start=-1&end=5",
        "?start=5&end=5",
        "?start=9&end=2",
        "?start=0&end=999999",
        "?start=x&end=y",
        "?start=&end=",
        "?start=1e3&end=2e3",
        "?start=%D9%A1&end=%D9%A9",
        "?start=1&end=9999999999999999999999999",
        "?start=1.5&end=3",
        "?start=0x1&end=9",
        "?start=<script>&end=<script>",
    ],
)
def test_odd_offsets_mark_nothing(site: httpx.Client, assistant: Assistant, query: str) -> None:
    page = site.get(_read(assistant.release().id, DOC, query))
    assert page.status_code == 200
    assert "mark" not in Seen(page.text).tags
    assert page.text.count("<script") == 1  # our own, from a file


@pytest.mark.parametrize(
    ("release", "doc"),
    [
        ("0" * 16, DOC),
        ("gone", DOC),
        ("current", DOC),
        ("x" * 300, DOC),
        ("x" * 5000, DOC),
        ("ﬀ", DOC),
        ("a b", DOC),
        ("%00", DOC),
        ("-", DOC),
        (".building", DOC),
        ("", "gone.md"),
        ("", "x" * 5000),
        ("", "manifest.json"),
        ("", "articles.jsonl"),
        ("", "<script>alert(1)</script>"),
        ("", "redness"),
        ("", "a/b/c.md"),
    ],
)
def test_a_missing_article_or_release_gives_a_page_with_contacts(
    site: httpx.Client, assistant: Assistant, release: str, doc: str
) -> None:
    page = site.get(_read(release or assistant.release().id, doc))
    assert page.status_code == 404
    assert _points_to_a_person(page)
    assert Seen(page.text).texts["h1"] == ["This page is no longer there"]
    assert [script["src"] for script in Seen(page.text).of("script")] == ["/look/reader.js"]


@pytest.mark.parametrize("path", ["/read/x", "/read/x/", "/read//x", "/read/x//"])
def test_a_cut_off_address_gives_a_page_with_contacts(site: httpx.Client, path: str) -> None:
    page = site.get(path)
    assert page.status_code == 404
    assert _points_to_a_person(page)


@pytest.mark.parametrize(
    "path",
    [
        "/read/{}/../../manifest.json",
        "/read/{}/..%2f..%2fmanifest.json",
        "/read/{}/%2e%2e/manifest.json",
        "/read/..%2f..%2f/current",
        "/read/{}/%252e%252e%252fmanifest.json",
        "/read/{}/..%5c..%5cmanifest.json",
        "/read/{}//etc/passwd",
        "/read/{}/%2fetc%2fpasswd",
    ],
)
def test_no_path_leads_out_of_a_release(site: httpx.Client, assistant: Assistant, path: str) -> None:
    with socket.create_connection((site.base_url.host, site.base_url.port or 0), 10) as raw:  # httpx would tidy the path
        raw.sendall(f"GET {path.format(assistant.release().id)} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
        reply = b"".join(iter(lambda: raw.recv(65536), b""))
    assert reply.startswith(b"HTTP/1.1 404")
    assert b"sha256" not in reply
    assert b"root:" not in reply


def _sheet(release: str, doc: str = LEAFLET, query: str = "?page=1") -> str:
    return f"/sheet/{quote(release)}/{quote(doc)}{query}"


def test_a_page_as_printed_is_served_to_be_kept(site: httpx.Client, assistant: Assistant) -> None:
    release = assistant.release()
    for page in (1, 2):
        reply = site.get(_sheet(release.id, query=f"?page={page}"))
        assert (reply.status_code, reply.headers["content-type"]) == (200, "image/webp")
        assert reply.headers["cache-control"] == "private, no-store"  # what was read is not left in the browser
        assert reply.content == release.picture(LEAFLET, page)
        assert [len(reply.headers.get_list(name)) for name in POLICIES] == [1, 1, 1, 1]
    head = site.head(_sheet(release.id))
    assert (head.status_code, head.content) == (200, b"")
    assert site.post(_sheet(release.id)).status_code == 404


@pytest.mark.parametrize(
    "query",
    ["", "?page=", "?page=0", "?page=3", "?page=-1", "?page=x", "?page=1.5", "?page=99999999999999", "?page=%D9%A1",
     "?page=../1", "?page=1.webp", "?page=01e0"],
)  # fmt: skip
def test_a_page_that_is_not_there_is_not_found(site: httpx.Client, assistant: Assistant, query: str) -> None:
    reply = site.get(_sheet(assistant.release().id, query=query))
    assert reply.status_code == 404
    assert reply.headers["cache-control"].startswith("private")


@pytest.mark.parametrize(
    "path",
    ["/sheet/{}/" + quote(DOC) + "?page=1", "/sheet/{}/gone.pdf?page=1", f"/sheet/{'0' * 16}/{quote(LEAFLET)}?page=1",
     "/sheet/{}/manifest.json?page=1", "/sheet/{}/1.webp?page=1", "/sheet/{}/..%2fmanifest.json",
     "/sheet/{}/%2e%2e/manifest.json", "/sheet/..%2f..%2f/current", "/sheet/{}//etc/passwd", "/sheet/{}/%2fetc%2fpasswd",
     "/sheet/{}/..%5c..%5cmanifest.json", "/sheet/{}/sheets/1.webp", "/sheet/{}", "/sheet/{}/", "/sheet/current/x",
     "/sheet/{}/" + "x" * 5000],
)  # fmt: skip
def test_no_picture_leads_out_of_the_pages(site: httpx.Client, assistant: Assistant, path: str) -> None:
    with socket.create_connection((site.base_url.host, site.base_url.port or 0), 10) as raw:  # httpx would tidy the path
        raw.sendall(f"GET {path.format(assistant.release().id)} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
        reply = b"".join(iter(lambda: raw.recv(65536), b""))
    assert reply.startswith(b"HTTP/1.1 404")
    assert b"sha256" not in reply
    assert b"RIFF" not in reply


def test_the_reader_shows_the_quote_s_page_and_others_when_asked(site: httpx.Client, assistant: Assistant) -> None:
    release = assistant.release()
    article = release.article(LEAFLET)
    assert article is not None
    start = article.text.index("Then")
    query = f"?start={start}&end={len(article.text)}"
    for asked, shown in (("", 2), ("&page=1", 1), ("&page=2", 2), ("&page=3", 2), ("&page=x", 2)):
        page = Seen(site.get(_read(release.id, LEAFLET, query + asked)).text)
        assert [each["src"] for each in page.of("img")] == [_sheet(release.id, query=f"?page={shown}")]
        assert site.get(page.of("img")[0]["src"] or "").status_code == 200
        assert page.texts["mark"] == ["Then dry your hands with a clean towel."]
    assert "img" not in Seen(site.get(_read(release.id)).text).tags


def test_an_article_whose_pages_were_altered_is_shown_without_them(
    serve: Serve, small_corpus: Path, small_index_copy: Path, real_encoder: Encoder
) -> None:
    assistant = Assistant(small_index_copy, real_encoder, Rules.floor(), load_clinic(small_corpus))
    identity = assistant.release().id
    for path in (small_index_copy / "releases" / identity / "sheets").rglob("*"):
        if path.is_file():
            path.write_bytes(b"damage")
    with serve(assistant) as site:
        page = site.get(_read(identity, LEAFLET))
        assert page.status_code == 200
        assert "Wash your hands before the visit." in page.text
        assert "img" not in Seen(page.text).tags
        assert site.get(_sheet(identity)).status_code == 404


@pytest.fixture
def leaflets(
    tmp_path: Path, small_corpus: Path, small_index_copy: Path, real_encoder: Encoder
) -> tuple[Assistant, Path, list[date]]:
    """An assistant over a leaflet that is withdrawn by itself after 13 May and two other articles, its corpus, and the day."""
    corpus, today = tmp_path / "corpus", [date(2026, 5, 3)]
    shutil.copytree(small_corpus, corpus)
    with (corpus / "clinic.toml").open("a", encoding="utf-8") as file:
        file.write('[review]\nwithdraw_topics = ["hands"]\nwithdraw_after_days = 10\n')
    known = corpus / "articles" / Path(LEAFLET).with_suffix(".toml")
    known.write_text('review_by = 2026-05-03\ntopics = ["hands"]\n', encoding="utf-8")
    build(corpus, small_index_copy, real_encoder)
    return Assistant(small_index_copy, real_encoder, Rules.floor(), load_clinic(corpus), lambda: today[0]), corpus, today


def test_an_article_that_is_withdrawn_is_taken_down_at_its_address_and_so_are_its_pages(
    serve: Serve, leaflets: tuple[Assistant, Path, list[date]]
) -> None:
    assistant, _, today = leaflets
    identity = assistant.release().id
    due = "Was due for review on 3 May 2026. It may be out of date."
    with serve(assistant) as site:
        assert due not in site.get(_read(identity, LEAFLET)).text
        today[0] = date(2026, 5, 4)
        assert due in site.get(_read(identity, LEAFLET)).text
        assert site.get(_sheet(identity)).status_code == 200
        today[0] = date(2026, 5, 14)
        for code in LANGUAGES:
            words = words_of(code)
            for address in (_read(identity, LEAFLET, f"?start=0&end=9&lang={code}"), f"{_sheet(identity)}&lang={code}"):
                page = site.get(address)
                assert (page.status_code, page.headers["cache-control"]) == (410, "private, no-store")
                shown = Seen(page.text)
                assert shown.texts["h1"] == [words("reader.taken_down")]
                assert words("reader.taken_down_text") in shown.text
                assert {"tel:+15550100", "mailto:hi@clinic.example"} <= {link["href"] for link in shown.of("a")}
                assert "Wash your hands" not in page.text
        assert site.get(_read(identity, DOC)).status_code == 200
        assert site.get("/readyz").status_code == 200


def test_what_staff_took_out_is_taken_down_and_what_they_changed_leads_to_the_newer_text(
    serve: Serve, leaflets: tuple[Assistant, Path, list[date]], small_index_copy: Path, real_encoder: Encoder
) -> None:
    assistant, corpus, _ = leaflets
    old = assistant.release().id
    (corpus / "articles" / LEAFLET).unlink()
    (corpus / "articles" / "sessions.txt").write_text("Sessions\n\nMost tattoos need twelve sessions.\n", encoding="utf-8")
    new = build(corpus, small_index_copy, real_encoder).release
    assistant._looked = float("-inf")
    with serve(assistant) as site:
        assert site.get(_read(old, LEAFLET)).status_code == 410
        assert site.get(_sheet(old)).status_code == 410
        assert site.get(_read("gone", LEAFLET)).status_code == 404
        page = site.get(_read(old, "sessions.txt", "?lang=ms"))
        assert page.status_code == 200
        assert "nine sessions" in page.text
        assert words_of("ms")("reader.older") in page.text
        (link,) = [link["href"] for link in Seen(page.text).of("a") if (link["href"] or "").startswith("/read/")]
        assert link == f"/read/{new}/sessions.txt?lang=ms"
        newer = site.get(link)
        assert "twelve sessions" in newer.text
        assert words_of("ms")("reader.older") not in newer.text
        unchanged = site.get(_read(old, DOC))
        assert (unchanged.status_code, "older version" in unchanged.text) == (200, False)


class Failing:
    """An assistant whose releases fail in a way nobody thought of."""

    def __init__(self, assistant: Assistant, problem: Exception) -> None:
        self._assistant = assistant
        self._problem = problem

    def release(self, identity: str = "") -> Release:
        raise self._problem

    def opened(self, release: str, doc: str) -> Any:
        return Assistant.opened(self, release, doc)  # type: ignore[arg-type]

    def readable(self, release: str, doc: str) -> Any:
        return Assistant.readable(self, release, doc)  # type: ignore[arg-type]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._assistant, name)


def test_a_failure_of_ours_is_called_so_and_points_to_a_person(serve: Serve, assistant: Assistant) -> None:
    with serve(Failing(assistant, ZeroDivisionError("secret"))) as site:
        page = site.get(_read("abc"))
        assert page.status_code == 500
        assert Seen(page.text).texts["h1"] == ["Something went wrong on our side"]
        assert _points_to_a_person(page)
        assert "secret" not in page.text
        assert all(policy in page.headers for policy in POLICIES)
    with serve(Failing(assistant, NoRelease("none"))) as site:
        assert Seen(site.get(_read("abc")).text).texts["h1"] == ["This page is no longer there"]


def test_the_health_check_says_what_is_not_in_use(site: httpx.Client, serve: Serve, broken_assistant: Assistant) -> None:
    assert site.get("/healthz").json() == {"status": "ok", "problems": []}
    with serve(broken_assistant) as broken:
        said = broken.get("/healthz").json()
    assert said["status"] == "degraded"
    assert "No release can be opened" in said["problems"][0]


def test_it_is_ready_while_questions_can_be_answered_and_says_plainly_when_not(
    site: httpx.Client, serve: Serve, broken_assistant: Assistant
) -> None:
    ready = site.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})
    with serve(broken_assistant) as broken:
        said = broken.get("/readyz")
        assert broken.get("/healthz").status_code == 200  # the process lives
    assert said.status_code == 503
    assert said.json() == {
        "status": "not ready", "problem": "No release can be opened: every question is pointed to the clinic.",
    }  # fmt: skip


def test_it_is_not_ready_with_a_model_that_fails_or_quotes_that_are_not_proved(
    serve: Serve, small_corpus: Path, small_index: Path, real_encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    assistant = Assistant(small_index, real_encoder, Rules.floor(), load_clinic(small_corpus))
    assert assistant.ready() == ""
    release = assistant.release()
    monkeypatch.setattr(release, "articles", [dataclasses.replace(each, digest="0" * 64) for each in release.articles])
    with serve(assistant) as site:
        said = site.get("/readyz")
    assert (said.status_code, said.json()["problem"].split(":")[0]) == (503, "Quotes fail their proof")
    assert release.withheld > 0

    def failing(texts: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(real_encoder, "encode_questions", failing)
    with serve(assistant) as site:
        said = site.get("/readyz")
    assert (said.status_code, said.json()["problem"].split(":")[0]) == (503, "Nothing can be looked up")
    assert "secret" not in said.text


def test_with_a_damaged_newest_release_the_one_before_answers_and_the_health_check_says_so(
    serve: Serve, small_corpus: Path, small_index_copy: Path, real_encoder: Encoder
) -> None:
    assistant = Assistant(small_index_copy, real_encoder, Rules.floor(), load_clinic(small_corpus))
    with serve(assistant) as site:
        assert site.get("/healthz").json()["status"] == "ok"
        pointer = small_index_copy / "current"
        good = pointer.read_bytes()
        pointer.write_text('{"release": "gone", "manifest": "0"}')
        _until(lambda: site.get("/healthz").json()["status"] == "degraded")
        assert site.get("/healthz").json()["problems"] == ["The newest release cannot be opened: the one before it answers."]
        assert site.get("/readyz").status_code == 200
        pointer.write_bytes(good)
        _until(lambda: site.get("/healthz").json()["status"] == "ok")


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_with_a_damaged_router_rules_still_hold_and_the_health_check_says_so(
    serve: Serve, small_corpus: Path, small_index_copy: Path, real_encoder: Encoder
) -> None:
    identity = current_id(small_index_copy)[0]
    (small_index_copy / "releases" / identity / "classifier.npz").write_bytes(b"damage")
    assistant = Assistant(small_index_copy, real_encoder, Rules.floor(), load_clinic(small_corpus))
    with serve(assistant) as site:
        said = site.get("/healthz").json()
        assert _ask(site, "I can't breathe since the laser").status_code == 200
        assert "Emergency" in _answer(site)
    assert said == {"status": "degraded", "problems": ["The trained router is not in use: messages are routed by rules alone."]}


def test_the_page_asks_for_nothing_from_elsewhere(site: httpx.Client) -> None:
    page = site.get("/")
    assert page.status_code == 200
    own = str(site.base_url).rstrip("/")
    links = [
        link
        for tag in ("script", "link", "img", "iframe")
        for each in Seen(page.text).of(tag)
        for link in (each.get("src"), each.get("href"))
    ]
    strangers = [link for link in links if link and re.match(r"(?:https?:)?//", link) and not link.startswith(own)]
    assert strangers == []


@pytest.mark.parametrize("code", ["en", "ms", "zh", "xx"])
def test_the_chat_s_script_gets_its_words_and_nothing_else(site: httpx.Client, code: str) -> None:
    told = site.get(f"/words/{code}").json()
    assert told["code"] == (code if code != "xx" else "en")
    assert set(told) == {"code", "page", "copied", "hand_over", "feedback", "clinic"}
    assert set(told["clinic"]) == {"name", "email", "whatsapp", "booking_url"}
    assert site.get("/words/../healthz").status_code != 500
    assert site.get("/words/toolong").status_code == 404


def test_pages_can_be_read_in_each_language(site: httpx.Client, assistant: Assistant) -> None:
    for path in ("/privacy", "/accessibility", "/read/x/y", _read(assistant.release().id)):
        assert Seen(site.get(f"{path}?lang=zh").text).of("html")[0]["lang"] == "zh"
        assert Seen(site.get(path, headers={"accept-language": "ms-MY,ms;q=0.9"}).text).of("html")[0]["lang"] == "ms"


def _told(assistant: Assistant, **changed: Any) -> dict[str, Any]:
    cited = assistant.ask("How long does redness last?").quotes[0].citation
    told = {"release": assistant.release().id, "doc": cited.doc, "start": cited.start, "end": cited.end, "felt": "helped"}
    return {**told, "question": "redness? my name is Jane Tan, jane@mail.example", **changed}


def test_feedback_is_kept_where_the_clinic_wants_it(serve: Serve, keeping: Assistant, tmp_path: Path) -> None:
    with serve(keeping, journal=str(tmp_path / "j.sqlite3")) as site:
        assert site.post("/feedback", json=_told(keeping)).status_code == 204
        assert site.post("/feedback", json=_told(keeping, felt="outdated")).status_code == 204
    kept = Journal.open(tmp_path / "j.sqlite3").told()
    assert [one.felt for one in kept] == ["helped", "outdated"]
    assert "jane" not in kept[0].question.lower()


@pytest.mark.parametrize(
    "changed",
    [{"felt": "loved"}, {"felt": None}, {"start": 9, "end": 3}, {"end": 10**9}, {"start": -1}, {"doc": "gone.md"},
     {"release": "gone"}, {"release": "../x"}, {"doc": "x" * 400}, {"question": "x" * 9000}, {"question": 5}, {"start": "a"}],
)  # fmt: skip
def test_what_is_no_feedback_is_refused_without_a_word_of_it(
    serve: Serve, keeping: Assistant, tmp_path: Path, changed: dict[str, Any]
) -> None:
    with serve(keeping, journal=str(tmp_path / "j.sqlite3")) as site:
        reply = site.post("/feedback", json=_told(keeping, **changed))
        assert reply.status_code == 422
        assert reply.json()["detail"] in {"That cannot be read.", "There is no such quote."}
    assert not (tmp_path / "j.sqlite3").exists()


def test_without_a_journal_nothing_is_kept(serve: Serve, assistant: Assistant, tmp_path: Path) -> None:
    with serve(assistant, journal=str(tmp_path / "j.sqlite3")) as site:
        assert site.post("/feedback", json=_told(assistant)).status_code == 404
        assert site.get("/feedback").status_code == 404
    assert list(tmp_path.iterdir()) == []


def test_a_journal_that_cannot_be_written_troubles_nobody(serve: Serve, keeping: Assistant, tmp_path: Path) -> None:
    (tmp_path / "j").write_bytes(b"no database " * 200)
    with serve(keeping, journal=str(tmp_path / "j")) as site:
        reply = site.post("/feedback", json=_told(keeping))
        assert (reply.status_code, reply.json()["detail"]) == (503, "This could not be kept.")
        assert _ask(site, "How long does redness last?").status_code == 200


def test_feedback_that_comes_too_often_is_stopped(serve: Serve, keeping: Assistant, tmp_path: Path) -> None:
    with serve(keeping, rate=2, journal=str(tmp_path / "j")) as site:
        assert [site.post("/feedback", json=_told(keeping)).status_code for _ in range(3)] == [204, 204, 429]
