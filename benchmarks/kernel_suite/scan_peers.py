# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Scans by PyTorch: the functions that the models of `transformers` call where no library of kernels is installed."""

from collections.abc import Callable

from minilm.peers import Unavailable

from . import scans
from .cases import Scan

# Of 64, 128 and 256 (what the models' configurations say) the fastest here, nearly twice as fast as 256.
CHUNK = 64


def _tensors(library, case: Scan) -> dict:
    """With a batch of one where there are steps."""
    dims = scans.FAMILIES[case.family].inputs
    tensors = {name: library.from_numpy(array).clone() for name, array in case.inputs().items()}  # aligned by PyTorch
    return {name: tensor[None] if "l" in dims[name] else tensor for name, tensor in tensors.items()}


def _mamba(library, case: Scan, compiled: bool) -> Callable[[], object]:
    from transformers.models.mamba.modeling_mamba import mamba_selective_scan

    x = _tensors(library, case)
    # [batch, channels, steps], as the mixer leaves them after its convolution; b and c as views of [batch, steps, n].
    u, dt = (x[name].transpose(1, 2).contiguous() for name in ("u", "dt"))
    gate = x["z"].transpose(1, 2).contiguous() if "z" in x else None
    b, c = (x[name].transpose(1, 2) for name in "bc")

    def scan():
        return mamba_selective_scan(u, dt, x["a"], b, c, D=x["d"], z=gate, delta_softplus=True,
                                    use_associative_scan=compiled)

    run = library.compile(scan) if compiled else scan
    return lambda: run().transpose(1, 2)


def _mamba2(library, case: Scan, compiled: bool) -> Callable[[], object]:
    from transformers.models.mamba2.modeling_mamba2 import mamba2_chunk_scan

    x = _tensors(library, case)
    run = library.compile(mamba2_chunk_scan) if compiled else mamba2_chunk_scan
    return lambda: run(x["u"], x["dt"], x["a"], x["b"], x["c"], CHUNK, D=x["d"], dt_softplus=True)


def _delta(library, case: Scan, compiled: bool) -> Callable[[], object]:
    from transformers.models.qwen3_next import modeling_qwen3_next as qwen

    # torch_recurrent_gated_delta_rule, which decoding uses, takes twice as long.
    chunked = qwen.torch_chunk_gated_delta_rule
    x = _tensors(library, case)
    run = library.compile(chunked) if compiled else chunked
    return lambda: run(x["q"], x["k"], x["v"], x["g"], x["beta"], CHUNK)[0]


def _gla(library, case: Scan, compiled: bool) -> Callable[[], object]:
    """The definition step by step: no model of `transformers` has this recurrence."""
    if compiled:
        raise Unavailable("unrolled for each step, which takes too long to compile")
    x = _tensors(library, case)
    scale = case.keys**-0.5

    def scan():
        state = library.zeros(case.heads, case.keys, case.values)
        outputs = []
        for q, k, v, g in zip(x["q"][0], x["k"][0], x["v"][0], x["g"][0]):
            state = g[:, :, None] * state + k[:, :, None] * v[:, None, :]
            outputs.append(library.matmul(q[:, None, :], state))
        return library.stack(outputs) * scale

    return scan


_FAMILIES = {"mamba": _mamba, "mamba gated": _mamba, "mamba2": _mamba2, "gated delta": _delta, "gla": _gla}


def torch(library, case: Scan, compiled: bool = False) -> Callable[[], object]:
    return _FAMILIES[case.family](library, case, compiled)
