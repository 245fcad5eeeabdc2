# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What was measured, as text for the terminal, as Markdown for docs/benchmarks and as JSON."""

import platform
from dataclasses import dataclass

import numpy as np

from .machine import Processor
from .model import Shape
from .peers import Label
from .timing import Plan, Samples

TOLERANCE = 1e-5  # relative RMS against float64: more is another precision, and no comparison


@dataclass(frozen=True)
class ShapeResult:
    shape: Shape
    flops: int
    peak: list[float]  # GF/s, one a round
    samples: dict[str, Samples]
    errors: dict[str, float]  # relative RMS

    @property
    def peak_gflops(self) -> float:
        return float(np.median(self.peak))

    def best_peer(self) -> str | None:
        """The fastest that is not Weft."""
        peers = [name for name in self.samples if not name.startswith("weft")]
        return min(peers, key=lambda name: self.samples[name].median) if peers else None

    def base(self) -> str:
        """What ratios refer to: Weft where it takes part, else the best peer."""
        return "weft" if "weft" in self.samples else self.best_peer() or next(iter(self.samples))

    def gflops(self, name: str) -> float:
        return self.flops / self.samples[name].median * 1e-9


@dataclass(frozen=True)
class Run:
    processor: Processor
    target: str
    threads: int
    ragged: bool
    plan: Plan
    date: str
    command: str
    read_gbps: dict[int, float]  # by bytes
    peers: list[Label]
    shapes: list[ShapeResult]

    def exact(self) -> bool:
        return all(error <= TOLERANCE for result in self.shapes for error in result.errors.values())


def _rows(result: ShapeResult) -> list[list[str]]:
    base = result.samples[result.base()]
    rows = []
    for name, samples in sorted(result.samples.items(), key=lambda item: item[1].median):
        gflops = result.gflops(name)
        rows.append([
            name,
            f"{samples.median * 1e3:.2f}",
            f"{samples.p10 * 1e3:.2f}",
            f"{samples.p90 * 1e3:.2f}",
            f"{gflops:.1f}",
            f"{100 * gflops / result.peak_gflops:.0f}",
            f"{samples.ratio_of_medians(base):.2f}",
            f"{samples.median_of_ratios(base):.2f}",
            f"{result.errors[name]:.1e}",
        ])
    return rows


def _header(result: ShapeResult) -> list[str]:
    base = result.base()
    return ["", "ms", "p10", "p90", "GF/s", "% peak", f"time/{base}", "by round", "rel. RMS"]


def _title(result: ShapeResult) -> str:
    low, high = min(result.peak), max(result.peak)
    return (
        f"{result.shape}: {result.flops * 1e-9:.2f} GF a call, "
        f"FMA peak {result.peak_gflops:.0f} GF/s ({low:.0f} to {high:.0f} over the rounds)"
    )


def shape_text(result: ShapeResult) -> str:
    table = [_header(result), *_rows(result)]
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    lines = [_title(result)]
    for row in table:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))]
        lines.append("  " + "  ".join(cells))
    verdict = weft_against_best(result)
    return "\n".join(lines + ([f"  {verdict}"] if verdict else []))


def weft_against_best(result: ShapeResult) -> str | None:
    best = result.best_peer()
    if best is None or "weft" not in result.samples:
        return None
    speed = result.samples[best].median_of_ratios(result.samples["weft"])
    return f"Weft runs at {speed:.2f} of the best peer's speed ({best})"


def _facts(run: Run) -> list[str]:
    read = ", ".join(f"{rate:.0f} GB/s from {size >> 20} MiB" for size, rate in run.read_gbps.items())
    clock = "CPU time of the process" if run.plan.clock == "cpu" else "wall time"
    return [
        f"Processor: {run.processor.name} ({run.processor.isa}; peak loops for {run.target}), "
        f"{run.threads} thread{'s' if run.threads > 1 else ''}, pinned. Read: {read}.",
        f"{run.date}, Linux {platform.release()}, Python {platform.python_version()}. "
        f"{run.plan.rounds} interleaved rounds, {clock}, "
        f"{'rows of different lengths, padded' if run.ragged else 'attention mask all ones'}.",
    ]


def summary_text(run: Run) -> str:
    lines = _facts(run)
    lines += [f"{peer.name} {peer.version}: {peer.note}" for peer in run.peers]
    if not run.exact():
        lines.append(f"error: an output is more than {TOLERANCE:g} away from float64 (rel. RMS): not the same problem")
    return "\n".join(lines)


def _markdown_row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def markdown(run: Run) -> str:
    threads = f"{run.threads} thread" + ("s" if run.threads > 1 else "")
    lines = [f"# all-MiniLM-L6-v2 on {run.processor.name}, {threads}", ""]
    lines += [f"Written by `{run.command}`; benchmarks/README.md tells the method.", ""]
    for fact in _facts(run):
        lines += [fact, ""]
    lines += ["| | version | how |", "|---|---|---|"]
    lines += [_markdown_row([peer.name, peer.version, peer.note]) for peer in run.peers]
    for result in run.shapes:
        lines += ["", f"## Batch {result.shape.batch}, sequence {result.shape.sequence}", "", _title(result) + ".", ""]
        header = _header(result)
        lines += [_markdown_row(header), "|---" + "|---:" * (len(header) - 1) + "|"]
        lines += [_markdown_row(row) for row in _rows(result)]
        verdict = weft_against_best(result)
        lines += ["", f"{verdict}."] if verdict else []
    return "\n".join(lines) + "\n"


def as_json(run: Run) -> dict:
    return {
        "processor": run.processor.name,
        "isa": run.processor.isa,
        "target": run.target,
        "threads": run.threads,
        "ragged": run.ragged,
        "clock": run.plan.clock,
        "date": run.date,
        "command": run.command,
        "read_gbps": {str(size): rate for size, rate in run.read_gbps.items()},
        "peers": {peer.name: {"version": peer.version, "note": peer.note} for peer in run.peers},
        "shapes": [
            {
                "batch": result.shape.batch,
                "sequence": result.shape.sequence,
                "flops": result.flops,
                "peak_gflops": result.peak,
                "results": {
                    name: {
                        "median_s": samples.median,
                        "gflops": result.gflops(name),
                        "relative_rms": result.errors[name],
                        "rounds_s": samples.rounds,
                    }
                    for name, samples in result.samples.items()
                },
            }
            for result in run.shapes
        ],
    }
