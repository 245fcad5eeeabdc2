# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Which cases are timed."""

from .cases import DENSE, FORMS, Attention, Experts, Floor, Norm, Product, Routing, Scan

SUITES = ["product", "gemv", "bf16", "int8", "int4", "attention", "decode", "norm", "scan", "experts"]

ROUND = Product(128, 1536, 384)
PRIME = Product(127, 1531, 383)
FULL = Attention(8, 8, 2048, 2048, 64)
CAUSAL = Attention(8, 8, 2048, 2048, 64, "causal")

# More than any third-level cache of one socket holds, so that every pass comes from memory.
_MEMORY_BYTES = 768 << 20
_SIDE = 4096


def _gemv(form: str) -> list[Product]:
    """From the third-level cache, and from memory: as many copies as exceed it."""
    copies = -(-_MEMORY_BYTES // int(_SIDE * _SIDE * FORMS[form].bytes))
    return [Product(1, _SIDE, _SIDE, form), Product(1, _SIDE, _SIDE, form, copies)]


GEMV = [case for form in ("f32", "bf16", "int8", "q8_0", "int4") for case in _gemv(form)]
DECODE = [Attention(32, 8, 1, 4096, 128, form=form) for form in ("f32", "f16", "bf16", "int8")]

SCANS = [
    Scan("mamba", 512, 1, 16, 1536),
    Scan("mamba gated", 512, 1, 16, 1536),
    Scan("mamba2", 512, 24, 128, 64),
    Scan("mamba2", 512, 24, 128, 64, 8),
    Scan("gated delta", 512, 16, 128, 128),
    Scan("gla", 512, 16, 128, 128),
]

# Few wide experts, many narrow ones, one token; and what routing may take of a layer, here one with narrow experts.
ROUTING = Routing(4096, 128, 8)
ROUTED = Experts(4096, 128, 8, 1024, 512)
EXPERTS = [
    Experts(512, 8, 2, 1024, 2048, Floor(speed=1.15, rival=DENSE, over_rival=0.85)),
    Experts(512, 64, 8, 1024, 512, Floor(speed=1.2, rival=DENSE, over_rival=0.75)),
    Experts(1, 8, 2, 1024, 2048, Floor(share=0.85), copies=4),
    ROUTING,
    ROUTED,
]

QUICK = [
    Product(64, 768, 3072),
    Product(128, 384, 384),
    ROUND,
    PRIME,
    Product(512, 1536, 384),
    Product(4, 1536, 384),
    Product(8, 768, 3072),
    Product(16, 384, 1536),
    *[case for case in GEMV if case.copies > 1],
    Product(128, 1536, 384, "bf16"),
    Product(16, 768, 3072, "bf16"),
    Product(128, 1536, 384, "int8"),
    Product(16, 768, 3072, "int8"),
    Product(128, 1536, 384, "int4"),
    FULL,
    CAUSAL,
    Attention(8, 8, 2048, 2048, 64, "window", 256),
    Attention(12, 12, 512, 512, 32),
    Attention(8, 8, 2048, 2048, 64, form="bf16"),
    *DECODE[:2],
    Norm(128, 384),
    Norm(512, 1536),
    *SCANS,
    *EXPERTS,
]

_SIZES = [(384, 384), (1536, 384), (384, 1536), (768, 768), (3072, 768), (768, 3072), (4096, 4096)]  # n, k

ALL = [
    *[Product(m, n, k) for m in (64, 128, 512) for n, k in _SIZES],
    PRIME,
    *[Product(m, n, k) for m in (4, 6, 8, 16) for n, k in _SIZES[1:]],
    *GEMV,
    *[Product(m, n, k, "bf16") for m in (1, 16, 128, 512) for n, k in _SIZES if m > 1 or n != k],
    *[Product(m, n, k, "int8") for m in (16, 128, 512) for n, k in _SIZES[1:]],
    *[Product(m, n, k, "int4") for m in (16, 128) for n, k in _SIZES[4:]],
    *[case for case in QUICK if case.suite == "attention"],
    Attention(8, 8, 2048, 2048, 64, "causal", form="bf16"),
    *DECODE,
    *[case for case in QUICK if case.suite in ("norm", "scan", "experts")],
]
