"""The screens: the patients' chat, the article reader, and the gate in front of both.

Gradio does two things at each start that no page here needs; without them it is imported in 1.7 s for 2.9.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
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


class _WithoutStubs:
    """Finds Gradio's module that writes a stub beside each component for editors, and takes the writing out of it."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != "gradio.component_meta":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            return spec
        loader, whole = spec.loader, spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            whole(module)
            module.create_or_modify_pyi = lambda *component: None  # type: ignore[attr-defined]  # Gradio's own

        loader.exec_module = exec_module  # type: ignore[method-assign]  # of this one module's loader
        return spec


if "gradio" not in sys.modules:
    sys.meta_path.insert(0, _WithoutStubs())
    # It is imported for tables that are cached.
    sys.modules.setdefault("pandas", _Later("pandas"))
