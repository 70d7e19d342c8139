"""Starts the patients' chat: python app.py"""

from __future__ import annotations

import inspect
import sys

from retrieval.errors import PatientFaqError
from retrieval.settings import Settings
from web.running import check_port

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
        check_port(settings.host, settings.port, "the chat", "PATIENT_FAQ_PORT=7870")
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


if __name__ == "__main__":
    raise SystemExit(main())
