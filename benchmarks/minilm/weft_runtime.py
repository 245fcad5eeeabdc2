# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The parts of runtime/include/weft/runtime.h that a benchmark needs, by ctypes."""

import ctypes
import time
from pathlib import Path

import numpy as np

MAX_RANK = 8
# 16 bits without a sign are a bfloat16, which NumPy has no type for.
DTYPES = {np.dtype(kind): code for kind, code in
          ((np.float32, 1), (np.float16, 3), (np.uint16, 4), (np.int8, 5), (np.int32, 7), (np.int64, 8))}


class _Tensor(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("data", ctypes.c_void_p),
        ("bytes", ctypes.c_uint64),
        ("dtype", ctypes.c_int32),
        ("rank", ctypes.c_int32),
        ("shape", ctypes.c_int64 * MAX_RANK),
    ]


class _SessionOptions(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_size_t),
        ("threads", ctypes.c_int32),
        ("variant", ctypes.c_char_p),
        ("dim_limits", ctypes.c_void_p),
        ("dim_limit_count", ctypes.c_size_t),
        ("executor", ctypes.c_void_p),
    ]


class _SessionInfo(ctypes.Structure):
    _fields_ = [
        ("threads", ctypes.c_int32),
        ("arena_bytes", ctypes.c_uint64),
        ("reserved_bytes", ctypes.c_uint64),
        ("state_bytes", ctypes.c_uint64),
    ]


INCOMPATIBLE = 6  # weft_status: the processor lacks what a variant needs


class WeftError(RuntimeError):
    """What weft_last_error says, with the status."""

    def __init__(self, status: int, text: str):
        super().__init__(text)
        self.status = status


def _tensor(name: str, array: np.ndarray) -> _Tensor:
    tensor = _Tensor(name.encode(), array.ctypes.data, array.nbytes, DTYPES[array.dtype], array.ndim)
    tensor.shape[: array.ndim] = array.shape
    return tensor


class Session:
    """An open artifact with a session of so many threads; `variant` None is the best one of this processor."""

    def __init__(self, library: Path, artifact: Path, threads: int, variant: str | None = None):
        start = time.perf_counter()
        lib = ctypes.CDLL(str(library))
        lib.weft_last_error.restype = ctypes.c_char_p
        lib.weft_version.restype = ctypes.c_char_p
        lib.weft_session_variant.restype = ctypes.c_char_p
        lib.weft_session_variant.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
        tensors = ctypes.POINTER(_Tensor)
        lib.weft_run.argtypes = [ctypes.c_void_p, ctypes.c_char_p, tensors, ctypes.c_size_t, tensors, ctypes.c_size_t]
        lib.weft_session_describe.argtypes = [ctypes.c_void_p, ctypes.POINTER(_SessionInfo)]
        lib.weft_session_reset.argtypes = [ctypes.c_void_p]
        lib.weft_session_set_state.argtypes = [ctypes.c_void_p, tensors]
        lib.weft_session_free.argtypes = [ctypes.c_void_p]
        lib.weft_session_free.restype = None
        self._lib = lib
        model = ctypes.c_void_p()
        linked = time.perf_counter()
        self._check(lib.weft_open(str(artifact).encode(), None, ctypes.byref(model)))
        opened = time.perf_counter()
        options = _SessionOptions(ctypes.sizeof(_SessionOptions), threads, variant.encode() if variant else None)
        self._session = ctypes.c_void_p()
        self._check(lib.weft_session_new(model, ctypes.byref(options), ctypes.byref(self._session)))
        # Of each step: the runtime into this process, the artifact checked and opened, the session made.
        self.seconds = {"dlopen": linked - start, "open": opened - linked, "session": time.perf_counter() - opened}
        lib.weft_close(model)  # the session keeps what it needs
        self.version = lib.weft_version().decode()
        self.variant = (lib.weft_session_variant(self._session, None) or b"unknown").decode()

    def close(self) -> None:
        """Frees the session; its calls must not be used any more."""
        self._lib.weft_session_free(self._session)
        self._session = ctypes.c_void_p()

    def reset(self) -> None:
        """Forgets the states that live from call to call."""
        self._check(self._lib.weft_session_reset(self._session))

    def state(self, name: str, array: np.ndarray):
        """A call that sets this state to what the array then holds."""
        tensor, set_state = _tensor(name, array), self._lib.weft_session_set_state

        def call() -> None:
            self._check(set_state(self._session, ctypes.byref(tensor)))

        call.alive = array  # the tensor points into it
        return call

    def state_bytes(self) -> int:
        """Of these states."""
        info = _SessionInfo()
        self._check(self._lib.weft_session_describe(self._session, ctypes.byref(info)))
        return info.state_bytes

    def _check(self, status: int) -> None:
        if status != 0:
            raise WeftError(status, self._lib.weft_last_error().decode())

    def bind(self, inputs: dict[str, np.ndarray], outputs: dict[str, np.ndarray], entry: str | None = None):
        """A call that runs the entry (None: the first one) on `inputs` and fills `outputs`, which have the names of the
        model's."""
        feed = (_Tensor * len(inputs))(*(_tensor(key, array) for key, array in inputs.items()))
        results = (_Tensor * len(outputs))(*(_tensor(key, array) for key, array in outputs.items()))
        run, session, in_count, out_count = self._lib.weft_run, self._session, len(inputs), len(outputs)
        name = entry.encode() if entry else None

        def call() -> None:
            status = run(session, name, feed, in_count, results, out_count)
            if status != 0:
                self._check(status)

        call.alive = (inputs, outputs)  # the call points into these
        return call
