#!/usr/bin/env python3
# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""many_registers.py N: prints a device module whose one kernel adds N numbers again and again, all alive at once."""
import sys

N = int(sys.argv[1])
HEAD = """gpu.module @kernels {
  llvm.func @sums(%x: !llvm.ptr<1>, %n: i32) attributes {nvvm.kernel, nvvm.reqntid = array<i32: 128, 1, 1>} {
    %zero = llvm.mlir.constant(0 : i32) : i32
    %one = llvm.mlir.constant(1 : i32) : i32"""
sums = [f"%s{i}" for i in range(N)]
lines = [f"%p{i} = llvm.getelementptr %x[{i}] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32" for i in range(N)]
lines += [f"%a{i} = llvm.load volatile %p{i} : !llvm.ptr<1> -> f32" for i in range(N)]
lines += [f"llvm.br ^loop(%zero, {', '.join(f'%a{i}' for i in range(N))} : i32, {', '.join(['f32'] * N)})"]
lines += [f"^loop(%i: i32, {', '.join(name + ': f32' for name in sums)}):"]
lines += [f"%b{i} = llvm.fadd %s{i}, %s{(i + 1) % N} : f32" for i in range(N)]
lines += ["%next = llvm.add %i, %one : i32", '%more = llvm.icmp "slt" %next, %n : i32']
lines += [f"llvm.cond_br %more, ^loop(%next, {', '.join(f'%b{i}' for i in range(N))} : i32, "
          f"{', '.join(['f32'] * N)}), ^done", "^done:"]
lines += [f"llvm.store volatile %b{i}, %p{i} : f32, !llvm.ptr<1>" for i in range(N)]
print(HEAD)
print("\n".join("    " + line for line in lines + ["llvm.return"]))
print("  }\n}")
