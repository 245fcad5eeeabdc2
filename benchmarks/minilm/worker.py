# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Each peer lives in a process of its own, which the driver asks for one turn at a time.

In one process the peers disturb each other: their OpenMP copies find more threads than cores and put theirs to sleep
between regions, which made PyTorch on two threads as slow as on one.
"""

import multiprocessing
import signal
import traceback
import warnings
from collections.abc import Callable

import numpy as np

from . import peers, timing


class Failed(Exception):
    """A peer broke; the text says how."""


class _Server:
    """What runs in the process of a peer."""

    def __init__(self, make: Callable[[], peers.Peer]):
        self._peer = make()
        self._call = None

    def label(self) -> peers.Label:
        return peers.Label(self._peer.name, self._peer.version, self._peer.note)

    def bind(self, feed: object) -> np.ndarray:
        self._call = None  # what the call before holds is freed first
        self._call = self._peer.prepare(feed)
        return self._peer.fetch(self._call())

    def turn(self, plan: timing.Plan, warm_up: bool) -> list[float]:
        return timing.turn(self._call, plan, warm_up)


def _serve(pipe, name: str, make: Callable[[], peers.Peer]) -> None:
    warnings.filterwarnings("ignore")

    def answer(method: Callable[..., object], *arguments) -> object:
        """Sends what the method returns, or why it cannot be had: then the next call may still work."""
        try:
            result = method(*arguments)
        except peers.Unavailable as reason:
            pipe.send((None, reason))
            return None
        pipe.send((result.label() if isinstance(result, _Server) else result, None))
        return result

    try:
        server = answer(_Server, make)
        while server:
            method, arguments = pipe.recv()
            answer(getattr(server, method), *arguments)
    except EOFError:  # the driver is done
        pass
    except Exception:  # told to the driver, which stops
        pipe.send((None, Failed(f"{name} failed:\n{traceback.format_exc()}")))


class Worker:
    """The driver's end of a peer's process."""

    def __init__(self, name: str, make: Callable[[], peers.Peer]):
        """`make` is sent to the process: a function of a module, or a partial of one."""
        self.name = name
        context = multiprocessing.get_context("spawn")  # a fork would share what the libraries have set up
        self._pipe, child = context.Pipe()
        self._process = context.Process(target=_serve, args=(child, name, make), daemon=True)
        interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)  # only the driver answers an interrupt
        self._process.start()
        signal.signal(signal.SIGINT, interrupt)
        child.close()
        self.label: peers.Label = self._answer()

    def _answer(self):
        try:
            result, error = self._pipe.recv()
        except EOFError:
            self._process.join()
            raise Failed(f"{self.name} died with exit code {self._process.exitcode}") from None
        if error:
            raise error
        return result

    def _ask(self, method: str, *arguments):
        self._pipe.send((method, arguments))
        return self._answer()

    def bind(self, feed: object) -> np.ndarray:
        """Prepares the call for these inputs (what the peer's `prepare` takes) and returns its output."""
        return self._ask("bind", feed)

    def turn(self, plan: timing.Plan, warm_up: bool) -> list[float]:
        return self._ask("turn", plan, warm_up)
