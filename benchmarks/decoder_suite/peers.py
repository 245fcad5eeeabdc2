# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The engines that run the whole model. Decoding repeats the token after the prompt, and each call goes back to it, so
that all see one context."""

from collections.abc import Callable
from functools import partial

import numpy as np
from minilm.peers import Peer, Setting
from model_suite import works
from model_suite.works import Call, Decode, Prefill

from . import model

Work = Prefill | Decode
CONTEXT = 1024  # room for tokens


def _ids(sizes: model.Sizes, work: Work) -> np.ndarray:
    return model.tokens(sizes, work.tokens if isinstance(work, Prefill) else work.prompt + 1)


def weft(setting: Setting, sizes: model.Sizes) -> Peer:
    engine = works.Weft(setting, sizes.vocabulary, ("--shape", f"context=1..{CONTEXT}"))

    def prepare(work: Work) -> Call:
        ids = _ids(sizes, work)
        if isinstance(work, Prefill):
            return engine.prefill(ids)
        decode = engine.decode(ids)
        go_back = engine.session.state("positions", np.array([work.prompt], np.int64))

        def call() -> np.ndarray:
            go_back()
            return decode()

        return call

    note = f"prefill and decode by the C runtime, variant {engine.session.variant}"
    return Peer("weft", engine.session.version, prepare, note=note)


def _torch(name: str, setting: Setting, sizes: model.Sizes) -> Peer:
    import torch
    from transformers import LlamaForCausalLM

    torch.set_num_threads(setting.threads)
    torch.set_grad_enabled(False)
    plain = LlamaForCausalLM.from_pretrained(setting.model).eval()
    module = torch.compile(plain) if name == "torch-compile" else plain

    def decode(ids: np.ndarray) -> Call:
        cache = plain(torch.from_numpy(ids[:-1])[None], use_cache=True, logits_to_keep=1).past_key_values
        token = torch.from_numpy(ids[-1:])[None]

        def call():
            scores = module(token, past_key_values=cache, use_cache=True).logits[0, -1]
            cache.crop(-1)
            return scores

        return call

    def prepare(work: Work) -> Call:
        ids = _ids(sizes, work)
        if isinstance(work, Decode):
            return decode(ids)
        tensor = torch.from_numpy(ids)[None]
        return lambda: module(tensor, use_cache=True, logits_to_keep=1).logits[0, -1]

    note = "transformers" + (", torch.compile" if name == "torch-compile" else "")
    return Peer(name, torch.__version__, prepare, lambda tensor: tensor.numpy(), note)


def llama_cpp(setting: Setting, sizes: model.Sizes) -> Peer:
    from llama_cpp import build, llama

    file = model.gguf(setting.cache, setting.model, sizes)
    engine = llama.Model(build.libraries(), file, sizes.vocabulary, setting.threads, CONTEXT)

    def prepare(work: Work) -> Call:
        ids = _ids(sizes, work)
        engine.restart()
        kept = 0
        if isinstance(work, Decode):
            engine.run(ids[:-1])
            kept = work.prompt

        def call() -> np.ndarray:
            engine.rewind(kept)
            return engine.run(ids[kept:])

        return call

    return Peer("llama.cpp", build.VERSION, prepare, np.array, "GGUF of arch llama, float32")


ALL: dict[str, Callable[[Setting, model.Sizes], Peer]] = {
    "weft": weft, **{name: partial(_torch, name) for name in ("torch", "torch-compile")}, "llama.cpp": llama_cpp
}
