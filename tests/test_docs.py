"""The documents say what is there: every command, setting and room, and no link that leads nowhere."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
import typer.main

from retrieval.cli import app
from retrieval.settings import Settings
from web.staff.command import app as staff

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DEPLOY = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
DESIGN = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("field", dataclasses.fields(Settings), ids=lambda field: field.name)
def test_every_setting_is_in_the_table_with_its_default_and_an_example(field: dataclasses.Field[object]) -> None:
    row = next((line for line in _settings() if f"`PATIENT_FAQ_{field.name.upper()}`" in line), "")
    assert row, field.name
    example = row.split("|")[4].strip().strip("`")
    Settings.from_environment({f"PATIENT_FAQ_{field.name.upper()}": example})
    assert example != str(field.default)
    if isinstance(field.default, int) or (isinstance(field.default, str | Path) and str(field.default)):
        value = int(field.default) if isinstance(field.default, bool) else field.default
        assert f"`{value}`" in row


def _settings() -> list[str]:
    """The rows of the table of settings."""
    return [line for line in DEPLOY.splitlines() if line.startswith("| `PATIENT_FAQ_")]


def test_the_table_names_the_settings_that_there_are_and_no_page_another() -> None:
    there_are = sorted(field.name.upper() for field in dataclasses.fields(Settings))
    assert sorted(re.findall(r"^\| `PATIENT_FAQ_([A-Z_]+)`", "\n".join(_settings()), flags=re.MULTILINE)) == there_are
    files = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "deploy").iterdir()]
    for file in files:
        assert set(re.findall(r"PATIENT_FAQ_([A-Z_]+)\b", file.read_text(encoding="utf-8"))) <= set(there_are), file.name


def test_each_file_in_deploy_is_explained() -> None:
    for file in (ROOT / "deploy").iterdir():
        assert f"deploy/{file.name}" in DEPLOY


def test_the_service_s_settings_are_understood() -> None:
    lines = (ROOT / "deploy" / "patient-faq.env").read_text(encoding="utf-8").splitlines()
    found = Settings.from_environment(dict(line.split("=", 1) for line in lines if line.startswith("PATIENT_FAQ_")))
    assert (found.trust_proxy, found.hosts) == (True, "faq.clinic.example")


def test_every_command_is_in_the_readme() -> None:
    commands = typer.main.get_command(app).commands
    for name in commands:
        assert f"patient-faq {name}" in README


def test_every_command_for_staff_is_in_the_page_on_running_it() -> None:
    accounts = typer.main.get_command(staff).commands["accounts"]
    assert "`patient-faq-staff accounts`" in DEPLOY
    for name in accounts.commands:
        assert f"`patient-faq-staff accounts {name} " in DEPLOY


def test_every_make_target_in_the_readme_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"make (\w+)", README)):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "docs/design.md",
        "docs/embedding.md",
        "docs/deploy.md",
        "docs/privacy.md",
        "docs/security.md",
        "docs/staff.md",
        "CHANGELOG.md",
    ],
)
def test_files_that_a_page_names_are_there(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    named = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text)
    named += re.findall(r"`((?:corpus|examples|index|docs|deploy|tests|benchmarks|retrieval|web)/[\w./-]*)`", text)
    for name in named:
        assert (ROOT / name).exists() or ((ROOT / page).parent / name).exists(), f"{page} names {name}"


def test_every_module_stands_in_the_design() -> None:
    rooms = DESIGN.split("## Rooms")[1].split("## What must")[0]
    for path in [*(ROOT / "retrieval").rglob("*.py"), *(ROOT / "web").rglob("*.py")]:
        if not path.stem.startswith("__"):
            assert re.search(rf"\b{path.stem}\b", rooms), path.name


def test_weights_in_the_design_are_those_in_force() -> None:
    from retrieval.answering import ANSWERS_FROM, IN_THE_FIELD_FROM
    from retrieval.build import VECTOR_WEIGHTS
    from retrieval.lexical import LexicalIndex
    from retrieval.search import word_weight

    own, context, heading = VECTOR_WEIGHTS
    assert f"{own} of its own words, {context} of its words under title and headings, {heading:.2f} of its heading" in DESIGN
    words = LexicalIndex.build(["laser", "scar"])
    strength, rarest = words.strength("laser zebra"), words.rarest
    assert word_weight(words, "laser zebra", 0.0) == pytest.approx(0.0132 * strength)
    assert word_weight(words, "laser zebra", 1.0) == pytest.approx(0.2036 * strength / rarest**2)
    assert "dense + strength * (0.0132 * (1 - taught) + 0.2036 * taught / rarest^2) * lexical + lift" in DESIGN
    assert f"in the articles' field ({IN_THE_FIELD_FROM})" in DESIGN
    assert f"then likely to answer it ({ANSWERS_FROM})" in DESIGN


def test_the_changelog_has_the_version() -> None:
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert version
    assert f"## {version.group(1)}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_every_hazard_names_tests_that_exist() -> None:
    table = (ROOT / "docs" / "safety.md").read_text(encoding="utf-8").split("## Hazards")[1].split("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ") and not line.startswith("| hazard")]
    tests = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    assert len(rows) >= 15
    for row in rows:
        proofs = re.findall(r"`([^`]+)`", row.split("|")[4])
        assert proofs, row
        for proof in proofs:
            assert (ROOT / proof).exists() or f"def {proof}(" in tests, proof


def test_each_limit_on_files_names_tests_that_exist() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    written = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "reading").glob("test_*.py"))
    named = re.findall(r"`(test_\w+)(?:\[([^\]]+)\])?`", page)
    assert len(named) > 15
    for name, case in named:
        assert f"def {name}(" in written, name
        assert not case or f'"{case}"' in written, case
