# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A Mixtral of 214 million parameters with random weights in float32: as a Hugging Face directory, as GGUF, and its
sizes."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from model_suite import gguf_file, works

SEED = 7
# Changed with what is written below, so that older files are not used.
EDITION = 1


@dataclass(frozen=True)
class Sizes:
    """Mixtral 8x7B's proportions: 8 experts of which a token takes 2, 3.5 times as wide as the model; four heads to a
    pair of key and value."""

    layers: int = 8
    hidden: int = 512
    inner: int = 1792
    heads: int = 8
    key_heads: int = 2
    experts: int = 8
    chosen: int = 2
    vocabulary: int = 32000

    @property
    def name(self) -> str:
        return f"mixtral-{self.layers}x{self.hidden}-{EDITION}"

    def step_bytes(self) -> int:
        """What a token's step reads in float32: the matrices, of the experts the chosen ones, and the head."""
        head_width = self.hidden // self.heads
        attention = 2 * self.hidden * (self.heads + self.key_heads) * head_width
        experts = self.chosen * 3 * self.hidden * self.inner + self.experts * self.hidden
        return 4 * (self.layers * (attention + experts) + self.vocabulary * self.hidden)


def folder(cache: Path, sizes: Sizes) -> Path:
    """The Hugging Face directory, made once."""

    def make() -> object:
        from transformers import MixtralConfig, MixtralForCausalLM

        config = MixtralConfig(
            hidden_size=sizes.hidden, intermediate_size=sizes.inner, num_hidden_layers=sizes.layers,
            num_attention_heads=sizes.heads, num_key_value_heads=sizes.key_heads, num_local_experts=sizes.experts,
            num_experts_per_tok=sizes.chosen, vocab_size=sizes.vocabulary, max_position_embeddings=4096)
        return MixtralForCausalLM(config)

    return works.folder(cache / sizes.name, SEED, make)


def tokens(sizes: Sizes, count: int) -> np.ndarray:
    return works.tokens(SEED, sizes.vocabulary, count)


_PARTS = {**gguf_file.PARTS, "block_sparse_moe.gate": "ffn_gate_inp"}
_MATRICES = {"w1": "ffn_gate_exps", "w3": "ffn_up_exps", "w2": "ffn_down_exps"}


def gguf(cache: Path, source: Path, sizes: Sizes) -> Path:
    """The same weights for llama.cpp, made once."""

    def arrays_of(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        made = gguf_file.renamed(arrays, sizes, _PARTS)
        for layer in range(sizes.layers):
            for old, new in _MATRICES.items():
                names = [f"model.layers.{layer}.block_sparse_moe.experts.{e}.{old}.weight" for e in range(sizes.experts)]
                made[f"blk.{layer}.{new}.weight"] = np.stack([arrays[name] for name in names])
        return made

    def describe(writer) -> None:
        writer.add_expert_count(sizes.experts)
        writer.add_expert_used_count(sizes.chosen)

    return gguf_file.write(cache / f"{source.name}.gguf", source, sizes, arrays_of, describe)
