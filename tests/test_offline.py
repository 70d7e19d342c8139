"""Nothing leaves the house: with every socket but loopback refused, everything still works."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from reportlab.pdfgen.canvas import Canvas

from retrieval.encoder import Encoder

ROOT = Path(__file__).resolve().parent.parent

# Refuses and records each name look-up and each connection that is not to this machine.
GUARD = """
import sys
LOCAL = {"127.0.0.1", "::1", "localhost", "0.0.0.0", "", None}
def refuse(event, arguments):
    if event == "socket.getaddrinfo" and arguments[0] not in LOCAL:
        sys.stderr.write(f"OUTSIDE {event} {arguments[0]}\\n")
        raise OSError("the network is unplugged")
    if event in {"socket.connect", "socket.sendto"} and isinstance(arguments[1], tuple) and arguments[1][0] not in LOCAL:
        sys.stderr.write(f"OUTSIDE {event} {arguments[1]}\\n")
        raise OSError("the network is unplugged")
sys.addaudithook(refuse)
"""
ASK = """
import runpy
sys.argv = ["patient-faq", *sys.argv[1:]]
runpy.run_module("retrieval", run_name="__main__")
"""
SERVE = """
import asyncio, contextlib, io, socket, threading, urllib.request
from pathlib import Path
from dataclasses import replace
from retrieval.assistant import Assistant
from retrieval.settings import Settings
from web.server import create_app
import uvicorn
settings = replace(Settings.from_environment(), index=Path(sys.argv[1]))
server = uvicorn.Server(uvicorn.Config(create_app(Assistant.open(settings), settings), port=0, log_level="error"))
thread = threading.Thread(target=server.run)
thread.start()
while not server.started:
    threading.Event().wait(0.05)
port = server.servers[0].sockets[0].getsockname()[1]
page = urllib.request.urlopen(f"http://127.0.0.1:{port}/").read().decode()
threading.Event().wait(3)
server.should_exit = True
thread.join()
print("PAGE", len(page))
"""


def guarded(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", GUARD + code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env={**os.environ, "HF_HUB_OFFLINE": ""})


def test_the_guard_itself_refuses() -> None:
    done = guarded("import socket\nsocket.create_connection(('192.0.2.1', 80), timeout=1)")
    assert "OUTSIDE" in done.stderr
    assert done.returncode == 1


def test_building_and_asking_reach_for_nothing_outside(tmp_path: Path, corpus: Path, real_encoder: Encoder) -> None:
    index = str(tmp_path / "index")
    leaflet = Canvas(str(corpus / "articles" / "hands.pdf"))  # beside articles in three other formats
    leaflet.drawString(72, 700, "Wash your hands before the visit.")
    leaflet.save()
    built = guarded(ASK, "build", "--corpus", str(corpus), "--index", index)
    assert (built.returncode, "OUTSIDE" in built.stderr) == (0, False), built.stderr
    asked = guarded(ASK, "ask", "How many sessions are needed?", "--index", index)
    assert (asked.returncode, "OUTSIDE" in asked.stderr) == (0, False), asked.stderr
    assert "“" in asked.stdout
    served = guarded(SERVE, index)
    assert (served.returncode, "OUTSIDE" in served.stderr) == (0, False), served.stderr
    assert "PAGE" in served.stdout


def test_asking_leaves_no_number_of_this_machine_behind(tmp_path: Path, own_index: Path) -> None:
    # onnxruntime keeps what it would report in the home folder and sends it from native code, which the guard cannot see.
    home = tmp_path / "home"
    home.mkdir()
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    done = subprocess.run(
        [sys.executable, "-m", "retrieval", "ask", "does it hurt", "--index", str(own_index)],
        cwd=ROOT, env={**environment, "HOME": str(home)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [path.name for path in home.rglob("*") if path.is_file()] == []


def test_exporting_the_model_reaches_for_nothing_outside(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path\nfrom retrieval import encoder, export\n"
        "sys.argv = ['export', str(encoder.package_folder()), sys.argv[1]]\nexport.main()\n"
    )
    done = guarded(code, str(tmp_path))
    assert (done.returncode, "OUTSIDE" in done.stderr) == (0, False), done.stderr
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) > 80_000_000
