"""How a server of ours runs: on an address that is free, said when it answers, and with nothing written of its visits."""

from __future__ import annotations

import logging
import signal
import socket
import sys
from collections.abc import Sequence
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from retrieval.errors import SettingsError
from web.connections import connections

__all__ = ["check_port", "run"]

_MOST_OF_HEADERS = 16 * 1024


def check_port(host: str, port: int, what: str, other: str) -> None:
    """Find out before anything is loaded whether an address is free.

    Parameters: the address, what would listen there, and a setting with another port to offer.
    Raises SettingsError.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as problem:
            raise SettingsError(
                f"{host}:{port} cannot be used ({problem.strerror}). Is {what} already running? "
                f"Choose another port, for example {other}."
            ) from problem


def run(app: ASGIApp, host: str, port: int, what: str, policies: Sequence[tuple[bytes, bytes]], behind_proxy: bool) -> None:
    """Serve an application until it is stopped.

    Parameters: the application, where it listens, what it is called when it says so, headers for replies to what is no HTTP,
    and whether all connections are a proxy's.
    """
    # uvicorn passes on at the end what stopped it. Ended by that at once, the process would leave its temporary files behind.
    signal.signal(signal.SIGTERM, _end)
    # No access log: addresses of visitors are nobody's business. The gate alone decides whom to believe about addresses.
    config = uvicorn.Config(
        app, host=host, port=port, access_log=False, log_level="error", server_header=False, ws="none",
        proxy_headers=False, timeout_graceful_shutdown=2, h11_max_incomplete_event_size=_MOST_OF_HEADERS,
        http=connections(policies, behind_proxy),
    )  # fmt: skip
    _Announced(config, what).run()


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


class _Announced(uvicorn.Server):
    """Says where it is as soon as it answers there, and stops without ado."""

    def __init__(self, config: uvicorn.Config, what: str) -> None:
        super().__init__(config)
        self._what = what

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            host = f"[{self.config.host}]" if ":" in self.config.host else self.config.host
            sys.stdout.write(f"{self._what} is at http://{host}:{self.config.port} (stop it with Ctrl-C)\n")
            sys.stdout.flush()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Each open page holds a connection, and uvicorn reports every one that it ends with a traceback.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        await super().shutdown(sockets)
