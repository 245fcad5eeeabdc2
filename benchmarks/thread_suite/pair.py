# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Two models in one process, each with a pool of its own."""

from concurrent.futures import ThreadPoolExecutor, wait

import numpy as np
from minilm import model
from minilm.peers import Peer, Setting
from minilm.peers.weft import artifact, runtime
from minilm.weft_runtime import Session

CALLS = 8  # of each model in what is timed: starting the second caller must not count


def make(setting: Setting, at_once: bool) -> Peer:
    """Calls of both models by two callers at once, or by one caller in turn."""
    sessions = [Session(runtime(setting), artifact(setting), setting.threads) for _ in range(2)]
    hidden = model.config(setting.model)["hidden_size"]
    callers = ThreadPoolExecutor(2)

    def prepare(feed: dict[str, np.ndarray]):
        outputs = [np.empty((*feed["input_ids"].shape, hidden), np.float32) for _ in sessions]
        runs = [session.bind(feed, {"last_hidden_state": out}) for session, out in zip(sessions, outputs, strict=True)]

        def repeat(run) -> None:
            for _ in range(CALLS):
                run()

        def together() -> np.ndarray:
            done, _ = wait([callers.submit(repeat, run) for run in runs])
            for each in done:
                each.result()
            return outputs[-1]

        def in_turn() -> np.ndarray:
            for _ in range(CALLS):
                for run in runs:
                    run()
            return outputs[-1]

        return together if at_once else in_turn

    return Peer("at once" if at_once else "in turn", sessions[0].version, prepare)
