"""The staff's accounts: one JSON file that only its owner may read, changed as a whole or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import secrets
import threading
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from retrieval.errors import AccountError
from web.staff.passwords import Passwords

__all__ = ["ROLES", "Account", "Accounts", "Role", "key_of"]

_LOG = logging.getLogger(__name__)
Role = Literal["editor", "publisher"]
ROLES: tuple[Role, ...] = get_args(Role)
_LONGEST_NAME = 80
_IN_NAMES = frozenset(" .,'’()/-")
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody of the staff: the name that the history shows, what they may do, what is kept of their password, and the day it
    was set. `stamp` is another one after each change of password or role: what was opened under the old one ends.
    """

    name: str
    role: Role
    password: str
    changed: str
    stamp: str


class Accounts:
    """The accounts in a file, which is looked at again whenever it has changed.

    Parameters: the file, which need not be there yet, and how passwords are kept.
    """

    def __init__(self, path: Path, passwords: Passwords | None = None) -> None:
        self._path = path
        self._passwords = passwords or Passwords()
        self._lock = threading.Lock()
        self._seen: tuple[int, ...] = ()
        self._accounts: Mapping[str, Account] = {}

    def all(self) -> tuple[Account, ...]:
        """Every account, by name. Raises AccountError where the file cannot be used."""
        return tuple(sorted(self._current().values(), key=lambda account: account.name.casefold()))

    def find(self, name: str) -> Account | None:
        """The account of that name, however it is written: large or small, with more blanks. Raises AccountError."""
        return self._current().get(key_of(name))

    def signed_in(self, name: str, password: str) -> Account | None:
        """The account, if that is its password; a name that nobody has takes as long as a wrong one. Raises AccountError."""
        account = self.find(name)
        if not self._passwords.fits(account.password if account else None, password) or account is None:
            return None
        if self._passwords.is_old(account.password):
            self._renew(account, password)
        return account

    def add(self, name: str, role: str, password: str) -> Account:
        """Make an account; raises AccountError for a name that is taken or is none, a role there is not, an easy password."""
        shown = _checked_name(name)
        self._passwords.check_choice(password, shown)
        account = Account(shown, _checked_role(role), self._passwords.hashed(password), _today(), _stamp())
        with self._changing() as accounts:
            if key_of(shown) in accounts:
                raise AccountError(f"{accounts[key_of(shown)].name}: there is such an account already. Choose another name.")
            accounts[key_of(shown)] = account
        return account

    def set_password(self, name: str, password: str) -> None:
        """Give an account another password; whoever is signed in to it no longer is. Raises AccountError."""
        self._passwords.check_choice(password, name)
        hashed = self._passwords.hashed(password)
        with self._changing() as accounts:
            account = _there(accounts, name)
            accounts[key_of(name)] = replace(account, password=hashed, changed=_today(), stamp=_stamp())

    def set_role(self, name: str, role: str) -> None:
        """Give an account another role; whoever is signed in to it no longer is. Raises AccountError."""
        checked = _checked_role(role)
        with self._changing() as accounts:
            account = _there(accounts, name)
            accounts[key_of(name)] = replace(account, role=checked, stamp=_stamp())

    def remove(self, name: str) -> None:
        """Take an account away; what it did stays in the history. Raises AccountError."""
        with self._changing() as accounts:
            _there(accounts, name)
            del accounts[key_of(name)]

    def _renew(self, account: Account, password: str) -> None:
        """Keep a right password with the costs in force now; nobody has to sign in again for it."""
        try:
            with self._changing() as accounts:
                there = accounts.get(key_of(account.name))
                if there is not None and there.password == account.password:
                    accounts[key_of(account.name)] = replace(there, password=self._passwords.hashed(password))
        except AccountError as problem:
            _LOG.warning("a password is kept with old costs: %s", problem)

    def _current(self) -> Mapping[str, Account]:
        with self._lock:
            try:
                state = self._path.stat()
            except FileNotFoundError:
                self._seen, self._accounts = (), {}
                return self._accounts
            except OSError as problem:
                raise AccountError(f"{self._path}: cannot be looked at ({problem.strerror}).") from problem
            seen = (state.st_mtime_ns, state.st_ctime_ns, state.st_size, state.st_ino)
            if seen != self._seen:
                self._seen = ()  # what cannot be read is tried again, and nobody is signed in meanwhile
                self._accounts = _read(self._path)
                self._seen = seen
            return self._accounts

    @contextlib.contextmanager
    def _changing(self) -> Iterator[dict[str, Account]]:
        """The accounts as they are now, to be changed, and written when the block ends well. One at a time."""
        beside = self._path.with_name(self._path.name + ".lock")
        try:
            handle = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as problem:
            raise AccountError(f"{beside}: cannot be written ({problem.strerror}). Work as the user who owns it.") from problem
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            accounts = dict(_read(self._path)) if self._path.exists() else {}
            yield accounts
            _write(self._path, accounts)
        except OSError as problem:
            raise AccountError(f"{self._path}: cannot be written ({problem.strerror}). Nothing was changed.") from problem
        finally:
            os.close(handle)


def key_of(name: str) -> str:
    """What makes two names the same: large and small letters and blanks do not count."""
    return " ".join(unicodedata.normalize("NFKC", name[: 2 * _LONGEST_NAME]).casefold().split())


def _checked_name(name: str) -> str:
    """A name that can be put into a line, a page or a header: letters of any script with their marks, figures, a few signs."""
    shown = unicodedata.normalize("NFC", name).strip(" ")
    known = all(letter in _IN_NAMES or unicodedata.category(letter)[0] in "LM" or letter.isdecimal() for letter in shown)
    if not known or not shown[:1].isalpha() or len(shown) > _LONGEST_NAME or "  " in shown:
        raise AccountError(
            f"{name!r} cannot be a name here. Write it as it shall stand in the history, for example 'Dr. Aisha Tan': letters, "
            f"figures and .,'-()/, at most {_LONGEST_NAME} characters, beginning with a letter."
        )
    return shown


def _checked_role(role: str) -> Role:
    for known in ROLES:
        if role == known:
            return known
    raise AccountError(f"{role!r} is no role. There are: {', '.join(ROLES)}.")


def _there(accounts: Mapping[str, Account], name: str) -> Account:
    account = accounts.get(key_of(name))
    if account is None:
        known = ", ".join(sorted(each.name for each in accounts.values())) or "none"
        raise AccountError(f"{name}: there is no such account. There are: {known}.")
    return account


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _stamp() -> str:
    return secrets.token_hex(8)


def _read(path: Path) -> dict[str, Account]:
    try:
        if path.stat().st_mode & 0o077:
            raise AccountError(f"{path}: others than its owner may open it. Run: chmod 600 {path}")
        values: Any = json.loads(path.read_text(encoding="utf-8"))
        if values["format"] != _FORMAT:
            raise ValueError(f"its format is {values['format']!r}")
        accounts = [Account(**each) for each in values["accounts"]]
        for account in accounts:
            if _checked_name(account.name) != account.name or not all(
                isinstance(text, str) for text in asdict(account).values()
            ):
                raise ValueError("an account in it is damaged")
            _checked_role(account.role)
    except OSError as problem:
        raise AccountError(f"{path}: cannot be read ({problem.strerror}). Work as the user who owns it.") from problem
    except (ValueError, KeyError, TypeError) as problem:
        raise AccountError(
            f"{path}: is not a file of accounts ({problem}). Put a copy of it back, or remove it and add the accounts again."
        ) from problem
    return {key_of(account.name): account for account in accounts}


def _write(path: Path, accounts: Mapping[str, Account]) -> None:
    """Replace the file in one step; it stays the property of whoever owned it."""
    values = {"format": _FORMAT, "accounts": [asdict(account) for _, account in sorted(accounts.items())]}
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    try:
        with os.fdopen(
            os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "w", encoding="utf-8"
        ) as file:
            file.write(json.dumps(values, ensure_ascii=False, indent=1) + "\n")
            with contextlib.suppress(FileNotFoundError):
                owner = path.stat()
                if (owner.st_uid, owner.st_gid) != (os.geteuid(), os.getegid()):
                    os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
