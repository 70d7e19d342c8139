"""Everything that can go wrong, in one tree. Each message names the thing, says why and what to do.

PatientFaqError
├── SettingsError        a setting or clinic.toml is not usable
├── CorpusError          the corpus folder as a whole
│   ├── UnreadableFile   one file of it: .path, .reason, .remedy
│   └── EditConflict     somebody else changed the file meanwhile; nothing was overwritten
├── ModelError           the model's files are absent, altered or do not fit
├── BuildError           a release could not be made
│   ├── BuildLocked      somebody else is at the same folder; says who
│   └── PublishRefused   a release that would be worse than its gate allows: .reasons
├── ReleaseError
│   ├── NoRelease        the index folder holds no release yet
│   ├── DamagedRelease   a file of a release is absent or was altered
│   └── DamagedHistory   an entry of the history is absent or was altered
├── EngineError          a server that holds releases' vectors and words cannot be reached, or does not hold what it should
├── ClassifierError      the trained router cannot be used, or example messages are not usable
├── QuestionError        a question that cannot be asked (empty, far too long, not text)
├── JournalError         the journal cannot be opened, read or written
├── AccountError         a staff account that cannot be made, changed or used
└── EvaluationError      judged questions, a public set or a gate that cannot be used
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

__all__ = [
    "AccountError",
    "BuildError",
    "BuildLocked",
    "ClassifierError",
    "CorpusError",
    "DamagedHistory",
    "DamagedRelease",
    "EditConflict",
    "EngineError",
    "EvaluationError",
    "JournalError",
    "ModelError",
    "NoRelease",
    "PatientFaqError",
    "PublishRefused",
    "QuestionError",
    "ReleaseError",
    "SettingsError",
    "UnreadableFile",
    "shown_name",
]


_LONGEST_NAME = 120


def shown_name(path: Path) -> str:
    """A file's name as it can be written on one line of any screen: what is no visible character is spelled out."""
    name = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in path.name)
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}..."


class PatientFaqError(Exception):
    """The root: anything a person can cause and can mend."""


class SettingsError(PatientFaqError):
    """A setting or the clinic's file is not usable."""


class CorpusError(PatientFaqError):
    """The corpus folder cannot be used."""


class UnreadableFile(CorpusError):
    """One file of the corpus cannot be read; the others still can.

    Parameters: the file's path, the reason it cannot be read, and what its owner can do about it.
    """

    def __init__(self, path: Path, reason: str, remedy: str) -> None:
        super().__init__(f"{shown_name(path)}: {reason}. {remedy}")
        self.path = path
        self.reason = reason
        self.remedy = remedy


class EditConflict(CorpusError):
    """A file was changed by somebody else since it was looked at; nothing was overwritten."""


class ModelError(PatientFaqError):
    """The model's files are absent, were altered, or do not fit."""


class BuildError(PatientFaqError):
    """A release could not be made; the one in force is untouched."""


class BuildLocked(BuildError):
    """Somebody else is writing to the same folder."""


class PublishRefused(BuildError):
    """A release was not put in force, since it would be worse than its gate allows.

    Parameters: what to say, and the limits that are not kept, one line each.
    """

    def __init__(self, message: str, reasons: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.reasons = tuple(reasons)


class ReleaseError(PatientFaqError):
    """Something about a release."""


class NoRelease(ReleaseError):
    """The index folder holds no release."""


class DamagedRelease(ReleaseError):
    """A release is incomplete or was altered after it was built."""


class DamagedHistory(ReleaseError):
    """The history of releases is incomplete or was altered."""


class EngineError(PatientFaqError):
    """A server of vectors and words cannot be reached, or does not hold what it should."""


class ClassifierError(PatientFaqError):
    """The trained router's arrays cannot be used, or the example messages for it."""


class QuestionError(PatientFaqError):
    """The question itself cannot be asked."""


class JournalError(PatientFaqError):
    """The journal cannot be opened, read or written."""


class AccountError(PatientFaqError):
    """A staff account cannot be made, changed or used."""


class EvaluationError(PatientFaqError):
    """Judged questions, a public set or a gate's limits cannot be used."""
