# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Command line: makes the model, times the engines on it, reports."""

import argparse
import sys
from dataclasses import dataclass
from functools import partial

import numpy as np
from minilm import checks, command, machine, timing
from minilm.peers import Setting
from minilm.worker import Failed, Worker
from model_suite import bench, works
from model_suite.bench import PROMPT
from model_suite.works import Decode, Prefill

from . import model, peers

LENGTHS = [512, 2048, 8192, 32768]
NAME = "Mamba 130M"


def arguments() -> argparse.Namespace:
    parser = command.Parser(
        prog="benchmarks/scan_models",
        description="Times Mamba of the 130M shape (random weights in float32) on one thread: prefill of 512 tokens "
        "and decoding beside other engines, interleaved, scores compared with float64; cost of a token and memory as "
        "the prompt grows.",
        epilog=command.EXIT_CODES,
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="two rounds, without torch.compile, prompts of up to 8192 tokens")
    add("--no-long", action="store_true", help="without the longer prompts and the memory")
    names = list(peers.ALL)
    bench.add_options(parser, names)
    args = parser.parse_args()
    args.full = not (args.quick or args.peers or args.rounds or args.no_long)
    usual = [name for name in names if not (args.quick and name == "torch-compile")]
    args.peers = bench.choose(parser, args.peers, names, usual)
    args.rounds = args.rounds or (2 if args.quick else 5)
    args.lengths = LENGTHS[:3] if args.quick else LENGTHS
    return args


class Bench:
    def __init__(self, args: argparse.Namespace):
        self.args, self.sizes = args, model.Sizes()
        cache = command.ROOT / "build" / "benchmarks" / "scan_models"
        cache.mkdir(parents=True, exist_ok=True)
        source = model.folder(cache, self.sizes)
        self.where = Setting(command.ROOT, args.build, source, cache, 1, args.artifact)
        makers = bench.makers_of(args.peers, peers.ALL, self.where, self.sizes)
        self.engines = bench.Engines(self.where, makers, model.weight_bytes(source), args.rounds)

    def weft(self) -> Worker | None:
        return next((worker for worker in self.engines.workers if worker.name == "weft"), None)

    def long(self) -> dict[int, timing.Samples]:
        """Weft's prompts of growing length in one call, in turns; a process for each length."""
        if not self.weft():
            return {}
        print(f"timing prompts of up to {self.args.lengths[-1]} tokens", file=sys.stderr, flush=True)
        make = partial(peers.ALL["weft"], self.where, self.sizes)
        bound = [Worker(str(length), make) for length in self.args.lengths]
        for worker in bound:
            worker.bind(Prefill(int(worker.name)))
        plan = timing.Plan(min(self.args.rounds, 2), 0.0, "cpu", 0.0)
        samples = timing.interleave(bound, lambda: None, plan)
        return {length: samples[str(length)] for length in self.args.lengths}

    def memory(self) -> np.ndarray | None:
        """Rows (resident bytes, bytes of states) after each of the lengths, in parts of 512 tokens."""
        weft = self.weft()
        if not weft:
            return None
        print("watching the memory of a session", file=sys.stderr, flush=True)
        return weft.bind(peers.Stream(PROMPT, tuple(self.args.lengths)))


@dataclass
class Report:
    bench: Bench
    speeds: bench.Speeds
    long: dict[int, timing.Samples]  # of Weft, by the tokens of a call
    memory: np.ndarray | None

    def cost(self, length: int) -> float:
        """A token's at this length over that at the first length: the median over the rounds."""
        first, *_ = self.bench.args.lengths
        return self.long[length].median_of_ratios(self.long[first]) * first / length

    def lengths(self) -> list[list[str]]:
        rows = [["tokens", "in one call, each", "over the first", "resident, in parts of 512", "states"]]
        for (length, samples), (resident, states) in zip(self.long.items(), self.memory, strict=True):
            each = f"{samples.median * 1e6 / length:.0f} µs"
            sizes = [f"{resident / 2**20:.1f} MiB", f"{states / 2**20:.2f} MiB"]
            rows.append([str(length), each, f"{self.cost(length):.3f}", *sizes])
        return rows

    def checks(self) -> list[checks.Check]:
        made = self.speeds.over_best(self.speeds.prefill, f"prefill {PROMPT}", 2.2)
        if "weft" in self.speeds.decode.samples:
            text = f"{NAME}, decode: share of the read rate over its weights"
            made.append(checks.at_least(text, self.speeds.read_share("weft"), 0.85))
        if self.long:
            worst = max(self.cost(length) for length in self.long)
            text = f"{NAME}, cost of a token, {max(self.long)} tokens in a call and fewer, over {PROMPT}"
            made.append(checks.at_most(text, worst, 1.1))
        if self.memory is not None:
            growth = self.memory[-1] / self.memory[0]
            text = f"{NAME}, memory after {self.bench.args.lengths[-1]} tokens over that after {PROMPT}"
            made.append(checks.at_most(text + ": resident", growth[0], 1.01, form=".3f"))
            made.append(checks.at_most(text + ": states", growth[1], 1.0, form=".3f"))
        return [*made, *self.speeds.missing(self.bench.args.peers), self.speeds.exact()]

    def tables(self) -> list[list[list[str]]]:
        return [self.speeds.table(), *([self.lengths()] if self.long else [])]


def main() -> int:
    args = arguments()
    machine.pin(1)
    made = Bench(args)
    expected = works.reference(made.where.model, model.tokens(made.sizes, PROMPT + 1), 2)
    prefill = made.engines.measure(Prefill(PROMPT), expected[0])
    decode = made.engines.measure(Decode(PROMPT), expected[1])
    speeds = bench.Speeds(NAME, made.engines, prefill, decode)
    report = Report(made, speeds, {} if args.no_long else made.long(), None if args.no_long else made.memory())
    return bench.tell(report, speeds, args, "Mamba of the 130M shape", "scan_models")


if __name__ == "__main__":
    try:
        command.run(main)
    except Failed as failure:
        sys.exit(f"error: {failure}")
