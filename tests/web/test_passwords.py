"""Passwords that are easy to guess are not taken; of the others only what cannot be turned back is kept."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher
from staffing import PASSWORD, cheap

from retrieval.errors import AccountError
from web.staff.passwords import LEAST, MOST, Passwords


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("", "shorter"), ("a" * (LEAST - 1), "shorter"), ("x9" * MOST, "longer"), ("warm kettle\x00orbit", "typed"),
        ("aishatan2026!", "the name"), ("Dr. Aisha Tan", "the name"), ("  AISHA TAN  7", "the name"),
        ("aaaaaaaaaaaaaa", "first"), ("121212121212", "first"), ("123456789012", "first"), ("0987654321098", "first"),
        ("abcdefghijkl", "first"), ("qwertyuiop[]12", "first"), ("Password1234!", "first"), ("P@ssw0rd2026!!", "first"),
        ("passwordpassword", "first"), ("letmein123456", "first"), ("patient-faq-2026", "first"), ("welcome to 2026!", "first"),
        ("correct horse battery staple", "first"), ("1q2w3e4r5t6y", "first"),
    ],
)  # fmt: skip
def test_what_anybody_would_try_is_refused_with_what_to_do(password: str, why: str) -> None:
    with pytest.raises(AccountError, match=why) as refused:
        cheap().check_choice(password, "Aisha Tan")
    assert password == "" or password not in str(refused.value)


@pytest.mark.parametrize(
    "password", [PASSWORD, "r7#Kd!92mQz0", "tidak ada sesiapa tahu", "雨の日は本を読むことにする", "x" * 5 + "yellow door 4"]
)
def test_what_nobody_would_try_is_taken(password: str) -> None:
    cheap().check_choice(password, "Aisha Tan")


def test_a_password_fits_itself_alone_however_it_was_typed() -> None:
    passwords = cheap()
    kept = passwords.hashed("Café am Eck 12")
    assert "Café" not in kept
    assert kept.startswith("$argon2id$")
    assert passwords.fits(kept, "Cafe\u0301 am Eck 12")
    assert not passwords.fits(kept, "Cafe am Eck 12")
    assert not passwords.fits(kept, "")
    assert passwords.hashed("Café am Eck 12") != kept  # two people with one password do not look so


def test_nothing_fits_nobody_not_even_what_is_compared_in_their_place() -> None:
    assert not cheap().fits(None, "nobody has this password")
    assert not cheap().fits("damaged", "nobody has this password")


def test_what_was_kept_with_other_costs_is_old() -> None:
    kept = cheap().hashed(PASSWORD)
    assert not cheap().is_old(kept)
    assert Passwords(PasswordHasher(time_cost=2, memory_cost=8, parallelism=1)).is_old(kept)
