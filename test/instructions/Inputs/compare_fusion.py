# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""compare_fusion.py WEFT COUNTER FOLDER LEVEL…: compiles graphs over a grid of shapes with fusion and without it, counts
the instructions of both, and fails where the fused one executes more (by over 1 %)."""

import re
import subprocess
import sys
from pathlib import Path

TOLERANCE = 1.01
SHAPES = [(1, 48), (7, 112)]  # rows, columns
DEPTH = 128


class Graph:
    """Text of an entry over tensors of m rows; values are (name, extents), 0 for the rows."""

    def __init__(self):
        self.arguments, self.lines = [], []

    @staticmethod
    def kind(extents):
        return f"tensor<{'x'.join([str(extent or '?') for extent in extents] + ['f32'])}>"

    def argument(self, *extents):
        name = f"%a{len(self.arguments)}"
        dims = ", ".join('"m"' if extent == 0 else '""' for extent in extents)
        self.arguments.append(
            f'{name}: {self.kind(extents)} {{weft.name = "{name[1:]}", weft.dims = [{dims}]}}'
        )
        return name, extents

    def op(self, extents, text):
        name = f"%v{len(self.lines)}"
        empty = "%m" if 0 in extents else ""
        self.lines.append(f"{name}e = tensor.empty({empty}) : {self.kind(extents)}")
        self.lines.append(f"{name} = " + text(f"{name}e", self.kind(extents)))
        return name, extents

    def product(self, x, columns):
        weight = self.argument(-(-columns // 16), x[1][1], 16)
        types = f"{self.kind(x[1])}, {self.kind(weight[1])}"
        return self.op(
            (0, columns),
            lambda e, t: f"weft.packed_matmul ins({x[0]}, {weight[0]} : {types}) outs({e} : {t}) -> {t}",
        )

    def norm(self, x):
        scale = self.argument(x[1][-1])
        types = f"{self.kind(x[1])}, {self.kind(scale[1])}"
        return self.op(
            x[1],
            lambda e, t: f"weft.layer_norm {{epsilon = 1.0e-5 : f32}} ins({x[0]}, {scale[0]} : {types}) "
            f"outs({e} : {t}) -> {t}",
        )

    def each(self, extents, operands, body):
        """An elementwise op; operands of fewer dimensions lie along those whose numbers are given beside them."""
        dims = [f"d{i}" for i in range(len(extents))]
        maps = [[dims[i] for i in along] for _, along in operands] + [dims]
        maps = ", ".join(f"affine_map<({', '.join(dims)}) -> ({', '.join(m)})>" for m in maps)
        names, types = ", ".join(v[0] for v, _ in operands), ", ".join(self.kind(v[1]) for v, _ in operands)
        inner = ", ".join(f"%x{i}: f32" for i in range(len(operands)))
        parallel = ", ".join(['"parallel"'] * len(extents))
        return self.op(
            extents,
            lambda e, t: f"linalg.generic {{indexing_maps = [{maps}], iterator_types = [{parallel}]}} "
            f"ins({names} : {types}) outs({e} : {t}) {{\n^bb0({inner}, %o: f32):\n{body}\nlinalg.yield %r : f32\n}} -> {t}",
        )

    def text(self, result, fusion):
        kind = self.kind(result[1])
        dims = ", ".join('"m"' if extent == 0 else '""' for extent in result[1])
        first = self.arguments[0].split(" {")[0]
        return "\n".join(
            [
                f'module attributes {{weft.fusion = "{fusion}"}} {{',
                f"func.func @run({', '.join(self.arguments)}) -> ({kind} "
                f'{{weft.name = "y", weft.dims = [{dims}]}}) attributes {{weft.entry}} {{',
                "%zero = arith.constant 0 : index",
                f"%m = tensor.dim {first.replace(': ', ', %zero : ', 1)}",
                *self.lines,
                f"return {result[0]} : {kind}\n}}\n}}",
            ]
        )


def unary(op):
    return f"%r = math.{op} %x0 : f32"


def binary(op):
    return f"%r = arith.{op} %x0, %x1 : f32"


BOTH = (0, 1)


def activation(g, n):
    p = g.product(g.argument(0, DEPTH), n)
    return g.each((0, n), [(p, BOTH)], unary("erf"))


def chain(g, n):
    x = g.argument(0, n)
    y = g.each((0, n), [(x, BOTH)], unary("tanh"))
    z = g.each((0, n), [(y, BOTH), (x, BOTH)], binary("mulf"))
    return g.each((0, n), [(z, BOTH), (x, BOTH)], binary("addf"))


def residual_norm(g, n):
    p = g.product(g.argument(0, DEPTH), n)
    return g.norm(g.each((0, n), [(p, BOTH), (g.argument(0, n), BOTH)], binary("addf")))


def norm_beside_product(g, n):
    """Tiles of columns would compute the norm's rows again."""
    x = g.argument(0, DEPTH)
    h = g.norm(g.argument(0, n))
    return g.each((0, n), [(h, BOTH), (g.product(x, n), BOTH)], binary("addf"))


def row_vector(g, n):
    """A function of n values, which each of m rows would compute again."""
    x = g.argument(0, n)
    s = g.each((n,), [(g.argument(n), (0,))], unary("erf"))
    return g.each((0, n), [(x, BOTH), (s, (1,))], binary("mulf"))


def row_vector_of_product(g, n):
    p = g.product(g.argument(0, DEPTH), n)
    s = g.each((n,), [(g.argument(n), (0,))], unary("exp"))
    return g.each((0, n), [(p, BOTH), (s, (1,))], binary("mulf"))


def row_factor(g, n):
    """A function of a row's number, which each of its n values would compute again."""
    x = g.argument(0, n)
    s = g.each((0,), [(g.argument(0), (0,))], unary("tanh"))
    return g.each((0, n), [(x, BOTH), (s, (0,))], binary("mulf"))


def shared_rows(g, n):
    """Three batches read the same rows."""
    x = g.argument(0, 3, n)
    s = g.each((3, n), [(g.argument(3, n), BOTH)], unary("erf"))
    return g.norm(g.each((0, 3, n), [(x, (0, 1, 2)), (s, (1, 2))], binary("addf")))


GRAPHS = [
    activation,
    chain,
    residual_norm,
    norm_beside_product,
    row_vector,
    row_vector_of_product,
    row_factor,
    shared_rows,
]


def main():
    weft, counter, folder, *levels = sys.argv[1:]
    slower = []

    def build(make, columns, fusion):
        graph = Graph()
        text = graph.text(make(graph, columns), fusion)
        source = Path(folder, f"{make.__name__}-{columns}-{fusion}.mlir")
        source.write_text(text)
        artifact = source.with_suffix(".weft")
        targets = ",".join(levels)
        subprocess.run([weft, "compile", source, "-o", artifact, "--target", f"cpu:{targets}"], check=True)
        return artifact

    def count(artifact, level, rows):
        run = subprocess.run([counter, artifact, level, "1", f"m={rows}"], stdout=subprocess.PIPE, text=True)
        return int(re.search(r"executes (\d+)", run.stdout)[1])

    for make in GRAPHS:
        for rows, columns in SHAPES:
            fused, plain = build(make, columns, "on"), build(make, columns, "off")
            for level in levels:
                ratio = count(fused, level, rows) / count(plain, level, rows)
                line = f"{make.__name__} {rows} x {columns} {level}: {ratio:.3f}"
                print(line)
                if ratio > TOLERANCE:
                    slower.append(line)
    print(f"slower when fused: {len(slower)}", *slower, sep="\n")
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main())
