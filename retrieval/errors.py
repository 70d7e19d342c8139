"""Everything that can go wrong, in one tree. Each message names the thing, says why and what to do.

PatientFaqError
├── SettingsError        a setting or clinic.toml is not usable
├── CorpusError          the corpus folder as a whole
│   └── UnreadableFile   one file of it: .path, .reason, .remedy
├── ModelError           the model's files are absent, altered or do not fit
├── BuildError           a release could not be made
│   └── BuildLocked      somebody else is building into the same index
├── ReleaseError
│   ├── NoRelease        the index folder holds no release yet
│   └── DamagedRelease   a file of a release is absent or was altered
├── ClassifierError      the trained router cannot be used, or example messages are not usable
├── QuestionError        a question that cannot be asked (empty, far too long, not text)
├── JournalError         the journal cannot be opened, read or written
└── EvaluationError      judged questions, a public set or a gate that cannot be used
"""

from __future__ import annotations

from pathlib import Path

__all__ = [
    "BuildError",
    "BuildLocked",
    "ClassifierError",
    "CorpusError",
    "DamagedRelease",
    "EvaluationError",
    "JournalError",
    "ModelError",
    "NoRelease",
    "PatientFaqError",
    "QuestionError",
    "ReleaseError",
    "SettingsError",
    "UnreadableFile",
]


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
        super().__init__(f"{path.name}: {reason}. {remedy}")
        self.path = path
        self.reason = reason
        self.remedy = remedy


class ModelError(PatientFaqError):
    """The model's files are absent, were altered, or do not fit."""


class BuildError(PatientFaqError):
    """A release could not be made; the one in force is untouched."""


class BuildLocked(BuildError):
    """Another build is writing to the same index."""


class ReleaseError(PatientFaqError):
    """Something about a release."""


class NoRelease(ReleaseError):
    """The index folder holds no release."""


class DamagedRelease(ReleaseError):
    """A release is incomplete or was altered after it was built."""


class ClassifierError(PatientFaqError):
    """The trained router's arrays cannot be used, or the example messages for it."""


class QuestionError(PatientFaqError):
    """The question itself cannot be asked."""


class JournalError(PatientFaqError):
    """The journal cannot be opened, read or written."""


class EvaluationError(PatientFaqError):
    """Judged questions, a public set or a gate's limits cannot be used."""
