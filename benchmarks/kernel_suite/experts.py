# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The layers of experts that are timed, by their definition in float64: scores of a router, the k experts with the
greatest ones, and the sum of their gated MLPs, weighted by the softmax of the chosen scores (Mixtral, Jiang et al.
2024, arXiv:2401.04088)."""

from dataclasses import dataclass

import numpy as np

Arrays = dict[str, np.ndarray]

# Tokens whose k-th score is closer to the next one are not drawn: rounding would decide whom they choose.
LEAST_GAP = 1e-3


@dataclass(frozen=True)
class Dispatched:
    """Rows sorted by expert: of each its token and weight, and the first row of each expert."""

    tokens: np.ndarray  # [t·k]
    weights: np.ndarray  # [t·k]
    offsets: np.ndarray  # [e + 1]

    def dense(self) -> np.ndarray:
        """The weights [t, e], zero where a token did not choose an expert: three arrays as one to compare."""
        experts = np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))
        weights = np.zeros((self.tokens.max() + 1, len(self.offsets) - 1))
        weights[self.tokens, experts] = self.weights
        return weights


def choose(scores: np.ndarray, count: int) -> np.ndarray:
    """[tokens, count]: the experts with the greatest scores, of equal ones the lowest index first."""
    return np.argsort(-scores, axis=1, kind="stable")[:, :count]


def _is_clear(scores: np.ndarray, count: int) -> np.ndarray:
    """Whether the choice of a token leaves no doubt."""
    falling = -np.sort(-scores, axis=1)
    return falling[:, count - 1] - falling[:, count] > LEAST_GAP


def clear_rows(candidates: np.ndarray, scores: np.ndarray, count: int, rows: int) -> np.ndarray:
    """The first rows that choose clearly; there are a few more candidates than rows."""
    return np.ascontiguousarray(candidates[_is_clear(scores, count)][:rows])


def covering_rows(candidates: np.ndarray, scores: np.ndarray, count: int) -> np.ndarray:
    """As many rows as choose each expert once together."""
    clear = _is_clear(scores, count)
    chosen = np.sort(choose(scores, count), axis=1)
    wanted = np.arange(scores.shape[1]).reshape(-1, count)
    return np.stack([candidates[clear & (chosen == group).all(axis=1)][0] for group in wanted])


def weights_of(scores: np.ndarray, count: int) -> np.ndarray:
    """[tokens, experts]: the softmax of the chosen scores, zero elsewhere. Of the softmax of all, divided by the sum of
    the chosen ones, it is the same."""
    chosen = choose(scores, count)
    kept = np.take_along_axis(scores, chosen, axis=1)
    powers = np.exp(kept - kept.max(axis=1, keepdims=True))
    weights = np.zeros(scores.shape)
    np.put_along_axis(weights, chosen, powers / powers.sum(axis=1, keepdims=True), axis=1)
    return weights


def layer(x: np.ndarray, parts: Arrays, count: int) -> np.ndarray:
    """x [t, d]; router [e, d], gate and up [e, f, d], down [e, d, f]."""
    weights = weights_of(x @ parts["router"].astype(np.float64).T, count)
    y = np.zeros(x.shape)
    for expert in range(weights.shape[1]):
        tokens = np.flatnonzero(weights[:, expert])
        gate, up = (x[tokens] @ parts[name][expert].astype(np.float64).T for name in ("gate", "up"))
        inner = gate / (1 + np.exp(-gate)) * up
        y[tokens] += weights[tokens, expert, None] * (inner @ parts["down"][expert].astype(np.float64).T)
    return y
