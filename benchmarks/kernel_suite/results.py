# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What was measured, as a table with floors."""

from dataclasses import dataclass, field

import numpy as np
from minilm.checks import Check, at_least, at_most, none_of
from minilm.timing import Samples

from . import cases, suites

FLOORED = ["gemv", "bf16", "int8", "attention", "decode", "scan", "experts"]  # besides products
HEADER = ["", "speed", "best peer", "its speed", "ratio", "% of bound", "floor", "", "rel. RMS"]


@dataclass
class Result:
    case: cases.Case
    samples: dict[str, Samples] = field(default_factory=dict)
    errors: dict[str, float] = field(default_factory=dict)
    bound: list[float] = field(default_factory=list)  # a round's FMA peak in GF/s, or read rate in GB/s
    refused: str = ""  # what Weft says where it does not take the case
    # Where an instruction-count model (loop_count.py) bounds Weft's speed: its instructions times lanes.
    instructions: int | None = None

    @property
    def work(self) -> float:
        """In GF or GB a call."""
        return (self.case.read_bytes or self.case.flops) * 1e-9

    @property
    def unit(self) -> str:
        return "GB/s" if self.case.read_bytes else "GF/s"

    def speed(self, name: str) -> float:
        return self.work / self.samples[name].median

    @property
    def best_peer(self) -> str | None:
        # Other levels of Weft too, where they are asked for; DENSE computes something else.
        names = [name for name in self.samples if name not in ("weft", cases.DENSE)]
        return min(names, key=lambda name: self.samples[name].median) if names else None

    @property
    def ratio(self) -> float | None:
        """Weft's speed over the best peer's: the median over the rounds."""
        best = self.best_peer
        if best is None or "weft" not in self.samples:
            return None
        return self.samples[best].median_of_ratios(self.samples["weft"])

    @property
    def share(self) -> float | None:
        """Of what bounds the speed: the median over the rounds."""
        if "weft" not in self.samples:
            return None
        rounds = zip(self.samples["weft"].rounds, self.bound, strict=True)
        # A vector instruction takes a multiply-add's time, which is two flops for each lane.
        work = 2e-9 * self.instructions if self.instructions else self.work
        return float(np.median([work / np.median(turn) / bound for turn, bound in rounds]))

    @property
    def shares_alone(self) -> bool:
        """Whether the floor of the share holds for this case, not for the median of many."""
        return self.case.suite != "product" and self.case.floor.share is not None

    @property
    def met(self) -> bool:
        floor = self.case.floor
        fast = floor.speed is None or (self.ratio is not None and self.ratio >= floor.speed)
        full = not self.shares_alone or (self.share is not None and self.share >= floor.share)
        return fast and full and (self.over_rival is None or self.over_rival >= floor.over_rival)

    @property
    def over_rival(self) -> float | None:
        """Weft's speed over that of the peer with a floor of its own; None where that was not timed."""
        rival = self.case.floor.rival
        if rival not in self.samples or "weft" not in self.samples:
            return None
        return self.samples[rival].median_of_ratios(self.samples["weft"])

    def _speed(self, name: str) -> str:
        return f"{self.speed(name):.0f}" if self.speed(name) >= 10 else f"{self.speed(name):.1f}"

    def row(self) -> list[str]:
        best, floor = self.best_peer, self.case.floor
        weft = f"{self._speed('weft')} {self.unit}" if "weft" in self.samples else "refused" * bool(self.refused)
        wants = [f"{floor.speed:g} x"] if floor.speed else []
        wants += [f"{100 * floor.share:.0f} %"] if self.shares_alone else []
        if self.over_rival:
            wants += [f"{floor.over_rival:g} x {floor.rival}: {self.over_rival:.2f}"]
        return [
            self.case.name,
            weft,
            best or "none",
            self._speed(best) if best else "",
            f"{self.ratio:.2f}" if self.ratio else "",
            f"{100 * self.share:.0f}" if self.share else "",
            ", ".join(wants),
            ("met" if self.met else "MISSED") if wants and weft else "",
            f"{self.errors['weft']:.0e}" if "weft" in self.errors else "",
        ]


def _median_share(results: list[Result], what: str, bound: float) -> list[Check]:
    shares = [result.share for result in results if result.share]
    return [at_least(f"{what}: median share of the FMA peak", float(np.median(shares)), bound)] if shares else []


def _speed_ratio(found: dict[cases.Case, Result], what: str, first: cases.Case, second: cases.Case, bound: float):
    """Speed of one case over that of another: both as shares of the peak of their own rounds."""
    pair = [found[case].share if case in found else None for case in (first, second)]
    return [at_least(what, pair[0] / pair[1], bound)] if all(pair) else []


def _routing_share(found: dict[cases.Case, Result]) -> list[Check]:
    """Time of route and dispatch over that of the whole layer."""
    pair = [found[case].samples.get("weft") if case in found else None for case in (suites.ROUTING, suites.ROUTED)]
    if not all(pair):
        return []
    share = pair[0].ratio_of_medians(pair[1])
    return [at_most(f"{suites.ROUTING.name} over its layer's time", share, 0.03, form=".4f")]


def checks(results: list[Result]) -> list[Check]:
    floored = [result for result in results if result.case.floor != cases.Floor()]
    products = [result for result in floored if result.case.suite == "product"]
    groups = [  # what has floors
        ("product, 64 rows and more", [result for result in products if result.case.m > 16]),
        ("product, 4 to 16 rows", [result for result in products if result.case.m <= 16]),
        *((suite, [result for result in floored if result.case.suite == suite]) for suite in FLOORED),
    ]
    made = []
    for what, group in groups:
        if group:
            missed = sum(not result.met for result in group)
            made.append(none_of(f"{what}: cases at their floor", missed, len(group)))
    for what, group in groups[:2]:
        if group:
            made += _median_share(group, what, group[0].case.floor.share)
    found = {result.case: result for result in results}
    prime = "product of prime sizes, per flop of its neighbour"
    made += _speed_ratio(found, prime, suites.PRIME, suites.ROUND, 0.95)
    # Half the pairs in 1 / 1.8 of the time.
    made += _speed_ratio(found, "causal attention per visible pair of the full one", suites.CAUSAL, suites.FULL, 0.9)
    made += _routing_share(found)
    close = [error <= result.case.tolerance for result in results for error in result.errors.values()]
    bounds = f"{cases.TOLERANCE:g} of float64 (wider for what is stored in fewer bits)"
    return [*made, none_of(f"outputs of all peers within {bounds}", close.count(False), len(close))]


def as_json(result: Result) -> dict:
    return {
        "case": result.case.name,
        "suite": result.case.suite,
        "work": result.work,
        "unit": result.unit,
        "bound": result.bound,
        "refused": result.refused,
        "met": result.met,
        "results": {
            name: {"median_s": samples.median, "relative_rms": result.errors[name], "rounds_s": samples.rounds}
            for name, samples in result.samples.items()
        },
    }
