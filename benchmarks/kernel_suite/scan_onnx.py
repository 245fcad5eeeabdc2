# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Scans as ONNX graphs around ONNX Runtime's own operator for recurrences, com.microsoft's GatedDeltaNet, which has a
decay for each head or key, but none for each channel and state: Mamba has no operator."""

import numpy as np

from . import scans
from .cases import Scan

_RULES = {"gated delta": "gated_delta", "gla": "gated", "mamba2": "gated"}


def takes(case: Scan) -> bool:
    return case.family in _RULES


def inputs(case: Scan) -> dict[str, np.ndarray]:
    """It takes logarithms of decays."""
    arrays = case.inputs()
    return {**arrays, "g": np.log(arrays["g"])} if case.family == "gla" else arrays


def _around(helper) -> tuple[list, list]:
    """Nodes before and after the operator in Mamba-2: the time step's softplus, and the skip term."""
    before = [
        helper.make_node("Softplus", ["dt"], ["step"]),
        helper.make_node("Mul", ["step", "a"], ["g"]),
        helper.make_node("Unsqueeze", ["step", "last"], ["steps"]),
        helper.make_node("Mul", ["u", "steps"], ["v"]),
    ]
    after = [
        helper.make_node("Unsqueeze", ["d", "last"], ["column"]),
        helper.make_node("Mul", ["u", "column"], ["skip"]),
        helper.make_node("Add", ["o", "skip"], ["y"]),
    ]
    return before, after


def model(case: Scan) -> bytes:
    from onnx import TensorProto, helper, numpy_helper

    dims = scans.FAMILIES[case.family].inputs
    is_mamba = case.family == "mamba2"
    q, k = ("c", "b") if is_mamba else ("q", "k")
    rate = "beta" if "beta" in dims else ""
    names = [q, k, "v", "", "g", rate, "start"]
    scale = 1.0 if is_mamba else case.keys**-0.5
    scan = helper.make_node("GatedDeltaNet", names, ["o" if is_mamba else "y"], domain="com.microsoft",
                            update_rule=_RULES[case.family], scale=scale)
    before, after = _around(helper) if is_mamba else ([], [])
    constants = {"start": np.zeros((1, case.heads, case.values, case.keys), np.float32)}
    constants |= {"last": np.array([-1], np.int64)} if is_mamba else {}

    def value(name: str, of: str):
        shape = ["s" if dim == "l" else case.extents(dim)[0] for dim in of]
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    graph = helper.make_graph([*before, scan, *after], "scan", [value(name, of) for name, of in dims.items()],
                              [value("y", scans.FAMILIES[case.family].result)],
                              [numpy_helper.from_array(array, name) for name, array in constants.items()])
    opset = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()
