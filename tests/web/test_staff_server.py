"""The staff's server as it runs: signing in and out, guessing, sending files, and Gradio behind it all."""

from __future__ import annotations

import concurrent.futures
import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from seen import Seen
from staffing import EDITOR, PASSWORD, PUBLISHER, Staffed, staffed

from web.staff.sessions import ABSOLUTE, IDLE

INSIDES = re.compile(r'Traceback|File "|site-packages|\.py\b|/tmp/')


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    (folder / "clinic.toml").write_text('name = "Clinic *of* <Skin>"\naccent = "#7a1f5c"\n', encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, corpus: Path) -> Iterator[Staffed]:
    with staffed(tmp_path_factory.mktemp("staff"), corpus) as running:
        yield running


@pytest.fixture(autouse=True)
def fresh(server: Staffed) -> None:
    """Whatever was guessed in the test before is long ago."""
    server.clock.pass_(2 * ABSOLUTE)


def _greeting(client: httpx.Client, page: str) -> str:
    """What the page shows at its top, as it asks for it once it is opened."""
    config = _config(client)
    number = next(each["id"] for each in config["dependencies"] if [event for _, event in each["targets"]] == ["load"])
    body = {"data": [], "fn_index": number, "session_hash": page, "event_data": None}
    reply = client.post("/gradio_api/run/predict", json=body)
    return str(reply.json()["data"][0]) if reply.status_code == 200 else f"{reply.status_code} {reply.text}"


def _config(client: httpx.Client) -> dict:
    page = client.get("/").text
    found = re.search(r"window\.gradio_config = (\{.*?\});?\s*</script>", page, flags=re.DOTALL)
    assert found, page[:2000]
    return json.loads(found[1])


def test_events_are_requests_with_replies_and_only_what_takes_minutes_is_streamed(server: Staffed) -> None:
    with closing(server.signed_in(PUBLISHER)) as client:
        events = [each for each in _config(client)["dependencies"] if each["backend_fn"]]
    streamed = [each for each in events if each["queue"] is not False]
    assert len(events) > 25
    assert len(streamed) == 2  # looking at what would change, and publishing


def test_the_way_in_names_the_clinic_and_can_be_used_without_script(server: Staffed) -> None:
    reply = server.client().get("/login")
    seen = Seen(reply.text)
    assert "Clinic *of* <Skin>" in seen.text
    assert "script" not in seen.tags
    assert seen.of("form") == [{"method": "post", "action": "/login"}]
    kinds = {field["name"]: (field.get("type"), field.get("autocomplete")) for field in seen.of("input")}
    assert kinds == {"name": (None, "username"), "password": ("password", "current-password")}
    assert {label["for"] for label in seen.of("label")} == {field["id"] for field in seen.of("input")}
    assert "#7a1f5c" in server.client().get("/look/login.css").text


def test_who_signs_in_gets_a_cookie_that_no_script_and_no_other_site_can_use(server: Staffed) -> None:
    reply = server.sign_in(server.client())
    assert (reply.status_code, reply.headers["location"]) == (303, "/")
    parts = reply.headers["set-cookie"].split("; ")
    assert re.fullmatch(r"staff=[\w-]{43}", parts[0])
    assert {part.lower() for part in parts[1:]} == {"httponly", "path=/", "samesite=strict"}


def test_behind_a_proxy_with_https_the_cookie_is_for_https_and_this_host_alone(tmp_path: Path, corpus: Path) -> None:
    with staffed(tmp_path, corpus, trust_proxy=True, staff_hosts="staff.clinic.example") as running:
        headers = {"host": "staff.clinic.example", "origin": "https://staff.clinic.example", "x-forwarded-proto": "https"}
        client = running.client(**headers)
        reply = running.sign_in(client)
        name, *parts = reply.headers["set-cookie"].split("; ")
        assert name.startswith("__Host-staff=")
        assert {part.lower() for part in parts} == {"httponly", "path=/", "samesite=strict", "secure"}
        client.headers["cookie"] = name
        assert client.get("/").status_code == 200
        out = client.post("/logout").headers["set-cookie"]
        assert out.startswith('__Host-staff=""; ')
        assert "Secure" in out
        client.headers["cookie"] = name.replace("__Host-staff", "staff")
        assert client.get("/").status_code == 303


def test_the_page_knows_who_is_signed_in_from_the_session_alone(server: Staffed) -> None:
    for name, role in ((EDITOR, "editor"), (PUBLISHER, "publisher")):
        with closing(server.signed_in(name)) as client:
            client.headers["x-user"] = client.headers["x-remote-user"] = "Somebody Else"
            seen = Seen(_greeting(client, f"page-of-{role}"))
            assert name in seen.text
            assert role in seen.text
            assert "Somebody" not in seen.text
            assert seen.of("form") == [{"method": "post", "action": "/logout", "class": "pf-out"}]


def test_a_clinic_s_name_is_words_and_never_markup(server: Staffed) -> None:
    with closing(server.signed_in()) as client:
        text = Seen(_greeting(client, "page-of-markup"))
        assert "Clinic *of* <Skin>" in text.text
        assert "skin" not in text.tags


def test_nothing_of_gradio_s_is_served_without_a_session(server: Staffed) -> None:
    with closing(server.signed_in()) as client:
        paths = {path for path in re.findall(r'(?:src|href)="\.?(/[^"]+)"', client.get("/").text) if not path.startswith("//")}
        assert any(path.startswith("/assets/") for path in paths)
        served = [path for path in sorted(paths) if client.get(path).status_code == 200]
        assert served
    with server.client() as stranger:
        for path in served:
            assert stranger.get(path).status_code == 401
        for path in ("file=/etc/passwd", "file=https://evil.example", "upload", "info", "queue/data?session_hash=page", "user"):
            assert stranger.get(f"/gradio_api/{path}").status_code == 401
        for path in ("upload", "queue/join", "run/predict", "call/x", "component_server"):
            files = {"files": ("x.txt", b"x")}
            assert stranger.post(f"/gradio_api/{path}", files=files).status_code == 401
        assert stranger.get("/", headers={"cookie": "staff=x"}).headers["location"] == "/login"


@pytest.mark.parametrize(
    "path",
    ["/%2e%2e/login", "/login/..%2f", "/%6cogin/x", "/login%2f..%2fgradio_api%2finfo", "/login;/../config",
     "/healthz/%2e%2e/config", "/look/login.css/../page.js", "/look/%2e%2e/server.py", "//gradio_api/info", "/./config",
     "/gradio_api%2finfo", "/login%00/config", "/LOGIN/config", "/config%20", "/config?/login", "/config#/login", "http://127.0.0.1/login/../config"],
)  # fmt: skip
def test_no_trick_with_a_path_leads_past_the_gate(server: Staffed, path: str) -> None:
    for method in ("GET", "POST"):
        request = (
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nOrigin: {server.address}\r\nConnection: close\r\n"
        )
        with socket.create_connection(("127.0.0.1", server.port), 20) as line:
            line.sendall((request + "Content-Length: 0\r\n\r\n").encode())
            came = b""
            while part := line.recv(65536):
                came += part
        status = int(came.split(b" ", 2)[1])
        assert status in {303, 400, 401}, came[:300]
        assert b"dependencies" not in came


def test_behind_the_gate_gradio_refuses_what_the_page_does_not_use_to_staff_too(server: Staffed) -> None:
    with closing(server.signed_in()) as client:
        for path in (
            "/gradio_api/file=/etc/passwd",
            "/gradio_api/file=https://evil.example",
            "/config",
            "/gradio_api/info",
            "/docs",
        ):
            assert client.get(path).status_code == 404
        assert client.post("/gradio_api/upload", files={"files": ("x.txt", b"x")}).status_code == 404


def test_a_token_that_was_there_before_signing_in_is_never_the_session_s(server: Staffed) -> None:
    with server.client() as client:
        client.cookies.set("staff", "fixed-by-somebody-else", domain="127.0.0.1")
        client.cookies.clear()
        reply = client.post(
            "/login", data={"name": EDITOR, "password": PASSWORD}, headers={"cookie": "staff=fixed-by-somebody"}
        )
        assert reply.status_code == 303
        assert "fixed" not in reply.headers["set-cookie"]
    with closing(server.signed_in()) as client:  # and signing in again ends the session before
        before = client.cookies["staff"]
        assert server.sign_in(client, EDITOR).status_code == 303
        assert client.cookies["staff"] != before
        assert server.client().get("/", headers={"cookie": f"staff={before}"}).status_code == 303


def test_signing_out_ends_the_session_on_the_server_and_clears_what_the_browser_kept(server: Staffed) -> None:
    with closing(server.signed_in()) as client:
        token = client.cookies["staff"]
        reply = client.post("/logout")
        assert (reply.status_code, reply.headers["location"]) == (303, "/login")
        assert "cache" in reply.headers["clear-site-data"]
        assert client.cookies.get("staff") is None
        client.headers["cookie"] = f"staff={token}"
        assert client.get("/").status_code == 303
        assert client.post("/gradio_api/queue/join", json={}).status_code == 401
    with server.client() as client:
        assert client.post("/logout").status_code == 303  # once more does no harm
        assert client.get("/logout", headers={"accept": "text/html"}).headers["location"] == "/login"


def test_a_link_on_another_site_signs_nobody_out(server: Staffed) -> None:
    with closing(server.signed_in()) as client:
        assert client.get("/logout").status_code == 404
        assert client.post("/logout", headers={"origin": "https://evil.example"}).status_code == 403
        assert client.get("/").status_code == 200


def test_sessions_end_by_themselves(server: Staffed) -> None:
    with closing(server.signed_in()) as client:
        server.clock.pass_(IDLE)
        assert client.get("/").status_code == 303
    with closing(server.signed_in()) as client:
        for _ in range(int(ABSOLUTE // (IDLE / 2))):
            assert client.get("/").status_code == 200
            server.clock.pass_(IDLE / 2)
        assert client.get("/").status_code == 303
        assert client.post("/gradio_api/run/predict", json={}).status_code == 401


def test_a_role_taken_away_holds_at_once(server: Staffed) -> None:
    server.accounts.add("Chandra Rao", "publisher", PASSWORD)
    with closing(server.signed_in("Chandra Rao")) as client:
        assert client.get("/").status_code == 200
        server.accounts.set_role("Chandra Rao", "editor")
        assert client.get("/").status_code == 303
        assert client.post("/gradio_api/queue/join", json={}).status_code == 401
        assert server.sign_in(client, "Chandra Rao").status_code == 303
        assert client.get("/").status_code == 200
        server.accounts.set_password("Chandra Rao", "another green window 3")
        assert client.get("/").status_code == 303
        server.accounts.remove("Chandra Rao")
        assert server.sign_in(client, "Chandra Rao", "another green window 3").status_code == 401


def test_a_wrong_name_and_a_wrong_password_are_told_apart_by_nothing(server: Staffed) -> None:
    with server.client() as client:
        wrong = [server.sign_in(client, name, "not this one 12") for name in (EDITOR, "Nobody", "", "x" * 500)]
    assert {reply.status_code for reply in wrong} == {401}
    assert len({re.sub(r'value="[^"]*"', "", reply.text) for reply in wrong}) == 1
    assert all("set-cookie" not in reply.headers for reply in wrong)
    assert "not this one" not in "".join(reply.text for reply in wrong)


@pytest.mark.parametrize(
    "name", ['"><script>alert(1)</script>', "x\r\nset-cookie: staff=evil", "{{7*7}}", "\x00", "\u202e", "' or '1'='1"]
)
def test_a_strange_name_is_shown_as_it_is_and_does_nothing(server: Staffed, name: str) -> None:
    with server.client() as client:
        reply = server.sign_in(client, name, PASSWORD)
    assert reply.status_code == 401
    assert "set-cookie" not in reply.headers
    assert "script" not in Seen(reply.text).tags
    assert not INSIDES.search(reply.text)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (urlencode({"name": PUBLISHER, "password": PASSWORD}), "text/plain"),
        (json.dumps({"name": PUBLISHER, "password": PASSWORD}), "application/json"),
        ("name=%ff&password=%ff", "application/x-www-form-urlencoded"), ("&" * 3000, "application/x-www-form-urlencoded"),
        ("", "application/x-www-form-urlencoded"), ("name", "application/x-www-form-urlencoded"),
    ],
)  # fmt: skip
def test_only_what_the_form_sends_signs_in(server: Staffed, body: str, kind: str) -> None:
    with server.client() as client:
        reply = client.post("/login", content=body, headers={"content-type": kind})
    assert reply.status_code == 401
    assert not INSIDES.search(reply.text)


def test_who_guesses_a_name_s_password_waits_longer_and_longer_and_the_right_one_waits_too(server: Staffed) -> None:
    client, waits = server.client(), []
    assert [server.sign_in(client, EDITOR, "not this one 12").status_code for _ in range(5)] == [401] * 5
    for _ in range(11):
        refused = server.sign_in(client, EDITOR)
        assert refused.status_code == 429
        assert "Please wait" in Seen(refused.text).text
        waits.append(int(refused.headers["retry-after"]))
        server.clock.pass_(waits[-1] - 0.5)
        assert server.sign_in(client, EDITOR).status_code == 429
        server.clock.pass_(0.5)
        assert server.sign_in(client, EDITOR, "not this one 12").status_code == 401
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    server.clock.pass_(300)
    assert server.sign_in(client, EDITOR).status_code == 303  # nobody is locked out for good
    client.cookies.clear()
    assert [server.sign_in(client, EDITOR, "not this one 12").status_code for _ in range(3)] == [401] * 3


def test_another_person_does_not_wait_for_it(server: Staffed) -> None:
    with server.client() as client:
        for _ in range(6):
            server.sign_in(client, EDITOR, "not this one 12")
        assert server.sign_in(client, EDITOR.upper()).status_code == 429
        assert server.sign_in(client, PUBLISHER).status_code == 303


def test_who_tries_many_names_waits_whatever_the_name_and_signing_in_between_does_not_help(server: Staffed) -> None:
    codes = []
    with server.client() as client:
        for number in range(25):
            codes.append(server.sign_in(client, f"Nurse {number}", "not this one 12").status_code)
            if number == 15:
                codes.append(server.sign_in(client, EDITOR).status_code)
                client.cookies.clear()
        assert server.sign_in(client, PUBLISHER).status_code == 429
    assert codes[:21] == [401] * 16 + [303] + [401] * 4
    assert codes[21:] == [429] * 5


def test_of_many_guesses_at_once_only_the_free_ones_are_looked_at(server: Staffed) -> None:
    looked: list[str] = []
    lock = threading.Lock()
    original = server.accounts.signed_in

    def counting(name: str, password: str) -> object:
        with lock:
            looked.append(password)
        return original(name, password)

    server.accounts.signed_in = counting  # type: ignore[method-assign]
    try:
        with concurrent.futures.ThreadPoolExecutor(16) as pool:

            def guess(number: int) -> int:
                with server.client() as client:
                    return server.sign_in(client, EDITOR, f"guess number {number}").status_code

            codes = list(pool.map(guess, range(40)))
    finally:
        del server.accounts.signed_in
    assert len(looked) == 5
    assert sorted(codes) == [401] * 5 + [429] * 35


def test_accounts_that_cannot_be_read_are_said_to_who_signs_in_and_count_as_no_guess(server: Staffed) -> None:
    path = server.folder / "staff.json"
    path.chmod(0o644)
    try:
        with server.client() as client:
            codes = {server.sign_in(client).status_code for _ in range(8)}
            assert codes == {503}
            assert "Nobody can sign in" in server.sign_in(client).text
    finally:
        path.chmod(0o600)
    assert server.sign_in(server.client()).status_code == 303


def test_a_body_that_is_too_long_is_refused_before_it_is_sent(server: Staffed) -> None:
    with closing(server.signed_in()) as client:
        for path, size in (("/login", 5000), ("/gradio_api/run/predict", 1024 * 1024 + 1), ("/logout", 5000)):
            assert client.post(path, content=b"x" * size).status_code == 413
        assert client.get("/").status_code == 200


def test_gradio_keeps_nothing_on_disk(server: Staffed) -> None:
    with closing(server.signed_in()) as client:
        assert PUBLISHER in Seen(_greeting(client, "page-on-disk")).text
    assert [path for path in (server.folder / "files").rglob("*") if path.is_file()] == []
