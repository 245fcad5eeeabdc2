# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A case as an ONNX graph: the plain one, rows and lengths left open as in Weft's."""

from dataclasses import dataclass, field

import numpy as np

from . import scan_onnx
from .cases import Attention, Case, Norm, Product, Scan


@dataclass
class _Parts:
    nodes: list
    inputs: list
    output: object
    constants: dict[str, np.ndarray] = field(default_factory=dict)


def _value(name: str, *dims: int | str):
    from onnx import TensorProto, helper

    return helper.make_tensor_value_info(name, TensorProto.FLOAT, dims)


def _product(case: Product) -> _Parts:
    from onnx import helper

    rows = 1 if case.m == 1 else "m"
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    constants = {"w": np.ascontiguousarray(case.weight().T)}
    return _Parts(nodes, [_value("x", rows, case.k)], _value("y", rows, case.n), constants)


def _integer_product(case: Product, integers: bool) -> _Parts:
    from onnx import TensorProto, helper

    weight = case.weight()
    factors = np.abs(weight).max(axis=1) / np.float32(127)
    bytes_ = np.rint(weight / factors[:, None]).astype(np.int8)
    constants = {"w": np.ascontiguousarray(bytes_.T), "factors": factors}
    nodes = [
        helper.make_node("DynamicQuantizeLinear", ["x"], ["bytes", "factor", "offset"]),
        helper.make_node("MatMulInteger", ["bytes", "w", "offset"], ["whole"]),
        helper.make_node("Cast", ["whole"], ["sums"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["factor", "factors"], ["scale"]),
        helper.make_node("Mul", ["sums", "scale"], ["y"]),
    ]
    if not integers:
        constants["zero"] = np.zeros(case.n, np.int8)
        nodes = [
            helper.make_node("DequantizeLinear", ["w", "factors", "zero"], ["wide"], axis=1),
            helper.make_node("MatMul", ["x", "wide"], ["y"]),
        ]
    return _Parts(nodes, [_value("x", "m", case.k)], _value("y", "m", case.n), constants)


def _groupwise_product(case: Product) -> _Parts:
    """ONNX Runtime's own operator: a factor for each 32 weights, activations rounded to 8 bits as they come."""
    from onnx import helper

    bits, group = (4 if case.form == "int4" else 8), 32
    blocks = case.weight().reshape(case.n, -1, group)
    most = 2 ** (bits - 1)
    factors = np.abs(blocks).max(axis=-1) / np.float32(most - 1)
    numbers = np.clip(np.rint(blocks / factors[..., None]) + most, 0, 2 * most - 1).astype(np.uint8)
    if bits == 4:
        numbers = numbers[..., 0::2] | numbers[..., 1::2] << 4
    node = helper.make_node("MatMulNBits", ["x", "w", "factors"], ["y"], domain="com.microsoft", K=case.k, N=case.n,
                            bits=bits, block_size=group, accuracy_level=4)
    rows = 1 if case.m == 1 else "m"
    constants = {"w": numbers, "factors": factors.reshape(-1)}
    return _Parts([node], [_value("x", rows, case.k)], _value("y", rows, case.n), constants)


def _norm(case: Norm) -> _Parts:
    from onnx import helper

    nodes = [helper.make_node("LayerNormalization", ["x", "scale", "bias"], ["y"], epsilon=case.epsilon)]
    constants = dict(zip(["scale", "bias"], case.weights(), strict=True))
    return _Parts(nodes, [_value("x", "m", case.width)], _value("y", "m", case.width), constants)


def _attention(case: Attention) -> _Parts:
    from onnx import helper

    constants = {"scale": np.array(case.dim**-0.5, np.float32)}
    nodes = [
        helper.make_node("Transpose", ["k"], ["kt"], perm=[0, 1, 3, 2]),
        helper.make_node("MatMul", ["q", "kt"], ["products"]),
        helper.make_node("Mul", ["products", "scale"], ["scores"]),
    ]
    seen, scores = case.visible(), "scores"
    if seen is not None:
        constants["mask"] = np.where(seen, 0, np.finfo(np.float32).min).astype(np.float32)
        nodes.append(helper.make_node("Add", ["scores", "mask"], ["masked"]))
        scores = "masked"
    nodes += [
        helper.make_node("Softmax", [scores], ["shares"], axis=-1),
        helper.make_node("MatMul", ["shares", "v"], ["y"]),
    ]
    shape = (1, case.key_heads, "s" if case.queries > 1 else case.heads // case.key_heads, case.dim)
    inputs = [_value("q", *shape), *[_value(name, 1, case.key_heads, "s", case.dim) for name in "kv"]]
    return _Parts(nodes, inputs, _value("y", *shape), constants)


def model(case: Case, integers: bool = True) -> bytes:
    """`integers`: int8 products as ONNX's dynamic quantisation, else as a product with a weight that is widened, for
    libraries that find the integers themselves."""
    from onnx import helper, numpy_helper

    if isinstance(case, Scan):
        return scan_onnx.model(case)
    if isinstance(case, Product) and case.form in ("int4", "q8_0"):
        parts = _groupwise_product(case)
    elif isinstance(case, Product):
        parts = _integer_product(case, integers) if case.form == "int8" else _product(case)
    else:
        parts = _norm(case) if isinstance(case, Norm) else _attention(case)
    initialisers = [numpy_helper.from_array(array, name) for name, array in parts.constants.items()]
    graph = helper.make_graph(parts.nodes, "kernel", parts.inputs, [parts.output], initialisers)
    opset = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()


def inputs(case: Case) -> dict[str, np.ndarray]:
    if isinstance(case, Scan):
        return scan_onnx.inputs(case)
    if isinstance(case, Attention):
        return {name: array[None] for name, array in case.grouped().items()}
    return case.inputs()
