# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Times engines on prefill and decoding in turns, and tells what came out as tables."""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
from minilm import checks, command, machine, timing
from minilm.peers import Peer, Setting, Unavailable
from minilm.worker import Worker

PROMPT = 512
TOLERANCE = 1e-5  # relative RMS against float64


def add_options(parser: command.Parser, names: list[str]) -> None:
    add = parser.add_argument
    add("--peers", metavar="NAME,…", help=f"which to time, of {', '.join(names)}")
    add("--rounds", type=int, metavar="N", help="interleaved rounds (default 5; with --quick 2)")
    add("--artifact", type=Path, metavar="DIR", help="the compiled model (default: compiled with the built weft)")
    command.add_build(parser)
    add("--json", type=Path, metavar="FILE", help="also write the checks as JSON")


def choose(parser: command.Parser, asked: str | None, names: list[str], usual: list[str]) -> list[str]:
    """Those that are asked for."""
    chosen = asked.split(",") if asked else usual
    if unknown := sorted(set(chosen) - set(names)):
        parser.error(f"unknown peer {', '.join(unknown)}; there are {', '.join(names)}")
    return chosen


@dataclass
class Measured:
    """Of one kind of work."""

    samples: dict[str, timing.Samples]
    errors: dict[str, float] = field(default_factory=dict)
    read_gbps: list[float] = field(default_factory=list)  # a round's, over as many bytes as a token's step reads

    def best_peer(self) -> str | None:
        return min((name for name in self.samples if name != "weft"), key=lambda name: self.samples[name].median,
                   default=None)

    def ratio(self) -> float | None:
        """Weft's speed over the best peer's: the median over the rounds."""
        best = self.best_peer()
        if best is None or "weft" not in self.samples:
            return None
        return self.samples[best].median_of_ratios(self.samples["weft"])


class Engines:
    """Of one model; `read_bytes` is what a token's step has to read."""

    def __init__(self, setting: Setting, makers: dict[str, Callable[[], Peer]], read_bytes: int, rounds: int):
        self.setting, self.read_bytes, self.rounds = setting, read_bytes, rounds
        self.peak = machine.Peak(command.ROOT, setting.build, 1)
        self.plan = timing.Plan(rounds, 0.2, "cpu", 0.0)
        self.workers = [worker for name, make in makers.items() if (worker := self._start(name, make))]
        if not self.workers:
            raise Unavailable("there is nothing to time")

    def _start(self, name: str, make: Callable[[], Peer]) -> Worker | None:
        print(f"preparing {name}", file=sys.stderr, flush=True)
        try:
            return Worker(name, make)
        except Unavailable as reason:
            print(f"warning: {name} is left out: {reason}", file=sys.stderr, flush=True)
            return None

    def measure(self, work: object, expected: np.ndarray) -> Measured:
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
        samples = timing.interleave(ready, lambda: rates.append(self.peak.read_gbps(self.read_bytes)), self.plan)
        return Measured(samples, errors, rates)


def makers_of(names: list[str], makers: dict[str, Callable[..., Peer]], *arguments: object) -> dict:
    """For the processes of the engines."""
    return {name: partial(makers[name], *arguments) for name in names}


@dataclass
class Speeds:
    """Of a model called `name` in what is said of it."""

    name: str
    engines: Engines
    prefill: Measured
    decode: Measured

    def read_share(self, name: str) -> float:
        """Of the read rate over a step's bytes, the median over the rounds of decoding."""
        rounds = zip(self.decode.samples[name].rounds, self.decode.read_gbps, strict=True)
        return float(np.median([self.engines.read_bytes * 1e-9 / np.median(turn) / rate for turn, rate in rounds]))

    def table(self) -> list[list[str]]:
        rows = [["", f"prefill {PROMPT}", "tokens/s", "over weft", "decode", "tokens/s", "over weft", "% of read rate",
                 "rel. RMS"]]
        for worker in self.engines.workers:
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

    def over_best(self, measured: Measured, what: str, bound: float) -> list[checks.Check]:
        if measured.ratio() is None:
            return []
        text = f"{self.name}, {what}: speed over the best peer's: {measured.best_peer()}"
        return [checks.at_least(text, measured.ratio(), bound)]

    def missing(self, asked: list[str]) -> list[checks.Check]:
        """Weft was asked for and is not there."""
        if "weft" not in asked or any(worker.name == "weft" for worker in self.engines.workers):
            return []
        return [checks.Check(f"{self.name} by Weft", "none", "measured", met=False)]

    def exact(self) -> checks.Check:
        errors = [error for measured in (self.prefill, self.decode) for error in measured.errors.values()]
        far = sum(not error <= TOLERANCE for error in errors)
        return checks.none_of(f"{self.name}, scores within {TOLERANCE:g} of float64", far, len(errors))

    def facts(self) -> list[str]:
        processor = machine.processor()
        lines = [
            f"{processor.name} ({processor.isa}), one thread, pinned; CPU time, {self.engines.rounds} interleaved "
            f"rounds; {datetime.now(timezone.utc).strftime('%Y-%m-%d')}. Read rate over "
            f"{self.engines.read_bytes / 1e6:.0f} MB of weights: {np.median(self.decode.read_gbps):.1f} GB/s.",
        ]
        labels = [worker.label for worker in self.engines.workers]
        return lines + [f"{f'{label.name} {label.version}'.strip()}: {label.note}" for label in labels]


class Report(Protocol):
    def checks(self) -> list[checks.Check]: ...

    def tables(self) -> list[list[list[str]]]: ...


def _markdown(title: str, program: str, facts: list[str], tables: list[list[list[str]]]) -> str:
    lines = [f"# {title} on {machine.processor().name}, 1 thread", ""]
    lines += [f"Written by `benchmarks/{program}`; benchmarks/README.md tells the method.", ""]
    lines += [f"- {fact}" for fact in facts]
    for table in tables:
        header, *rows = table
        lines += ["", *("| " + " | ".join(row) + " |" for row in
                        [header, ["---", *["---:"] * (len(header) - 1)], *rows])]
    return "\n".join(lines) + "\n"


def tell(report: Report, speeds: Speeds, args: argparse.Namespace, title: str, program: str) -> int:
    """Prints what was measured, writes docs/benchmarks of a full run, and returns the exit code."""
    print("\n".join(speeds.facts()) + "\n")
    print("\n\n".join(checks.aligned(table) for table in report.tables()))
    if args.full:
        slug = f"{machine.processor().slug}-{program.replace('_', '-')}"
        path = command.ROOT / "docs" / "benchmarks" / f"{slug}.md"
        verdicts = [["", "", "bound", ""], *(check.cells() for check in report.checks())]
        path.write_text(_markdown(title, program, speeds.facts(), [*report.tables(), verdicts]))
        print(f"written: {path}")
    return checks.finish(report.checks(), args.json)
