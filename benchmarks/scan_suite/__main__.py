# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Command line: makes the model, times the engines on it, reports."""

import argparse
import sys
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

import numpy as np
from minilm import checks, command, machine, timing
from minilm.peers import Setting, Unavailable
from minilm.worker import Failed, Worker

from . import model, peers

PROMPT = 512
LENGTHS = [512, 2048, 8192, 32768]
TOLERANCE = 1e-5  # relative RMS against float64


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
    add("--peers", metavar="NAME,…", help=f"which to time, of {', '.join(peers.ALL)}")
    add("--rounds", type=int, metavar="N", help="interleaved rounds (default 5; with --quick 2)")
    add("--no-long", action="store_true", help="without the longer prompts and the memory")
    add("--artifact", type=Path, metavar="DIR", help="the compiled model (default: compiled with the built weft)")
    command.add_build(parser)
    add("--json", type=Path, metavar="FILE", help="also write the checks as JSON")
    args = parser.parse_args()
    args.full = not (args.quick or args.peers or args.rounds or args.no_long)
    names = [name for name in peers.ALL if not (args.quick and name == "torch-compile")]
    args.peers = args.peers.split(",") if args.peers else names
    if unknown := sorted(set(args.peers) - set(peers.ALL)):
        parser.error(f"unknown peer {', '.join(unknown)}; there are {', '.join(peers.ALL)}")
    args.rounds = args.rounds or (2 if args.quick else 5)
    args.lengths = LENGTHS[:3] if args.quick else LENGTHS
    return args


@dataclass
class Measured:
    """Of one kind of work."""

    samples: dict[str, timing.Samples]
    errors: dict[str, float] = field(default_factory=dict)
    read_gbps: list[float] = field(default_factory=list)  # a round's, over as many bytes as the weights

    def best_peer(self) -> str | None:
        return min((name for name in self.samples if name != "weft"), key=lambda name: self.samples[name].median,
                   default=None)

    def ratio(self) -> float | None:
        """Weft's speed over the best peer's: the median over the rounds."""
        best = self.best_peer()
        if best is None or "weft" not in self.samples:
            return None
        return self.samples[best].median_of_ratios(self.samples["weft"])


class Bench:
    def __init__(self, args: argparse.Namespace):
        self.args, self.sizes = args, model.Sizes()
        cache = command.ROOT / "build" / "benchmarks" / "scan_models"
        cache.mkdir(parents=True, exist_ok=True)
        source = model.folder(cache, self.sizes)
        self.where = Setting(command.ROOT, args.build, source, cache, 1, args.artifact)
        self.bytes = model.weight_bytes(source)
        self.peak = machine.Peak(command.ROOT, args.build, 1)
        self.plan = timing.Plan(args.rounds, 0.2, "cpu", 0.0)
        self.workers = list(filter(None, map(self.start, args.peers)))
        if not self.workers:
            raise Unavailable("there is nothing to time")

    def start(self, name: str) -> Worker | None:
        print(f"preparing {name}", file=sys.stderr, flush=True)
        try:
            return Worker(name, partial(peers.ALL[name], self.where, self.sizes))
        except Unavailable as reason:
            print(f"warning: {name} is left out: {reason}", file=sys.stderr, flush=True)
            return None

    def measure(self, work: peers.Work, expected: np.ndarray) -> Measured:
        ready, errors = [], {}
        for worker in self.workers:
            print(f"timing {work}: {worker.name} gets ready", file=sys.stderr, flush=True)
            try:
                scores = worker.bind(work).astype(np.float64)
            except Unavailable as reason:
                print(f"warning: {worker.name}: {reason}", file=sys.stderr, flush=True)
                continue
            errors[worker.name] = float(np.sqrt(np.square(scores - expected).sum() / np.square(expected).sum()))
            ready.append(worker)
        rates: list[float] = []
        samples = timing.interleave(ready, lambda: rates.append(self.peak.read_gbps(self.bytes)), self.plan)
        return Measured(samples, errors, rates)

    def long(self) -> dict[int, timing.Samples]:
        """Weft's prompts of growing length in one call, in turns; a process for each length."""
        if "weft" not in [worker.name for worker in self.workers]:
            return {}
        print(f"timing prompts of up to {self.args.lengths[-1]} tokens", file=sys.stderr, flush=True)
        make = partial(peers.ALL["weft"], self.where, self.sizes)
        bound = [Worker(str(length), make) for length in self.args.lengths]
        for worker in bound:
            worker.bind(peers.Prefill(int(worker.name)))
        plan = timing.Plan(min(self.args.rounds, 2), 0.0, "cpu", 0.0)
        samples = timing.interleave(bound, lambda: None, plan)
        return {length: samples[str(length)] for length in self.args.lengths}

    def memory(self) -> np.ndarray | None:
        """Rows (resident bytes, bytes of states) after each of the lengths, in parts of 512 tokens."""
        for worker in self.workers:
            if worker.name == "weft":
                print("watching the memory of a session", file=sys.stderr, flush=True)
                return worker.bind(peers.Stream(PROMPT, tuple(self.args.lengths)))
        return None


@dataclass
class Report:
    bench: Bench
    prefill: Measured
    decode: Measured
    long: dict[int, timing.Samples]  # of Weft, by the tokens of a call
    memory: np.ndarray | None

    def read_share(self, name: str) -> float:
        """Of the read rate over the weights, the median over the rounds of decoding."""
        rounds = zip(self.decode.samples[name].rounds, self.decode.read_gbps, strict=True)
        return float(np.median([self.bench.bytes * 1e-9 / np.median(turn) / rate for turn, rate in rounds]))

    def speeds(self) -> list[list[str]]:
        rows = [["", f"prefill {PROMPT}", "tokens/s", "over weft", "decode", "tokens/s", "over weft", "% of read rate",
                 "rel. RMS"]]
        for worker in self.bench.workers:
            name, row = worker.name, [worker.name]
            for measured, tokens in ((self.prefill, PROMPT), (self.decode, 1)):
                if name not in measured.samples:
                    row += ["", "", ""]
                    continue
                own, weft = measured.samples[name], measured.samples.get("weft")
                over = f"{own.median_of_ratios(weft):.2f}" if weft else ""
                row += [f"{own.median * 1e3:.1f} ms", f"{tokens / own.median:.0f}", over]
            row.append(f"{100 * self.read_share(name):.0f}" if name in self.decode.samples else "")
            errors = [measured.errors[name] for measured in (self.prefill, self.decode) if name in measured.errors]
            rows.append([*row, f"{max(errors):.0e}" if errors else ""])
        return rows

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
        made = []
        if self.prefill.ratio() is not None:
            text = f"Mamba 130M, prefill {PROMPT}: speed over the best peer's: {self.prefill.best_peer()}"
            made.append(checks.at_least(text, self.prefill.ratio(), 2.2))
        if "weft" in self.decode.samples:
            text = "Mamba 130M, decode: share of the read rate over its weights"
            made.append(checks.at_least(text, self.read_share("weft"), 0.85))
        if self.long:
            worst = max(self.cost(length) for length in self.long)
            text = f"Mamba 130M, cost of a token, {max(self.long)} tokens in a call and fewer, over {PROMPT}"
            made.append(checks.at_most(text, worst, 1.1))
        if self.memory is not None:
            growth = self.memory[-1] / self.memory[0]
            text = f"Mamba 130M, memory after {self.bench.args.lengths[-1]} tokens over that after {PROMPT}"
            made.append(checks.at_most(text + ": resident", growth[0], 1.01, form=".3f"))
            made.append(checks.at_most(text + ": states", growth[1], 1.0, form=".3f"))
        if not any(worker.name == "weft" for worker in self.bench.workers) and "weft" in self.bench.args.peers:
            made.append(checks.Check("Mamba 130M by Weft", "none", "measured", met=False))
        errors = [error for measured in (self.prefill, self.decode) for error in measured.errors.values()]
        close = sum(error > TOLERANCE for error in errors)
        return [*made, checks.none_of(f"Mamba 130M, scores within {TOLERANCE:g} of float64", close, len(errors))]

    def facts(self) -> list[str]:
        processor = machine.processor()
        rates = self.decode.read_gbps
        lines = [
            f"{processor.name} ({processor.isa}), one thread, pinned; CPU time, {self.bench.args.rounds} interleaved "
            f"rounds; {datetime.now(timezone.utc).strftime('%Y-%m-%d')}. Read rate over "
            f"{self.bench.bytes / 1e6:.0f} MB of weights: {np.median(rates):.1f} GB/s.",
        ]
        labels = [worker.label for worker in self.bench.workers]
        return lines + [f"{f'{label.name} {label.version}'.strip()}: {label.note}" for label in labels]

    def tables(self) -> list[list[list[str]]]:
        return [self.speeds(), *([self.lengths()] if self.long else [])]

    def markdown(self) -> str:
        lines = [f"# Mamba of the 130M shape on {machine.processor().name}, 1 thread", ""]
        lines += ["Written by `benchmarks/scan_models`; benchmarks/README.md tells the method.", ""]
        lines += [f"- {fact}" for fact in self.facts()]
        verdicts = [["", "", "bound", ""], *(check.cells() for check in self.checks())]
        for table in [*self.tables(), verdicts]:
            header, *rows = table
            lines += ["", *("| " + " | ".join(row) + " |" for row in
                            [header, ["---", *["---:"] * (len(header) - 1)], *rows])]
        return "\n".join(lines) + "\n"


def main() -> int:
    args = arguments()
    machine.pin(1)
    bench = Bench(args)
    expected = model.reference(bench.where.model, model.tokens(bench.sizes, PROMPT + 1), 2)
    prefill = bench.measure(peers.Prefill(PROMPT), expected[0])
    decode = bench.measure(peers.Decode(PROMPT), expected[1])
    report = Report(bench, prefill, decode, {} if args.no_long else bench.long(),
                    None if args.no_long else bench.memory())
    print("\n".join(report.facts()) + "\n")
    print("\n\n".join(checks.aligned(table) for table in report.tables()))
    if args.full:
        path = command.ROOT / "docs" / "benchmarks" / f"{machine.processor().slug}-scan-models.md"
        path.write_text(report.markdown())
        print(f"written: {path}")
    return checks.finish(report.checks(), args.json)


if __name__ == "__main__":
    try:
        command.run(main)
    except Failed as failure:
        sys.exit(f"error: {failure}")
