# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A case as a program for Weft: MLIR text and its arrays."""

import numpy as np

from . import expert_graphs, scan_graphs
from .cases import Attention, Case, Experts, Norm, Product, Routing, Scan


def _argument(name: str, kind: str, dims: list[str]) -> str:
    return f'%{name}: {kind} {{weft.name = "{name}", weft.dims = {_strings(dims)}}}'


def _strings(words: list[str]) -> str:
    return "[" + ", ".join(f'"{word}"' for word in words) + "]"


def _function(arguments: list[str], kind: str, dims: list[str], body: list[str], result: str) -> str:
    output = f'({kind} {{weft.name = "y", weft.dims = {_strings(dims)}}})'
    head = f"func.func @run({', '.join(arguments)}) -> {output} attributes {{weft.entry}} {{"
    return "\n".join([head, *["  " + line for line in body], f"  return %{result} : {kind}", "}"]) + "\n"


def _product(case: Product) -> str:
    rows, element = "1" if case.m == 1 else "?", "bf16" if case.form == "bf16" else "f32"
    left, sums = f"tensor<{rows}x{case.k}x{element}>", f"tensor<{rows}x{case.n}xf32>"
    weight, extent = f"tensor<{case.n}x{case.k}xf32>", "" if case.m == 1 else "%m"
    body = ["%first = arith.constant 0 : index", f"%m = tensor.dim %x, %first : {left}"] if extent else []
    maps = ", ".join(f"affine_map<(m, n, k) -> {operand}>" for operand in ("(m, k)", "(n, k)", "(m, n)"))
    body += [
        "%zero = arith.constant 0.0 : f32",
        f'%w = weft.parameter "w" : {weight}',
        f"%e = tensor.empty({extent}) : {sums}",
        f"%start = linalg.fill ins(%zero : f32) outs(%e : {sums}) -> {sums}",
        f"%y = linalg.matmul indexing_maps = [{maps}] ins(%x, %w : {left}, {weight}) outs(%start : {sums}) -> {sums}",
    ]
    dims = ["", ""] if case.m == 1 else ["m", ""]
    if element == "f32":
        return _function([_argument("x", left, dims)], sums, dims, body, "y")
    out = f"tensor<{rows}x{case.n}x{element}>"
    return _function([_argument("x", left, dims)], out, dims, [*body, *_rounded(sums, out, extent)], "z")


def _rounded(sums: str, out: str, extent: str) -> list[str]:
    """%z: the sums %y in the results' type."""
    identity = "affine_map<(m, n) -> (m, n)>"
    return [
        f"%f = tensor.empty({extent}) : {out}",
        f"%z = linalg.generic {{indexing_maps = [{identity}, {identity}], "
        f'iterator_types = ["parallel", "parallel"]}} ins(%y : {sums}) outs(%f : {out}) {{',
        "^bb0(%p: f32, %o: bf16):",
        "  %r = arith.truncf %p : f32 to bf16",
        "  linalg.yield %r : bf16",
        f"}} -> {out}",
    ]


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


def _in_order(case: Attention, array: np.ndarray) -> np.ndarray:
    """[heads, sequence, …] as Weft's graph takes it: decoding keeps that order (a cache), else [sequence, heads, …] as
    the products before leave it."""
    return np.ascontiguousarray(array if case.queries == 1 else array.swapaxes(0, 1))[None]


def to_weft(case: Case) -> dict[str, np.ndarray]:
    """The inputs of the graph."""
    if isinstance(case, Scan):
        return {name: aligned(array) for name, array in scan_graphs.to_weft(case).items()}
    arrays = case.inputs()
    if isinstance(case, (Experts, Routing)):
        return {name: aligned(array) for name, array in arrays.items()}
    if isinstance(case, Norm):
        return arrays
    if isinstance(case, Product):
        return {"x": aligned(stored_as("bf16", arrays["x"])[0])} if case.form == "bf16" else arrays
    inputs = {"q": _in_order(case, arrays["q"])}
    for name in ("k", "v"):
        stored, factors = stored_as(case.form, arrays[name])
        inputs[name] = _in_order(case, stored)
        if factors is not None:
            inputs[f"{name}s"] = _in_order(case, factors)
    return inputs


def stored_as(form: str, array: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """The numbers in that form, bf16 as its bits, and for int8 a factor for each row."""
    if form == "bf16":
        bits = array.view(np.uint32)
        return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16), None
    if form == "int8":
        factors = np.abs(array).max(axis=-1) / np.float32(127)
        return np.rint(array / factors[..., None]).astype(np.int8), factors
    return array.astype({"f32": np.float32, "f16": np.float16}[form]), None


def output_of_weft(case: Case) -> np.ndarray:
    """Where the graph writes."""
    if isinstance(case, Attention):
        return _in_order(case, np.empty(case.shape, np.float32))
    if isinstance(case, Product) and case.form == "bf16":
        return aligned(np.zeros(case.shape, np.uint16))
    empty = np.empty(case.shape, np.float32)
    if isinstance(case, Experts):
        return aligned(empty)
    return aligned(empty[None]) if isinstance(case, Scan) else empty


def aligned(array: np.ndarray) -> np.ndarray:
    """A copy that begins with a cache line, as PyTorch's tensors, ggml's and those within a model do."""
    line = 64
    room = np.empty(array.nbytes + line, np.uint8)
    begin = -room.ctypes.data % line
    copy = room[begin : begin + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def from_weft(case: Case, array: np.ndarray) -> np.ndarray:
    """A view of what output_of_weft made, in the order of the case."""
    if not isinstance(case, (Attention, Scan)):
        return array
    return array[0] if isinstance(case, Scan) or case.queries == 1 else array[0].swapaxes(0, 1)


def as_floats(array: np.ndarray) -> np.ndarray:
    """16 bits without a sign are bf16."""
    return (array.astype(np.uint32) << 16).view(np.float32) if array.dtype == np.uint16 else array


def _attention(case: Attention) -> str:
    decoding = case.queries == 1

    def kind(sequence: str, heads: int, element: str, last: str = f"x{case.dim}") -> str:
        order = [str(heads), sequence] if decoding else [sequence, str(heads)]
        return f"tensor<1x{'x'.join(order)}{last}x{element}>"

    def names(sequence: str) -> list[str]:
        return ["", "", sequence, ""] if decoding else ["", sequence, "", ""]

    def read(sequence: str, head: str, *last: str) -> str:
        order = [head, sequence] if decoding else [sequence, head]
        return f"affine_map<(b, h, i, j, d, e) -> ({', '.join(['b', *order, *last])})>"

    group = case.heads // case.key_heads
    head = "h" if group == 1 else f"h floordiv {group}"
    element = {"int8": "i8"}.get(case.form, case.form)
    query = kind("1" if decoding else "?", case.heads, "f32")
    key, factor = kind("?", case.key_heads, element), kind("?", case.key_heads, "f32", "")
    maps = [read("i", "h", "d"), read("j", head, "d"), read("j", head, "e")]
    factors = ""
    if case.form == "int8":
        maps += [read("j", head), read("j", head)]
        factors = f"key_scale(%ks : {factor}) value_scale(%vs : {factor}) "
    maps.append(read("i", "h", "e"))
    body = [] if decoding else ["%one = arith.constant 1 : index", f"%s = tensor.dim %q, %one : {query}"]
    body += [
        f"%e = tensor.empty({'' if decoding else '%s'}) : {query}",
        f"%y = weft.attention {{scale = {case.dim**-0.5} : f32, indexing_maps = [{', '.join(maps)}]}} "
        f"ins(%q, %k, %v : {query}, {key}, {key}) {factors}outs(%e : {query}){_mask(case)} -> {query}",
    ]
    outer = names("" if decoding else "s")
    arguments = [_argument("q", query, outer), _argument("k", key, names("s")), _argument("v", key, names("s"))]
    if factors:
        arguments += [_argument(name, factor, names("s")[:-1]) for name in ("ks", "vs")]
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
    if isinstance(case, (Experts, Routing)):
        return expert_graphs.mlir(case)
    if isinstance(case, Scan):
        return scan_graphs.mlir(case)
    if isinstance(case, Product):
        return _product(case)
    return _attention(case) if isinstance(case, Attention) else _norm(case)
