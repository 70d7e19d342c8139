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
