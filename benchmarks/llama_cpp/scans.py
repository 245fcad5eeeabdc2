# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Scans by ggml, with the operations that llama.cpp's graphs of Mamba have after them: skip term and gate."""

from collections.abc import Callable

import numpy as np
from kernel_suite.cases import Scan

from .ggml import Graph, Library

Tensors = dict[str, int]


def _from_zero(graph: Graph, *extents: int) -> int:
    """A state before the first step."""
    return graph.zeros("f32", *extents)


def _ssm(graph: Graph, case: Scan) -> tuple[int, Tensors]:
    """Mamba is Mamba-2 with heads of one channel, whose decays differ by state."""
    channels, per_state = (1, case.values) if case.family != "mamba2" else (case.values, case.heads)
    rates = 1 if case.family == "mamba2" else case.keys
    x = {
        "u": graph.tensor("f32", channels, per_state, case.steps),
        "dt": graph.tensor("f32", per_state, case.steps),
        "a": graph.tensor("f32", rates, per_state),
        "b": graph.tensor("f32", case.keys, case.groups, case.steps),
        "c": graph.tensor("f32", case.keys, case.groups, case.steps),
        "d": graph.tensor("f32", 1, per_state),
    }
    state = _from_zero(graph, case.keys, channels, per_state, 1)
    scanned = graph.call("ssm_scan", state, *(x[name] for name in ("u", "dt", "a", "b", "c")), graph.zeros("i32", 1), 1)
    head, step = 4 * channels, 4 * channels * per_state
    y = graph.call("view_3d", scanned, channels, per_state, case.steps, head, step, 0)  # the last state lies behind
    y = graph.call("add", y, graph.call("mul", x["u"], x["d"]))
    if case.family == "mamba gated":
        x["z"] = graph.tensor("f32", channels, per_state, case.steps)
        y = graph.call("swiglu_split", x["z"], y)
    return y, x


def _heads(graph: Graph, case: Scan, *names: str) -> Tensors:
    return {name: graph.tensor("f32", case.keys, case.heads, case.steps) for name in names}


def _delta(graph: Graph, case: Scan) -> tuple[int, Tensors]:
    x = _heads(graph, case, "q", "k", "v")
    x |= {name: graph.tensor("f32", 1, case.heads, case.steps) for name in ("g", "beta")}
    state = _from_zero(graph, case.keys, case.values, case.heads, 1)
    return graph.call("gated_delta_net", *x.values(), state, 1), x


def _gla(graph: Graph, case: Scan) -> tuple[int, Tensors]:
    x = _heads(graph, case, "k", "v", "q", "g")
    state = _from_zero(graph, case.keys * case.values * case.heads, 1)
    return graph.call("gated_linear_attn", *x.values(), state, case.keys**-0.5), x


_FAMILIES: dict[str, Callable[[Graph, Scan], tuple[int, Tensors]]] = {
    "mamba": _ssm, "mamba gated": _ssm, "mamba2": _ssm, "gated delta": _delta, "gla": _gla
}


def graph_of(library: Library, case: Scan) -> Graph:
    graph = Graph(library)
    result, tensors = _FAMILIES[case.family](graph, case)
    graph.finish(result)
    for name, array in case.inputs().items():
        graph.set(tensors[name], np.ascontiguousarray(array).view(np.uint8))
    return graph
