# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How much more two cores do than one, by the peak loops: what bounds every other ratio."""

import time
from concurrent.futures import ThreadPoolExecutor

from minilm.machine import Peak

CALLS = 4  # of a loop of some milliseconds: starting the threads must not count


class Gains:
    def __init__(self, peak: Peak, threads: int):
        self._peak, self._threads = peak, threads
        self._pool = ThreadPoolExecutor(threads)

    def multiply_adds(self) -> float:
        """The same loop on one core, then on all at once, by the time that passes."""

        def loop() -> None:
            for _ in range(CALLS):
                self._peak.rate("fma", 0)

        alone = self._seconds(loop, 1)
        return self._threads * alone / self._seconds(loop, self._threads)

    def reads(self, bytes_: int) -> float:
        """Over buffers that are together as large as what one thread reads."""
        alone = self._peak.read_gbps(bytes_)
        share = bytes_ // self._threads
        runs = [self._pool.submit(self._peak.read_gbps, share) for _ in range(self._threads)]
        return sum(run.result() for run in runs) / alone

    def _seconds(self, loop, threads: int) -> float:
        start = time.perf_counter()
        for run in [self._pool.submit(loop) for _ in range(threads)]:
            run.result()
        return time.perf_counter() - start
