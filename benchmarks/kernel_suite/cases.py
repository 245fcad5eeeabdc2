# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The works that are timed: their sizes, inputs, float64 results and floors."""

from dataclasses import dataclass

import numpy as np

TOLERANCE = 1e-5  # relative RMS against float64: more is another precision, and no comparison
FLOAT = np.dtype(np.float32).itemsize


@dataclass(frozen=True)
class Floor:
    """What a case must reach; None: nothing."""

    speed: float | None = None  # over the best peer's
    share: float | None = None  # of the FMA peak or of the read rate; for products of their median


def _draw(*shape: int, seed: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


@dataclass(frozen=True)
class Product:
    """x [m, k] times the transpose of a constant weight [n, k], which each library may pack beforehand. With several
    `layers` (then k = n), the result goes through another weight of that shape each time."""

    m: int
    n: int
    k: int
    layers: int = 1
    form: str = "f32"  # or int8: weights in 8 bits with a factor a column, rows of x quantised when they come

    @property
    def suite(self) -> str:
        if self.form != "f32":
            return self.form
        return "gemv" if self.m == 1 else "product"

    @property
    def tolerance(self) -> float:
        return TOLERANCE if self.form == "f32" else 3e-2

    @property
    def name(self) -> str:
        kind = "gemv" if self.m == 1 else "product"
        return f"{kind} {self.form} {self.layers if self.m == 1 else self.m} x {self.n} x {self.k}"

    @property
    def flops(self) -> int:
        return 2 * self.layers * self.m * self.n * self.k

    @property
    def read_bytes(self) -> int | None:
        """Where reading bounds the speed: the bytes that must be read."""
        return self.layers * self.n * self.k * FLOAT if self.m == 1 else None

    @property
    def floor(self) -> Floor:
        if self.m == 1:
            return Floor(share=0.85)
        if self.form != "f32":
            return Floor(speed=1.0)
        return Floor(speed=1.4, share=0.88) if self.m <= 16 else Floor(speed=1.0, share=0.92)

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.m, self.n)

    def inputs(self) -> dict[str, np.ndarray]:
        return {"x": _draw(self.m, self.k)}

    def weights(self) -> list[np.ndarray]:
        first = _draw(self.n, self.k, seed=6) / np.float32(np.sqrt(self.k))
        # Rolled copies: other numbers in each place, without drawing them all.
        return [np.ascontiguousarray(np.roll(first, 17 * layer, axis=1)) for layer in range(self.layers)]

    def expected(self) -> np.ndarray:
        value = self.inputs()["x"].astype(np.float64)
        for weight in self.weights():
            value = value @ weight.T.astype(np.float64)
        return value


@dataclass(frozen=True)
class Attention:
    """softmax(q k^T / sqrt(dim)) v with arrays [heads, sequence, dim]. One query: decoding, where all see the whole
    context and `heads / key_heads` of them share their keys."""

    heads: int
    key_heads: int
    queries: int
    keys: int
    dim: int
    mask: str = "full"  # full, causal, or a window: so many keys up to the query's own
    window: int = 0
    tolerance = TOLERANCE

    @property
    def suite(self) -> str:
        return "decode" if self.queries == 1 else "attention"

    @property
    def name(self) -> str:
        if self.queries == 1:
            return f"decode f32 {self.heads}/{self.key_heads} heads D{self.dim} context {self.keys}"
        return f"attention f32 H{self.heads} S{self.keys} D{self.dim} {self.mask}{self.window or ''}"

    def visible(self) -> np.ndarray | None:
        """[queries, keys], or None where all are."""
        if self.mask == "full":
            return None
        query, key = np.ogrid[: self.queries, : self.keys]
        seen = key <= query
        return seen & (query - key < self.window) if self.window else seen

    @property
    def flops(self) -> int:
        """Of the visible pairs only."""
        seen = self.visible()
        pairs = self.queries * self.keys if seen is None else int(seen.sum())
        return 4 * self.heads * pairs * self.dim

    @property
    def read_bytes(self) -> int | None:
        return 2 * self.key_heads * self.keys * self.dim * FLOAT if self.queries == 1 else None

    @property
    def floor(self) -> Floor:
        if self.queries == 1:
            return Floor(share=0.85)  # and twice llama.cpp, which is no peer here
        return Floor(speed=1.05 if self.mask == "full" else 1.35)

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.heads, self.queries, self.dim)

    def inputs(self) -> dict[str, np.ndarray]:
        return {
            "q": _draw(self.heads, self.queries, self.dim, seed=7),
            "k": _draw(self.key_heads, self.keys, self.dim, seed=8),
            "v": _draw(self.key_heads, self.keys, self.dim, seed=9),
        }

    def grouped(self) -> dict[str, np.ndarray]:
        """The same with heads that share keys as rows of one head: libraries then read each key once for all."""
        arrays = self.inputs()
        return {**arrays, "q": arrays["q"].reshape(self.key_heads, -1, self.dim)}

    def expected(self) -> np.ndarray:
        arrays = {name: array.astype(np.float64) for name, array in self.grouped().items()}
        seen = self.visible()
        rows = []
        for query, key, value in zip(arrays["q"], arrays["k"], arrays["v"], strict=True):
            scores = query @ key.T / np.sqrt(self.dim)
            if seen is not None:
                scores[~seen] = -np.inf
            scores = np.exp(scores - scores.max(axis=1, keepdims=True))
            rows.append(scores @ value / scores.sum(axis=1, keepdims=True))
        return np.stack(rows).reshape(self.shape)


@dataclass(frozen=True)
class Norm:
    """Layer norm of rows, with scale and bias."""

    rows: int
    width: int

    suite = "norm"
    floor = Floor()
    epsilon = 1e-5
    tolerance = TOLERANCE

    @property
    def name(self) -> str:
        return f"layer norm f32 {self.rows} x {self.width}"

    @property
    def flops(self) -> int:
        return 8 * self.rows * self.width

    @property
    def read_bytes(self) -> int:
        return self.rows * self.width * FLOAT

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.rows, self.width)

    def inputs(self) -> dict[str, np.ndarray]:
        return {"x": _draw(self.rows, self.width)}

    def weights(self) -> list[np.ndarray]:
        return [_draw(self.width, seed=10), _draw(self.width, seed=11)]

    def expected(self) -> np.ndarray:
        x = self.inputs()["x"].astype(np.float64)
        scale, bias = self.weights()
        centred = x - x.mean(axis=1, keepdims=True)
        return centred / np.sqrt(np.square(centred).mean(axis=1, keepdims=True) + self.epsilon) * scale + bias


Case = Product | Attention | Norm

ROUND = Product(128, 1536, 384)
PRIME = Product(127, 1531, 383)
FULL = Attention(8, 8, 2048, 2048, 64)
CAUSAL = Attention(8, 8, 2048, 2048, 64, "causal")

QUICK = [
    Product(64, 768, 3072),
    Product(128, 384, 384),
    ROUND,
    Product(128, 384, 1536),
    PRIME,
    Product(512, 1536, 384),
    Product(4, 1536, 384),
    Product(8, 768, 3072),
    Product(16, 384, 1536),
    Product(1, 4096, 4096, layers=4),
    Product(128, 1536, 384, form="int8"),
    Product(16, 768, 3072, form="int8"),
    FULL,
    CAUSAL,
    Attention(8, 8, 2048, 2048, 64, "window", 256),
    Attention(12, 12, 512, 512, 32),
    Attention(32, 8, 1, 4096, 128),
    Norm(128, 384),
    Norm(512, 1536),
]

_SIZES = [(384, 384), (1536, 384), (384, 1536), (768, 768), (3072, 768), (768, 3072), (4096, 4096)]  # n, k

ALL = [
    *[Product(m, n, k) for m in (64, 128, 512) for n, k in _SIZES],
    PRIME,
    *[Product(m, n, k) for m in (4, 6, 8, 16) for n, k in _SIZES[1:]],
    *[case for case in QUICK if case.suite != "product"],
]

SUITES = ["product", "gemv", "int8", "attention", "decode", "norm"]
