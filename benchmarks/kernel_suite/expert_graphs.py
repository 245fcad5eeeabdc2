# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Layers of experts as programs for Weft, written as the importer of models writes them."""

from .cases import Experts, Routing


def _named(name: str, kind: str, *dims: str) -> str:
    names = ", ".join(f'"{dim}"' for dim in dims)
    return f'{kind} {{weft.name = "{name}", weft.dims = [{names}]}}'


def _extents(case: Experts | Routing) -> tuple[str, str]:
    """Tokens and rows as extents of types: fixed where rows are results, which no input would tell."""
    is_open = isinstance(case, Experts) and case.tokens > 1
    return ("?", "?") if is_open else (str(case.tokens), str(case.tokens * case.chosen))


def _empty(name: str, kind: str, extent: str = "") -> str:
    return f"%{name} = tensor.empty({extent if '?' in kind else ''}) : {kind}"


def _counts(case: Experts, kind: str) -> list[str]:
    """%t and %r: tokens and rows, where they are open."""
    return [
        "%c0 = arith.constant 0 : index",
        f"%t = tensor.dim %x, %c0 : {kind}",
        f"%ck = arith.constant {case.chosen} : index",
        "%r = arith.muli %t, %ck : index",
    ] if "?" in kind else []


def _dispatched(case: Experts | Routing) -> list[str]:
    """%tokens, %sorted and %offsets of the scores."""
    tokens, rows = _extents(case)
    scores, chosen = f"tensor<{tokens}x{case.experts}xf32>", f"tensor<{tokens}x{case.chosen}x"
    of, sorted_, offsets = f"tensor<{rows}xi32>", f"tensor<{rows}xf32>", f"tensor<{case.experts + 1}xi32>"
    return [
        _empty("e0", f"{chosen}i32>", "%t"),
        _empty("w0", f"{chosen}f32>", "%t"),
        f'%chosen, %weights = weft.route {{scoring = "softmax", normalize = "sum"}} ins(%scores : {scores}) '
        f"outs(%e0, %w0 : {chosen}i32>, {chosen}f32>) -> {chosen}i32>, {chosen}f32>",
        _empty("t0", of, "%r"),
        _empty("s0", sorted_, "%r"),
        _empty("o0", offsets),
        f"%tokens, %sorted, %offsets = weft.dispatch ins(%chosen, %weights : {chosen}i32>, {chosen}f32>) "
        f"outs(%t0, %s0, %o0 : {of}, {sorted_}, {offsets}) -> {of}, {sorted_}, {offsets}",
    ]


def _product(name: str, lhs: str, left: str, weight: str, weights: str, out: str, case: Experts, rows: str = "") -> list:
    return [
        _empty(f"{name}0", out, "%r"),
        f"%{name} = weft.grouped_matmul ins(%{lhs}, %{weight}, %offsets : {left}, {weights}, "
        f"tensor<{case.experts + 1}xi32>) {rows}outs(%{name}0 : {out}) -> {out}",
    ]


def _activation(kind: str) -> list[str]:
    """%h: silu(%gate) · %up."""
    maps = ", ".join(["affine_map<(r, f) -> (r, f)>"] * 3)
    return [
        _empty("h0", kind, "%r"),
        f'%h = linalg.generic {{indexing_maps = [{maps}], iterator_types = ["parallel", "parallel"]}} '
        f"ins(%gate, %up : {kind}, {kind}) outs(%h0 : {kind}) {{",
        "^bb0(%g: f32, %u: f32, %o: f32):",
        "  %unit = arith.constant 1.0 : f32",
        "  %below = arith.negf %g : f32",
        "  %power = math.exp %below : f32",
        "  %sum = arith.addf %power, %unit : f32",
        "  %share = arith.divf %g, %sum : f32",
        "  %both = arith.mulf %share, %u : f32",
        "  linalg.yield %both : f32",
        f"}} -> {kind}",
    ]


def _layer(case: Experts) -> list[str]:
    tokens, rows = _extents(case)
    x, router = f"tensor<{tokens}x{case.width}xf32>", f"tensor<{case.experts}x{case.width}xf32>"
    scores, inner = f"tensor<{tokens}x{case.experts}xf32>", f"tensor<{rows}x{case.inner}xf32>"
    wide, narrow = (f"tensor<{case.experts}x{n}x{k}xf32>" for n, k in
                    ((case.inner, case.width), (case.width, case.inner)))
    each, of = f"tensor<{rows}x{case.width}xf32>", f"tensor<{rows}xi32>"
    maps = ", ".join(f"affine_map<(m, n, k) -> {operand}>" for operand in ("(m, k)", "(n, k)", "(m, n)"))
    gathered = f"rows(%tokens : {of}) "
    return [
        *_counts(case, x),
        f'%router = weft.parameter "router" : {router}',
        *(f'%w_{name} = weft.parameter "{name}" : {kind}' for name, kind in
          (("gate", wide), ("up", wide), ("down", narrow))),
        "%zero = arith.constant 0.0 : f32",
        _empty("n0", scores, "%t"),
        f"%n1 = linalg.fill ins(%zero : f32) outs(%n0 : {scores}) -> {scores}",
        f"%scores = linalg.matmul indexing_maps = [{maps}] ins(%x, %router : {x}, {router}) outs(%n1 : {scores}) "
        f"-> {scores}",
        *_dispatched(case),
        *_product("gate", "x", x, "w_gate", wide, inner, case, gathered),
        *_product("up", "x", x, "w_up", wide, inner, case, gathered),
        *_activation(inner),
        *_product("each", "h", inner, "w_down", narrow, each, case),
        _empty("y0", x, "%t"),
        f"%y1 = linalg.fill ins(%zero : f32) outs(%y0 : {x}) -> {x}",
        f"%y = weft.combine ins(%each, %tokens, %sorted : {each}, {of}, tensor<{rows}xf32>) outs(%y1 : {x}) -> {x}",
        f"return %y : {x}",
    ]


def _routing(case: Routing) -> tuple[str, list[str]]:
    tokens, rows = _extents(case)
    results = {"tokens": f"tensor<{rows}xi32>", "sorted": f"tensor<{rows}xf32>",
               "offsets": f"tensor<{case.experts + 1}xi32>"}
    named = ", ".join(_named(name, kind, "") for name, kind in results.items())
    head = f"%scores: {_named('scores', f'tensor<{tokens}x{case.experts}xf32>', '', '')}) -> ({named})"
    body = [*_dispatched(case), f"return %tokens, %sorted, %offsets : {', '.join(results.values())}"]
    return head, body


def mlir(case: Experts | Routing) -> str:
    if isinstance(case, Routing):
        head, body = _routing(case)
    else:
        tokens, _ = _extents(case)
        kind, dim = f"tensor<{tokens}x{case.width}xf32>", "t" if case.tokens > 1 else ""
        head = f"%x: {_named('x', kind, dim, '')}) -> ({_named('y', kind, dim, '')})"
        body = _layer(case)
    lines = "\n".join("  " + line for line in body)
    return f"func.func @run({head} attributes {{weft.entry}} {{\n{lines}\n}}\n"
