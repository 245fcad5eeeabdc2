# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The tiny models of test/fixtures, one for each architecture and head, against float64, and their bits. Run by
benchmarks/architectures."""

import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from . import checks, command
from .peers import Unavailable

BOUND = 1e-5  # relative RMS against float64
ERROR = re.compile(r"^\S+\s+(\S+)\s+(\S+): relative RMS (\S+)$")
BITS = re.compile(r"^(ok|FAIL)\s+(\S+)\s+(.*): same bits$")


@dataclass
class Found:
    """What weft_check_fixture said of one fixture."""

    name: str
    code: int
    output: str
    errors: list[float] = field(default_factory=list)
    bits: list[bool] = field(default_factory=list)

    def __post_init__(self):
        for line in self.output.splitlines():
            if error := ERROR.match(line):
                self.errors.append(float(error[3]))
            elif bits := BITS.match(line):
                self.bits.append(bits[1] == "ok")

    @property
    def finished(self) -> bool:
        return self.code in (0, 3) and bool(self.errors)

    @property
    def architecture(self) -> str:
        return re.match(r"xlm-roberta|tiny-minilm|[^-]+", self.name)[0]


def check(program: Path, fixture: Path) -> Found:
    done = subprocess.run([str(program), str(fixture)], check=False, capture_output=True, text=True)
    found = Found(fixture.name, done.returncode, done.stdout)
    if not found.finished:
        print(f"{fixture.name}: exit code {done.returncode}\n{done.stderr.strip()}", file=sys.stderr)
    return found


def table(found: list[Found]) -> str:
    rows = [["", "models", "rel. RMS, largest", "same bits"]]
    for architecture in sorted({one.architecture for one in found}):
        group = [one for one in found if one.architecture == architecture]
        errors = [error for one in group for error in one.errors] or [float("nan")]
        bits = [same for one in group for same in one.bits]
        rows.append([architecture, str(len(group)), f"{np.max(errors):.1e}", f"{sum(bits)} of {len(bits)}"])
    return checks.aligned(rows)


def results(found: list[Found]) -> list[checks.Check]:
    errors = [error for one in found for error in one.errors]
    bits = [same for one in found for same in one.bits]
    largest = float(np.max(errors)) if errors else float("nan")  # np.max keeps a NaN, max() may drop it
    return [
        checks.none_of("architectures: models compiled and run", sum(not one.finished for one in found), len(found)),
        checks.at_most("architectures: relative RMS of every output", largest, BOUND, form=".1e"),
        checks.none_of("architectures: same bits, threads and batch and padding", bits.count(False), len(bits)),
    ]


def main() -> int:
    description = "Compiles and runs the models of test/fixtures against float64; with --quick the base models alone."
    args = command.check_parser("architectures", description).parse_args()
    program = args.build / "bin" / "weft_check_fixture"
    if not program.exists():
        raise Unavailable(f"no program at {program}: build its target weft_check_fixture, or say where with --build")
    folders = sorted(path.parent for path in (command.ROOT / "test" / "fixtures").glob("*/config.json"))
    if args.quick:
        folders = [folder for folder in folders if folder.name.endswith("-base") or folder.name == "tiny-minilm"]
    found = []
    for folder in folders:
        print(folder.name, file=sys.stderr, flush=True)
        found.append(check(program, folder))
    print("Every code variant of this processor, against float64:")
    print(table(found))
    return checks.finish(results(found), args.json)


if __name__ == "__main__":
    command.run(main)
