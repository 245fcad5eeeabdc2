# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Problems, as programs for Weft and as kernels for Triton with the same block sizes."""

from collections.abc import Callable
from dataclasses import dataclass

from .triton_kernels import Kernel, attention, product, product_by_tma


@dataclass(frozen=True)
class Case:
    name: str
    mlir: str
    weights: dict[str, tuple[int, ...]]  # shapes of what the program calls parameters
    kernel: str  # how the name of Weft's kernel begins
    options: tuple[str, ...]  # of weft compile
    rival: Callable[[int], Kernel]  # for a compute capability


def _product(columns: int, depth: int) -> str:
    """Rows of a network's values, as a front end writes a linear layer."""
    x, w, y = f"tensor<?x{depth}xf32>", f"tensor<{columns}x{depth}xf32>", f"tensor<?x{columns}xf32>"
    maps = "affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>"
    return f"""func.func @run(%x: {x} {{weft.name = "x", weft.dims = ["m", ""]}})
    -> ({y} {{weft.name = "y", weft.dims = ["m", ""]}}) attributes {{weft.entry}} {{
  %first = arith.constant 0 : index
  %m = tensor.dim %x, %first : {x}
  %zero = arith.constant 0.0 : f32
  %w = weft.parameter "w" : {w}
  %e = tensor.empty(%m) : {y}
  %start = linalg.fill ins(%zero : f32) outs(%e : {y}) -> {y}
  %y = linalg.matmul indexing_maps = [{maps}] ins(%x, %w : {x}, {w}) outs(%start : {y}) -> {y}
  return %y : {y}
}}
"""


def _attention(heads: int, width: int) -> str:
    kind = f"tensor<1x?x{heads}x{width}xbf16>"
    argument = ", ".join(f'%{name}: {kind} {{weft.name = "{name}", weft.dims = ["", "tokens", "", ""]}}'
                         for name in "qkv")
    space = "(b, h, i, j, d, e)"
    maps = ", ".join(f"affine_map<{space} -> {place}>"
                     for place in ("(b, i, h, d)", "(b, j, h, d)", "(b, j, h, e)", "(b, i, h, e)"))
    return f"""func.func @run({argument})
    -> ({kind} {{weft.name = "y", weft.dims = ["", "tokens", "", ""]}}) attributes {{weft.entry}} {{
  %one = arith.constant 1 : index
  %tokens = tensor.dim %q, %one : {kind}
  %e = tensor.empty(%tokens) : {kind}
  %y = weft.attention {{scale = {width ** -0.5} : f32, indexing_maps = [{maps}]}}
    ins(%q, %k, %v : {kind}, {kind}, {kind}) outs(%e : {kind})
    mask {{
    ^bb0(%b: index, %h: index, %i: index, %j: index):
      %seen = arith.cmpi sle, %j, %i : index
      weft.yield %seen : i1
    }} -> {kind}
  return %y : {kind}
}}
"""


def _pointers(**types: str) -> dict[str, str]:
    return {name: f"*{kind}" for name, kind in types.items()}


def _rival_product(rows: str, warps: int, stages: int, **constants: int) -> Kernel:
    types = {**_pointers(x=rows, w="bf16", y="fp32"), "M": "i32", "N": "i32", "K": "i32"}
    function = product_by_tma if "WS" in constants else product
    return Kernel(function, types, constants, warps, stages, even=("N", "K"))


def _rival_attention(**constants: int) -> Kernel:
    types = {**_pointers(q="bf16", k="bf16", v="bf16", o="bf16"), "L": "i32", "heads": "i32", "scale": "fp32"}
    return Kernel(attention, types, constants, 4, 2)


# For a compute capability, as Weft's blocks of many rows are.
_PRODUCT_BLOCKS = {80: {"warps": 4, "stages": 4, "BM": 128, "BN": 64, "BK": 32},
                   90: {"warps": 8, "stages": 3, "BM": 128, "BN": 256, "BK": 64}}

CASES = [
    Case("product, bf16 weight, f32 rows", _product(4096, 4096), {"w": (4096, 4096)}, "kernel_linear",
         ("--dtype", "bf16"), lambda capability: _rival_product("fp32", **_PRODUCT_BLOCKS[capability])),
    *(Case(f"causal attention, bf16, D {width}", _attention(16, width), {}, "kernel_attention", (),
           lambda _, width=width: _rival_attention(BM=64, BN=64, D=width, CAUSAL=1)) for width in (64, 128)),
]
