"""Kill a real build at random moments and ask the index each time: python benchmarks/kill_build.py [KILLS]

Builds the project's corpus, changes an article in a copy, starts `patient-faq build` again and again and kills it (SIGKILL)
at a random moment of its run. After each kill the index must answer from the old release or, if the build had been done,
from the new one.
"""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BASE = [sys.executable, "-m", "retrieval"]


def ask(index: Path) -> tuple[str, int]:
    """Ask the index; returns the release that answered and how many quotes it gave."""
    command = [*BASE, "ask", "How many sessions will it take?", "--json", "--index", str(index)]
    answer = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    return answer["release"], len(answer["quotes"])


def main(kills: int) -> None:
    """Kill, ask, print."""
    with tempfile.TemporaryDirectory() as work:
        corpus, index = Path(work) / "corpus", Path(work) / "index"
        shutil.copytree(ROOT / "corpus", corpus)
        build = [*BASE, "build", "--corpus", str(corpus), "--index", str(index)]
        subprocess.run(build, cwd=ROOT, check=True)
        old, _ = ask(index)
        for article in (corpus / "articles").glob("*.md"):
            article.write_text(article.read_text(encoding="utf-8") + "\n## More\n\nThis was added later.\n", encoding="utf-8")
        pristine = Path(work) / "pristine"
        shutil.copytree(index, pristine)
        began = time.monotonic()
        subprocess.run(build, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        whole = time.monotonic() - began
        chance = random.Random()
        served = 0
        for number in range(1, kills + 1):
            shutil.rmtree(index)
            shutil.copytree(pristine, index)
            moment = chance.uniform(0.05, 1.0) * whole
            process = subprocess.Popen(build, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(moment)
            done = process.poll() is not None
            process.send_signal(signal.SIGKILL)
            process.wait()
            release, quotes = ask(index)
            state = ("old" if release == old else "new") + " release serves"
            served += quotes > 0
            print(f"{number:3}  killed after {moment:5.2f} s{' (was done)' if done else ''}: {state}, {quotes} quotes")
        print(f"{served} of {kills} served")
        if served < kills:
            raise SystemExit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
