"""Settings of the program (not of the clinic): from the environment, frozen, no work at import."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from retrieval.errors import SettingsError

__all__ = ["DEFAULT_MODEL", "Settings"]

DEFAULT_MODEL = "all-MiniLM-L6-v2"
_PREFIX = "PATIENT_FAQ_"
# What a browser takes for an origin in a policy (CSP Level 3, host-source): http or https, a name or address, perhaps a port.
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ORIGIN = re.compile(rf"https?://(?:\*\.)?{_LABEL}(?:\.{_LABEL})*(?::(?:\*|[1-9][0-9]{{0,4}}))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be set, each by the environment variable PATIENT_FAQ_<NAME>.

    corpus, index: folders. model: `all-MiniLM-L6-v2`, or the folder of another sentence-transformers model.
    models: where the served form of the default model is kept (empty: beside the environment).
    host, port: where the chat listens. hosts: names the chat answers to, comma-separated (empty: any).
    frame_ancestors: origins that may show the chat in a frame, space-separated, e.g. https://www.clinic.example.
    trust_proxy: `1` where a reverse proxy sets X-Forwarded-For. rate: questions an address may ask a minute.
    journal: the file of the journal, where clinic.toml turns it on, or the address of a PostgreSQL database for several chats,
    e.g. postgresql://faq@db.clinic.example/faq.
    capacity: questions that may be in hand at once; further ones are told at once that many people are asking.
    milvus: the server that holds the passages' vectors and words for several machines, e.g. http://milvus.clinic.example:19530
    (empty: they are in the index folder). milvus_token: what it asks for, e.g. faq:password.
    metrics_port: where this machine alone may read figures for Prometheus (0: nowhere).
    staff_host, staff_port: where the staff screen listens. staff_hosts: names it answers to, comma-separated (empty: this
    machine only). staff_accounts: the file of the staff's accounts.
    """

    corpus: Path = Path("corpus")
    index: Path = Path("index")
    model: str = DEFAULT_MODEL
    models: str = ""
    host: str = "127.0.0.1"
    port: int = 7860
    hosts: str = ""
    frame_ancestors: str = ""
    trust_proxy: bool = False
    rate: int = 30
    journal: str = "journal.sqlite3"
    capacity: int = 100
    milvus: str = ""
    milvus_token: str = field(default="", repr=False)
    metrics_port: int = 0
    staff_host: str = "127.0.0.1"
    staff_port: int = 7861
    staff_hosts: str = ""
    staff_accounts: Path = Path("staff.json")

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the settings; raises SettingsError for a value that does not fit or a name that is unknown."""
        environ = os.environ if environ is None else environ
        known = {item.name: item for item in fields(cls)}
        found: dict[str, object] = {}
        for variable, value in environ.items():
            if not variable.startswith(_PREFIX):
                continue
            name = variable.removeprefix(_PREFIX).lower()
            if name not in known:
                raise SettingsError(f"{variable}: there is no such setting. Known are: {', '.join(sorted(known))}.")
            found[name] = _converted(variable, value, getattr(cls(), name))
            if name == "frame_ancestors":
                found[name] = _origins(variable, value)
            if name == "milvus":
                found[name] = _milvus(variable, value)
        return replace(cls(), **found)  # type: ignore[arg-type]  # each value was converted to its field's type


def _converted(variable: str, value: str, default: object) -> object:
    if isinstance(default, bool):
        if value not in {"0", "1"}:
            raise SettingsError(f"{variable}: {value!r} is neither 0 nor 1.")
        return value == "1"
    if isinstance(default, int):
        if not value.isdigit() or not 0 < int(value) < 65536:
            raise SettingsError(f"{variable}: {value!r} is not a whole number from 1 to 65535.")
        return int(value)
    return Path(value) if isinstance(default, Path) else value


def _origins(variable: str, value: str) -> str:
    """Origins with one blank between them; each becomes part of a header, so anything else is refused."""
    origins = value.split()
    for origin in origins:
        port = origin.rpartition(":")[2]
        if not _ORIGIN.fullmatch(origin) or (port.isdigit() and int(port) > 65535):
            raise SettingsError(
                f"{variable}: {origin!r} is not the origin of a website. Write scheme and name, with a port where there is one "
                "and nothing after it, for example https://www.clinic.example or https://*.clinic.example. Put blanks between "
                "several. A name with letters other than a to z is written in its xn-- form."
            )
    return " ".join(origins)


def _milvus(variable: str, value: str) -> str:
    """The address of a Milvus server or the file of milvus-lite; a wrong one is not repeated, since a password may be in it."""
    if value and not value.startswith(("http://", "https://", "unix:")) and not value.endswith(".db"):
        raise SettingsError(
            f"{variable}: write the address of a Milvus server, for example http://milvus.clinic.example:19530, or the name of "
            "a file that ends with .db, for milvus-lite."
        )
    return value
