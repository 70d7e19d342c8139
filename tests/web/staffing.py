"""What the tests of the staff's server share: a clock that is moved by hand, cheap passwords, and the server on a port."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import uvicorn
from argon2 import PasswordHasher

from retrieval.settings import Settings
from web.connections import connections
from web.staff.accounts import Accounts
from web.staff.gate import staff_policies
from web.staff.passwords import Passwords
from web.staff.server import create_staff_app

PASSWORD = "warm kettle orbit 7"
EDITOR, PUBLISHER = "Ben Ong", "Dr. Aisha Tan"


class Clock:
    """Seconds, which pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += seconds


def cheap() -> Passwords:
    """Passwords that cost nothing to compare."""
    return Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@dataclass(frozen=True)
class Staffed:
    """The running server: its port, its accounts and its clock."""

    port: int
    accounts: Accounts
    clock: Clock
    folder: Path
    clients: list[httpx.Client] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, **headers: str) -> httpx.Client:
        """A browser that has not signed in: it tells from which page it sends something. It is closed at the end."""
        own = {"origin": self.address, **headers}
        self.clients.append(httpx.Client(base_url=self.address, timeout=20, trust_env=False, verify=False, headers=own))
        return self.clients[-1]

    def sign_in(self, client: httpx.Client, name: str = PUBLISHER, password: str = PASSWORD) -> httpx.Response:
        return client.post("/login", data={"name": name, "password": password})

    def signed_in(self, name: str = PUBLISHER) -> httpx.Client:
        client = self.client()
        assert self.sign_in(client, name).status_code == 303
        return client


@contextlib.contextmanager
def staffed(folder: Path, corpus: Path, **settings: object) -> Iterator[Staffed]:
    """The staff's server with an editor and a publisher, for as long as a block runs."""
    clock, accounts = Clock(), Accounts(folder / "staff.json", cheap())
    accounts.add(EDITOR, "editor", PASSWORD)
    accounts.add(PUBLISHER, "publisher", PASSWORD)
    (folder / "files").mkdir()
    app = create_staff_app(Settings(corpus=corpus, **settings), folder / "files", accounts, clock)  # type: ignore[arg-type]
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            app, log_level="critical", ws="none", proxy_headers=False, server_header=False, timeout_graceful_shutdown=1,
            http=connections(staff_policies()),
        )  # fmt: skip
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 60
        while not server.started:
            assert thread.is_alive(), "the server ended before it began"
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.02)
        try:
            running = Staffed(int(listening.getsockname()[1]), accounts, clock, folder)
            yield running
        finally:
            for client in running.clients:
                client.close()
            server.should_exit = True
            thread.join(20)
