# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The peers. Each module makes one or more `Peer`s; the libraries are imported only for peers that are asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Setting:
    """What a peer is made from."""

    root: Path  # the checkout
    build: Path  # where Weft was built
    model: Path | None  # the Hugging Face directory, where a model is measured
    cache: Path  # for converted models
    threads: int
    artifact: Path | None = None  # of Weft; compiled where it is not given


@dataclass(frozen=True)
class Peer:
    """`prepare` turns the arrays (or what else tells the work) into what the library takes (not timed) and returns the call that is timed; the call
    returns the library's own tensor, and `fetch` turns that into an array (not timed)."""

    name: str
    version: str
    prepare: Callable[[object], Callable[[], object]]
    fetch: Callable[[object], np.ndarray] = np.asarray
    note: str = ""


@dataclass(frozen=True)
class Label:
    """What a report says of a peer."""

    name: str
    version: str
    note: str


class Unavailable(Exception):
    """This peer cannot run here; the text says why and what to do."""


# Name on the command line -> module and function in it.
PEERS = {
    "weft": ("weft", "make"),
    "weft-v3": ("weft", "make_v3"),
    "weft-portable": ("weft", "make_portable"),
    "torch": ("torch", "make_eager"),
    "torch-compile": ("torch", "make_compiled"),
    "onnxruntime": ("onnxruntime", "make_plain"),
    "onnxruntime-bert": ("onnxruntime", "make_optimised"),
    "openvino": ("openvino", "make"),
    "ctranslate2": ("ctranslate2", "make"),
}


# Weft's narrower variants are timed when asked for.
DEFAULT = [name for name in PEERS if name not in ("weft-v3", "weft-portable")]


def make(name: str, setting: Setting) -> Peer:
    module, function = PEERS[name]
    return getattr(import_module(f"{__name__}.{module}"), function)(setting)
