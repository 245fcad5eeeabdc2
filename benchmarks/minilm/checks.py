# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Numbers with their bounds: the last lines of every program here, and what benchmarks/all gathers."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Check:
    what: str
    value: str
    bound: str
    met: bool

    def cells(self) -> list[str]:
        return [self.what, self.value, self.bound, "met" if self.met else "MISSED"]


def at_most(what: str, value: float, bound: float, unit: str = "", form: str = ".2f") -> Check:
    # Not `value > bound`, which a NaN would pass.
    return Check(what, f"{value:{form}}{unit}", f"at most {bound:g}{unit}", value <= bound)


def at_least(what: str, value: float, bound: float, form: str = ".2f") -> Check:
    return Check(what, f"{value:{form}}", f"at least {bound:g}", value >= bound)


def none_of(what: str, wrong: int, total: int) -> Check:
    return Check(what, f"{total - wrong} of {total}", "all", wrong == 0 and total > 0)


def aligned(table: list[list[str]]) -> str:
    """Rows of cells as text: the first column to the left, the others to the right."""
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    lines = []
    for row in table:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))]
        lines.append(("  " + "  ".join(cells)).rstrip())
    return "\n".join(lines)


def text(checks: list[Check]) -> str:
    return aligned([check.cells() for check in checks])


def finish(checks: list[Check], json_file: Path | None) -> int:
    """Prints the checks, writes them where asked, and returns the exit code."""
    print("\n" + text(checks), flush=True)
    if json_file:
        json_file.write_text(json.dumps([asdict(check) for check in checks], indent=1) + "\n")
    return 0 if all(check.met for check in checks) else 3


def read(json_file: Path) -> list[Check]:
    return [Check(**check) for check in json.loads(json_file.read_text())]
