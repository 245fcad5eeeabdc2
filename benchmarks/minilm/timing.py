# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Interleaved timing: all subjects take turns in one process, in an order that rotates each round.

A machine's speed changes over minutes, so only what is measured side by side can be compared. The figure to trust is
the median over rounds of the ratio within a round.
"""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

CLOCKS = {"cpu": time.process_time_ns, "wall": time.perf_counter_ns}

# A turn of a long call is a single call and needs no warm-up: its own first part brings the weights into the caches.
LONG_CALL_SECONDS = 0.2
MOST_CALLS_A_TURN = 40


@dataclass
class Samples:
    """Seconds of every timed call, by round."""

    rounds: list[list[float]] = field(default_factory=list)

    def _quantile(self, q: float) -> float:
        return float(np.quantile([call for turn in self.rounds for call in turn], q))

    @property
    def median(self) -> float:
        return self._quantile(0.5)

    @property
    def p10(self) -> float:
        return self._quantile(0.1)

    @property
    def p90(self) -> float:
        return self._quantile(0.9)

    def ratio_of_medians(self, base: "Samples") -> float:
        return self.median / base.median

    def median_of_ratios(self, base: "Samples") -> float:
        """Each round's median against the base's of the same round."""
        pairs = zip(self.rounds, base.rounds, strict=True)
        return float(np.median([np.median(own) / np.median(other) for own, other in pairs]))


@dataclass(frozen=True)
class Plan:
    rounds: int
    turn_seconds: float
    clock: str
    # Between turns: the workers of a peer with several threads spin for a while after its call.
    settle_seconds: float


def _turn(call: Callable[[], object], plan: Plan, long: bool) -> list[float]:
    now = CLOCKS[plan.clock]
    # The turns before have left other weights in the caches, and the shared level takes about twenty passes to adopt
    # new ones (measured): warm up for as long as is then timed.
    ready = time.perf_counter() + (0 if long else plan.turn_seconds)
    while time.perf_counter() < ready:
        call()
    times: list[float] = []
    while not times or (sum(times) < plan.turn_seconds and len(times) < MOST_CALLS_A_TURN):
        start = now()
        call()
        times.append((now() - start) * 1e-9)
    return times


def interleave(
    calls: dict[str, Callable[[], object]], each_round: Callable[[], None], plan: Plan
) -> dict[str, Samples]:
    """Times every call in `plan.rounds` rounds; `each_round` (the peak measurement) runs at the start of each."""
    names = list(calls)
    long = {}
    for name in names:
        start = time.perf_counter()
        calls[name]()
        long[name] = time.perf_counter() - start > LONG_CALL_SECONDS
    samples = {name: Samples() for name in names}
    gc.collect()
    gc.disable()
    try:
        for index in range(plan.rounds):
            each_round()
            first = index % len(names)
            for name in names[first:] + names[:first]:
                time.sleep(plan.settle_seconds)
                samples[name].rounds.append(_turn(calls[name], plan, long[name]))
    finally:
        gc.enable()
    return samples
