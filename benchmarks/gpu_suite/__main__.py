# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Command line: compiles each problem twice, reads both kernels, reports."""

import argparse
import json
import subprocess
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from minilm import checks, command

from .cases import CASES, Case

TARGETS = {80: "sm_80", 90: "sm_90a"}
# What a warp's instruction of sm_80 multiplies and adds: slots are given for so much, since those of sm_90a do more.
UNIT = 16 * 8 * 16 * 2


@dataclass(frozen=True)
class Model:
    """One kernel, by `weft inspect --kernels`."""

    registers: int
    spilled: int
    flops: float  # of a pass through the main loop
    slots: float  # of it, for UNIT on matrix units
    share: float  # of the matrix units' peak, at most, on the first chip

    @classmethod
    def of(cls, kernel: dict) -> "Model":
        once = kernel["pass"]
        matrix = once["matrix_instructions"] > 0
        slots = once["issue_slots"] * UNIT / once["flops"] if matrix else float("nan")
        return cls(kernel["registers"], kernel["spilled_bytes"], once["flops"], slots,
                   kernel["chips"][0]["share_of_matrix_peak"])


def arguments() -> argparse.Namespace:
    parser = command.Parser(
        prog="benchmarks/gpu_kernels",
        description="Compares Weft's kernels for GPUs with Triton's for the same problems and block sizes: registers, "
        "spills, issue slots of the main loop. A static model of the PTX; nothing is timed, no GPU is needed.",
        epilog=command.EXIT_CODES,
    )
    command.add_build(parser)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the checks as JSON")
    parser.add_argument("--quick", action="store_true", help="sm_90a alone")
    parser.add_argument("--target", choices=list(TARGETS.values()), help="only this one (default: both)")
    args = parser.parse_args()
    args.targets = {capability: target for capability, target in TARGETS.items()
                    if args.target in (None, target) and not (args.quick and args.target is None and capability == 80)}
    return args


class Suite:
    def __init__(self, build: Path):
        self.weft = build / "bin" / "weft"
        self.cache = command.ROOT / "build" / "benchmarks" / "gpu_kernels"
        self.cache.mkdir(parents=True, exist_ok=True)

    def run(self, *words: object) -> str:
        done = subprocess.run([self.weft, *map(str, words)], capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{done.stderr}error: weft {' '.join(map(str, words))} failed")
        return done.stdout

    def inspect(self, ptx: Path) -> Model:
        return Model.of(json.loads(self.run("inspect", "--kernels", "--json", ptx))["kernels"][0])

    def ours(self, case: Case, capability: int) -> Model:
        """Of the kernels whose names begin so, the one that does most: others merge or move."""
        from safetensors.numpy import save_file

        stem = self.cache / f"case-{zlib.crc32(case.mlir.encode()):08x}"
        source, made = stem.with_suffix(".mlir"), stem.with_suffix(".weft")
        source.write_text(case.mlir)
        if case.weights:
            save_file({name: np.zeros(shape, np.float32) for name, shape in case.weights.items()},
                      stem.with_suffix(".safetensors"))
        target = TARGETS[capability]
        self.run("compile", source, "-o", made, "--target", f"nvptx:{target}", *case.options)
        kernels = sorted((made / "kernels" / target).glob(f"{case.kernel}*.ptx"))
        return max((self.inspect(kernel) for kernel in kernels), key=lambda model: model.flops)

    def theirs(self, case: Case, capability: int) -> Model:
        return self.inspect(case.rival(capability).ptx(capability, self.cache))


def checks_of(where: str, ours: Model, theirs: Model) -> list[checks.Check]:
    return [
        checks.at_most(f"{where}: registers over Triton's", ours.registers / theirs.registers, 1.0),
        checks.at_most(f"{where}: spilled bytes", ours.spilled, 0, form=".0f"),
        checks.at_most(f"{where}: issue slots over Triton's", ours.slots / theirs.slots, 1.0),
    ]


def cells(where: str, model: Model) -> list[str]:
    return [where, str(model.registers), str(model.spilled), f"{model.slots:.2f}", f"{100 * model.share:.0f} %"]


def main() -> int:
    args = arguments()
    suite = Suite(args.build)
    table, made = [["", "registers", "spilled", "slots", "matrix peak"]], []
    for capability, target in args.targets.items():
        for case in CASES:
            print(f"compiling {case.name} for {target}", file=sys.stderr, flush=True)
            where = f"{case.name}, {target}"
            ours, theirs = suite.ours(case, capability), suite.theirs(case, capability)
            table += [cells(where, ours), cells("  Triton", theirs)]
            made += checks_of(where, ours, theirs)
    print("A static model of the PTX, not a measurement. Slots: of a pass through the main loop, for each 16 x 8 x 16\n"
          "multiply-adds of the matrix units; matrix peak: the most that the busiest unit leaves of it.\n")
    print(checks.aligned(table))
    return checks.finish(made, args.json)


if __name__ == "__main__":
    command.run(main)
