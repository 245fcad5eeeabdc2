# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The instruction-count model of a scan whose decays take an exponential each: how many vector instructions the loop of
the compiled code executes, as if each took as long as a multiply-add.

The loop is the innermost one with the most roundings of vectors: an exponential has one. Counted are arithmetic,
comparisons, shifts and conversions of vectors, also with an operand in memory; loads, stores, moves, broadcasts and
prefetches are not, nor is anything of scalars. A turn of the loop is one step for one vector of channels and as many
rows of the state as it has exponentials (what is left, fewer than rows, are of the time step and of the gate)."""

import re
import shutil
import subprocess
from pathlib import Path

from .cases import Scan

_LINE = re.compile(r"^\s*([0-9a-f]+):\s+(\S+)\s*(.*)$")
_JUMP = re.compile(r"^(?:0x)?([0-9a-f]+)\b")
_NO_ARITHMETIC = re.compile(r"^v(p?mov|p?broadcast|zero|p?gather|p?scatter|p?insert|p?extract|p?perm|p?shuf|p?unpck|k)")
_ROUNDING = re.compile(r"^v(rndscale|round)ps$")
_LANES = {"zmm": 16, "ymm": 8, "xmm": 4}


def _instructions(code: Path) -> list[tuple[int, str, str]]:
    """Address, mnemonic and operands of each instruction."""
    tool = next(filter(None, map(shutil.which, ("llvm-objdump-22", "llvm-objdump", "objdump"))), None)
    if not tool:
        return []
    text = subprocess.run([tool, "-d", "--no-show-raw-insn", str(code)], check=True, capture_output=True, text=True)
    found = (_LINE.match(line) for line in text.stdout.splitlines())
    return [(int(match[1], 16), match[2], match[3]) for match in found if match]


def _innermost_loops(code: list[tuple[int, str, str]]) -> list[list[tuple[int, str, str]]]:
    """What lies between the target of a jump backwards and that jump, where no such jump is between them."""
    places = {address: index for index, (address, _, _) in enumerate(code)}
    loops, last = [], -1
    for index, (address, mnemonic, operands) in enumerate(code):
        target = _JUMP.match(operands) if mnemonic.startswith("j") else None
        begin = places.get(int(target[1], 16)) if target else None
        if begin is None or begin > index:
            continue
        if begin > last:
            loops.append(code[begin : index + 1])
        last = index
    return loops


def _rows(exponentials: int, keys: int) -> int:
    """The most rows that divide the state and are not more than the exponentials."""
    return max((rows for rows in range(1, exponentials + 1) if keys % rows == 0), default=0)


def instructions(code: Path, case: Scan) -> int | None:
    """Vector instructions of a whole call times lanes; None where no such loop is found."""

    def roundings(loop: list[tuple[int, str, str]]) -> int:
        return sum(bool(_ROUNDING.match(mnemonic)) for _, mnemonic, _ in loop)

    loop = max(_innermost_loops(_instructions(code)), key=roundings, default=[])
    rows = _rows(roundings(loop), case.keys)
    if not rows:
        return None
    vectors = [re.findall(r"%([xyz]mm)\d", operands) for _, mnemonic, operands in loop
               if mnemonic.startswith("v") and not _NO_ARITHMETIC.match(mnemonic)]
    wide = max(vectors, key=lambda names: max((_LANES[name] for name in names), default=0))[0]
    turns = case.steps * case.heads * case.values * (case.keys // rows)  # times lanes
    return turns * sum(wide in names for names in vectors)
