# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A case as a program: MLIR text for Weft, ONNX for the libraries that read it."""

import numpy as np

from .cases import Attention, Case, Norm, Product

PANEL = 16  # columns of a packed panel


def _argument(name: str, kind: str, dims: list[str]) -> str:
    return f'%{name}: {kind} {{weft.name = "{name}", weft.dims = {_strings(dims)}}}'


def _strings(words: list[str]) -> str:
    return "[" + ", ".join(f'"{word}"' for word in words) + "]"


def _function(arguments: list[str], kind: str, dims: list[str], body: list[str], result: str) -> str:
    output = f'({kind} {{weft.name = "y", weft.dims = {_strings(dims)}}})'
    head = f"func.func @run({', '.join(arguments)}) -> {output} attributes {{weft.entry}} {{"
    return "\n".join([head, *["  " + line for line in body], f"  return %{result} : {kind}", "}"]) + "\n"


def _product(case: Product) -> str:
    rows = "1" if case.m == 1 else "?"
    left, out = f"tensor<{rows}x{case.k}xf32>", f"tensor<{rows}x{case.n}xf32>"
    packed = f"tensor<{-(-case.n // PANEL)}x{case.k}x{PANEL}xf32>"
    extent = "" if case.m == 1 else "%m"
    body = ["%zero = arith.constant 0 : index", f"%m = tensor.dim %x, %zero : {left}"] if extent else []
    value = "x"
    for layer in range(case.layers):
        body += [
            f'%w{layer} = weft.parameter "w{layer}.packed" sources(["w{layer}"]) '
            f"layout(<width = {PANEL}, out_by_in = true>) : {packed}",
            f"%e{layer} = tensor.empty({extent}) : {out}",
            f"%y{layer} = weft.packed_matmul ins(%{value}, %w{layer} : {left}, {packed}) "
            f"outs(%e{layer} : {out}) -> {out}",
        ]
        value, left = f"y{layer}", out
    dims = ["", ""] if case.m == 1 else ["m", ""]
    return _function([_argument("x", f"tensor<{rows}x{case.k}xf32>", dims)], out, dims, body, value)


def _mask(case: Attention) -> str:
    if case.mask == "full":
        return ""
    lines = ["mask {", "^bb0(%b: index, %h: index, %i: index, %j: index):", "%seen = arith.cmpi sle, %j, %i : index"]
    if case.window:
        lines += [
            f"%width = arith.constant {case.window} : index",
            "%back = arith.subi %i, %j : index",
            "%near = arith.cmpi slt, %back, %width : index",
            "%both = arith.andi %seen, %near : i1",
        ]
    return "\n    ".join(["", *lines, f"weft.yield %{'both' if case.window else 'seen'} : i1", "}"])


def to_weft(case: Attention, array: np.ndarray) -> np.ndarray:
    """[heads, sequence, dim] as Weft's graph takes it: decoding keeps that order (a cache), else [sequence, heads, dim]
    as the products before leave it."""
    return np.ascontiguousarray(array if case.queries == 1 else array.swapaxes(0, 1))[None]


def from_weft(case: Attention, array: np.ndarray) -> np.ndarray:
    """A view of what to_weft made, in the order of the case."""
    return array[0] if case.queries == 1 else array[0].swapaxes(0, 1)


def _attention(case: Attention) -> str:
    decoding = case.queries == 1

    def kind(sequence: str, heads: int) -> str:
        order = [str(heads), sequence] if decoding else [sequence, str(heads)]
        return f"tensor<1x{'x'.join(order)}x{case.dim}xf32>"

    def names(sequence: str) -> list[str]:
        return ["", "", sequence, ""] if decoding else ["", sequence, "", ""]

    def read(sequence: str, head: str, last: str) -> str:
        order = [head, sequence] if decoding else [sequence, head]
        return f"affine_map<(b, h, i, j, d, e) -> (b, {', '.join(order)}, {last})>"

    group = case.heads // case.key_heads
    head = "h" if group == 1 else f"h floordiv {group}"
    query, key = kind("1" if decoding else "?", case.heads), kind("?", case.key_heads)
    maps = [read("i", "h", "d"), read("j", head, "d"), read("j", head, "e"), read("i", "h", "e")]
    body = [] if decoding else ["%one = arith.constant 1 : index", f"%s = tensor.dim %q, %one : {query}"]
    body += [
        f"%e = tensor.empty({'' if decoding else '%s'}) : {query}",
        f"%y = weft.attention {{scale = {case.dim**-0.5} : f32, indexing_maps = [{', '.join(maps)}]}} "
        f"ins(%q, %k, %v : {query}, {key}, {key}) outs(%e : {query}){_mask(case)} -> {query}",
    ]
    outer = names("" if decoding else "s")
    arguments = [_argument("q", query, outer), _argument("k", key, names("s")), _argument("v", key, names("s"))]
    return _function(arguments, query, outer, body, "y")


def _norm(case: Norm) -> str:
    rows, row = f"tensor<?x{case.width}xf32>", f"tensor<{case.width}xf32>"
    body = [
        "%zero = arith.constant 0 : index",
        f"%m = tensor.dim %x, %zero : {rows}",
        f'%scale = weft.parameter "w0" : {row}',
        f'%bias = weft.parameter "w1" : {row}',
        f"%e = tensor.empty(%m) : {rows}",
        f"%y = weft.layer_norm {{epsilon = {case.epsilon:.1e} : f32}} ins(%x, %scale, %bias : {rows}, {row}, {row}) "
        f"outs(%e : {rows}) -> {rows}",
    ]
    return _function([_argument("x", rows, ["m", ""])], rows, ["m", ""], body, "y")


def mlir(case: Case) -> str:
    if isinstance(case, Product):
        return _product(case)
    return _attention(case) if isinstance(case, Attention) else _norm(case)


def onnx_model(case: Case, integers: bool = True) -> bytes:
    """The plain graph, rows and lengths left open as in Weft's. `integers`: int8 products as ONNX's dynamic
    quantisation, else as a product with a weight that is widened, for libraries that find the integers themselves."""
    from onnx import TensorProto, helper, numpy_helper

    def value(name: str, *dims: int | str):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, dims)

    constants: dict[str, np.ndarray] = {}
    if isinstance(case, Product) and case.form == "int8":
        (weight,) = case.weights()
        factors = np.abs(weight).max(axis=1) / np.float32(127)
        zero = np.array(0, np.int8) if integers else np.zeros(case.n, np.int8)
        bytes_ = np.rint(weight / factors[:, None]).astype(np.int8)
        constants = {"w": np.ascontiguousarray(bytes_.T), "factors": factors, "zero": zero}
        nodes = [
            helper.make_node("DynamicQuantizeLinear", ["x"], ["bytes", "factor", "offset"]),
            helper.make_node("MatMulInteger", ["bytes", "w", "offset", "zero"], ["whole"]),
            helper.make_node("Cast", ["whole"], ["sums"], to=TensorProto.FLOAT),
            helper.make_node("Mul", ["factor", "factors"], ["scale"]),
            helper.make_node("Mul", ["sums", "scale"], ["y"]),
        ]
        if not integers:
            nodes = [
                helper.make_node("DequantizeLinear", ["w", "factors", "zero"], ["wide"], axis=1),
                helper.make_node("MatMul", ["x", "wide"], ["y"]),
            ]
        inputs, output = [value("x", "m", case.k)], value("y", "m", case.n)
    elif isinstance(case, Product):
        constants = {f"w{layer}": np.ascontiguousarray(w.T) for layer, w in enumerate(case.weights())}
        values = ["x", *[f"y{layer}" for layer in range(1, case.layers)], "y"]
        nodes = [helper.make_node("MatMul", [values[i], f"w{i}"], [values[i + 1]]) for i in range(case.layers)]
        rows = 1 if case.m == 1 else "m"
        inputs, output = [value("x", rows, case.k)], value("y", rows, case.n)
    elif isinstance(case, Norm):
        constants = dict(zip(["scale", "bias"], case.weights(), strict=True))
        nodes = [helper.make_node("LayerNormalization", ["x", "scale", "bias"], ["y"], epsilon=case.epsilon)]
        inputs, output = [value("x", "m", case.width)], value("y", "m", case.width)
    else:
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
        inputs = [value("q", *shape), *[value(name, 1, case.key_heads, "s", case.dim) for name in "kv"]]
        output = value("y", *shape)
    initialisers = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    graph = helper.make_graph(nodes, "kernel", inputs, [output], initialisers)
    opset = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()
