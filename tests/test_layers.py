"""Imports go one way: a module may use what stands above it in this list, and nothing below."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ORDER = [
    "retrieval.types",
    "retrieval.errors",
    "retrieval.settings",
    "retrieval.durable",
    "retrieval.locks",
    "retrieval.sentences",
    "retrieval.reading.draft",
    "retrieval.reading.decode",
    "retrieval.reading.debris",
    "retrieval.reading.plain",
    "retrieval.reading.html",
    "retrieval.reading.markdown",
    "retrieval.reading.docx",
    "retrieval.reading.pdf",
    "retrieval.reading.formats",
    "retrieval.reading.structure",
    "retrieval.reading.aligning",
    "retrieval.reading.sheets",
    "retrieval.reading.drawing",
    "retrieval.reading.confined",
    "retrieval.reading.worker",
    "retrieval.reading.sandbox",
    "retrieval.reading.metadata",
    "retrieval.reading",
    "retrieval.private",
    "retrieval.database",
    "retrieval.journal",
    "retrieval.language",
    "retrieval.clinic",
    "retrieval.review",
    "retrieval.passages",
    "retrieval.signs",
    "retrieval.english",
    "retrieval.damage",
    "retrieval.question_model",
    "retrieval.export",
    "retrieval.encoder",
    "retrieval.encodings",
    "retrieval.vector_index",
    "retrieval.phrases",
    "retrieval.places",
    "retrieval.lexical",
    "retrieval.engine",
    "retrieval.marking",
    "retrieval.asked",
    "retrieval.glossary",
    "retrieval.widening",
    "retrieval.differences.amounts",
    "retrieval.differences.points",
    "retrieval.differences.beside",
    "retrieval.differences.finding",
    "retrieval.differences.asking",
    "retrieval.differences",
    "retrieval.vocabulary",
    "retrieval.rules",
    "retrieval.messages",
    "retrieval.classifier",
    "retrieval.training",
    "retrieval.examples",
    "retrieval.routing",
    "retrieval.snapshots",
    "retrieval.history",
    "retrieval.stored_articles",
    "retrieval.release_files",
    "retrieval.release",
    "retrieval.milvus_engine",
    "retrieval.shared",
    "retrieval.in_force",
    "retrieval.build",
    "retrieval.quoting",
    "retrieval.search",
    "retrieval.said",
    "retrieval.conversation",
    "retrieval.abstaining",
    "retrieval.answering",
    "retrieval.assistant",
    "retrieval.evaluation.judged",
    "retrieval.evaluation.carrying",
    "retrieval.evaluation.metrics",
    "retrieval.evaluation.statistics",
    "retrieval.evaluation.run",
    "retrieval.evaluation.crossval",
    "retrieval.evaluation.beir",
    "retrieval.evaluation.gate",
    "retrieval.evaluation.report",
    "retrieval.evaluation.command",
    "retrieval.evaluation",
    "retrieval.keeping.library",
    "retrieval.keeping.comparing",
    "retrieval.keeping.compared",
    "retrieval.keeping.figures",
    "retrieval.keeping.publishing",
    "retrieval.keeping.archive",
    "retrieval.keeping.copies",
    "retrieval.keeping.preview",
    "retrieval.keeping.checking",
    "retrieval.keeping.gaps",
    "retrieval.keeping.closing",
    "retrieval.keeping.desk",
    "retrieval.keeping",
    "retrieval.terminal",
    "retrieval.staff_cli",
    "retrieval.cli",
    "retrieval.__main__",
    "web.words",
    "web.render",
    "web.reader",
    "web.recording",
    "web.feedback",
    "web.gating",
    "web.gate",
    "web.line",
    "web.connections",
    "web.running",
    "web.metrics",
    "web.look",
    "web.chat",
    "web.server",
    "web.staff",
    "web.staff.passwords",
    "web.staff.accounts",
    "web.staff.sessions",
    "web.staff.waits",
    "web.staff.gate",
    "web.staff.login",
    "web.staff.uploads",
    "web.staff.exports",
    "web.staff.room",
    "web.staff.originals",
    "web.staff.editing",
    "web.staff.tables",
    "web.staff.showing",
    "web.staff.articles",
    "web.staff.publish",
    "web.staff.gaps",
    "web.staff.past",
    "web.staff.plots",
    "web.staff.overview",
    "web.staff.page",
    "web.staff.server",
    "web.staff.command",
    "web.staff.__main__",
    "app",
]
# What the screens and the command line may know of the engine.
ENGINE_FOR_SCREENS = {
    "retrieval.types", "retrieval.errors", "retrieval.settings", "retrieval.private", "retrieval.assistant",
    "retrieval.journal",
}  # fmt: skip
# The staff's screens may work with all that keeps articles, and name the clinic before there is a release.
ENGINE_FOR_STAFF = ENGINE_FOR_SCREENS | {"retrieval.clinic", "retrieval.history"}


def modules() -> dict[str, Path]:
    paths = [*(ROOT / "retrieval").rglob("*.py"), *(ROOT / "web").rglob("*.py"), ROOT / "app.py"]
    named = {}
    for path in paths:
        parts = path.relative_to(ROOT).with_suffix("").parts
        named[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return named


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module)
        elif isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
    return {name for name in found if name.split(".")[0] in {"retrieval", "web", "app"} and name not in {"retrieval", "web"}}


def test_every_module_has_its_place_in_the_order() -> None:
    assert set(modules()) - {"retrieval", "web"} == set(ORDER)


@pytest.mark.parametrize("name", ORDER)
def test_a_module_imports_only_from_above(name: str) -> None:
    place = ORDER.index(name)
    for used in imports(modules()[name]):
        assert ORDER.index(used) < place, f"{name} imports {used}"


@pytest.mark.parametrize("name", [name for name in ORDER if name.startswith("web") or name == "app"])
def test_screens_know_the_assistant_and_values_only(name: str) -> None:
    used = {module for module in imports(modules()[name]) if module.startswith("retrieval")}
    if name.startswith("web.staff"):
        kept = {module for module in used if module.startswith("retrieval.keeping.")}
        assert used - kept <= ENGINE_FOR_STAFF
    else:
        assert used <= ENGINE_FOR_SCREENS


def test_the_patients_screens_and_the_staff_s_know_nothing_of_each_other() -> None:
    for name in ORDER:
        used = {module for module in imports(modules()[name]) if module.startswith("web.")}
        if not name.startswith("web.staff"):
            assert not {module for module in used if module.startswith("web.staff")}, name
        else:
            assert not used & {"web.chat", "web.server", "web.gate", "web.line", "web.feedback"}, name


def test_the_engine_knows_nothing_of_any_screen() -> None:
    for name, path in modules().items():
        if name.startswith("retrieval"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            outside = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
            assert not {module for module in outside if module and module.split(".")[0] in {"gradio", "fastapi", "web"}}


def test_only_the_command_line_and_the_starter_print() -> None:
    for name, path in modules().items():
        calls = {
            node.func.id
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert "print" not in calls, name


def test_all_is_the_api_and_is_there() -> None:
    for name, path in modules().items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        listed = [
            ast.literal_eval(node.value)
            for node in tree.body
            if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets)
        ]
        defined = {node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
        public = {item for item in defined if not item.startswith("_")}
        if path.name not in {"__init__.py", "__main__.py"} or name == "retrieval.reading":
            assert listed, f"{name} has no __all__"
            assert public <= set(listed[0]), f"{name}: {public - set(listed[0])} is public but not in __all__"
