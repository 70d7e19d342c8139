"""Starts the patients' chat: python app.py"""

from __future__ import annotations

import inspect
import socket
import sys

from retrieval.errors import PatientFaqError, SettingsError
from retrieval.settings import Settings

__all__ = ["main"]


def main() -> int:
    """Serve the chat until it is stopped; returns the exit status."""
    if sys.argv[1:2] in (["-h"], ["--help"]):
        sys.stdout.write(
            "Starts the patients' chat.\n\n  python app.py\n\nSettings come from the environment, for example\n"
            "  PATIENT_FAQ_PORT=8000 python app.py\n\n" + inspect.cleandoc(Settings.__doc__ or "") + "\n"
        )
        return 0
    if sys.argv[1:]:
        sys.stderr.write(f"patient-faq: {sys.argv[1]!r} means nothing here; settings come from the environment. Try --help.\n")
        return 2
    try:
        settings = Settings.from_environment()
        _check_port(settings)
        sys.stdout.write("Starting the chat ...\n")
        sys.stdout.flush()
        from web.server import serve

        serve(settings)
    except PatientFaqError as problem:
        sys.stderr.write(f"patient-faq: {problem}\n")
        return 2
    except KeyboardInterrupt:
        pass
    return 0


def _check_port(settings: Settings) -> None:
    """Find out before the model is loaded whether the address is free."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as problem:
            raise SettingsError(
                f"{settings.host}:{settings.port} cannot be used ({problem.strerror}). Is the chat already running? "
                "Choose another port, for example PATIENT_FAQ_PORT=7861."
            ) from problem


if __name__ == "__main__":
    raise SystemExit(main())
