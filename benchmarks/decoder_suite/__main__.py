# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Command line: makes the model, times the engines on it, reports."""

import argparse
import sys
from dataclasses import dataclass

from minilm import checks, command, machine
from minilm.peers import Setting
from minilm.worker import Failed
from model_suite import bench, works
from model_suite.bench import PROMPT
from model_suite.works import Decode, Prefill

from . import model, peers

NAME = "Llama 183M"


def arguments() -> argparse.Namespace:
    parser = command.Parser(
        prog="benchmarks/decoder_models",
        description="Times a Llama of 183 million parameters (random weights in float32) on one thread: prefill of 512 "
        "tokens and decoding beside other engines, interleaved, scores compared with float64.",
        epilog=command.EXIT_CODES,
    )
    parser.add_argument("--quick", action="store_true", help="two rounds, without torch.compile")
    names = list(peers.ALL)
    bench.add_options(parser, names)
    args = parser.parse_args()
    args.full = not (args.quick or args.peers or args.rounds)
    usual = [name for name in names if not (args.quick and name == "torch-compile")]
    args.peers = bench.choose(parser, args.peers, names, usual)
    args.rounds = args.rounds or (2 if args.quick else 5)
    return args


@dataclass
class Report:
    args: argparse.Namespace
    speeds: bench.Speeds

    def checks(self) -> list[checks.Check]:
        speeds = self.speeds
        return [*speeds.over_best(speeds.prefill, f"prefill {PROMPT}", 1.03),
                *speeds.over_best(speeds.decode, "decode", 1.0), *speeds.missing(self.args.peers), speeds.exact()]

    def tables(self) -> list[list[list[str]]]:
        return [self.speeds.table()]


def main() -> int:
    args = arguments()
    machine.pin(1)
    sizes = model.Sizes()
    cache = command.ROOT / "build" / "benchmarks" / "decoder_models"
    cache.mkdir(parents=True, exist_ok=True)
    source = model.folder(cache, sizes)
    where = Setting(command.ROOT, args.build, source, cache, 1, args.artifact)
    expected = works.reference(source, model.tokens(sizes, PROMPT + 1), 2)
    engines = bench.Engines(where, bench.makers_of(args.peers, peers.ALL, where, sizes), sizes.step_bytes(), args.rounds)
    speeds = bench.Speeds(NAME, engines, engines.measure(Prefill(PROMPT), expected[0]),
                          engines.measure(Decode(PROMPT), expected[1]))
    return bench.tell(Report(args, speeds), speeds, args, "A Llama of 183 million parameters", "decoder_models")


if __name__ == "__main__":
    try:
        command.run(main)
    except Failed as failure:
        sys.exit(f"error: {failure}")
