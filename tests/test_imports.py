"""What the asking side imports: only what answering takes, so that it starts at once and stays small."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NEVER = {
    "torch",
    "transformers",
    "sentence_transformers",
    "sklearn",
    "scipy",
    "pandas",
    "matplotlib",
    "pymilvus",
    "bm25s",
    "onnx",
}
FOR_ONE_QUESTION = {
    "numpy", "onnxruntime", "orjson", "tokenizers", "Stemmer", "rapidfuzz", "threadpoolctl",  # what answering takes
    "typer", "shellingham", "pydantic", "pydantic_core", "annotated_types", "annotated_doc", "typing_inspection",  # the command
    "typing_extensions", "cython_runtime",
}  # fmt: skip
OWN = {"retrieval", "web", "app"}
ASK = """
import contextlib, io, json, runpy, sys
sys.argv = ["patient-faq", "ask", "does it hurt", "--index", sys.argv[1]]
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    runpy.run_module("retrieval", run_name="__main__")
"""
SERVE = """
import json, sys, threading, urllib.request
from dataclasses import replace
from pathlib import Path
import uvicorn
from retrieval.assistant import Assistant
from retrieval.settings import Settings
from web.server import create_app
settings = replace(Settings.from_environment(), index=Path(sys.argv[1]))
assistant = Assistant.open(settings)
server = uvicorn.Server(uvicorn.Config(create_app(assistant, settings), port=0, log_level="error"))
thread = threading.Thread(target=server.run)
thread.start()
while not server.started:
    threading.Event().wait(0.05)
port = server.servers[0].sockets[0].getsockname()[1]
assert b"gradio" in urllib.request.urlopen(f"http://127.0.0.1:{port}/").read()
assert assistant.ask("does it hurt").quotes
server.should_exit = True
thread.join()
"""
TELL = """
real = {name for name, module in sys.modules.items() if type(module).__name__ != "_Later"}
print(json.dumps(sorted({name.split(".")[0] for name in real} - set(sys.stdlib_module_names))))
"""


def imported(code: str, index: Path) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", code + TELL, str(index)], cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ
    )
    assert done.returncode == 0, done.stderr
    return {name for name in json.loads(done.stdout.splitlines()[-1]) if not name.startswith("_")} - OWN


def test_one_question_on_the_command_line_imports_these_and_nothing_else(own_index: Path) -> None:
    assert imported(ASK, own_index) <= FOR_ONE_QUESTION


def test_the_chat_imports_nothing_that_builds_trains_or_plots(own_index: Path) -> None:
    found = imported(SERVE, own_index)
    assert {"gradio", "onnxruntime"} <= found
    assert found & (NEVER | {"faiss"}) == set()  # few articles need no faiss either


def test_what_is_put_off_is_there_when_it_is_used() -> None:
    code = "import web, sys, pandas as pd\nfrom pandas import Series\nassert pd.DataFrame({'a': [1]}).sum()['a'] == 1\n"
    code += "assert Series is pd.Series and type(sys.modules['pandas']).__name__ == 'module'\n"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.parametrize("name", ["no_such_name", "__wrapped__"])
def test_what_is_not_there_is_no_attribute(name: str) -> None:
    code = f"import web, pandas\ntry:\n    pandas.{name}\nexcept AttributeError:\n    print('none')\n"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "none\n", done.stderr


def test_a_start_neither_reads_nor_writes_stubs_for_editors() -> None:
    code = "import sys\ndef told(event, what):\n    if event == 'open' and str(what[0]).endswith('.pyi'): print(what[0])\n"
    code += "sys.addaudithook(told)\n"
    code += "from web import chat\nimport gradio\nassert gradio.Button('Ask').value == 'Ask'\n"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == ""
