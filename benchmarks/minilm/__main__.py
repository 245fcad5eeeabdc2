# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Command line: prepares the peers, times them shape by shape, reports."""

import argparse
import json
import os
import subprocess
import sys
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

from . import command, machine, model, peers, report, timing
from .worker import Failed, Worker

SHAPES = ["1x16", "1x128", "1x512", "32x128"]
# torch.compile takes half a minute to compile, and eager PyTorch is never the fastest.
QUICK_PEERS = [name for name in peers.DEFAULT if not name.startswith("torch")]
OTHERS = ["kernel_suite", "thread_suite"]  # whose tables follow
READ_BYTES = [1 << 20, 16 << 20, 256 << 20]


def arguments() -> argparse.Namespace:
    parser = command.Parser(
        prog="benchmarks/run",
        description="Times Weft and its peers on all-MiniLM-L6-v2, interleaved in one run, checks that their outputs "
        "agree, and prints milliseconds, GF/s, percent of the measured FMA peak, and ratios.",
        epilog="Exit codes: 0 done, 1 a mistake in the arguments or a missing part, 3 outputs disagree.",
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="three rounds, without PyTorch")
    add("--shapes", metavar="BxS,…", help=f"batch x sequence, comma-separated (default {','.join(SHAPES)})")
    add("--peers", metavar="NAME,…", help=f"which to time, of {', '.join(peers.PEERS)} (default: all but weft-*)")
    add("--threads", type=int, default=1, metavar="N", help="threads of each peer (default 1)")
    add("--rounds", type=int, metavar="N", help="interleaved rounds (default 11; with --quick 3)")
    add("--turn", type=float, default=0.1, metavar="SECONDS", help="least time of a peer's turn (default 0.1)")
    add("--clock", choices=["auto", *timing.CLOCKS], default="auto",
        help="cpu: CPU time of the process, which other programs disturb less; wall (default: cpu for one thread)")
    add("--no-kernels", action="store_true", help="the model alone, without the tables of kernels and threads after it")
    add("--ragged", action="store_true", help="rows of different lengths with padding masks; padding counts as work")
    command.add_places(parser)
    add("--json", type=Path, metavar="FILE", help="also write every sample as JSON")
    add("--markdown", metavar="FILE",
        help="write the tables as Markdown; 'none': do not (default: docs/benchmarks/<processor>.md for a full run)")
    args = parser.parse_args()
    part = args.shapes or args.peers or args.ragged or args.rounds
    args.full = not (args.quick or part)
    args.kernels = not (args.no_kernels or part or args.threads > 1)
    try:
        args.shapes = [model.Shape.parse(text) for text in (args.shapes or ",".join(SHAPES)).split(",")]
    except ValueError:
        parser.error("--shapes wants batch x sequence, for example 1x128,32x128")
    names = QUICK_PEERS if args.quick else peers.DEFAULT
    args.asked = args.peers is not None
    args.peers = args.peers.split(",") if args.peers else names
    unknown = sorted(set(args.peers) - set(peers.PEERS))
    if unknown:
        parser.error(f"unknown peer {', '.join(unknown)}; there are {', '.join(peers.PEERS)}")
    args.rounds = args.rounds or (3 if args.quick else 11)
    if args.threads < 1 or args.rounds < 1:
        parser.error("--threads and --rounds want at least 1")
    return args


def prepare_peers(args: argparse.Namespace, where: peers.Setting) -> list[Worker]:
    made = []
    for name in args.peers:
        print(f"preparing {name}", file=sys.stderr, flush=True)
        try:
            made.append(Worker(name, partial(peers.make, name, where)))
        except peers.Unavailable as reason:
            if args.asked:
                raise SystemExit(f"error: {name} cannot be timed: {reason}") from reason
            print(f"warning: {name} is left out: {reason}", file=sys.stderr, flush=True)
    if not made:
        raise SystemExit("error: there is nothing to time")
    return made


def measure(shape: model.Shape, made: list[Worker], tools: "Tools") -> report.ShapeResult:
    feed = model.inputs(shape, tools.config, tools.ragged)
    expected = tools.reference(feed)
    errors = {peer.name: model.relative_rms(peer.bind(feed), expected, feed["attention_mask"]) for peer in made}
    tools.peak.fma_samples = []
    samples = timing.interleave(made, tools.peak.measure_fma, tools.plan)
    return report.ShapeResult(shape, model.flops(shape, tools.config), tools.peak.fma_samples, samples, errors)


class Tools:
    """What every shape is measured with."""

    def __init__(self, args: argparse.Namespace, where: peers.Setting):
        clock = args.clock if args.clock != "auto" else ("cpu" if args.threads == 1 else "wall")
        # Thread pools of OpenMP spin for up to 200 ms after a region.
        self.plan = timing.Plan(args.rounds, args.turn, clock, settle_seconds=0.25 if args.threads > 1 else 0.0)
        self.peak = machine.Peak(command.ROOT, args.build, args.threads)
        self.config = model.config(where.model)
        self.reference = model.Reference(where.model)
        self.ragged = args.ragged


def markdown_path(args: argparse.Namespace, run: report.Run) -> Path | None:
    if args.markdown:
        return None if args.markdown == "none" else Path(args.markdown)
    if not args.full or "weft" not in [peer.name for peer in run.peers]:
        return None
    threads = f"-{run.threads}-threads" if run.threads > 1 else ""
    return command.ROOT / "docs" / "benchmarks" / f"{run.processor.slug}{threads}.md"


def main() -> int:
    args = arguments()
    cores = os.sched_getaffinity(0)
    machine.pin(args.threads)  # the peers' processes inherit it
    where = command.setting(args, args.threads)
    made = prepare_peers(args, where)
    tools = Tools(args, where)
    results = []
    for shape in args.shapes:
        print(f"timing {shape}", file=sys.stderr, flush=True)
        results.append(measure(shape, made, tools))
        print(report.shape_text(results[-1]) + "\n", flush=True)
    run = report.Run(
        processor=machine.processor(),
        target=tools.peak.target,
        threads=args.threads,
        ragged=args.ragged,
        plan=tools.plan,
        date=datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        command=" ".join(["benchmarks/run", *sys.argv[1:]]),
        read_gbps={size: tools.peak.read_gbps(size) for size in READ_BYTES},
        peers=[peer.label for peer in made],
        shapes=results,
    )
    print(report.summary_text(run))
    if args.json:
        args.json.write_text(json.dumps(report.as_json(run), indent=1) + "\n")
    if path := markdown_path(args, run):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(report.markdown(run))
        print(f"written: {path}")
    os.sched_setaffinity(0, cores)
    tables = (OTHERS if len(cores) > 1 else OTHERS[:1]) if args.kernels else []  # two threads want two cores
    others = [run_other(module, args) for module in tables]
    if not all(others):
        return 1
    return 0 if run.exact() else 3


def run_other(module: str, args: argparse.Namespace) -> bool:
    """The table of another program; whether it could be made, met or not."""
    print(flush=True)
    options = ["--build", str(args.build), *(["--quick"] if args.quick else [])]
    done = subprocess.run([sys.executable, "-m", module, *options], check=False)
    return done.returncode in (0, 3)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as failure:
        sys.exit(f"error: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)
