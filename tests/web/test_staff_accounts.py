"""The staff's accounts: one file, private, changed as a whole, looked at again when it changes."""

from __future__ import annotations

import json
import os
import stat
import threading
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from staffing import PASSWORD, cheap

from retrieval.errors import AccountError
from web.staff.accounts import Accounts
from web.staff.passwords import Passwords


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "staff.json"


@pytest.fixture
def accounts(path: Path) -> Accounts:
    made = Accounts(path, cheap())
    made.add("Dr. Aisha Tan", "publisher", PASSWORD)
    return made


def test_without_a_file_nobody_has_an_account(path: Path) -> None:
    assert Accounts(path, cheap()).all() == ()
    assert Accounts(path, cheap()).signed_in("Dr. Aisha Tan", PASSWORD) is None
    assert not path.exists()


def test_somebody_signs_in_with_their_own_password_however_they_write_their_name(accounts: Accounts) -> None:
    for name in ("Dr. Aisha Tan", "dr. aisha tan", "  DR.  AISHA TAN "):
        found = accounts.signed_in(name, PASSWORD)
        assert found is not None
        assert (found.name, found.role) == ("Dr. Aisha Tan", "publisher")
    assert accounts.signed_in("Dr. Aisha Tan", PASSWORD + " ") is None
    assert accounts.signed_in("Dr. Aisha", PASSWORD) is None


def test_the_file_is_its_owner_s_alone_and_has_no_password(accounts: Accounts, path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert PASSWORD not in path.read_text()
    assert sorted(each.name for each in path.parent.iterdir()) == ["staff.json", "staff.json.lock"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o602])
def test_a_file_that_others_may_open_is_not_used(accounts: Accounts, path: Path, mode: int) -> None:
    path.chmod(mode)
    with pytest.raises(AccountError, match="chmod 600"):
        accounts.find("Dr. Aisha Tan")
    path.chmod(0o600)
    assert accounts.find("Dr. Aisha Tan")


def test_a_change_is_seen_by_who_opened_the_file_before(accounts: Accounts, path: Path) -> None:
    other = Accounts(path, cheap())
    stamps = {accounts.all()[0].stamp}
    other.set_role("dr. aisha tan", "editor")
    stamps.add(accounts.all()[0].stamp)
    assert accounts.all()[0].role == "editor"
    other.set_password("Dr. Aisha Tan", "another green window 3")
    stamps.add(accounts.all()[0].stamp)
    assert accounts.signed_in("Dr. Aisha Tan", PASSWORD) is None
    assert accounts.signed_in("Dr. Aisha Tan", "another green window 3")
    assert len(stamps) == 3
    other.remove("Dr. Aisha Tan")
    assert accounts.all() == ()


def test_a_name_is_taken_however_it_is_written_and_nothing_changes(accounts: Accounts, path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(AccountError, match="already"):
        accounts.add("DR. AISHA TAN", "editor", PASSWORD)
    for change in (
        lambda: accounts.set_role("Nobody", "editor"),
        lambda: accounts.set_role("Dr. Aisha Tan", "owner"),
        lambda: accounts.set_password("Nobody", PASSWORD),
        lambda: accounts.set_password("Dr. Aisha Tan", "short"),
        lambda: accounts.remove("Nobody"),
        lambda: accounts.add("Ben", "owner", PASSWORD),
        lambda: accounts.add("Ben", "editor", "password1234"),
    ):
        with pytest.raises(AccountError):
            change()
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "name",
    ["", " ", "1", "a\nb", "a\r\nset-cookie: x=y", "a\tb", "a\x00", "a\u202eb", "a\u200bb", "<b>", "a;b", 'a"b', "a  b",
     "a\x85b", "a\u2028b", "x" * 81, "-a", "../a", "\udce4", "a|b", "a`b", "a=b", "[a](b)", "😀"],
)  # fmt: skip
def test_what_is_no_name_is_refused(accounts: Accounts, name: str) -> None:
    with pytest.raises(AccountError, match="cannot be a name"):
        accounts.add(name, "editor", PASSWORD)


@pytest.mark.parametrize(
    "name", ["Ben", "Prof. Dr. José Ñandú-O'Brien (dermatology)", "陳美玲", "रवि कुमार", "ปิยะ", "Siti binti Ahmad 2", "O’Neill"]
)
def test_people_s_names_are_taken(accounts: Accounts, name: str) -> None:
    assert accounts.add(name, "editor", PASSWORD).name == name
    assert Accounts(accounts._path, cheap()).signed_in(name, PASSWORD)


def test_a_password_kept_with_old_costs_is_kept_with_new_ones_and_nobody_is_signed_out(accounts: Accounts, path: Path) -> None:
    before = accounts.all()[0]
    dearer = Accounts(path, Passwords(PasswordHasher(time_cost=2, memory_cost=8, parallelism=1)))
    assert dearer.signed_in("Dr. Aisha Tan", "wrong") is None
    assert accounts.all()[0] == before
    assert dearer.signed_in("Dr. Aisha Tan", PASSWORD)
    after = accounts.all()[0]
    assert "t=2" in after.password
    assert after.stamp == before.stamp
    assert dearer.signed_in("Dr. Aisha Tan", PASSWORD)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"format": 2, "accounts": []}', '{"format": 1, "accounts": [{}]}', '{"format": 1, "accounts": 5}',
     '{"format": 1, "accounts": [{"name": "A", "role": "owner", "password": "", "changed": "", "stamp": ""}]}',
     '{"format": 1, "accounts": [{"name": "A\\nb", "role": "editor", "password": "", "changed": "", "stamp": ""}]}',
     '{"format": 1, "accounts": [{"name": "A", "role": "editor", "password": 1, "changed": "", "stamp": ""}]}'],
)  # fmt: skip
def test_a_damaged_file_is_said_and_lets_nobody_in_and_is_not_written_over(path: Path, content: str) -> None:
    path.write_text(content)
    path.chmod(0o600)
    accounts = Accounts(path, cheap())
    for use in (accounts.all, lambda: accounts.signed_in("A", ""), lambda: accounts.add("Ben", "editor", PASSWORD)):
        with pytest.raises(AccountError):
            use()
    assert path.read_text() == content


def test_a_write_that_fails_changes_nothing(accounts: Accounts, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = path.read_bytes()
    for step in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(f"web.staff.accounts.os.{step}", _fails)
            with pytest.raises(AccountError, match="Nothing was changed"):
                accounts.add("Ben Ong", "editor", PASSWORD)
        assert path.read_bytes() == before
        assert not (path.parent / "staff.json.new").exists()
    accounts.add("Ben Ong", "editor", PASSWORD)


def _fails(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_many_at_once_lose_nobody(path: Path) -> None:
    names = [f"Nurse {number}" for number in range(12)]
    threads = [threading.Thread(target=Accounts(path, cheap()).add, args=(name, "editor", PASSWORD)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {account.name for account in Accounts(path, cheap()).all()} == set(names)
    assert json.loads(path.read_text())["format"] == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_root_changes_stays_the_property_of_who_owned_it(accounts: Accounts, path: Path) -> None:
    os.chown(path, 12345, 12345)
    accounts.add("Ben Ong", "editor", PASSWORD)
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 12345)
