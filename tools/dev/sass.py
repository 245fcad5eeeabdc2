# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Machine code of NVIDIA's GPUs as nvdisasm -c prints it, and the order in which it must be; see ptxas_gate."""
import dataclasses
import re
import sys

INSTRUCTION = re.compile(r"^\s*/\*[0-9a-f]+\*/\s+(?:@!?U?P\w+\s+)?([A-Z][\w.]*)(.*?);")
LABEL = re.compile(r"^(\.L_x_\d+):")
TARGET = re.compile(r"`\((\.L_x_\d+)\)")
TOKEN = re.compile(r"([\w.|]+)([*+?]|\{\d+(?:,\d*)?\})?$")


class Listing:
    """The instructions' names in order, and the loops among them."""

    def __init__(self, text):
        self.names, self.labels, branches = [], {}, []
        for line in text.splitlines():
            if label := LABEL.match(line):
                self.labels[label[1]] = len(self.names)
            elif instruction := INSTRUCTION.match(line):
                target = TARGET.search(instruction[2])
                if target and instruction[1].startswith("BRA"):
                    branches.append((len(self.names), target[1]))
                self.names.append(instruction[1])
        # [first, last] of each backward branch.
        self.loops = [(self.labels[target], at) for at, target in branches if self.labels.get(target, at + 1) <= at]

    def loop_with(self, prefix):
        """The names of the innermost loop with the most instructions that begin so; None: no loop has any."""
        def count(loop):
            return sum(name.startswith(prefix) for name in self.names[loop[0]:loop[1] + 1])

        having = [loop for loop in self.loops if count(loop)]
        innermost = [loop for loop in having if not any(
            other != loop and loop[0] <= other[0] and other[1] <= loop[1] for other in having)]
        if not innermost:
            return None
        first, last = max(innermost, key=count)
        return self.names[first:last + 1]


def as_regex(pattern):
    """`A{2} B|C+` as a regular expression over names with a blank after each."""
    result = ""
    for word in pattern.split():
        token = TOKEN.match(word)
        if not token:
            sys.exit(f"ptxas_gate: cannot read '{word}' in a SASS line: write NAME, NAME*, NAME{{4}} or A|B{{2,}}")
        names = "|".join(re.escape(name) + r"[\w.]*" for name in token[1].split("|"))
        result += f"(?:(?:{names}) ){token[2] or ''}"
    return re.compile(result + "$")


def compressed(names):
    """HGMMA*4 MUFU*2"""
    runs = []
    for name in names:
        if runs and runs[-1][0] == name:
            runs[-1][1] += 1
        else:
            runs.append([name, 1])
    return " ".join(name + (f"*{count}" if count > 1 else "") for name, count in runs)


@dataclasses.dataclass
class Order:
    kernel: str
    loop: str  # empty: the whole kernel
    keep: list
    pattern: str

    @staticmethod
    def parse(text):
        match = re.match(r"(\S+?)(?:\s+loop\[([^\]]+)\])?\s+keep\[([^\]]+)\]:\s*(.+)$", text)
        if not match:
            sys.exit(f"ptxas_gate: cannot read '// SASS: {text}': write NAME loop[OP] keep[OP OP]: PATTERN")
        return Order(match[1], match[2] or "", match[3].split(), match[4])

    def problem(self, listing):
        """What is wrong with the machine code; None: it is in this order."""
        names = listing.loop_with(self.loop) if self.loop else listing.names
        if names is None:
            return f"no loop has {self.loop}"
        kept = [name for name in names if name.startswith(tuple(self.keep))]
        regex = as_regex(self.pattern)
        # A loop may be entered anywhere: any rotation will do.
        for start in range(len(kept) if self.loop else 1):
            if regex.match("".join(name + " " for name in kept[start:] + kept[:start])):
                return None
        return f"machine code is not in the order {self.pattern}: {compressed(kept)}"
