# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Command line: prepares the peers, times them case by case, reports."""

import argparse
import json
import os
import sys
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

# Before NumPy is loaded: its OpenBLAS chooses kernels and threads by these when it starts, here and in the peers'
# processes.
for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(name, None)
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402
from minilm import checks, command, machine, timing  # noqa: E402
from minilm.peers import Setting, Unavailable  # noqa: E402
from minilm.worker import Failed, Worker  # noqa: E402

from . import cases, compiled, libraries, loop_count, results, suites  # noqa: E402


def arguments() -> argparse.Namespace:
    parser = command.Parser(
        prog="benchmarks/kernels",
        description="Times Weft's kernels and other libraries', interleaved in one run, compares all outputs with "
        "float64, and prints speeds, ratios and shares of the measured FMA peak or read rate with their floors.",
        epilog=command.EXIT_CODES,
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="fewer cases, three short rounds, without torch.compile")
    add("--suite", metavar="NAME,…", help=f"a part, of {', '.join(suites.SUITES)}")
    add("--peers", metavar="NAME,…", help=f"which to time, of {', '.join(libraries.ALL)}")
    add("--rounds", type=int, metavar="N", help="interleaved rounds (default 3)")
    command.add_build(parser)
    add("--json", type=Path, metavar="FILE", help="also write the checks as JSON")
    add("--samples", type=Path, metavar="FILE", help="also write every sample as JSON")
    args = parser.parse_args()
    args.full = not (args.quick or args.suite or args.peers or args.rounds)
    usual = libraries.QUICK if args.quick else libraries.DEFAULT
    if args.suite and "experts" not in args.suite.split(","):
        usual = [name for name in usual if name not in libraries.FOR_EXPERTS]
    choices = (("suite", suites.SUITES, suites.SUITES), ("peers", list(libraries.ALL), usual))
    for option, known, default in choices:
        asked = getattr(args, option)
        chosen = asked.split(",") if asked else default
        if unknown := sorted(set(chosen) - set(known)):
            parser.error(f"--{option}: unknown {', '.join(unknown)}; there are {', '.join(known)}")
        setattr(args, option, chosen)
    args.rounds = args.rounds or 3
    return args


def prepare_peers(names: list[str], where: Setting) -> list[Worker]:
    made = []
    for name in names:
        try:
            made.append(Worker(name, partial(libraries.ALL[name], where)))
        except Unavailable as reason:
            print(f"warning: {name} is left out: {reason}", file=sys.stderr, flush=True)
    if not made:
        raise SystemExit("error: there is nothing to time")
    return made


def bind(case: cases.Case, peers: list[Worker], result: results.Result) -> list[Worker]:
    """Those that take the case; their outputs are compared with float64."""
    ready, answers = [], {}
    for peer in peers:
        try:
            output = peer.bind(case)
        except Unavailable as reason:
            if peer.name == "weft":
                result.refused = str(reason)
                print(f"warning: {case.name}: {reason}", file=sys.stderr, flush=True)
            continue
        is_dense = peer.name == cases.DENSE
        if is_dense not in answers:
            answers[is_dense] = cases.expected_of(case, peer.name)
        expected = answers[is_dense]
        difference = output.reshape(expected.shape).astype(np.float64) - expected
        error = result.errors[peer.name] = float(np.sqrt(np.square(difference).sum() / np.square(expected).sum()))
        if not error <= case.tolerance:
            far = f"{peer.name} is {error:.1e} away from float64, more than {case.tolerance:g}: another problem"
            print(f"warning: {case.name}: {far}", file=sys.stderr, flush=True)
        ready.append(peer)
    return ready


def count_instructions(case: cases.Case, where: Setting) -> int | None:
    """Of a scan whose floor is a share of its instruction-count model."""
    if not isinstance(case, cases.Scan) or case.floor.share is None:
        return None
    counted = loop_count.instructions(compiled.artifact(where, case, "native") / "model.so", case)
    if counted is None:
        print(f"warning: {case.name}: no loop to count in, or no objdump", file=sys.stderr, flush=True)
    return counted


def measure(case: cases.Case, peers: list[Worker], where: Setting, peak: machine.Peak, plan: timing.Plan):
    result = results.Result(case)
    ready = bind(case, peers, result)
    if any(peer.name == "weft" for peer in ready):
        result.instructions = count_instructions(case, where)

    def each_round() -> None:
        result.bound.append(peak.rate(case.bound, case.read_bytes or 0))

    if ready:
        result.samples = timing.interleave(ready, each_round, plan)
    return result


def facts(args: argparse.Namespace, peers: list[Worker]) -> list[str]:
    processor = machine.processor()
    lines = [
        f"{processor.name} ({processor.isa}), one thread, pinned; CPU time, {args.rounds} interleaved rounds; "
        f"{datetime.now(timezone.utc).strftime('%Y-%m-%d')}.",
        # Others' work takes cache and bandwidth, which CPU time does not leave out.
        f"Load over the last five minutes: {os.getloadavg()[1]:.1f} on {os.cpu_count()} cores.",
    ]
    labels = [peer.label for peer in peers]
    return lines + [f"{f'{label.name} {label.version}'.strip()}: {label.note}" for label in labels]


def markdown(args: argparse.Namespace, peers: list[Worker], measured: list[results.Result]) -> str:
    lines = [f"# Kernels on {machine.processor().name}, 1 thread", ""]
    lines += ["Written by `benchmarks/kernels`; benchmarks/README.md tells the method.", ""]
    lines += [f"- {fact}" for fact in facts(args, peers)]
    rows = [results.HEADER, ["---", *["---:"] * (len(results.HEADER) - 1)], *(result.row() for result in measured)]
    lines += ["", *("| " + " | ".join(row) + " |" for row in rows), ""]
    lines += [f"{result.case.name} is refused: {result.refused}" for result in measured if result.refused]
    rows = [["", "", "bound", ""], ["---", "---:", "---:", "---:"]]
    rows += [check.cells() for check in results.checks(measured)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"


def main() -> int:
    args = arguments()
    machine.pin(1)
    cache = command.ROOT / "build" / "benchmarks" / "kernels"
    cache.mkdir(parents=True, exist_ok=True)
    where = Setting(command.ROOT, args.build, None, cache, 1)
    peers = prepare_peers(args.peers, where)
    peak = machine.Peak(command.ROOT, args.build, 1)
    plan = timing.Plan(args.rounds, 0.04 if args.quick else 0.06, "cpu", 0.0)
    measured = []
    for case in suites.QUICK if args.quick else suites.ALL:
        if case.suite in args.suite:
            print(f"timing {case.name}", file=sys.stderr, flush=True)
            measured.append(measure(case, peers, where, peak, plan))
    print("\n".join(facts(args, peers)) + "\n")
    print(checks.aligned([results.HEADER, *(result.row() for result in measured)]))
    if args.samples:
        args.samples.write_text(json.dumps([results.as_json(result) for result in measured], indent=1) + "\n")
    if args.full:
        path = command.ROOT / "docs" / "benchmarks" / f"{machine.processor().slug}-kernels.md"
        path.write_text(markdown(args, peers, measured))
        print(f"written: {path}")
    return checks.finish(results.checks(measured), args.json)


if __name__ == "__main__":
    try:
        command.run(main)
    except Failed as failure:
        sys.exit(f"error: {failure}")
