# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The parts of llama.cpp's C interface (include/llama.h of build.VERSION) that running a model needs, by ctypes."""

import ctypes
from ctypes import POINTER, Structure, c_bool, c_char_p, c_float, c_int32, c_size_t, c_uint32, c_void_p
from pathlib import Path

import numpy as np


class _ModelParams(Structure):
    _fields_ = [
        *((name, c_void_p) for name in ("devices", "tensor_buft_overrides")),
        *((name, c_int32) for name in ("n_gpu_layers", "split_mode", "load_mode", "lazy_mode", "main_gpu")),
        *((name, c_void_p) for name in ("tensor_split", "progress", "progress_data", "kv_overrides")),
        *((name, c_bool) for name in ("vocab_only", "check_tensors", "extra_bufts", "no_host", "no_alloc", "load_mtp")),
    ]


class _ContextParams(Structure):
    _fields_ = [
        *((name, c_uint32) for name in ("n_ctx", "n_batch", "n_ubatch", "n_seq_max", "n_rs_seq", "n_outputs_max",
                                        "n_outputs_max_per_seq")),
        *((name, c_int32) for name in ("n_threads", "n_threads_batch", "ctx_type", "rope_scaling", "pooling",
                                       "attention", "flash_attn")),
        *((name, c_float) for name in ("rope_base", "rope_scale", "yarn_ext", "yarn_attn", "yarn_fast", "yarn_slow")),
        ("yarn_orig_ctx", c_uint32),
        ("defrag", c_float),
        *((name, c_void_p) for name in ("eval", "eval_data")),
        *((name, c_int32) for name in ("type_k", "type_v")),
        *((name, c_void_p) for name in ("abort", "abort_data")),
        *((name, c_bool) for name in ("embeddings", "offload_kqv", "no_perf", "op_offload", "swa_full", "kv_unified")),
        ("samplers", c_void_p),
        ("n_samplers", c_size_t),
        ("other", c_void_p),
    ]


class _Batch(Structure):
    _fields_ = [("n_tokens", c_int32), *((name, c_void_p) for name in ("token", "embd", "pos", "n_seq_id", "seq_id",
                                                                      "logits"))]


_FUNCTIONS = {
    "backend_init": (None, []),
    "log_set": (None, [c_void_p, c_void_p]),
    "model_default_params": (_ModelParams, []),
    "context_default_params": (_ContextParams, []),
    "model_load_from_file": (c_void_p, [c_char_p, _ModelParams]),
    "init_from_model": (c_void_p, [c_void_p, _ContextParams]),
    "batch_get_one": (_Batch, [c_void_p, c_int32]),
    "decode": (c_int32, [c_void_p, _Batch]),
    "get_logits_ith": (POINTER(c_float), [c_void_p, c_int32]),
    "get_memory": (c_void_p, [c_void_p]),
    "memory_clear": (None, [c_void_p, c_bool]),
    "memory_seq_rm": (c_bool, [c_void_p, c_int32, c_int32, c_int32]),
}
MOST_TOKENS = 1 << 20
F32 = 0  # ggml_type


class Model:
    """A model of a GGUF file and one sequence of at most `context` tokens that it continues; keys and values in f32."""

    def __init__(self, folder: Path, file: Path, vocabulary: int, threads: int, context: int = MOST_TOKENS):
        # Relative to each other they are found by their run paths.
        library = ctypes.CDLL(str(folder / "libllama.so"), mode=ctypes.RTLD_GLOBAL)
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(library, f"llama_{name}")
            function.restype, function.argtypes = result, arguments
            setattr(self, f"_{name}", function)
        self._quiet = ctypes.CFUNCTYPE(None, c_int32, c_char_p, c_void_p)(lambda *_: None)
        self._log_set(self._quiet, None)
        self._backend_init()
        model = self._model_load_from_file(str(file).encode(), self._model_default_params())
        if not model:
            raise RuntimeError(f"llama.cpp does not load {file}")
        params = self._context_default_params()
        params.n_ctx = params.n_batch = context
        params.type_k = params.type_v = F32
        params.flash_attn = 0  # it rounds to f16 on the way, and is 1e-3 from float64
        params.n_threads = params.n_threads_batch = threads
        params.no_perf = True
        self._context = self._init_from_model(model, params)
        if not self._context:
            raise RuntimeError("llama.cpp makes no context")
        self._vocabulary = vocabulary

    def restart(self) -> None:
        self._memory_clear(self._get_memory(self._context), True)

    def rewind(self, position: int) -> None:
        """Forgets the tokens from this one on."""
        if not self._memory_seq_rm(self._get_memory(self._context), 0, position, -1):
            raise RuntimeError("llama.cpp does not forget a part of its sequence")

    def run(self, tokens: np.ndarray) -> np.ndarray:
        """Scores of the token after these, which continue the sequence."""
        tokens = np.ascontiguousarray(tokens, np.int32)
        status = self._decode(self._context, self._batch_get_one(tokens.ctypes.data, len(tokens)))
        if status != 0:
            raise RuntimeError(f"llama_decode failed with {status}")
        return np.ctypeslib.as_array(self._get_logits_ith(self._context, -1), (self._vocabulary,))
