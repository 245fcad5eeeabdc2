# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The same problems written for Triton as its tutorials write them, compiled to PTX without a GPU."""

from dataclasses import dataclass, field
from pathlib import Path

import triton
import triton.language as tl
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

# What Triton's own assembler and ptxas 13.0 both read; only the version line differs from what it writes by default.
PTX_VERSIONS = {80: 88, 90: 90}


@triton.jit
def product(x, w, y, M, N, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    """y [M, N] = x [M, K] · w [N, K] transposed."""
    rows = tl.program_id(0) * BM + tl.arange(0, BM)
    columns = tl.program_id(1) * BN + tl.arange(0, BN)
    depth = tl.arange(0, BK)
    total = tl.zeros((BM, BN), dtype=tl.float32)
    for k in range(0, K, BK):
        inside = k + depth < K
        left = tl.load(x + rows[:, None] * K + (k + depth)[None, :], mask=(rows[:, None] < M) & inside[None, :], other=0)
        right = tl.load(w + columns[None, :] * K + (k + depth)[:, None],
                        mask=(columns[None, :] < N) & inside[:, None], other=0)
        total = tl.dot(left.to(w.dtype.element_ty), right, total)
    tl.store(y + rows[:, None] * N + columns[None, :], total, mask=(rows[:, None] < M) & (columns[None, :] < N))


@triton.jit
def product_by_tma(x, w, y, M, N, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr, WS: tl.constexpr):
    """The same by tensor descriptors; with WS, warps of their own load."""
    left = tl.make_tensor_descriptor(x, [M, K], [K, 1], [BM, BK])
    right = tl.make_tensor_descriptor(w, [N, K], [K, 1], [BN, BK])
    row, column = tl.program_id(0) * BM, tl.program_id(1) * BN
    total = tl.zeros((BM, BN), dtype=tl.float32)
    for k in tl.range(0, K, BK, warp_specialize=WS):
        total = tl.dot(left.load([row, k]), tl.trans(right.load([column, k])), total)
    rows, columns = row + tl.arange(0, BM), column + tl.arange(0, BN)
    tl.store(y + rows[:, None] * N + columns[None, :], total, mask=(rows[:, None] < M) & (columns[None, :] < N))


@triton.jit
def attention(q, k, v, o, L, heads, scale, BM: tl.constexpr, BN: tl.constexpr, D: tl.constexpr, CAUSAL: tl.constexpr):
    """o [L, heads, D], FlashAttention-2's loop; causal in two parts, as Triton's tutorial 06 has it."""
    base = tl.program_id(1) * D
    stride = heads * D
    rows, columns, width = tl.program_id(0) * BM + tl.arange(0, BM), tl.arange(0, BN), tl.arange(0, D)
    query = tl.load(q + base + rows[:, None] * stride + width[None, :], mask=rows[:, None] < L, other=0)
    most = tl.full((BM, ), -1e30, tl.float32)
    norm = tl.zeros((BM, ), tl.float32)
    total = tl.zeros((BM, D), tl.float32)
    end = tl.program_id(0) * BM if CAUSAL else L
    for start in range(0, end, BN):
        at = start + columns
        key = tl.load(k + base + at[:, None] * stride + width[None, :], mask=at[:, None] < L, other=0)
        score = tl.dot(query, tl.trans(key)) * scale
        if not CAUSAL:
            score = tl.where(at[None, :] < L, score, -1e30)
        higher = tl.maximum(most, tl.max(score, 1))
        weight = tl.exp2(score - higher[:, None])
        shrink = tl.exp2(most - higher)
        norm = norm * shrink + tl.sum(weight, 1)
        value = tl.load(v + base + at[:, None] * stride + width[None, :], mask=at[:, None] < L, other=0)
        total = tl.dot(weight.to(v.dtype.element_ty), value, total * shrink[:, None])
        most = higher
    if CAUSAL:
        for start in range(end, tl.minimum(end + BM, L), BN):
            at = start + columns
            key = tl.load(k + base + at[:, None] * stride + width[None, :], mask=at[:, None] < L, other=0)
            score = tl.dot(query, tl.trans(key)) * scale
            score = tl.where((at[None, :] <= rows[:, None]) & (at[None, :] < L), score, -1e30)
            higher = tl.maximum(most, tl.max(score, 1))
            weight = tl.exp2(score - higher[:, None])
            shrink = tl.exp2(most - higher)
            norm = norm * shrink + tl.sum(weight, 1)
            value = tl.load(v + base + at[:, None] * stride + width[None, :], mask=at[:, None] < L, other=0)
            total = tl.dot(weight.to(v.dtype.element_ty), value, total * shrink[:, None])
            most = higher
    out = total / norm[:, None]
    tl.store(o + base + rows[:, None] * stride + width[None, :], out.to(o.dtype.element_ty), mask=rows[:, None] < L)


@triton.jit
def grouped_product(x, w, y, tokens, offsets, blocks, N, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    """Rows of experts, gathered by `tokens`; a block of rows belongs to the expert that `blocks` says."""
    expert = tl.load(blocks + 2 * tl.program_id(0))
    first = tl.load(blocks + 2 * tl.program_id(0) + 1)
    last = tl.load(offsets + expert + 1)
    places = first + tl.arange(0, BM)
    rows = tl.load(tokens + places, mask=places < last, other=0)
    columns = tl.program_id(1) * BN + tl.arange(0, BN)
    depth = tl.arange(0, BK)
    weight = w + expert.to(tl.int64) * N * K
    total = tl.zeros((BM, BN), dtype=tl.float32)
    for k in range(0, K, BK):
        inside = k + depth < K
        left = tl.load(x + rows[:, None] * K + (k + depth)[None, :],
                       mask=(places[:, None] < last) & inside[None, :], other=0)
        right = tl.load(weight + columns[None, :] * K + (k + depth)[:, None],
                        mask=(columns[None, :] < N) & inside[:, None], other=0)
        total = tl.dot(left.to(w.dtype.element_ty), right, total)
    tl.store(y + places[:, None] * N + columns[None, :], total, mask=(places[:, None] < last) & (columns[None, :] < N))


@dataclass(frozen=True)
class Kernel:
    """A function with the types of its arguments (Triton's words) and its constants. Pointers and extents are promised
    to be multiples of 16, as they are in the problem."""

    function: object
    types: dict[str, str]
    constants: dict[str, int]
    warps: int = 4
    stages: int = 3
    even: tuple[str, ...] = field(default=())

    def ptx(self, capability: int, folder: Path) -> Path:
        signature = {**self.types, **{name: "constexpr" for name in self.constants}}
        names = list(signature)
        hints = {(names.index(name), ): [["tt.divisibility", 16]]
                 for name, kind in self.types.items() if kind.startswith("*") or name in self.even}
        source = ASTSource(self.function, signature, self.constants, hints)
        options = {"num_warps": self.warps, "num_stages": self.stages, "enable_fp_fusion": True,
                   "ptx_version": PTX_VERSIONS[capability]}
        made = triton.compile(source, target=GPUTarget("cuda", capability, 32), options=options)
        path = folder / f"{self.function.__name__}.sm_{capability}.ptx"
        path.write_text(made.asm["ptx"])
        return path
