#!/usr/bin/env python3
# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles kernels with Triton on the spot, runs their PTX on the simulator's libcuda, and compares with NumPy.

  compile_and_run.py LIBCUDA 80|90    the library, and the compute capability times 10 that PTXSIM_DEVICE also says

Triton's compiler needs no GPU. What it writes is PTX that Weft's authors have not seen: a simulator that is right runs it.
"""
import ctypes
import sys

import numpy
import triton
import triton.language as tl
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource


@triton.jit
def product(a, b, c, M, N, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    rows = tl.program_id(0) * BM + tl.arange(0, BM)
    columns = tl.program_id(1) * BN + tl.arange(0, BN)
    depth = tl.arange(0, BK)
    total = tl.zeros((BM, BN), dtype=tl.float32 if c.dtype.element_ty != tl.int32 else tl.int32)
    for k in range(0, K, BK):
        left = tl.load(a + rows[:, None] * K + (k + depth)[None, :],
                       mask=(rows[:, None] < M) & ((k + depth)[None, :] < K), other=0)
        right = tl.load(b + (k + depth)[:, None] * N + columns[None, :],
                        mask=((k + depth)[:, None] < K) & (columns[None, :] < N), other=0)
        total = tl.dot(left, right, total, out_dtype=total.dtype)
    tl.store(c + rows[:, None] * N + columns[None, :], total, mask=(rows[:, None] < M) & (columns[None, :] < N))


@triton.jit
def product_by_tma(a, b, c, M, N, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr, WS: tl.constexpr):
    left = tl.make_tensor_descriptor(a, [M, K], [K, 1], [BM, BK])
    right = tl.make_tensor_descriptor(b, [K, N], [N, 1], [BK, BN])
    result = tl.make_tensor_descriptor(c, [M, N], [N, 1], [BM, BN])
    row, column = tl.program_id(0) * BM, tl.program_id(1) * BN
    total = tl.zeros((BM, BN), dtype=tl.float32)
    for k in tl.range(0, K, BK, warp_specialize=WS):
        total = tl.dot(left.load([row, k]), right.load([k, column]), total)
    result.store([row, column], total.to(c.dtype.element_ty))


@triton.jit
def attention(q, k, v, o, L, scale, BM: tl.constexpr, BN: tl.constexpr, D: tl.constexpr):
    head = tl.program_id(1) * L * D
    rows, columns, width = tl.program_id(0) * BM + tl.arange(0, BM), tl.arange(0, BN), tl.arange(0, D)
    query = tl.load(q + head + rows[:, None] * D + width[None, :], mask=rows[:, None] < L, other=0)
    most = tl.full((BM, ), -1e30, tl.float32)
    norm = tl.zeros((BM, ), tl.float32)
    total = tl.zeros((BM, D), tl.float32)
    for start in range(0, L, BN):
        at = start + columns
        key = tl.load(k + head + at[:, None] * D + width[None, :], mask=at[:, None] < L, other=0)
        score = tl.dot(query, tl.trans(key)) * scale
        score = tl.where((at[None, :] <= rows[:, None]) & (at[None, :] < L), score, -1e30)
        higher = tl.maximum(most, tl.max(score, 1))
        weight = tl.exp(score - higher[:, None])
        shrink = tl.exp(most - higher)
        norm = norm * shrink + tl.sum(weight, 1)
        value = tl.load(v + head + at[:, None] * D + width[None, :], mask=at[:, None] < L, other=0)
        total = total * shrink[:, None] + tl.dot(weight.to(value.dtype), value)
        most = higher
    tl.store(o + head + rows[:, None] * D + width[None, :], total / norm[:, None], mask=rows[:, None] < L)


@triton.jit
def statistics(x, sums, mosts, places, running, N, B: tl.constexpr):
    at = tl.arange(0, B)
    row = tl.program_id(0)
    values = tl.load(x + row * N + at, mask=at < N, other=float("-inf"))
    tl.store(mosts + row, tl.max(values, 0))
    tl.store(places + row, tl.argmax(values, 0))
    finite = tl.where(at < N, values, 0.0)
    tl.store(sums + row, tl.sum(finite, 0))
    tl.store(running + row * N + at, tl.cumsum(finite, 0), mask=at < N)


@triton.jit
def functions(x, y, N, B: tl.constexpr):
    at = tl.program_id(0) * B + tl.arange(0, B)
    v = tl.load(x + at, mask=at < N, other=1.0)
    result = tl.exp(v) + tl.log(tl.abs(v) + 1.0) + tl.sin(v) * tl.cos(v) + tl.sqrt(tl.abs(v)) + tl.rsqrt(v * v + 1.0)
    result += tl.floor(v) / 3.0 + tl.erf(v) + tl.exp2(-v)
    tl.store(y + at, result, mask=at < N)


@triton.jit
def integers(x, y, N, B: tl.constexpr):
    at = tl.program_id(0) * B + tl.arange(0, B)
    v = tl.load(x + at, mask=at < N, other=1)
    wide = v.to(tl.int64) * 1000003
    result = (v // 7) + (v % 13) * 3 + (v << 2) + (v >> 3) + (v ^ 0x55) + (wide // 17).to(tl.int32)
    result += tl.umulhi(v.to(tl.uint32, bitcast=True), 0x9E3779B9).to(tl.int32, bitcast=True)
    tl.store(y + at, result, mask=at < N)


@triton.jit
def counts(x, y, N, B: tl.constexpr, BINS: tl.constexpr):
    at = tl.program_id(0) * B + tl.arange(0, B)
    v = tl.load(x + at, mask=at < N, other=0)
    tl.atomic_add(y + v, 1, mask=at < N)


@triton.jit
def transposed(x, y, M, N, BM: tl.constexpr, BN: tl.constexpr):
    rows, columns = tl.program_id(0) * BM + tl.arange(0, BM), tl.program_id(1) * BN + tl.arange(0, BN)
    tile = tl.load(x + rows[:, None] * N + columns[None, :], mask=(rows[:, None] < M) & (columns[None, :] < N))
    tl.store(y + columns[:, None] * M + rows[None, :], tl.trans(tile), mask=(columns[:, None] < N) & (rows[None, :] < M))


class Device:
    """The driver's functions, as far as this needs them."""

    def __init__(self, path, capability):
        self.library, self.capability = ctypes.CDLL(path), capability
        context = ctypes.c_void_p()
        self.check(self.library.cuInit(0))
        self.check(self.library.cuDevicePrimaryCtxRetain(ctypes.byref(context), 0))
        self.check(self.library.cuCtxSetCurrent(context))

    def check(self, status):
        if status:
            sys.exit(f"the driver returns {status}")

    def put(self, values):
        address = ctypes.c_uint64()
        self.check(self.library.cuMemAlloc_v2(ctypes.byref(address), ctypes.c_size_t(max(1, values.nbytes))))
        self.check(self.library.cuMemcpyHtoD_v2(address, values.ctypes.data_as(ctypes.c_void_p),
                                                ctypes.c_size_t(values.nbytes)))
        return address

    def get(self, address, like):
        result = numpy.empty_like(like)
        self.check(self.library.cuMemcpyDtoH_v2(result.ctypes.data_as(ctypes.c_void_p), address,
                                                ctypes.c_size_t(result.nbytes)))
        return result

    def run(self, kernel, signature, constants, grid, arguments, **options):
        """Compiles and launches; arguments are arrays (copied in and out), ints and floats. Returns the arrays."""
        types = {**signature, **{name: "constexpr" for name in constants}}
        keys = {(index, ): constants[name] for index, name in enumerate(types) if name in constants}
        compiled = triton.compile(ASTSource(kernel, types, keys), target=GPUTarget("cuda", self.capability, 32),
                                  options={"ptx_version": 90 if self.capability >= 90 else 88, **options})
        module, function = ctypes.c_void_p(), ctypes.c_void_p()
        self.check(self.library.cuModuleLoadData(ctypes.byref(module), compiled.asm["ptx"].encode()))
        self.check(self.library.cuModuleGetFunction(ctypes.byref(function), module, compiled.metadata.name.encode()))
        self.check(self.library.cuFuncSetAttribute(function, 8, compiled.metadata.shared))
        values = [self.put(a) if isinstance(a, numpy.ndarray) else
                  ctypes.c_float(a) if isinstance(a, float) else ctypes.c_int32(a) for a in arguments]
        values += [self.put(numpy.zeros(1 << 16, numpy.uint8)), ctypes.c_uint64(0)]
        pointers = (ctypes.c_void_p * len(values))(*[ctypes.addressof(value) for value in values])
        threads = 32 * compiled.metadata.num_warps
        self.check(self.library.cuLaunchKernel(function, *grid, threads, 1, 1, compiled.metadata.shared, None, pointers,
                                               None))
        self.check(self.library.cuCtxSynchronize())
        return [self.get(value, a) for value, a in zip(values, arguments) if isinstance(a, numpy.ndarray)]


def judge(name, got, want, tolerance):
    error = numpy.max(numpy.abs(got.astype(numpy.float64) - want) / (1 + numpy.abs(want)))
    if not error <= tolerance:
        sys.exit(f"{name}: the largest error is {error}, above {tolerance}")
    print(f"{name}: {error:.1e}")


def bf16(values):
    """The nearest bf16 of float32 values, as bits, and the values of those."""
    bits = values.view(numpy.uint32)
    rounded = ((bits + 0x7fff + ((bits >> 16) & 1)) >> 16).astype(numpy.uint16)
    return rounded, (rounded.astype(numpy.uint32) << 16).view(numpy.float32)


def check_products(device, random):
    for kind, stages, warps, tile in [("fp16", 3, 4, (64, 64, 32)), ("bf16", 2, 8, (128, 128, 64)),
                                      ("fp32", 3, 4, (64, 32, 32)), ("i8", 3, 4, (64, 64, 64)), ("fp16", 4, 4, (64, 128, 64))]:
        m, n, k = 150, 97, 200
        if kind == "i8":
            a, b = (random.integers(-128, 128, s).astype(numpy.int8) for s in ((m, k), (k, n)))
            left, right, c = a, b, numpy.zeros((m, n), numpy.int32)
        else:
            a, b = (random.standard_normal(s).astype(numpy.float32) for s in ((m, k), (k, n)))
            left, right, c = a, b, numpy.zeros((m, n), numpy.float32)
            if kind == "fp16":
                a, b = a.astype(numpy.float16), b.astype(numpy.float16)
                left, right = a, b
            if kind == "bf16":
                (a, left), (b, right) = bf16(a), bf16(b)
        grid = (-(-m // tile[0]), -(-n // tile[1]), 1)
        output = "i32" if kind == "i8" else "fp32"
        signature = {"a": "*" + kind, "b": "*" + kind, "c": "*" + output, "M": "i32", "N": "i32", "K": "i32"}
        got = device.run(product, signature, dict(zip(("BM", "BN", "BK"), tile)), grid, [a, b, c, m, n, k],
                         num_warps=warps, num_stages=stages)[2]
        want = left.astype(numpy.float64) @ right.astype(numpy.float64)
        judge(f"product {kind} {tile}", got, want, 2e-2 if kind == "fp32" else 0 if kind == "i8" else 1e-4)


def check_tma_products(device, random):
    """Warp roles, register reallocation and mbarriers where the device has them; plain loads before."""
    m, n, k = 150, 96, 200
    a, b = (random.standard_normal(s).astype(numpy.float16) for s in ((m, k), (k, n)))
    for specialized, tile in [(False, (64, 64, 64)), (True, (64, 64, 64)), (True, (64, 32, 32))]:
        signature = {"a": "*fp16", "b": "*fp16", "c": "*fp16", "M": "i32", "N": "i32", "K": "i32"}
        got = device.run(product_by_tma, signature, dict(zip(("BM", "BN", "BK", "WS"), (*tile, specialized))),
                         (-(-m // tile[0]), -(-n // tile[1]), 1), [a, b, numpy.zeros((m, n), numpy.float16), m, n, k],
                         num_warps=4, num_stages=3)[2]
        judge(f"product by TMA {tile}{', warp roles' if specialized else ''}", got,
              a.astype(numpy.float64) @ b.astype(numpy.float64), 2e-3)


def check_attention(device, random):
    for width, tile, warps in [(64, (64, 64), 4), (128, (128, 64), 8), (32, (32, 32), 4)]:
        heads, length, scale = 2, 150, width**-0.5
        bits, values = zip(*(bf16(random.standard_normal((heads, length, width)).astype(numpy.float32)) for _ in range(3)))
        got = device.run(attention, {"q": "*bf16", "k": "*bf16", "v": "*bf16", "o": "*fp32", "L": "i32", "scale": "fp32"},
                         {"BM": tile[0], "BN": tile[1], "D": width}, (-(-length // tile[0]), heads, 1),
                         [*bits, numpy.zeros((heads, length, width), numpy.float32), length, scale],
                         num_warps=warps, num_stages=2)[3]
        q, k, v = (x.astype(numpy.float64) for x in values)
        score = q @ k.transpose(0, 2, 1) * scale + numpy.triu(numpy.full((length, length), -numpy.inf), 1)
        weight = numpy.exp(score - score.max(-1, keepdims=True))
        judge(f"attention D{width}", got, weight / weight.sum(-1, keepdims=True) @ v, 1e-2)


def check_rows(device, random):
    x = random.standard_normal((5, 300)).astype(numpy.float32)
    empty = numpy.zeros(5, numpy.float32)
    got = device.run(statistics, {"x": "*fp32", "sums": "*fp32", "mosts": "*fp32", "places": "*i32", "running": "*fp32",
                                  "N": "i32"}, {"B": 512}, (5, 1, 1),
                     [x, empty, empty, numpy.zeros(5, numpy.int32), numpy.zeros_like(x), 300])
    judge("sum", got[1], x.astype(numpy.float64).sum(1), 1e-5)
    judge("max", got[2], x.max(1), 0)
    judge("argmax", got[3], x.argmax(1), 0)
    judge("cumsum", got[4], x.astype(numpy.float64).cumsum(1), 1e-4)


def check_elements(device, random):
    x = (random.standard_normal(1000) * 3).astype(numpy.float32)
    got = device.run(functions, {"x": "*fp32", "y": "*fp32", "N": "i32"}, {"B": 256}, (4, 1, 1),
                     [x, numpy.zeros_like(x), 1000])[1]
    v = x.astype(numpy.float64)
    erf = numpy.vectorize(__import__("math").erf)(v)
    want = (numpy.exp(v) + numpy.log(abs(v) + 1) + numpy.sin(v) * numpy.cos(v) + numpy.sqrt(abs(v)) +
            1 / numpy.sqrt(v * v + 1) + numpy.floor(v) / 3 + erf + numpy.exp2(-v))
    judge("functions", got, want, 1e-5)

    n = random.integers(-2**31, 2**31, 1000).astype(numpy.int32)
    got = device.run(integers, {"x": "*i32", "y": "*i32", "N": "i32"}, {"B": 256}, (4, 1, 1), [n, numpy.zeros_like(n), 1000])[1]
    w = n.astype(numpy.int64)
    quotient, wide = numpy.fix(w / 7).astype(numpy.int64), w * 1000003
    remainder = w - numpy.fix(w / 13).astype(numpy.int64) * 13
    exact = numpy.sign(wide) * (numpy.abs(wide) // 17)
    high = ((w & 0xffffffff).astype(numpy.uint64) * numpy.uint64(0x9E3779B9)) >> numpy.uint64(32)
    want = quotient + remainder * 3 + (w << 2) + (w >> 3) + (w ^ 0x55) + exact + high.astype(numpy.int64)
    judge("integers", got, (want & 0xffffffff).astype(numpy.uint32).view(numpy.int32), 0)

    values = random.integers(0, 16, 1000).astype(numpy.int32)
    got = device.run(counts, {"x": "*i32", "y": "*i32", "N": "i32"}, {"B": 256, "BINS": 16}, (4, 1, 1),
                     [values, numpy.zeros(16, numpy.int32), 1000])[1]
    judge("counts", got, numpy.bincount(values, minlength=16), 0)

    matrix = random.standard_normal((70, 90)).astype(numpy.float32)
    got = device.run(transposed, {"x": "*fp32", "y": "*fp32", "M": "i32", "N": "i32"}, {"BM": 64, "BN": 64}, (2, 2, 1),
                     [matrix, numpy.zeros((90, 70), numpy.float32), 70, 90])[1]
    judge("transposed", got, matrix.T, 0)


def main():
    device, random = Device(sys.argv[1], int(sys.argv[2])), numpy.random.default_rng(7)
    for check in (check_elements, check_rows, check_products, check_tma_products, check_attention):
        check(device, random)
    print("all kernels agree with NumPy")


main()
