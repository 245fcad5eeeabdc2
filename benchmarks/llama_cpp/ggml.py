# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The parts of ggml's C interface that single kernels need, by ctypes."""

import ctypes
from ctypes import POINTER, Structure, c_bool, c_char_p, c_float, c_int, c_int64, c_size_t, c_void_p
from pathlib import Path

import numpy as np

TYPES = {"f32": 0, "f16": 1, "q4_0": 2, "q8_0": 8, "i32": 26, "bf16": 30}
THREADPOOL_PARAMS_BYTES = 4096  # more than any version's ggml_threadpool_params


class _InitParams(Structure):
    _fields_ = [("size", c_size_t), ("buffer", c_void_p), ("no_alloc", c_bool)]


class _Plan(Structure):
    _fields_ = [
        ("work_size", c_size_t),
        ("work_data", c_void_p),
        ("threads", c_int),
        ("pool", c_void_p),
        ("abort", c_void_p),
        ("abort_data", c_void_p),
        ("use_ref", c_bool),
    ]


# Of libggml-base, then of libggml-cpu: result, arguments.
_BASE = {
    "ggml_init": (c_void_p, [_InitParams]),
    "ggml_free": (None, [c_void_p]),
    "ggml_new_tensor_4d": (c_void_p, [c_void_p, c_int] + [c_int64] * 4),
    "ggml_mul_mat": (c_void_p, [c_void_p] * 3),
    "ggml_flash_attn_ext": (c_void_p, [c_void_p] * 5 + [c_float] * 3),
    "ggml_ssm_scan": (c_void_p, [c_void_p] * 8 + [c_int64]),
    "ggml_gated_delta_net": (c_void_p, [c_void_p] * 7 + [c_int64]),
    "ggml_gated_linear_attn": (c_void_p, [c_void_p] * 6 + [c_float]),
    "ggml_add": (c_void_p, [c_void_p] * 3),
    "ggml_mul": (c_void_p, [c_void_p] * 3),
    "ggml_swiglu_split": (c_void_p, [c_void_p] * 3),
    "ggml_mul_mat_id": (c_void_p, [c_void_p] * 4),
    "ggml_soft_max": (c_void_p, [c_void_p] * 2),
    "ggml_argsort_top_k": (c_void_p, [c_void_p] * 2 + [c_int]),
    "ggml_get_rows": (c_void_p, [c_void_p] * 3),
    "ggml_sum_rows": (c_void_p, [c_void_p] * 2),
    "ggml_div": (c_void_p, [c_void_p] * 3),
    "ggml_clamp": (c_void_p, [c_void_p] * 2 + [c_float] * 2),
    "ggml_reshape_2d": (c_void_p, [c_void_p] * 2 + [c_int64] * 2),
    "ggml_reshape_3d": (c_void_p, [c_void_p] * 2 + [c_int64] * 3),
    "ggml_view_2d": (c_void_p, [c_void_p] * 2 + [c_int64] * 2 + [c_size_t] * 2),
    "ggml_view_3d": (c_void_p, [c_void_p] * 2 + [c_int64] * 3 + [c_size_t] * 3),
    "ggml_new_graph": (c_void_p, [c_void_p]),
    "ggml_build_forward_expand": (None, [c_void_p, c_void_p]),
    "ggml_row_size": (c_size_t, [c_int, c_int64]),
    "ggml_log_set": (None, [c_void_p, c_void_p]),
    "ggml_get_data": (c_void_p, [c_void_p]),
    "ggml_quantize_chunk": (c_size_t, [c_int, c_void_p, c_void_p] + [c_int64] * 3 + [c_void_p]),
    "ggml_threadpool_params_init": (None, [c_void_p, c_int]),
    "ggml_backend_alloc_ctx_tensors_from_buft": (c_void_p, [c_void_p, c_void_p]),
    "ggml_backend_buft_alloc_buffer": (c_void_p, [c_void_p, c_size_t]),
    "ggml_backend_buft_get_alloc_size": (c_size_t, [c_void_p, c_void_p]),
    "ggml_backend_buffer_get_base": (c_void_p, [c_void_p]),
    "ggml_backend_buffer_free": (None, [c_void_p]),
    "ggml_backend_tensor_alloc": (c_int, [c_void_p] * 3),
    "ggml_backend_tensor_set": (None, [c_void_p, c_void_p, c_size_t, c_size_t]),
    "ggml_backend_cpu_buffer_type": (c_void_p, []),
    "ggml_backend_reg_dev_get": (c_void_p, [c_void_p, c_size_t]),
    "ggml_backend_reg_get_proc_address": (c_void_p, [c_void_p, c_char_p]),
    "ggml_backend_dev_supports_op": (c_bool, [c_void_p, c_void_p]),
}
_CPU = {
    "ggml_cpu_init": (None, []),
    "ggml_backend_cpu_reg": (c_void_p, []),
    "ggml_graph_plan": (_Plan, [c_void_p, c_int, c_void_p]),
    "ggml_graph_compute": (c_int, [c_void_p, POINTER(_Plan)]),
    "ggml_threadpool_new": (c_void_p, [c_void_p]),
}


class Library:
    """The loaded libraries; their functions are attributes, without the prefix ggml_."""

    def __init__(self, folder: Path, threads: int):
        for name, functions in (("libggml-base.so", _BASE), ("libggml-cpu.so", _CPU)):
            loaded = ctypes.CDLL(str(folder / name), mode=ctypes.RTLD_GLOBAL)
            for function, (result, arguments) in functions.items():
                found = getattr(loaded, function)
                found.restype, found.argtypes = result, arguments
                setattr(self, function.removeprefix("ggml_"), found)
        self._quiet = ctypes.CFUNCTYPE(None, c_int, c_char_p, c_void_p)(lambda *_: None)
        self.log_set(self._quiet, None)
        self.cpu_init()
        self.threads = threads
        params = ctypes.create_string_buffer(THREADPOOL_PARAMS_BYTES)
        self.threadpool_params_init(params, threads)
        self.pool = self.threadpool_new(params)
        self.host = self.backend_cpu_buffer_type()
        registry = self.backend_cpu_reg()
        self.device = self.backend_reg_dev_get(registry, 0)
        extra = ctypes.CFUNCTYPE(POINTER(c_void_p), c_void_p)(
            self.backend_reg_get_proc_address(registry, b"ggml_backend_dev_get_extra_bufts"))(self.device)
        self.packed: list[int] = []  # kinds of memory that pack a weight for AMX or vectors, the preferred first
        while extra and extra[len(self.packed)]:
            self.packed.append(extra[len(self.packed)])

    def rounded(self, kind: str, array: np.ndarray) -> np.ndarray:
        """The bytes of the array in that kind."""
        array = np.ascontiguousarray(array, np.float32)
        width = array.shape[-1]
        rows = array.size // width
        stored = np.empty(self.row_size(TYPES[kind], width) * rows, np.uint8)
        self.quantize_chunk(TYPES[kind], array.ctypes.data, stored.ctypes.data, 0, rows, width, None)
        return stored


class Graph:
    """Tensors, one operation or a chain of them, and the call that computes it."""

    def __init__(self, library: Library):
        self.library = library
        self._context = library.init(_InitParams(4 << 20, None, True))
        self._buffers: list[int] = []
        self._zeros: list[tuple[int, int]] = []  # tensors and their bytes
        self._plan = self._work = self._graph = self._result = None

    def free(self) -> None:
        for buffer in self._buffers:
            self.library.backend_buffer_free(buffer)
        self.library.free(self._context)
        self._buffers, self._context = [], None

    def tensor(self, kind: str, *extents: int) -> int:
        """Extents as ggml counts them, the innermost first."""
        four = [*extents, *[1] * (4 - len(extents))]
        return self.library.new_tensor_4d(self._context, TYPES[kind], *four)

    def zeros(self, kind: str, *extents: int) -> int:
        """A tensor that finish() fills with zeros; of 32 bits."""
        self._zeros.append((self.tensor(kind, *extents), 4 * int(np.prod(extents))))
        return self._zeros[-1][0]

    def call(self, function: str, *arguments: int | float) -> int:
        """The result of an operation: ggml's function of that name on tensors and numbers."""
        return getattr(self.library, function)(self._context, *arguments)

    def place(self, tensor: int, memory: int) -> None:
        """Gives one tensor memory of a kind; the others get plain memory in finish()."""
        library = self.library
        buffer = library.backend_buft_alloc_buffer(memory, library.backend_buft_get_alloc_size(memory, tensor))
        self._buffers.append(buffer)
        library.backend_tensor_alloc(buffer, tensor, library.backend_buffer_get_base(buffer))

    def mul_mat(self, weight: int, x: int) -> int:
        return self.library.mul_mat(self._context, weight, x)

    def flash_attention(self, q: int, k: int, v: int, mask: int | None, scale: float) -> int:
        return self.library.flash_attn_ext(self._context, q, k, v, mask, scale, 0.0, 0.0)

    def supports(self, result: int) -> bool:
        return self.library.backend_dev_supports_op(self.library.device, result)

    def finish(self, result: int) -> None:
        library = self.library
        self._graph, self._result = library.new_graph(self._context), result
        library.build_forward_expand(self._graph, result)
        self._buffers.append(library.backend_alloc_ctx_tensors_from_buft(self._context, library.host))
        for tensor, bytes_ in self._zeros:
            self.set(tensor, np.zeros(bytes_, np.uint8))
        self._plan = library.graph_plan(self._graph, library.threads, library.pool)
        self._work = np.empty(self._plan.work_size + 64, np.uint8)
        self._plan.work_data = self._work.ctypes.data

    def set(self, tensor: int, stored: np.ndarray) -> None:
        """What rounded() made of an array; memory that packs does so now."""
        self.library.backend_tensor_set(tensor, stored.ctypes.data, 0, stored.nbytes)

    def compute(self) -> None:
        if self.library.graph_compute(self._graph, ctypes.byref(self._plan)) != 0:
            raise RuntimeError("ggml_graph_compute failed")

    def output(self, shape: tuple[int, ...]) -> np.ndarray:
        """A view of the result."""
        data = ctypes.cast(self.library.get_data(self._result), POINTER(c_float))
        return np.ctypeslib.as_array(data, (int(np.prod(shape)),)).reshape(shape)
