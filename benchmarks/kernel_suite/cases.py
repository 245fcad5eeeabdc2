# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The works that are timed: their sizes, inputs, float64 results, and what bounds their speed."""

from dataclasses import dataclass

import numpy as np

from minilm.machine import processor

from . import experts, scans

FLOAT = np.dtype(np.float32).itemsize


@dataclass(frozen=True)
class Form:
    """How numbers are stored, and in what they are multiplied."""

    bytes: float  # a number
    # Relative RMS against float64 of unrounded inputs: more is another precision, and no comparison.
    tolerance: float
    bound: str  # of many rows: the peak loop of these multiply-adds
    keys_tolerance: float = 0.0  # where keys and values are stored so


# int8: one factor a column. q8_0 and int4 (llama.cpp's q4_0): a half as factor of 32 numbers.
FORMS = {
    "f32": Form(4, 1e-5, "fma", 1e-5),
    "f16": Form(2, 2e-3, "fma", 2e-2),
    "bf16": Form(2, 1e-2, "bf16", 2e-2),
    "int8": Form(1, 3e-2, "int8", 5e-2),
    "q8_0": Form(34 / 32, 3e-2, "int8"),
    "int4": Form(18 / 32, 1.5e-1, "int8"),
}
TOLERANCE = FORMS["f32"].tolerance
# The peer that is Weft's own dense product, beside a layer of experts.
DENSE = "weft-dense"


@dataclass(frozen=True)
class Floor:
    """What a case must reach; None: nothing."""

    speed: float | None = None  # over the best peer's
    share: float | None = None  # of its bound; for products in f32 of their median
    rival: str | None = None  # a peer with a floor of its own
    over_rival: float = 0.0


def _draw(*shape: int, seed: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


@dataclass(frozen=True)
class Product:
    """x [m, k] times the transpose of a constant weight [n, k], which each library may pack beforehand. With several
    `copies` a call runs through so many equal weights, each in memory of its own."""

    m: int
    n: int
    k: int
    form: str = "f32"  # of the weight; int8: rows of x are quantised when they come
    copies: int = 1

    @property
    def suite(self) -> str:
        if self.m == 1 and self.n == self.k:
            return "gemv"
        return "product" if self.form == "f32" else self.form

    @property
    def tolerance(self) -> float:
        return FORMS[self.form].tolerance

    @property
    def name(self) -> str:
        if self.suite == "gemv":
            bytes_ = self.n * self.k * FORMS[self.form].bytes
            where = "memory" if self.copies > 1 else "cache"
            return f"gemv {self.form} {self.n} x {self.k}, {self.copies * bytes_ / 2**20:.0f} MiB, {where}"
        return f"product {self.form} {self.m} x {self.n} x {self.k}"

    @property
    def flops(self) -> int:
        return 2 * self.copies * self.m * self.n * self.k

    @property
    def read_bytes(self) -> int | None:
        """Where reading bounds the speed: the bytes that must be read."""
        return int(self.copies * self.n * self.k * FORMS[self.form].bytes) if self.m == 1 else None

    @property
    def bound(self) -> str:
        return "read" if self.m == 1 else FORMS[self.form].bound

    @property
    def floor(self) -> Floor:
        if self.suite == "gemv":
            return Floor(share=0.85) if self.copies > 1 else Floor()
        if self.form != "f32":
            return Floor() if self.form == "int4" else Floor(speed=1.0)
        return Floor(speed=1.4, share=0.88) if self.m <= 16 else Floor(speed=1.0, share=0.92)

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.m, self.n)

    def inputs(self) -> dict[str, np.ndarray]:
        return {"x": _draw(self.m, self.k)}

    def weight(self) -> np.ndarray:
        return _draw(self.n, self.k, seed=6) / np.float32(np.sqrt(self.k))

    def expected(self) -> np.ndarray:
        return self.inputs()["x"].astype(np.float64) @ self.weight().T.astype(np.float64)


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
    form: str = "f32"  # of keys and values; libraries that want one form for all take queries so too

    @property
    def suite(self) -> str:
        return "decode" if self.queries == 1 else "attention"

    @property
    def tolerance(self) -> float:
        return FORMS[self.form].keys_tolerance

    @property
    def name(self) -> str:
        if self.queries == 1:
            return f"decode {self.form} {self.heads}/{self.key_heads} heads D{self.dim} context {self.keys}"
        return f"attention {self.form} H{self.heads} S{self.keys} D{self.dim} {self.mask}{self.window or ''}"

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
        if self.queries > 1:
            return None
        factors = 4 if self.form == "int8" else 0  # of each key and value
        return int(2 * self.key_heads * self.keys * (self.dim * FORMS[self.form].bytes + factors))

    @property
    def bound(self) -> str:
        return "read" if self.queries == 1 else FORMS[self.form].bound

    @property
    def floor(self) -> Floor:
        if self.queries == 1:
            return Floor(share=0.85, rival="llama.cpp", over_rival=2.0)
        if self.form != "f32":  # peers' products are on tiles, their exponentials are the rest
            return Floor(speed=2.0 if processor().isa == "amx" else 1.0)
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
    form = "f32"
    bound = "read"
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


@dataclass(frozen=True)
class Scan:
    """A recurrence over time of one sequence (scans.py), its state a matrix of keys × values for each head."""

    family: str
    steps: int
    heads: int
    keys: int
    values: int
    groups: int = 1
    part_length: int | None = None  # of Weft's parts of the time; 0: one piece; else its own choice

    suite = "scan"
    form = "f32"
    bound = "fma"
    read_bytes = None
    tolerance = TOLERANCE

    @property
    def name(self) -> str:
        if self.family.startswith("mamba") and self.family != "mamba2":
            return f"scan {self.family} L{self.steps} D{self.values} N{self.keys}"
        groups = f" G{self.groups}" if self.family == "mamba2" else ""
        return f"scan {self.family} L{self.steps} H{self.heads} N{self.keys} P{self.values}{groups}"

    @property
    def flops(self) -> int:
        """As if each vector instruction of a step by the definition were a multiply-add; an exponential is none."""
        instructions = scans.FAMILIES[self.family].instructions
        return 2 * instructions * self.steps * self.heads * self.keys * self.values

    @property
    def floor(self) -> Floor:
        if self.family == "mamba2":
            return Floor(speed=3.0)
        return Floor(speed=8.0, share=0.6) if self.family.startswith("mamba") else Floor()

    def extents(self, dims: str) -> tuple[int, ...]:
        known = {"l": self.steps, "h": self.heads, "n": self.keys, "e": self.values, "g": self.groups}
        return tuple(known[dim] for dim in dims)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.extents(scans.FAMILIES[self.family].result)

    def inputs(self) -> dict[str, np.ndarray]:
        dims = scans.FAMILIES[self.family].inputs
        return {name: scans.draw(self.family, name, self.extents(dims[name])) for name in dims}

    def expected(self) -> np.ndarray:
        wide = {name: array.astype(np.float64) for name, array in self.inputs().items()}
        return scans.FAMILIES[self.family].reference(wide)


@dataclass(frozen=True)
class Experts:
    """A layer of experts (experts.py), its router included. One token: decoding, where a call takes so many tokens, one
    after the other, that each expert is chosen once, in each of `copies` equal layers."""

    tokens: int
    experts: int
    chosen: int
    width: int
    inner: int
    floor: Floor = Floor()
    copies: int = 1

    suite = "experts"
    form = "f32"
    tolerance = TOLERANCE

    @property
    def name(self) -> str:
        sizes = f"T{self.tokens} E{self.experts} top {self.chosen} D{self.width} F{self.inner}"
        return f"experts {sizes}" + (", memory" if self.copies > 1 else "")

    @property
    def rows(self) -> int:
        """Tokens of a call, in one layer."""
        return self.tokens if self.tokens > 1 else self.experts // self.chosen

    @property
    def flops(self) -> int:
        """Of the experts' products."""
        return 6 * self.copies * self.rows * self.chosen * self.width * self.inner

    @property
    def read_bytes(self) -> int | None:
        """Of one token: the chosen experts only, without the router."""
        return None if self.tokens > 1 else self.copies * self.experts * 3 * self.width * self.inner * FLOAT

    @property
    def bound(self) -> str:
        return "fma" if self.tokens > 1 else "read"

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.rows, self.width)

    def dense(self) -> Product:
        """One product with as many flops as all of the layer's, on as many rows as the experts have together."""
        return Product(self.tokens * self.chosen, 3 * self.inner, self.width)

    def weights(self) -> dict[str, np.ndarray]:
        """router [e, d]; gate, up [e, f, d]; down [e, d, f]."""
        def drawn(seed: int, *shape: int) -> np.ndarray:
            return _draw(*shape, seed=seed) / np.float32(np.sqrt(shape[-1]))

        wide, narrow = (self.experts, self.inner, self.width), (self.experts, self.width, self.inner)
        return {"router": self._router(), "gate": drawn(13, *wide), "up": drawn(14, *wide), "down": drawn(15, *narrow)}

    def _router(self) -> np.ndarray:
        return _draw(self.experts, self.width, seed=12) / np.float32(np.sqrt(self.width))

    def inputs(self) -> dict[str, np.ndarray]:
        candidates = _draw(max(512, 2 * self.rows), self.width)
        scores = candidates.astype(np.float64) @ self._router().astype(np.float64).T
        if self.tokens > 1:
            return {"x": experts.clear_rows(candidates, scores, self.chosen, self.rows)}
        return {"x": experts.covering_rows(candidates, scores, self.chosen)}

    def expected(self) -> np.ndarray:
        return experts.layer(self.inputs()["x"].astype(np.float64), self.weights(), self.chosen)


@dataclass(frozen=True)
class Routing:
    """From scores [tokens, experts] to rows sorted by expert (experts.Dispatched); what is compared are the weights
    [tokens, experts] that these rows tell."""

    tokens: int
    experts: int
    chosen: int

    suite = "experts"
    form = "f32"
    bound = "read"
    floor = Floor()
    tolerance = TOLERANCE

    @property
    def name(self) -> str:
        return f"route and dispatch T{self.tokens} E{self.experts} top {self.chosen}"

    @property
    def flops(self) -> int:
        return self.tokens * self.experts

    @property
    def read_bytes(self) -> int:
        return self.tokens * self.experts * FLOAT

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.tokens, self.experts)

    def inputs(self) -> dict[str, np.ndarray]:
        candidates = _draw(2 * self.tokens, self.experts)
        return {"scores": experts.clear_rows(candidates, candidates, self.chosen, self.tokens)}

    def expected(self) -> np.ndarray:
        return experts.weights_of(self.inputs()["scores"].astype(np.float64), self.chosen)


Case = Product | Attention | Norm | Scan | Experts | Routing


def expected_of(case: Case, peer: str) -> np.ndarray:
    """What this peer computes: DENSE the product beside a layer of experts, all others the case."""
    return case.dense().expected() if peer == DENSE else case.expected()
