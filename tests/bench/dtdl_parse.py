"""How long a published model takes to parse and validate, with all it depends on: `python -m tests.bench.dtdl_parse`.

Beside it Microsoft's parser as the npm package `@digicatapult/dtdl-parser` brings it, C# in WebAssembly under Node on
the same machine. Its time includes writing its result as JSON, which is the only way to have it there. Name the
directory where the package is installed in DTDL_PARSER_NPM (`npm install @digicatapult/dtdl-parser` there).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from harness.dtdl import parse
from tests.conformance.data import model_texts
from tests.paths import SHARED

ROUNDS = 30

NODE = """
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
const [, , module, input, rounds] = process.argv
const { getInterop } = await import(pathToFileURL(module))
const parser = await getInterop()
const models = JSON.parse(readFileSync(input, 'utf8'))
const best = models.map(() => Infinity)
for (let round = 0; round < Number(rounds); round++)
  models.forEach((text, index) => {
    const start = performance.now()
    parser.parse(text)
    best[index] = Math.min(best[index], performance.now() - start)
  })
console.log(JSON.stringify(best))
process.exit(0)
"""


def main() -> int:
    models = [model_texts(SHARED / "dtdl", dtmi) for dtmi in published(SHARED / "dtdl" / "models.txt")]
    if not models:
        print("skipped: the published models are not beside this checkout")
        return 0
    size = sum(len(text) for texts in models for text in texts) / len(models) / 1000
    print(f"{len(models)} models with dependencies, {size:.1f} kB each on average; best of {ROUNDS} rounds")
    ours = [_ours(texts) for texts in models]
    print(f"{'':24}{'mean':>10}{'median':>10}")
    _print("this parser", ours)
    theirs = _theirs([f"[{','.join(texts)}]" for texts in models])
    if isinstance(theirs, str):
        print(f"no comparison: {theirs}")
        return 0
    _print("Microsoft's, under Node", theirs)
    print(f"ratio of the means: {sum(ours) / sum(theirs):.2f}")
    return 0


def published(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split() if path.exists() else []


def _ours(texts: list[str]) -> float:
    """Milliseconds for one model."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = perf_counter()
        parse(texts)
        best = min(best, perf_counter() - start)
    return best * 1000


def _theirs(texts: list[str]) -> list[float] | str:
    """Milliseconds for each model, or the reason why there are none."""
    node = shutil.which("node")
    package = Path(os.environ.get("DTDL_PARSER_NPM", ".")) / "node_modules/@digicatapult/dtdl-parser/build/index.js"
    if node is None:
        return "node is not installed"
    if not package.exists():
        return "@digicatapult/dtdl-parser is not installed where DTDL_PARSER_NPM says"
    with tempfile.TemporaryDirectory() as folder:
        script, data = Path(folder, "time.mjs"), Path(folder, "models.json")
        script.write_text(NODE, encoding="utf-8")
        data.write_text(json.dumps(texts), encoding="utf-8")
        command = [node, str(script), str(package.resolve()), str(data), str(ROUNDS)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return f"node failed: {done.stderr.strip()[-300:]}"
    times: list[float] = json.loads(done.stdout)
    return times


def _print(name: str, times: list[float]) -> None:
    ordered = sorted(times)
    print(f"{name:24}{sum(times) / len(times):8.2f}ms{ordered[len(ordered) // 2]:8.2f}ms")


if __name__ == "__main__":
    sys.exit(main())
