# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Interleaved timing: all subjects take turns, in an order that rotates each round.

A machine's speed changes over minutes, so only what is measured side by side can be compared. The figure to trust is
the median over rounds of the ratio within a round.
"""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

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


class Subject(Protocol):
    name: str

    def turn(self, plan: Plan, warm_up: bool) -> list[float]: ...


def turn(call: Callable[[], object], plan: Plan, warm_up: bool) -> list[float]:
    """Seconds of each timed call of one turn."""
    now = CLOCKS[plan.clock]
    gc.collect()
    gc.disable()
    # The turns before have left other weights in the caches, and the shared level takes about twenty passes to adopt
    # new ones (measured): warm up for as long as is then timed.
    ready = time.perf_counter() + (plan.turn_seconds if warm_up else 0)
    while time.perf_counter() < ready:
        call()
    times: list[float] = []
    while not times or (sum(times) < plan.turn_seconds and len(times) < MOST_CALLS_A_TURN):
        start = now()
        call()
        times.append((now() - start) * 1e-9)
    gc.enable()
    return times


def interleave(subjects: list[Subject], each_round: Callable[[], None], plan: Plan) -> dict[str, Samples]:
    """Times every subject in `plan.rounds` rounds; `each_round` (the peak measurement) runs at the start of each."""
    warm_up = {}
    for subject in subjects:
        trial = subject.turn(plan, warm_up=False)
        warm_up[subject.name] = float(np.median(trial)) < LONG_CALL_SECONDS
    samples = {subject.name: Samples() for subject in subjects}
    for index in range(plan.rounds):
        each_round()
        first = index % len(subjects)
        for subject in subjects[first:] + subjects[:first]:
            time.sleep(plan.settle_seconds)
            samples[subject.name].rounds.append(subject.turn(plan, warm_up[subject.name]))
    return samples
