# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Machine code of NVIDIA's GPUs as nvdisasm -c prints it, and the order in which it must be; see ptxas_gate."""
import dataclasses
import re
import sys

INSTRUCTION = re.compile(r"^\s*/\*[0-9a-f]+\*/\s+(@!?U?P\w+\s+)?([A-Z][\w.]*)(.*?);")
LABEL = re.compile(r"^(\.L_x_\d+):")
TARGET = re.compile(r"`\((\.L_x_\d+)\)")
TOKEN = re.compile(r"([\w.|]+)([*+?]|\{\d+(?:,\d*)?\})?$")


class Listing:
    """The instructions' names in order, and the loops among them."""

    def __init__(self, text):
        self.names, self.labels, jumps, ends = [], {}, {}, set()
        for line in text.splitlines():
            if label := LABEL.match(line):
                self.labels[label[1]] = len(self.names)
            elif instruction := INSTRUCTION.match(line):
                at, operands = len(self.names), instruction[3].strip()
                self.names.append(instruction[2])
                target = TARGET.search(operands)
                if target and instruction[2].startswith("BRA"):
                    jumps[at] = target[1]
                is_alone = not instruction[1] and (at not in jumps or operands == target[0])
                if is_alone and (at in jumps or instruction[2] in ("EXIT", "RET", "BRX")):
                    ends.add(at)
        size = len(self.names)
        jumps = {at: self.labels[label] for at, label in jumps.items() if self.labels.get(label, size) < size}
        self.after = [[at + 1] if at not in ends and at + 1 < size else [] for at in range(size)]
        for at, target in jumps.items():
            self.after[at].append(target)
        self.before = [[] for _ in self.names]
        for at, nexts in enumerate(self.after):
            for following in nexts:
                self.before[following].append(at)
        heads = sorted({target for target in jumps.values()})
        self.loops = [loop for loop in (self.loop_of(head) for head in heads) if loop]

    def reached(self, start, edges, barrier):
        """The positions that are reached from `start` by edges without `barrier`."""
        members, open_ = set(), [at for at in start if at != barrier]
        while open_:
            at = open_.pop()
            if at not in members:
                members.add(at)
                open_ += [following for following in edges[at] if following != barrier]
        return members

    def loop_of(self, head):
        """The positions of the loop with this head, in order; None where there is none."""
        around = self.reached([0], self.after, head)  # what the head does not dominate
        back = [at for at in self.before[head] if at not in around and at in self.reached([head], self.after, None)]
        return sorted(self.reached(back, self.before, head) | {head}) if back else None

    def loop_with(self, prefix):
        """The names of the innermost loop with the most instructions that begin so; None: no loop has any."""
        def count(loop):
            return sum(self.names[at].startswith(prefix) for at in loop)

        having = [loop for loop in self.loops if count(loop)]
        innermost = [loop for loop in having if not any(set(other) < set(loop) for other in having)]
        return [self.names[at] for at in max(innermost, key=count)] if innermost else None


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


def crowding(listing, prefix, limit):
    """What is wrong when the loop has more than `limit` instructions for each that begins so; None: it has not."""
    names = listing.loop_with(prefix)
    if names is None:
        return f"no loop has {prefix}"
    each = len(names) / sum(name.startswith(prefix) for name in names)
    return f"the loop has {each:.1f} instructions for each {prefix}, its budget is {limit}" if each > limit else None


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
