# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A layer of experts by ggml, with the operations of llama.cpp's graphs for Mixtral (build_moe_ffn)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from kernel_suite.cases import FLOAT, Experts

from .ggml import Graph, Library

LEAST_SUM = 6.103515625e-5  # llama.cpp divides the chosen weights by their sum, but by no less than this


@dataclass
class _Layer:
    graph: Graph
    x: int
    result: np.ndarray


def _weights(graph: Graph, case: Experts, scores: int, chosen: int, tokens: int) -> int:
    """[1, chosen, tokens]"""
    shares = graph.call("reshape_3d", scores, 1, case.experts, tokens)
    weights = graph.call("reshape_2d", graph.call("get_rows", shares, chosen), case.chosen, tokens)
    total = graph.call("clamp", graph.call("sum_rows", weights), LEAST_SUM, np.inf)
    return graph.call("reshape_3d", graph.call("div", weights, total), 1, case.chosen, tokens)


def _layer(library: Library, case: Experts, weights: dict[str, np.ndarray], tokens: int) -> _Layer:
    graph = Graph(library)
    tensors = {name: graph.tensor("f32", *reversed(array.shape)) for name, array in weights.items()}
    x = graph.tensor("f32", case.width, tokens)
    scores = graph.call("soft_max", graph.mul_mat(tensors["router"], x))
    chosen = graph.call("argsort_top_k", scores, case.chosen)
    factors = _weights(graph, case, scores, chosen, tokens)
    rows = graph.call("reshape_3d", x, case.width, 1, tokens)
    up, gate = (graph.call("mul_mat_id", tensors[name], rows, chosen) for name in ("up", "gate"))
    inner = graph.call("swiglu_split", gate, up)
    each = graph.call("mul", graph.call("mul_mat_id", tensors["down"], inner, chosen), factors)
    row = FLOAT * case.width
    views = [graph.call("view_2d", each, case.width, tokens, row * case.chosen, row * i) for i in range(case.chosen)]
    result = views[0]
    for view in views[1:]:
        result = graph.call("add", result, view)
    graph.finish(result)
    for name, tensor in tensors.items():
        graph.set(tensor, np.ascontiguousarray(weights[name]).view(np.uint8))
    return _Layer(graph, x, graph.output((tokens, case.width)))


def prepare(library: Library, case: Experts, kept: list[Graph]) -> Callable[[], np.ndarray]:
    x, weights = case.inputs()["x"], case.weights()
    parts = np.split(x, 1 if case.tokens > 1 else len(x))
    layers = [_layer(library, case, weights, len(parts[0])) for _ in range(case.copies)]
    kept.extend(layer.graph for layer in layers)
    y = np.empty(case.shape, np.float32)

    def call() -> np.ndarray:
        if len(parts) == 1:
            layers[0].graph.compute()
            return layers[0].result
        for layer in layers:
            for index, part in enumerate(parts):
                layer.graph.set(layer.x, part)
                layer.graph.compute()
                y[index] = layer.result
        return y

    for layer in layers:
        layer.graph.set(layer.x, parts[0])
    return call
