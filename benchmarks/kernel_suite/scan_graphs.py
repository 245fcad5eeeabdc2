# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A scan as a program for Weft: one weft.recurrence with what a model has around it in its regions."""

import numpy as np

from . import scans
from .cases import Scan

# ln(1 + e^x) = max(x, 0) + ln(1 + e^−|x|), as the importer of models writes it.
_SOFTPLUS = """
    %zero = arith.constant 0.0 : f32
    %magnitude = math.absf %dt : f32
    %below = arith.negf %magnitude : f32
    %small = math.exp %below : f32
    %rest = math.log1p %small : f32
    %whole = arith.maximumf %dt, %zero : f32
    %step = arith.addf %whole, %rest : f32
    %log = arith.mulf %step, %a : f32
    %decay = math.exp %log : f32
    %value = arith.mulf %step, %u : f32
    weft.step query(%c) key(%b) value(%value) decay(%decay)"""
_SKIP = """
    %skip = arith.mulf %u, %d : f32
    %y = arith.addf %o, %skip : f32"""
_GATE = """
    %unit = arith.constant 1.0 : f32
    %below = arith.negf %z : f32
    %power = math.exp %below : f32
    %sum = arith.addf %power, %unit : f32
    %share = arith.divf %z, %sum : f32
    %r = arith.mulf %y, %share : f32
    weft.yield %r : f32"""
_SCALED = """
    %scale = arith.constant {scale} : f32
    %r = arith.mulf %o, %scale : f32
    weft.yield %r : f32"""
_DELTA = """
    %decay = math.exp %g : f32
    %rate = arith.negf %beta : f32
    %read = arith.mulf %k, %decay : f32
    %write = arith.mulf %k, %rate : f32
    %key = arith.mulf %k, %beta : f32
    weft.step query(%q) key(%key) value(%v) decay(%decay) low_rank(%read, %write)"""
_REGIONS = {  # step, output
    "mamba": (_SOFTPLUS, _SKIP + "\n    weft.yield %y : f32"),
    "mamba gated": (_SOFTPLUS, _SKIP + _GATE),
    "mamba2": (_SOFTPLUS, _SKIP + "\n    weft.yield %y : f32"),
    "gated delta": (_DELTA, _SCALED),
    "gla": ("\n    weft.step query(%q) key(%k) value(%v) decay(%g)", _SCALED),
}


def _dims(family: str, name: str) -> str:
    """Extents as Weft's graph takes them: the constant rates of Mamba with the channels in rows of their own."""
    dims = scans.FAMILIES[family].inputs[name]
    return "ne" if dims == "en" else dims


def _type(case: Scan, dims: str) -> str:
    extents = ["1"] * ("l" in dims) + ["?" if dim == "l" else str(case.extents(dim)[0]) for dim in dims]
    return f"tensor<{'x'.join(extents)}xf32>"


def _map(case: Scan, dims: str) -> str:
    names = {"l": "t", "g": f"h floordiv {case.heads // case.groups}"}
    indices = ["b"] * ("l" in dims) + [names.get(dim, dim) for dim in dims]
    return f"affine_map<(b, h, t, n, e) -> ({', '.join(indices)})>"


def _named(name: str, dims: str) -> str:
    names = ['""'] * ("l" in dims) + ['"s"' if dim == "l" else '""' for dim in dims]
    return f'{{weft.name = "{name}", weft.dims = [{", ".join(names)}]}}'


def mlir(case: Scan) -> str:
    family = scans.FAMILIES[case.family]
    dims = {name: _dims(case.family, name) for name in family.inputs}
    types = {name: _type(case, of) for name, of in dims.items()}
    result, first = _type(case, family.result), next(iter(dims))
    arguments = ", ".join(f"%in_{name}: {types[name]} {_named(name, of)}" for name, of in dims.items())
    elements = ", ".join(f"%{name}: f32" for name in dims)
    maps = ", ".join(_map(case, of) for of in [*dims.values(), family.result])
    step, output = (text.format(scale=case.keys**-0.5) for text in _REGIONS[case.family])
    attributes = "" if case.part_length is None else f"attributes {{weft.part_length = {case.part_length} : i64}} "
    return f"""module {attributes}{{
func.func @run({arguments}) -> ({result} {_named("y", family.result)}) attributes {{weft.entry}} {{
  %one = arith.constant 1 : index
  %s = tensor.dim %in_{first}, %one : {types[first]}
  %init = tensor.empty(%s) : {result}
  %result = weft.recurrence {{indexing_maps = [{maps}]}}
      ins({", ".join(f"%in_{name}" for name in dims)} : {", ".join(types.values())}) outs(%init : {result})
  step {{
  ^bb0({elements}):{step}
  }} output {{
  ^bb0(%o: f32, {elements}):{output}
  }} -> {result}
  return %result : {result}
}}
}}
"""


def to_weft(case: Scan) -> dict[str, np.ndarray]:
    """The inputs of the graph: what has steps is a batch of one sequence."""
    family, arrays = scans.FAMILIES[case.family], case.inputs()
    for name, dims in family.inputs.items():
        array = arrays[name]
        arrays[name] = array[None] if "l" in dims else np.ascontiguousarray(array.T) if dims == "en" else array
    return arrays
