"""A session is good until nothing was done for half an hour, or twelve hours have passed, or its account has changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from staffing import EDITOR, PASSWORD, PUBLISHER, Clock, cheap

from web.staff.accounts import Accounts
from web.staff.sessions import ABSOLUTE, IDLE, Person, Sessions, seconds


@pytest.fixture
def accounts(tmp_path: Path) -> Accounts:
    made = Accounts(tmp_path / "staff.json", cheap())
    made.add(EDITOR, "editor", PASSWORD)
    made.add(PUBLISHER, "publisher", PASSWORD)
    return made


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(accounts: Accounts, clock: Clock) -> Sessions:
    return Sessions(accounts, clock)


def _open(sessions: Sessions, accounts: Accounts, name: str = EDITOR) -> str:
    account = accounts.find(name)
    assert account is not None
    return sessions.open(account)


def test_a_token_is_long_new_each_time_and_not_kept(sessions: Sessions, accounts: Accounts) -> None:
    tokens = {_open(sessions, accounts) for _ in range(5)}
    assert len(tokens) == 5
    assert all(len(token) >= 43 for token in tokens)  # 256 bits, six in a letter
    assert not any(token in repr(vars(sessions)) for token in tokens)


def test_only_the_token_itself_opens(sessions: Sessions, accounts: Accounts) -> None:
    token = _open(sessions, accounts, PUBLISHER)
    seat = sessions.seat(token, used=True)
    assert seat is not None
    assert sessions.person(seat.digest) == Person(PUBLISHER, "publisher")
    for other in ("", token[:-1], token + "x", token.swapcase(), seat.digest, "\udc80"):
        assert sessions.seat(other, used=True) is None


def test_half_an_hour_without_doing_anything_ends_it(sessions: Sessions, accounts: Accounts, clock: Clock) -> None:
    token = _open(sessions, accounts)
    for _ in range(5):
        clock.pass_(IDLE - 1)
        assert sessions.seat(token, used=True)
    clock.pass_(IDLE - 1)
    assert sessions.seat(token, used=False)  # a page that lies open is nobody there
    clock.pass_(1)
    assert sessions.seat(token, used=True) is None
    assert sessions.seat(token, used=True) is None


def test_twelve_hours_end_it_whatever_is_done(sessions: Sessions, accounts: Accounts, clock: Clock) -> None:
    token = _open(sessions, accounts)
    for _ in range(int(ABSOLUTE // 600) - 1):
        clock.pass_(600)
        assert sessions.seat(token, used=True)
    clock.pass_(600)
    assert sessions.seat(token, used=True) is None


@pytest.mark.parametrize("change", ["password", "role", "remove"])
def test_a_changed_account_ends_all_its_sessions_and_no_others(
    sessions: Sessions, accounts: Accounts, tmp_path: Path, change: str
) -> None:
    own, other = [_open(sessions, accounts) for _ in range(3)], _open(sessions, accounts, PUBLISHER)
    elsewhere = Accounts(tmp_path / "staff.json", cheap())  # the command line, in another process
    if change == "password":
        elsewhere.set_password(EDITOR, "another green window 3")
    elif change == "role":
        elsewhere.set_role(EDITOR, "publisher")
    else:
        elsewhere.remove(EDITOR)
    assert [sessions.seat(token, used=True) for token in own] == [None] * 3
    assert sessions.seat(other, used=True)
    if change == "role":  # nor is one believed again when it is turned back
        elsewhere.set_role(EDITOR, "editor")
        assert [sessions.seat(token, used=True) for token in own] == [None] * 3


def test_while_the_accounts_cannot_be_read_nobody_is_signed_in(
    sessions: Sessions, accounts: Accounts, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    token = _open(sessions, accounts)
    (tmp_path / "staff.json").chmod(0o644)
    assert sessions.seat(token, used=True) is None
    assert "chmod 600" in caplog.text
    (tmp_path / "staff.json").chmod(0o600)
    assert sessions.seat(token, used=True)


def test_one_person_has_ten_sessions_at_most_and_the_one_unused_for_longest_goes(
    sessions: Sessions, accounts: Accounts, clock: Clock
) -> None:
    other = _open(sessions, accounts, PUBLISHER)
    tokens = []
    for _ in range(10):
        tokens.append(_open(sessions, accounts))
        clock.pass_(1)
    assert sessions.seat(tokens[0], used=True)
    tokens.append(_open(sessions, accounts))
    assert [number for number, token in enumerate(tokens) if not sessions.seat(token, used=False)] == [1]
    assert sessions.seat(other, used=False)


def test_who_signs_out_is_out_and_what_has_ended_is_forgotten(sessions: Sessions, accounts: Accounts, clock: Clock) -> None:
    token, other = _open(sessions, accounts), _open(sessions, accounts)
    seat = sessions.seat(token, used=True)
    assert seat is not None
    sessions.close(seat.digest)
    assert sessions.seat(token, used=True) is None
    assert sessions.seat(other, used=True)
    clock.pass_(IDLE)
    sessions.sweep()
    assert not sessions._seats


def test_only_a_publisher_publishes() -> None:
    assert Person("x", "publisher").publishes
    assert not Person("x", "editor").publishes


def test_the_clock_goes_forward() -> None:
    assert seconds() <= seconds()
