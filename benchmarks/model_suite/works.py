# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What an engine is asked to do; its call gives the scores of the next token. And what the engines have in common."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from minilm.peers import Setting, Unavailable

Call = Callable[[], object]


@dataclass(frozen=True)
class Prefill:
    """So many tokens in one call, from an empty state."""

    tokens: int


@dataclass(frozen=True)
class Decode:
    """One token a call, after a prompt."""

    prompt: int


def tokens(seed: int, vocabulary: int, count: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, vocabulary, count, dtype=np.int64)


def folder(made: Path, seed: int, model: Callable[[], object]) -> Path:
    """The Hugging Face directory of a model of random weights, made once."""
    if made.exists():
        return made
    import torch

    torch.manual_seed(seed)
    scratch = made.with_name("unfinished")
    shutil.rmtree(scratch, ignore_errors=True)
    model().save_pretrained(scratch)
    scratch.rename(made)
    return made


def reference(source: Path, ids: np.ndarray, last: int, **options: str) -> np.ndarray:
    """The scores [last, vocabulary] after each of the last tokens, by PyTorch in float64 (but for what transformers
    itself rounds to float32 on the way: the rates, B and the scan's input of Mamba, a router's softmax); computed once. Options are from_pretrained's."""
    made = source / f"scores-{len(ids)}-{last}.npy"
    if made.exists():
        return np.load(made)
    import torch
    from transformers import AutoModelForCausalLM

    module = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float64, **options).eval()
    with torch.no_grad():
        scores = module(torch.from_numpy(ids)[None], use_cache=False, logits_to_keep=last).logits[0].double().numpy()
    np.save(made, scores)
    return scores


class Weft:
    """An artifact with the entries prefill and decode, compiled where it is not given."""

    def __init__(self, setting: Setting, vocabulary: int, options: tuple[str, ...] = ()):
        from minilm.peers.weft import compiled, runtime
        from minilm.weft_runtime import Session, WeftError

        made = setting.cache / f"{setting.model.name}.weft"
        options = ("--target", "cpu:native", "--threads", "1", *options)
        try:
            artifact = setting.artifact or compiled(setting, setting.model, made, *options)
            self.session = Session(runtime(setting), artifact, setting.threads)
        except WeftError as error:
            raise Unavailable(str(error)) from error
        self.vocabulary = vocabulary

    def entry(self, name: str, ids: np.ndarray, **others: np.ndarray) -> Call:
        scores = np.empty((1, self.vocabulary), np.float32)
        inputs = {"input_ids": ids[None], **{key: array[None] for key, array in others.items()}}
        run = self.session.bind(inputs, {"logits": scores}, name)

        def call() -> np.ndarray:
            run()
            return scores[0]

        return call

    def prefill(self, ids: np.ndarray) -> Call:
        # A position of 0 starts the sequence anew.
        return self.entry("prefill", ids, position_ids=np.arange(len(ids), dtype=np.int64))

    def decode(self, ids: np.ndarray) -> Call:
        """The last token, after the others."""
        self.session.reset()
        self.entry("prefill", ids[:-1])()
        return self.entry("decode", ids[-1:])
