# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Command line: times each work on one thread and on two, in turns, beside the peak loops."""

import os
import sys
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import partial

import numpy as np
from kernel_suite import cases, compiled, suites
from minilm import checks, command, machine, model, peers, timing
from minilm.worker import Failed, Worker

from . import pair, peaks

THREADS = 2
FLOOR = 1.8  # of two threads over one where the peak loop doubles; else its share
PAIR_FLOOR = 0.9  # of both models at once over one after the other
SHAPES = ["1x16", "1x128", "1x512", "32x128"]
PRODUCTS = [cases.Product(16, 768, 3072), suites.ROUND, cases.Product(512, 3072, 768), cases.Product(1, 4096, 4096)]
KERNELS = [*PRODUCTS, suites.FULL, suites.DECODE[0], *suites.EXPERTS[:3]]
# One head, whose columns are two items; and one item, whose time is cut into parts: that is 1.5 times the work.
SCANS = [(cases.Scan("mamba2", 8192, 1, 128, 64), 1.4), (cases.Scan("mamba2", 8192, 1, 64, 32), 1.1)]
HEADER = ["", "one thread, ms", "two, ms", "times faster", "the peak loop", "floor", ""]


@dataclass
class Result:
    name: str
    floor: float
    samples: dict[str, timing.Samples]
    gains: list[float] = field(default_factory=list)  # of the peak loop, a round

    @property
    def speed(self) -> float:
        """The second subject's over the first's."""
        first, second = self.samples.values()
        return first.median_of_ratios(second)

    @property
    def bound(self) -> float:
        """The floor where the peak loop doubles; less where it does not."""
        return round(self.floor * min(1.0, float(np.median(self.gains)) / THREADS), 2) if self.gains else self.floor

    def check(self) -> checks.Check:
        return checks.at_least(f"times faster: {self.name}", self.speed, self.bound)

    def row(self) -> list[str]:
        first, second = (f"{samples.median * 1e3:.2f}" for samples in self.samples.values())
        gain = f"{np.median(self.gains):.2f}" if self.gains else ""
        verdict = "met" if self.speed >= self.bound else "MISSED"
        return [self.name, first, second, f"{self.speed:.2f}", gain, f"{self.bound:.2f}", verdict]


def workers(make, settings: list[peers.Setting]) -> list[Worker]:
    """One for each setting, kept to as many cores as it has threads."""
    cores = os.sched_getaffinity(0)
    made = []
    for setting in settings:
        machine.pin(setting.threads)
        made.append(Worker(f"{setting.threads}", partial(make, setting)))
        os.sched_setaffinity(0, cores)
    return made


def timed(name: str, floor: float, subjects: list[Worker], plan: timing.Plan, gain=None) -> Result:
    print(f"timing {name}", file=sys.stderr, flush=True)
    result = Result(name, floor, {})

    def each_round() -> None:
        if gain:
            result.gains.append(gain())

    result.samples = timing.interleave(subjects, each_round, plan)
    return result


def measure(args, gains: peaks.Gains, plan: timing.Plan) -> list[Result]:
    settings = [command.setting(args, threads) for threads in (1, THREADS)]
    results = []
    subjects = workers(partial(peers.make, "weft"), settings)
    config = model.config(settings[0].model)
    for shape in map(model.Shape.parse, SHAPES[:3] if args.quick else SHAPES):
        for subject in subjects:
            subject.bind(model.inputs(shape, config, ragged=False))
        results.append(timed(f"MiniLM {shape}", FLOOR, subjects, plan, gains.multiply_adds))

    cache = command.ROOT / "build" / "benchmarks" / "kernels"
    cache.mkdir(parents=True, exist_ok=True)
    subjects = workers(compiled.weft, [replace(setting, model=None, cache=cache) for setting in settings])
    for case in KERNELS[:: 3 if args.quick else 1]:
        for subject in subjects:
            subject.bind(case)
        gain = partial(gains.reads, case.read_bytes) if case.bound == "read" else gains.multiply_adds
        results.append(timed(case.name, FLOOR, subjects, plan, gain))

    for case, floor in SCANS:
        subjects[0].bind(replace(case, part_length=0))
        subjects[1].bind(case)
        results.append(timed(f"{case.name}, from one piece", floor, subjects, plan, gains.multiply_adds))

    both = [Worker(name, partial(pair.make, settings[1], name == "at once")) for name in ("in turn", "at once")]
    for subject in both:
        subject.bind(model.inputs(model.Shape(1, 128), config, ragged=False))
    results.append(timed(f"two MiniLM (1,128), {THREADS} threads each: in turn, at once", PAIR_FLOOR, both, plan))
    return results


def arguments():
    parser = command.check_parser("threads", __doc__)
    parser.add_argument("--rounds", type=int, metavar="N", help="interleaved rounds (default 7; with --quick 3)")
    args = parser.parse_args()
    args.full = not (args.quick or args.rounds)
    args.rounds = args.rounds or (3 if args.quick else 7)
    return args


def markdown(facts: str, results: list[Result]) -> str:
    lines = [f"# Two threads on {machine.processor().name}", ""]
    lines += ["Written by `benchmarks/threads`; benchmarks/README.md tells the method.", "", facts, ""]
    rows = [HEADER, ["---", *["---:"] * (len(HEADER) - 1)], *(result.row() for result in results)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"


def main() -> int:
    args = arguments()
    if len(os.sched_getaffinity(0)) < THREADS:
        raise peers.Unavailable(f"{THREADS} cores are needed")
    # Wall time, which is what a second thread shortens; Weft's workers need no long pause, they sleep soon.
    plan = timing.Plan(args.rounds, 0.05 if args.quick else 0.1, "wall", 0.02)
    machine.pin(THREADS)
    results = measure(args, peaks.Gains(machine.Peak(command.ROOT, args.build, 1), THREADS), plan)
    date = datetime.now(timezone.utc).strftime("%Y-%m-%d")
    facts = (f"{machine.processor().name} ({machine.processor().isa}), two threads on two cores over one; wall time, "
             f"{plan.rounds} interleaved rounds; {date}; load over the last five minutes {os.getloadavg()[1]:.1f}.")
    print(f"{facts}\n\n{checks.aligned([HEADER, *(result.row() for result in results)])}")
    if args.full:
        path = command.ROOT / "docs" / "benchmarks" / f"{machine.processor().slug}-threads.md"
        path.write_text(markdown(facts, results))
        print(f"written: {path}")
    return checks.finish([result.check() for result in results], args.json)


if __name__ == "__main__":
    try:
        command.run(main)
    except Failed as failure:
        sys.exit(f"error: {failure}")
