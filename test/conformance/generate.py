#!/usr/bin/env python3
# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes attention-{plain,padding,grouped-heads,value-dim}.mlir and packed-matmul-gelu.mlir: small seeded inputs,
expected values from NumPy in float64.

Needs numpy. Running it again gives the same bytes.
"""
from math import erf, sqrt
from pathlib import Path

import numpy as np

RNG = np.random.default_rng(7)
SPACE = "(b, h, i, j, d, e) -> "


def random(*shape):
    return np.round(RNG.normal(size=shape), 2)


def literal(array):
    array = np.asarray(array)
    if array.ndim:
        return "[" + ", ".join(literal(part) for part in array) + "]"
    return repr(float(array)) if array.dtype.kind == "f" else str(int(array))


def type_of(array):
    element = {"f": "f32", "i": "i64"}[array.dtype.kind]
    return "tensor<" + "".join(f"{extent}x" for extent in array.shape) + element + ">"


def constant(name, array):
    return f"  %{name} = arith.constant dense<{literal(array)}> : {type_of(array)}\n"


def close(actual, expected, bound, name="expected"):
    shape = type_of(expected)
    return constant(name, expected) + (
        f"  check.expect_close {actual}, %{name} {{relative_rms = {bound} : f64}} : {shape}, {shape}\n")


def write(name, comment, body):
    function = name.replace("-", "_")
    Path(__file__).with_name(name + ".mlir").write_text(
        f"// RUN: weft-run %s\n\n// {comment}\nfunc.func @{function}() attributes {{weft.entry}} {{\n{body}  return\n}}\n")


def attention_values(q, k, v, visible, group, scale):
    """Output [b, i, h, e] by the definition; visible(b, j)."""
    batch, queries, heads, _ = q.shape
    output = np.zeros((batch, queries, heads, v.shape[3]))
    for b, h, i in np.ndindex(batch, heads, queries):
        keys = [j for j in range(k.shape[1]) if visible(b, j)]
        if keys:
            scores = scale * k[b, keys, h // group] @ q[b, i, h]
            weights = np.exp(scores - scores.max())
            output[b, i, h] = weights @ v[b, keys, h // group] / weights.sum()
    return output


def attention(name, comment, q, k, v, padding=None, group=1, scale=0.5):
    head = "h" if group == 1 else f"h floordiv {group}"
    maps = ["(b, i, h, d)", f"(b, j, {head}, d)", f"(b, j, {head}, e)"]
    body = constant("q", q) + constant("k", k) + constant("v", v)
    operands, types = ["%q", "%k", "%v"], [type_of(q), type_of(k), type_of(v)]
    if padding is not None:
        body += constant("m", padding)
        maps.append("(b, j)")
        operands.append("%m")
        types.append(type_of(padding))
    output = attention_values(q, k, v, lambda b, j: padding is None or padding[b, j], group, scale)
    maps.append("(b, i, h, e)")
    body += f"  %e = tensor.empty() : {type_of(output)}\n"
    listed = ",\n         ".join(f"affine_map<{SPACE}{entry}>" for entry in maps)
    body += (f"  %o = weft.attention {{scale = {scale} : f32, indexing_maps = [\n         {listed}]}}\n"
             f"       ins({', '.join(operands)} : {', '.join(types)})\n"
             f"       outs(%e : {type_of(output)})")
    if padding is not None:
        body += """
       mask {
       ^bb0(%b: index, %h: index, %i: index, %j: index, %p: i64):
         %zero = arith.constant 0 : i64
         %visible = arith.cmpi ne, %p, %zero : i64
         weft.yield %visible : i1
       }"""
    body += f" -> {type_of(output)}\n" + close("%o", output, "1.0e-5")
    write(name, comment, body)


def attentions():
    attention("attention-plain", "Every key visible, three queries against five keys.",
              random(1, 3, 2, 4), random(1, 5, 2, 4), random(1, 5, 2, 4))
    attention("attention-padding", "The second row of the batch has padding; the third has nothing else and gives 0.",
              random(3, 3, 1, 4), random(3, 3, 1, 4), random(3, 3, 1, 4),
              padding=np.array([[1, 1, 1], [1, 0, 0], [0, 0, 0]]))
    attention("attention-grouped-heads", "Four query heads share two key and value heads.",
              random(1, 2, 4, 4), random(1, 3, 2, 4), random(1, 3, 2, 4), group=2)
    attention("attention-value-dim", "Values wider than keys.", random(1, 2, 1, 3), random(1, 3, 1, 3), random(1, 3, 1, 5))


GELU = """  %g = linalg.generic {{indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}} ins(%y : {0}) outs(%e : {0}) {{
  ^bb0(%in: f32, %out: f32):
    %root = arith.constant 0.70710677 : f32
    %half = arith.constant 0.5 : f32
    %one = arith.constant 1.0 : f32
    %scaled = arith.mulf %in, %root : f32
    %erf = math.erf %scaled : f32
    %sum = arith.addf %erf, %one : f32
    %halved = arith.mulf %in, %half : f32
    %gelu = arith.mulf %halved, %sum : f32
    linalg.yield %gelu : f32
  }} -> {0}
"""


def products():
    x, weight, bias = random(3, 5), random(5, 18), random(18)
    panels = np.zeros((2, 5, 16))
    for column in range(18):
        panels[column // 16, :, column % 16] = weight[:, column]
    y = x @ weight + bias
    shape = type_of(y)
    product = constant("x", x) + constant("w", panels) + constant("b", bias) + f"""  %e = tensor.empty() : {shape}
  %y = weft.packed_matmul ins(%x, %w, %b : {type_of(x)}, {type_of(panels)}, {type_of(bias)}) outs(%e : {shape}) -> {shape}
"""
    gelu = np.vectorize(lambda value: 0.5 * value * (1 + erf(value / sqrt(2))))(y)
    write("packed-matmul-gelu", "The activation is the product's epilogue.",
          product + GELU.format(shape) + close("%g", gelu, "1.0e-6"))


if __name__ == "__main__":
    attentions()
    products()
