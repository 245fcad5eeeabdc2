# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs every program of this folder and gathers their checks in one table. Run by benchmarks/all."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from . import checks, command

KERNELS = "kernel_suite"
SCANS = "scan_suite"
EXPERTS = "expert_suite"
GPUS = "gpu_suite"
OWN_MODELS = (KERNELS, SCANS, EXPERTS, GPUS)  # they make what they run, and take no MiniLM

# Title, module, options, options for --quick.
PROGRAMS = [
    ("Accuracy", "minilm.accuracy", [], ["--quick"]),
    ("Architectures", "minilm.architectures", [], ["--quick"]),
    ("Start-up", "minilm.startup", [], ["--quick"]),
    ("Compile time", "minilm.compile_time", [], ["--quick"]),
    ("Kernels, one thread", KERNELS, [], ["--quick"]),
    ("Two threads", "thread_suite", [], ["--quick"]),
    ("Scans in a model, one thread", SCANS, [], ["--quick"]),
    ("Experts in a model, one thread", EXPERTS, [], ["--quick"]),
    ("Kernels for GPUs, a static model", GPUS, [], ["--quick"]),
]
QUICK_PEERS = "weft,onnxruntime,openvino,ctranslate2"
SHAPES = "1x16,1x128,1x512,32x128"
# Over the best peer, one thread. One row of 16 tokens streams the weights, where the others lose most.
LEAST_SPEED = {(1, 16): 1.2}
LEAST_SPEED_ELSEWHERE = 1.1


def round_medians(result: dict) -> list[float]:
    return [float(np.median(turn)) for turn in result["rounds_s"]]


def speed_checks(json_file: Path) -> list[checks.Check]:
    """Weft's speed over the best peer's at every shape: the median of the rounds' ratios."""
    run = json.loads(json_file.read_text())
    found = []
    for shape in run["shapes"]:
        results = shape["results"]
        rivals = [name for name in results if not name.startswith("weft")]
        best = min(rivals, key=lambda name: results[name]["median_s"])
        ratio = float(np.median(np.divide(round_medians(results[best]), round_medians(results["weft"]))))
        what = f"speed over the best peer's at ({shape['batch']},{shape['sequence']}): {best}"
        least = LEAST_SPEED.get((shape["batch"], shape["sequence"]), LEAST_SPEED_ELSEWHERE)
        found.append(checks.at_least(what, ratio, least))
    return found


def run(title: str, module: str, options: list[str], json_file: Path) -> int:
    print(f"== {title}", flush=True)
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", module, *options, "--json", str(json_file)], check=False)
    print(f"   {time.perf_counter() - start:.0f} s\n", flush=True)
    return done.returncode


def speed_options(quick: bool) -> list[str]:
    if not quick:
        return ["--no-kernels"]
    return ["--peers", QUICK_PEERS, "--shapes", SHAPES, "--rounds", "3"]


def main() -> int:
    description = "Runs every program of benchmarks/ and prints every number with its bound."
    args = command.check_parser("all", description).parse_args()
    build = ["--build", str(args.build)]
    places = list(build)
    places += ["--artifact", str(args.artifact)] if args.artifact else []
    places += ["--model", str(args.model)] if args.model else []
    speed = ("Speed, one thread", "minilm", [], [])
    gathered, broken = [], []
    with tempfile.TemporaryDirectory() as scratch:
        for title, module, full, quick in [*PROGRAMS, speed]:
            json_file = Path(scratch) / f"{module}.json"
            options = [*(build if module in OWN_MODELS else places), *(quick if args.quick else full)]
            options += speed_options(args.quick) if module == "minilm" else []
            code = run(title, module, options, json_file)
            if json_file.exists():
                gathered += speed_checks(json_file) if module == "minilm" else checks.read(json_file)
            if code not in (0, 3) or not json_file.exists():
                broken.append(title)
            elif code == 3 and module == "minilm":
                gathered.append(checks.Check("outputs of all peers near float64", "no", "all", met=False))
    print("== Every number and its bound")
    code = checks.finish(gathered, args.json)
    if broken:
        print(f"error: did not finish: {', '.join(broken)}", file=sys.stderr)
        return 1
    return code


if __name__ == "__main__":
    command.run(main)
