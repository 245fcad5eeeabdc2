# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The engines that run the whole model. `prepare` takes a Work; its call gives the scores of the next token, or what
a Stream tells."""

import resource
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from minilm.peers import Peer, Setting, Unavailable
from model_suite import works
from model_suite.works import Call, Decode, Prefill

from . import model


@dataclass(frozen=True)
class Stream:
    """Tokens in parts, the state carried from part to part: a row for each of `lengths` with the resident memory and
    the bytes of the states after so many tokens."""

    part: int
    lengths: tuple[int, ...]


Work = Prefill | Decode | Stream


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


class _Weft(works.Weft):
    def __init__(self, setting: Setting, sizes: model.Sizes):
        super().__init__(setting, sizes.vocabulary)
        self.sizes = sizes

    def stream(self, work: Stream) -> Call:
        ids = model.tokens(self.sizes, max(work.lengths))
        part = np.empty(work.part, np.int64)
        run = self.entry("prefill", part)

        def call() -> np.ndarray:
            self.session.reset()
            rows = []
            for end in range(work.part, len(ids) + 1, work.part):
                part[:] = ids[end - work.part : end]
                run()
                if end in work.lengths:
                    rows.append([_resident_bytes(), self.session.state_bytes()])
            return np.array(rows)

        return call


def weft(setting: Setting, sizes: model.Sizes) -> Peer:
    engine = _Weft(setting, sizes)

    def prepare(work: Work) -> Call:
        if isinstance(work, Stream):
            return engine.stream(work)
        if isinstance(work, Prefill):
            return engine.prefill(model.tokens(sizes, work.tokens))
        return engine.decode(model.tokens(sizes, work.prompt + 1))

    note = f"prefill and decode by the C runtime, variant {engine.session.variant}"
    return Peer("weft", engine.session.version, prepare, note=note)


MOST_TORCH_TOKENS = 512


def _torch(name: str, compiled: bool, setting: Setting, sizes: model.Sizes) -> Peer:
    import torch
    from transformers import MambaForCausalLM

    torch.set_num_threads(setting.threads)
    torch.set_grad_enabled(False)
    plain = MambaForCausalLM.from_pretrained(setting.model).eval()
    module = torch.compile(plain) if compiled else plain

    def prefill(ids: np.ndarray) -> Call:
        tensor = torch.from_numpy(ids)[None]
        return lambda: module(tensor, use_cache=True, logits_to_keep=1).logits[0, -1]

    def decode(ids: np.ndarray) -> Call:
        cache = plain(torch.from_numpy(ids[:-1])[None], use_cache=True, logits_to_keep=1).cache_params
        token = torch.from_numpy(ids[-1:])[None]
        return lambda: module(token, cache_params=cache, use_cache=True).logits[0, -1]

    def prepare(work: Work) -> Call:
        if isinstance(work, Stream) or (isinstance(work, Prefill) and work.tokens > MOST_TORCH_TOKENS):
            raise Unavailable("the slow path holds a state for each token")
        if isinstance(work, Prefill):
            return prefill(model.tokens(sizes, work.tokens))
        return decode(model.tokens(sizes, work.prompt + 1))

    note = "transformers without its libraries of kernels, " + ("torch.compile" if compiled else "eager")
    return Peer(name, torch.__version__, prepare, lambda tensor: tensor.numpy(), note)


def llama_cpp(setting: Setting, sizes: model.Sizes) -> Peer:
    from llama_cpp import build, llama

    engine = llama.Model(build.libraries(), model.gguf(setting.cache, setting.model), sizes.vocabulary, setting.threads)

    def prepare(work: Work) -> Call:
        if isinstance(work, Stream):
            raise Unavailable("its memory is not compared")
        ids = model.tokens(sizes, work.tokens if isinstance(work, Prefill) else work.prompt + 1)
        engine.restart()
        if isinstance(work, Decode):
            engine.run(ids[:-1])
            return partial(engine.run, ids[-1:])

        def call() -> np.ndarray:
            engine.restart()
            return engine.run(ids)

        return call

    return Peer("llama.cpp", build.VERSION, prepare, np.array, "GGUF of arch mamba, float32")


ALL: dict[str, Callable[[Setting, model.Sizes], Peer]] = {
    "weft": weft,
    "torch": partial(_torch, "torch", False),
    "torch-compile": partial(_torch, "torch-compile", True),
    "llama.cpp": llama_cpp,
}
