# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Weft as one of the peers: a case compiled into an artifact and run through the C runtime."""

import shutil
import zlib
from pathlib import Path

import numpy as np
from minilm.peers import Peer, Setting
from minilm.peers.weft import compiled, runtime
from minilm.weft_runtime import Session

from . import graphs
from .cases import Case, Experts, Norm, Product, Routing
from .experts import Dispatched

NOTES = {"native": "the best level of this processor"}


def _options(case: Case) -> list[str]:
    if not isinstance(case, Product) or case.form == "f32":
        return []
    return ["--dtype", "bf16"] if case.form == "bf16" else ["--weights", case.form]


def artifact(setting: Setting, case: Case, level: str) -> Path:
    """The case compiled for one level of x86-64, or for the best one of this processor ("native")."""
    from safetensors.numpy import save_file

    options = _options(case)
    text = graphs.mlir(case)
    stem = setting.cache / f"{case.suite}-{case.form}-{zlib.crc32(text.encode()):08x}"
    source = stem.with_suffix(".mlir")
    if not source.exists():
        if isinstance(case, Product):
            save_file({"w": case.weight()}, stem.with_suffix(".safetensors"))
        if isinstance(case, Norm):
            save_file({f"w{i}": w for i, w in enumerate(case.weights())}, stem.with_suffix(".safetensors"))
        if isinstance(case, Experts):
            save_file(case.weights(), stem.with_suffix(".safetensors"))
        source.write_text(text)
    made = stem.with_name(f"{stem.name}-{level}.weft")
    return compiled(setting, source, made, "--target", f"cpu:{level}", "--threads", "1", *options)


def _copies(made: Path, count: int, folder: Path) -> list[Path]:
    """The artifact so many times, in files of their own: one file mapped twice is in memory once."""
    paths = [folder / f"{index}.weft" for index in range(count - 1)]
    for path in paths:
        shutil.copytree(made, path)
    return [made, *paths]


def _routing(session: Session, case: Routing):
    rows = case.tokens * case.chosen
    outputs = {"tokens": np.empty(rows, np.int32), "sorted": np.empty(rows, np.float32),
               "offsets": np.empty(case.experts + 1, np.int32)}
    outputs = {name: graphs.aligned(array) for name, array in outputs.items()}
    return session.bind(graphs.to_weft(case), outputs), Dispatched(*outputs.values())


def _token_by_token(session: Session, case: Experts):
    x, y = graphs.to_weft(case)["x"], graphs.output_of_weft(case)
    runs = [session.bind({"x": x[i : i + 1]}, {"y": y[i : i + 1]}) for i in range(len(x))]

    def run() -> None:
        for step in runs:
            step()

    return run, y


def weft(setting: Setting, level: str = "native") -> Peer:
    library = runtime(setting)
    sessions = []
    scratch = setting.cache / f"copies-{level}"

    def bind(session: Session, case: Case):
        if isinstance(case, Routing):
            return _routing(session, case)
        if isinstance(case, Experts) and case.tokens == 1:
            return _token_by_token(session, case)
        output = graphs.output_of_weft(case)
        return session.bind(graphs.to_weft(case), {"y": output}), graphs.from_weft(case, output)

    def prepare(case: Case):
        while sessions:
            sessions.pop().close()
        shutil.rmtree(scratch, ignore_errors=True)
        paths = _copies(artifact(setting, case, level), getattr(case, "copies", 1), scratch)
        sessions.extend(Session(library, path, setting.threads) for path in paths)
        bound = [bind(session, case) for session in sessions]
        runs, result = [run for run, _ in bound], bound[-1][1]
        shutil.rmtree(scratch, ignore_errors=True)  # what is mapped stays

        def call() -> np.ndarray:
            for run in runs:
                run()
            return result

        return call

    def fetch(result) -> np.ndarray:
        return result.dense() if isinstance(result, Dispatched) else graphs.as_floats(result)

    name = "weft" if level == "native" else f"weft-{level}"
    note = "C runtime, one artifact a case, " + NOTES.get(level, f"level {level}") + "; bf16 products in and out"
    return Peer(name, "", prepare, fetch, note)
