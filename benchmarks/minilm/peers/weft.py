# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Weft: the artifact that `weft compile` makes of the model, run through the C runtime."""

import shutil
import subprocess
from pathlib import Path

import numpy as np

from ..model import config
from ..weft_runtime import Session
from . import Peer, Setting, Unavailable


def runtime(setting: Setting) -> Path:
    """The runtime's shared library."""
    library = setting.build / "lib" / "libweft_runtime.so"
    if not library.exists():
        raise Unavailable(f"no runtime at {library}: build Weft first, or say where with --build")
    return library


def compiler(setting: Setting) -> Path:
    """The compiler's command."""
    command = setting.build / "bin" / "weft"
    if not command.exists():
        raise Unavailable(f"no compiler at {command}: build Weft first, or say where with --build")
    return command


def compiled(setting: Setting, source: Path, made: Path, *options: str) -> Path:
    """The artifact `made` of a model, compiled again whenever the compiler is newer."""
    weft = compiler(setting)
    manifest = made / "manifest.json"
    if manifest.exists() and manifest.stat().st_mtime > weft.stat().st_mtime:
        return made
    shutil.rmtree(made, ignore_errors=True)
    command = [str(weft), "compile", str(source), "-o", str(made), *options]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise Unavailable(f"weft compile failed with exit code {done.returncode}:\n{done.stderr.strip()}")
    return made


def artifact(setting: Setting) -> Path:
    """The given artifact, or one compiled here."""
    if setting.artifact:
        return setting.artifact
    return compiled(setting, setting.model, setting.cache / "minilm.weft")


def _make(setting: Setting, name: str, variant: str | None) -> Peer:
    try:
        session = Session(runtime(setting), artifact(setting), setting.threads, variant)
    except RuntimeError as error:
        raise Unavailable(str(error)) from error
    hidden = config(setting.model)["hidden_size"]

    def prepare(feed: dict[str, np.ndarray]):
        output = np.empty((*feed["input_ids"].shape, hidden), np.float32)
        run = session.bind(feed, {"last_hidden_state": output})

        def call() -> np.ndarray:
            run()
            return output

        return call

    return Peer(name, session.version, prepare, note=f"C runtime, variant {session.variant}")


def make(setting: Setting) -> Peer:
    return _make(setting, "weft", None)


def make_v3(setting: Setting) -> Peer:
    return _make(setting, "weft-v3", "v3")


def make_portable(setting: Setting) -> Peer:
    return _make(setting, "weft-portable", "portable")
