"""The screens: the patients' chat, the article reader, and the gate in front of both."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

__all__: list[str] = []


class _Later(ModuleType):
    """A module that is imported when something of it is used for the first time."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


# Gradio imports it for tables that are cached, which no page here has: half a second and fifty megabytes for nothing.
if "pandas" not in sys.modules:
    sys.modules["pandas"] = _Later("pandas")
