# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How long `weft compile` takes on MiniLM and on its like with 12 and 24 layers, interleaved. Run by
benchmarks/compile-time."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from . import checks, command, model
from .peers import weft as weft_peer

LAYERS = [6, 12, 24]
QUICK_LAYERS = [6, 24]
TARGETS = {"all targets": [], "one target": ["--target", "cpu:native"]}
MOST_SECONDS = 10.0  # of CPU, MiniLM, all targets
MOST_GROWTH = 1.3  # CPU of 24 layers over that of 6
ROUNDS = {True: 3, False: 9}  # by quick

LAYER = re.compile(r"^(.*encoder\.layer\.)(\d+)(\..*)$")
PROGRESS = re.compile(r"^\s*\d+ %\s+(\w+)")  # " 41 %  emit v3"


def deepened(source: Path, layers: int, folder: Path) -> Path:
    """MiniLM with so many layers: the real ones again and again. Made once."""
    target = folder / f"{model.NAME}-{layers}-layers"
    if target.exists():
        return target
    from safetensors.numpy import load_file, save_file

    part = target.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(source, part, ignore=shutil.ignore_patterns("*.safetensors"))
    cfg = model.config(source)
    weights = load_file(source / "model.safetensors")
    deep = {name: array for name, array in weights.items() if not LAYER.match(name)}
    for name, array in weights.items():
        if found := LAYER.match(name):
            for layer in range(int(found[2]), layers, cfg["num_hidden_layers"]):
                deep[f"{found[1]}{layer}{found[3]}"] = array
    save_file(deep, part / "model.safetensors", {"format": "pt"})
    (part / "config.json").write_text(json.dumps({**cfg, "num_hidden_layers": layers}, indent=2) + "\n")
    part.rename(target)
    return target


@dataclass
class Times:
    """Seconds of each round."""

    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)


def compile_command(weft: Path, folder: Path, artifact: Path, options: list[str]) -> list[str]:
    return [str(weft), "compile", str(folder), "-o", str(artifact), "--threads", "1", *options]


def compile_once(weft: Path, folder: Path, options: list[str], scratch: Path, times: Times) -> None:
    artifact = scratch / "model.weft"
    errors = scratch / "errors.txt"
    start = time.perf_counter()
    with errors.open("w") as stream:
        child = subprocess.Popen(compile_command(weft, folder, artifact, options), stdout=stream, stderr=stream)
        _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise SystemExit(f"error: weft compile {folder}: exit code {child.returncode}\n{errors.read_text()}")
    times.cpu.append(usage.ru_utime + usage.ru_stime)
    times.wall.append(time.perf_counter() - start)
    shutil.rmtree(artifact)


def phase_seconds(weft: Path, folder: Path, scratch: Path) -> dict[str, float]:
    """Wall seconds of each phase, by when `weft compile` says that the next one begins. One thread: one at a time."""
    artifact = scratch / "phases.weft"
    spent: dict[str, float] = defaultdict(float)
    phase, since = "start", time.perf_counter()
    child = subprocess.Popen(
        compile_command(weft, folder, artifact, []), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    for line in child.stderr:
        if found := PROGRESS.match(line):
            now = time.perf_counter()
            spent[phase] += now - since
            phase, since = found[1], now
    child.wait()
    spent[phase] += time.perf_counter() - since
    shutil.rmtree(artifact, ignore_errors=True)
    return dict(spent)


def measure(weft: Path, folders: dict[int, Path], scratch: Path, rounds: int) -> dict[tuple[int, str], Times]:
    times: dict[tuple[int, str], Times] = defaultdict(Times)
    subjects = [(layers, target) for target in TARGETS for layers in folders]
    for index in range(-1, rounds):  # the first round brings files into memory and is not kept
        print(f"round {index + 1} of {rounds}", file=sys.stderr, flush=True)
        first = index % len(subjects)
        for layers, target in subjects[first:] + subjects[:first]:
            kept = times[layers, target] if index >= 0 else Times()
            compile_once(weft, folders[layers], TARGETS[target], scratch, kept)
    return times


def growth(times: dict[tuple[int, str], Times], target: str) -> float:
    """CPU of the deepest over that of the shallowest: the median of the rounds' ratios."""
    deep, shallow = (times[layers, target].cpu for layers in (LAYERS[-1], LAYERS[0]))
    return float(np.median(np.divide(deep, shallow)))


def times_table(times: dict[tuple[int, str], Times]) -> str:
    rows = [["", "layers", "CPU s", "least", "wall s"]]
    for (layers, target), found in sorted(times.items(), key=lambda item: (item[0][1], item[0][0])):
        numbers = [np.median(found.cpu), min(found.cpu), np.median(found.wall)]
        rows.append([target, str(layers), *(f"{number:.2f}" for number in numbers)])
    return checks.aligned(rows)


def phases_table(weft: Path, folders: dict[int, Path], scratch: Path) -> str:
    shares = {layers: phase_seconds(weft, folders[layers], scratch) for layers in (LAYERS[0], LAYERS[-1])}
    rows = [["phase, all targets", *(f"{layers} layers" for layers in shares)]]
    for phase in shares[LAYERS[-1]]:
        spent = [(found.get(phase, 0.0), sum(found.values())) for found in shares.values()]
        rows.append([phase, *(f"{seconds:.2f} s {100 * seconds / whole:3.0f} %" for seconds, whole in spent)])
    return checks.aligned(rows)


def results(times: dict[tuple[int, str], Times]) -> list[checks.Check]:
    deepest, real = LAYERS[-1], LAYERS[0]
    found = []
    for target in TARGETS:
        what = f"CPU time to compile MiniLM, {target}"
        found.append(checks.at_most(what, float(np.median(times[real, target].cpu)), MOST_SECONDS, " s"))
    for target in TARGETS:
        what = f"CPU time to compile {deepest} layers over {real}, {target}"
        found.append(checks.at_most(what, growth(times, target), MOST_GROWTH))
    return found


def main() -> int:
    description = "Times weft compile, on one thread, of MiniLM and of the same with 12 and 24 layers."
    args = command.check_parser("compile-time", description).parse_args()
    where = command.setting(args)
    weft = weft_peer.compiler(where)
    counts = QUICK_LAYERS if args.quick else LAYERS
    folders = {layers: deepened(where.model, layers, command.MODELS) for layers in counts[1:]}
    folders = {LAYERS[0]: where.model, **folders}
    with tempfile.TemporaryDirectory(dir=where.cache) as scratch:
        times = measure(weft, folders, Path(scratch), ROUNDS[args.quick])
        print(f"weft compile --threads 1, median of {ROUNDS[args.quick]} interleaved rounds:")
        print(times_table(times) + "\n")
        print(phases_table(weft, folders, Path(scratch)))
    return checks.finish(results(times), args.json)


if __name__ == "__main__":
    command.run(main)
