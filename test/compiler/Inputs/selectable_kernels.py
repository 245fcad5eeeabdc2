#!/usr/bin/env python3
# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Prints a device module with every intrinsic that compiler/emit/SelectableOps.cpp lets through, of every type."""
import re
import sys

FLOATS = ["f16", "bf16", "f32", "f64", "vector<2xf16>", "vector<2xbf16>", "vector<4xf32>"]
INTEGERS = ["i8", "i16", "i32", "i64", "vector<4xi8>", "vector<2xi32>"]
UNARY = ["ceil", "fabs", "floor", "nearbyint", "rint", "round", "roundeven", "sqrt", "trunc"]
BINARY = ["copysign", "maximum", "maxnum", "minimum", "minnum"]
TERNARY = ["fma", "fmuladd"]
APPROXIMATE = ["sin", "cos", "tanh"]
INT_UNARY = ["bitreverse", "bswap", "ctpop"]
INT_FLAGGED = {"abs": "is_int_min_poison", "ctlz": "is_zero_poison", "cttz": "is_zero_poison"}
INT_BINARY = ["smax", "smin", "umax", "umin", "sadd.sat", "ssub.sat", "uadd.sat", "usub.sat"]
INT_TERNARY = ["fshl", "fshr"]
OVERFLOW = ["sadd", "smul", "ssub", "uadd", "umul", "usub"]
REDUCE = {"f": ["fmax", "fmin"], "i": ["add", "and", "mul", "or", "smax", "smin", "umax", "umin", "xor"]}
MEMORY = """
    %bytes = llvm.mlir.constant(64 : i64) : i64
    %one = llvm.mlir.constant(1 : i64) : i64
    %zero = llvm.mlir.constant(0 : i8) : i8
    %local = llvm.alloca %bytes x i8 : (i64) -> !llvm.ptr
    llvm.intr.lifetime.start %local : !llvm.ptr
    "llvm.intr.memset"(%local, %zero, %bytes) <{isVolatile = false}> : (!llvm.ptr, i8, i64) -> ()
    "llvm.intr.memcpy"(%local, %p, %n) <{isVolatile = false}> : (!llvm.ptr, !llvm.ptr<1>, i64) -> ()
    "llvm.intr.memmove"(%p, %local, %n) <{isVolatile = false}> : (!llvm.ptr<1>, !llvm.ptr, i64) -> ()
    %small = llvm.icmp "slt" %n, %bytes : i64
    llvm.intr.assume %small : i1
    %hot = llvm.intr.expect %small, %small : i1
    %kept = llvm.select %hot, %one, %n : i1, i64
    llvm.store %kept, %p : i64, !llvm.ptr<1>
    llvm.intr.lifetime.end %local : !llvm.ptr
"""


class Body:
    def __init__(self, type_):
        self.type, self.lines, self.value, self.used = type_, [f"%x = llvm.load %p : !llvm.ptr<1> -> {type_}"], "%x", set()

    def name(self, text, format_="{r} = {text}"):
        result = f"%v{len(self.lines)}"
        self.lines.append(format_.format(r=result, text=text))
        self.value = result

    def apply(self, op, operands=1, attributes=""):
        types = ", ".join([self.type] * operands)
        values = ", ".join([self.value] + ["%x"] * (operands - 1))
        self.name(f'"llvm.intr.{op}"({values}) {attributes} : ({types}) -> {self.type}')
        self.used.add(op)

    def reduce(self, op, element, start=False):
        first, types = (f"%start, ", f"{element}, ") if start else ("", "")
        self.name(f'"llvm.intr.vector.reduce.{op}"({first}%x) : ({types}{self.type}) -> {element}')
        self.lines.append(f"llvm.store volatile {self.value}, %p : {element}, !llvm.ptr<1>")
        self.used.add("vector.reduce." + op)

    def text(self, name):
        body = "\n    ".join(self.lines + [f"llvm.store volatile {self.value}, %p : {self.type}, !llvm.ptr<1>"])
        return kernel(name, body)


def kernel(name, body):
    return (f"  llvm.func @{name}(%p: !llvm.ptr<1>, %n: i64) attributes {{nvvm.kernel, "
            f"nvvm.reqntid = array<i32: 32, 1, 1>}} {{\n    {body}\n    llvm.return\n  }}")


def element_of(type_):
    return type_.split("x", 1)[1][:-1] if "vector" in type_ else None


def floats(type_):
    body = Body(type_)
    for ops, operands in ((UNARY, 1), (BINARY, 2), (TERNARY, 3)):
        for op in ops:
            body.apply(op, operands)
    for op in ("frem", "fdiv"):
        body.name(f"llvm.{op} {body.value}, %x : {type_}")
    if type_ != "f64":
        body.apply("exp2")
        for op in APPROXIMATE:
            body.apply(op, 1, "<{fastmathFlags = #llvm.fastmath<afn>}>")
    return body


def integers(type_):
    body = Body(type_)
    for op in INT_UNARY:
        if op != "bswap" or not type_.endswith(("i8", "i8>")):
            body.apply(op)
    for op, flag in INT_FLAGGED.items():
        body.apply(op, 1, f"<{{{flag} = false}}>")
    for ops, operands in ((INT_BINARY, 2), (INT_TERNARY, 3)):
        for op in ops:
            body.apply(op, operands)
    pair = f"!llvm.struct<({type_}, i1)>"
    for op in OVERFLOW if element_of(type_) is None else []:
        value = body.value
        body.name(f'"llvm.intr.{op}.with.overflow"({value}, %x) : ({type_}, {type_}) -> {pair}')
        body.name(f"llvm.extractvalue {body.value}[0] : {pair}")
        body.used.add(op + ".with.overflow")
    return body


def reductions(type_):
    element, body = element_of(type_), Body(type_)
    is_float = "f" in element
    for op in REDUCE["f" if is_float else "i"]:
        body.reduce(op, element)
    if is_float:
        body.lines.append(f"%start = llvm.mlir.constant(0.0 : {element}) : {element}")
        body.reduce("fadd", element, True)
        body.reduce("fmul", element, True)
    body.value = "%x"
    return body


def main():
    source = open(sys.argv[1], encoding="utf-8").read()
    table = source[source.index("StringSet<> names = {"):]
    allowed = set(re.findall(r'"([\w.]+)"', table[:table.index("}")]))
    bodies = {f"k{n}": make(t) for n, (make, t) in enumerate(
        [(floats, t) for t in FLOATS] + [(integers, t) for t in INTEGERS] +
        [(reductions, t) for t in FLOATS + INTEGERS if "vector" in t])}
    used = set(re.findall(r"llvm\.intr\.([\w.]+)", MEMORY)).union(*(body.used for body in bodies.values()))
    if missing := allowed - used:
        sys.exit("no kernel here has " + ", ".join(sorted(missing)))
    kernels = [body.text(name) for name, body in bodies.items()] + [kernel("memory", MEMORY)]
    print("gpu.module @kernels {\n" + "\n".join(kernels) + "\n}")


main()
