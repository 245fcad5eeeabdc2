# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How long it takes from nothing to MiniLM's first answer, and how large the runtime is. Run by benchmarks/startup."""

import multiprocessing
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from . import checks, command, model
from .peers import weft as weft_peer
from .weft_runtime import Session

MOST_LOAD_MS = 50.0
MOST_RUNTIME_KB = 200.0
LOADS = {True: 7, False: 25}  # by quick
FIRST_SHAPE = model.Shape(1, 16)
LOAD_STEPS = ["dlopen", "open", "session"]
STEPS = {
    "dlopen": "the runtime's library into the process",
    "open": "weft_open: files mapped, lengths and digests checked",
    "session": "weft_session_new",
    "load": "all of these",
    "first run": f"weft_run at {FIRST_SHAPE}, on pages not touched yet",
    "second run": "the same again",
}


def load(library: Path, artifact: Path, feed: dict[str, np.ndarray], hidden: int, pipe) -> None:
    """In a process that has never loaded the model: milliseconds of every step."""
    session = Session(library, artifact, threads=1)
    spent = dict(session.seconds)
    spent["load"] = sum(session.seconds.values())
    output = np.zeros((*feed["input_ids"].shape, hidden), np.float32)
    call = session.bind(feed, {"last_hidden_state": output})
    for step in ("first run", "second run"):
        start = time.perf_counter()
        call()
        spent[step] = time.perf_counter() - start
    pipe.send({step: 1e3 * seconds for step, seconds in spent.items()})


def loads(library: Path, artifact: Path, folder: Path, count: int) -> list[dict[str, float]]:
    cfg = model.config(folder)
    feed = model.inputs(FIRST_SHAPE, cfg, ragged=False)
    for file in artifact.iterdir():
        file.read_bytes()  # now in the page cache
    context = multiprocessing.get_context("fork")  # nothing of the runtime is in this process
    found = []
    for _ in range(count):
        mine, child = context.Pipe(duplex=False)
        process = context.Process(target=load, args=(library, artifact, feed, cfg["hidden_size"], child))
        process.start()
        child.close()
        try:
            found.append(mine.recv())
        except EOFError:
            raise SystemExit("error: the artifact cannot be loaded; see above") from None
        process.join()
    return found


def stripped_kilobytes(library: Path) -> float:
    strip = next((tool for tool in ("llvm-strip-22", "llvm-strip", "strip") if shutil.which(tool)), None)
    if not strip:
        raise SystemExit("error: there is no strip\nhelp: tools/setup installs what Weft is built with")
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / "runtime.so"
        subprocess.run([strip, "-o", str(copy), str(library.resolve())], check=True)
        return copy.stat().st_size / 1000


def main() -> int:
    description = "Times loading MiniLM in fresh processes, files in memory, digests checked; weighs the runtime."
    args = command.check_parser("startup", description).parse_args()
    where = command.setting(args)
    library, artifact = weft_peer.runtime(where), weft_peer.artifact(where)
    found = loads(library, artifact, where.model, LOADS[args.quick])
    rows = [["", "ms", "least", "most", ""]]
    for step, meaning in STEPS.items():
        values = [one[step] for one in found]
        rows.append([step, *(f"{value:.2f}" for value in (np.median(values), min(values), max(values))), meaning])
    megabytes = sum(file.stat().st_size for file in artifact.iterdir()) / 1e6
    print(f"{artifact.name}, {megabytes:.1f} MB, in {len(found)} fresh processes, median:")
    print(checks.aligned(rows))
    milliseconds = float(np.median([one["load"] for one in found]))
    return checks.finish(
        [
            checks.at_most("time to load MiniLM", milliseconds, MOST_LOAD_MS, " ms", ".1f"),
            checks.at_most("size of the runtime, stripped", stripped_kilobytes(library), MOST_RUNTIME_KB, " kB", ".0f"),
        ],
        args.json,
    )


if __name__ == "__main__":
    command.run(main)
