# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""ggml as one of the peers of benchmarks/kernels: products with a weight in memory that packs it, as llama.cpp loads
models, flash attention, scans, and layers of experts."""

import numpy as np
from kernel_suite.cases import Attention, Case, Experts, Norm, Product, Routing, Scan
from minilm.peers import Peer, Setting, Unavailable

from . import build, experts, ggml, scans

WEIGHTS = {"f32": "f32", "bf16": "bf16", "int8": "q8_0", "q8_0": "q8_0", "int4": "q4_0"}
KEYS = {"f32": "f32", "f16": "f16", "bf16": "bf16", "int8": "q8_0"}


def _product_in(library: ggml.Library, case: Product, memory: int, weights: np.ndarray) -> ggml.Graph | None:
    """The product with its weight in memory of this kind; None where that has no kernel for it."""
    kind = WEIGHTS[case.form]
    graph = ggml.Graph(library)
    weight, x = graph.tensor(kind, case.k, case.n), graph.tensor("f32", case.k, case.m)
    graph.place(weight, memory)
    product = graph.mul_mat(weight, x)
    if not graph.supports(product):
        graph.free()
        return None
    graph.finish(product)
    graph.set(weight, weights)
    graph.set(x, library.rounded("f32", case.inputs()["x"]))
    return graph


def _product(library: ggml.Library, case: Product) -> list[ggml.Graph]:
    """With the first kind of memory that takes it, plain memory last: llama.cpp's own order."""
    weights = library.rounded(WEIGHTS[case.form], case.weight())
    for memory in [*library.packed, library.host]:
        if first := _product_in(library, case, memory, weights):
            return [first, *(_product_in(library, case, memory, weights) for _ in range(case.copies - 1))]
    raise Unavailable("ggml has no kernel for it")


def _attention(library: ggml.Library, case: Attention) -> ggml.Graph:
    kind = KEYS[case.form]
    arrays = case.inputs()
    graph = ggml.Graph(library)
    q = graph.tensor("f32", case.dim, case.queries, case.heads)
    k, v = (graph.tensor(kind, case.dim, case.keys, case.key_heads) for _ in "kv")
    seen = case.visible()
    mask = None if seen is None else graph.tensor("f16", case.keys, case.queries)
    graph.finish(graph.flash_attention(q, k, v, mask, case.dim**-0.5))
    for tensor, stored, name in ((q, "f32", "q"), (k, kind, "k"), (v, kind, "v")):
        graph.set(tensor, library.rounded(stored, arrays[name]))
    if mask:
        graph.set(mask, library.rounded("f16", np.where(seen, 0, -np.inf)))
    return graph


def _graphs(library: ggml.Library, case: Case) -> list[ggml.Graph]:
    if isinstance(case, Product):
        return _product(library, case)
    return [scans.graph_of(library, case) if isinstance(case, Scan) else _attention(library, case)]


def make(setting: Setting) -> Peer:
    library = ggml.Library(build.libraries(), setting.threads)
    kept: list[ggml.Graph] = []

    def prepare(case: Case):
        while kept:
            kept.pop().free()
        if isinstance(case, (Norm, Routing)):
            raise Unavailable("products, attention, scans and whole layers of experts only")
        if isinstance(case, Experts):
            return experts.prepare(library, case, kept)
        kept.extend(_graphs(library, case))
        computes = [graph.compute for graph in kept]
        shape = case.shape
        if isinstance(case, Attention):
            shape = (case.queries, case.heads, case.dim)
        result = kept[-1].output(shape)
        result = result.swapaxes(0, 1) if isinstance(case, Attention) else result

        def call() -> np.ndarray:
            for compute in computes:
                compute()
            return result

        return call

    note = (
        "ggml's mul_mat, flash_attn_ext, ssm_scan, gated_delta_net, gated_linear_attn and mul_mat_id, built with clang "
        "for this processor; q8_0 for int8, q4_0 for int4"
    )
    return Peer("llama.cpp", build.VERSION, prepare, note=note)
