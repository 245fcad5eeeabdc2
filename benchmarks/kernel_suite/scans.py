# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The recurrences that are timed, by their definitions in float64, step by step: S ← decay ∘ S + key · value,
y = query · S, from S = 0. Arrays begin with the steps; constants of a model have no steps."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Family:
    """The sizes are the steps, heads, keys (n), values (e) and groups of heads that share a key."""

    inputs: dict[str, str]  # of each array its extents: l steps, h heads, n keys, e values, g groups
    result: str
    reference: Callable[[Arrays], np.ndarray]
    # Vector instructions of a step for a vector of S, where each is a multiply-add or a multiplication.
    instructions: int


def _softplus(x: np.ndarray) -> np.ndarray:
    return np.logaddexp(0, x)


def silu(x: np.ndarray) -> np.ndarray:
    return x / (1 + np.exp(-x))


def _mamba(x: Arrays) -> np.ndarray:
    """Mamba (Gu and Dao 2023), "selective scan": dt before its softplus, a decay for each channel and state."""
    state, y = np.zeros(x["a"].shape), np.empty(x["u"].shape)
    for t, step in enumerate(_softplus(x["dt"])):
        state = np.exp(step[:, None] * x["a"]) * state + (step * x["u"][t])[:, None] * x["b"][t]
        y[t] = state @ x["c"][t] + x["d"] * x["u"][t]
    return y * silu(x["z"]) if "z" in x else y


def _mamba2(x: Arrays) -> np.ndarray:
    """Mamba-2 (Dao and Gu 2024): one decay for a head, heads of a group share b and c."""
    steps, heads, values = x["u"].shape
    state, y = np.zeros((heads, x["b"].shape[2], values)), np.empty((steps, heads, values))
    for t, step in enumerate(_softplus(x["dt"])):
        key, query = (np.repeat(x[name][t], heads // x[name].shape[1], axis=0) for name in "bc")
        state = np.exp(step * x["a"])[:, None, None] * state
        state += key[:, :, None] * (step[:, None] * x["u"][t])[:, None, :]
        y[t] = np.einsum("hn,hne->he", query, state) + x["d"][:, None] * x["u"][t]
    return y


def _delta(x: Arrays) -> np.ndarray:
    """The gated delta rule (Yang et al. 2024, arXiv:2412.06464): g the logarithm of the decay, beta the rate."""
    steps, heads, values = x["v"].shape
    state, y = np.zeros((heads, x["k"].shape[2], values)), np.empty((steps, heads, values))
    for t, key in enumerate(x["k"]):
        state = np.exp(x["g"][t])[:, None, None] * state
        change = x["beta"][t][:, None] * (x["v"][t] - np.einsum("hn,hne->he", key, state))
        state += key[:, :, None] * change[:, None, :]
        y[t] = np.einsum("hn,hne->he", x["q"][t], state)
    return y / np.sqrt(x["k"].shape[2])


def _gla(x: Arrays) -> np.ndarray:
    """Gated linear attention (Yang et al. 2023, arXiv:2312.06635): a decay for each key dimension."""
    steps, heads, values = x["v"].shape
    state, y = np.zeros((heads, x["k"].shape[2], values)), np.empty((steps, heads, values))
    for t, key in enumerate(x["k"]):
        state = x["g"][t][:, :, None] * state + key[:, :, None] * x["v"][t][:, None, :]
        y[t] = np.einsum("hn,hne->he", x["q"][t], state)
    return y / np.sqrt(x["k"].shape[2])


_MAMBA = {"u": "le", "dt": "le", "a": "en", "b": "ln", "c": "ln", "d": "e"}
FAMILIES = {
    "mamba": Family(_MAMBA, "le", _mamba, 3),
    "mamba gated": Family({**_MAMBA, "z": "le"}, "le", _mamba, 3),
    "mamba2": Family({"u": "lhe", "dt": "lh", "a": "h", "b": "lgn", "c": "lgn", "d": "h"}, "lhe", _mamba2, 3),
    "gated delta": Family({"q": "lhn", "k": "lhn", "v": "lhe", "g": "lh", "beta": "lh"}, "lhe", _delta, 5),
    "gla": Family({"q": "lhn", "k": "lhn", "v": "lhe", "g": "lhn"}, "lhe", _gla, 3),
}


def draw(family: str, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers as a model has them: steps around a fiftieth, decays close under 1, the delta rule's keys of length 1."""
    seed = sum(map(ord, family + name))
    x = np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)
    if name == "dt":
        return x - np.float32(4)
    if name == "a":  # the rates of S4D-real: −1, −2 …
        rates = -np.arange(1, shape[-1] + 1, dtype=np.float32)
        return np.ascontiguousarray(np.broadcast_to(rates, shape))
    if name == "g":
        logarithm = -np.exp(x - np.float32(3))
        return np.exp(logarithm) if family == "gla" else logarithm
    if name == "beta":
        return 1 / (1 + np.exp(-x))
    return x / np.linalg.norm(x, axis=-1, keepdims=True) if (family, name) == ("gated delta", "k") else x
