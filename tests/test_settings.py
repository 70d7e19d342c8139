"""Settings come from the environment and are checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval.errors import SettingsError
from retrieval.settings import Settings


def test_without_environment_the_defaults_hold() -> None:
    assert Settings.from_environment({}) == Settings()


def test_each_setting_is_read_as_its_own_kind() -> None:
    found = Settings.from_environment(
        {"PATIENT_FAQ_INDEX": "/srv/index", "PATIENT_FAQ_PORT": "8000", "PATIENT_FAQ_TRUST_PROXY": "1", "HOME": "/root"}
    )
    assert (found.index, found.port, found.trust_proxy) == (Path("/srv/index"), 8000, True)


@pytest.mark.parametrize(
    ("name", "value"), [("PORT", "eighty"), ("PORT", "0"), ("PORT", "70000"), ("TRUST_PROXY", "yes"), ("COLOUR", "red")]
)
def test_what_does_not_fit_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"PATIENT_FAQ_{name}"):
        Settings.from_environment({f"PATIENT_FAQ_{name}": value})


@pytest.mark.parametrize(
    "written",
    ["", "https://www.clinic.example", "http://127.0.0.1:8080", "https://*.clinic.example", "http://localhost:*",
     "https://clinic.example  https://www.clinic.example\n", "HTTPS://Clinic.Example", "https://xn--klnik-1ra.example"],
)  # fmt: skip
def test_origins_that_may_frame_the_chat_are_taken(written: str) -> None:
    found = Settings.from_environment({"PATIENT_FAQ_FRAME_ANCESTORS": written})
    assert found.frame_ancestors == " ".join(written.split())


@pytest.mark.parametrize(
    "written",
    ["*", "https://*", "https:", "www.clinic.example", "https://www.clinic.example/", "https://www.clinic.example/faq",
     "https://a.example,https://b.example", "https://a.example;", "https://a.example;script-src", "'self'", "'none'", "null",
     "https://a.*.example", "https://*a.example", "https://a.example:0", "https://a.example:65536", "https://a.example:",
     "https://user@a.example", "https://a.example?x", "https://a.example#x", "ftp://a.example", "javascript://a.example",
     "https://klínik.example", "https://a..example", "https://-a.example", "https://[::1]:80", "https://a.example:٨٠",
     "https://a.example\x00", "data:"],
)  # fmt: skip
def test_what_is_no_origin_is_named_and_said_how_to_write(written: str) -> None:
    with pytest.raises(SettingsError) as problem:
        Settings.from_environment({"PATIENT_FAQ_FRAME_ANCESTORS": f"https://good.example {written}"})
    assert str(problem.value).startswith(f"PATIENT_FAQ_FRAME_ANCESTORS: {written!r} is not")
    assert "https://www.clinic.example" in str(problem.value)


@pytest.mark.parametrize(
    "written", ["http://milvus.example:19530/faq", "https://faq:secret@milvus.example", "files/milvus.db", ""]
)
def test_a_milvus_server_is_named_by_its_address_or_a_file(written: str) -> None:
    assert Settings.from_environment({"PATIENT_FAQ_MILVUS": written}).milvus == written


@pytest.mark.parametrize("written", ["milvus.example:19530", "ftp://faq:secret@milvus.example", "files/secret.sqlite"])
def test_what_names_no_milvus_server_is_refused_without_repeating_it(written: str) -> None:
    with pytest.raises(SettingsError, match=r"^PATIENT_FAQ_MILVUS: write the address .* ends with \.db") as problem:
        Settings.from_environment({"PATIENT_FAQ_MILVUS": written})
    assert "secret" not in str(problem.value)
