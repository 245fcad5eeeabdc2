# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A Llama of 183 million parameters with random weights in float32: as a Hugging Face directory, as GGUF, and its sizes."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from model_suite import gguf_file, works

SEED = 11
# Changed with what is written below, so that older files are not used.
EDITION = 1


@dataclass(frozen=True)
class Sizes:
    """Llama 3's proportions: an MLP 3.5 times as wide as the model, four heads to a pair of key and value."""

    layers: int = 12
    hidden: int = 896
    inner: int = 3136
    heads: int = 16
    key_heads: int = 4
    vocabulary: int = 32000

    @property
    def name(self) -> str:
        return f"llama-{self.layers}x{self.hidden}-{EDITION}"

    def step_bytes(self) -> int:
        """What a token's step reads in float32: the matrices and the head."""
        head_width = self.hidden // self.heads
        attention = 2 * self.hidden * (self.heads + self.key_heads) * head_width
        return 4 * (self.layers * (attention + 3 * self.hidden * self.inner) + self.vocabulary * self.hidden)


def folder(cache: Path, sizes: Sizes) -> Path:
    """The Hugging Face directory, made once."""

    def make() -> object:
        from transformers import LlamaConfig, LlamaForCausalLM

        config = LlamaConfig(
            hidden_size=sizes.hidden, intermediate_size=sizes.inner, num_hidden_layers=sizes.layers,
            num_attention_heads=sizes.heads, num_key_value_heads=sizes.key_heads, vocab_size=sizes.vocabulary,
            max_position_embeddings=4096)
        return LlamaForCausalLM(config)

    return works.folder(cache / sizes.name, SEED, make)


def tokens(sizes: Sizes, count: int) -> np.ndarray:
    return works.tokens(SEED, sizes.vocabulary, count)


_PARTS = {**gguf_file.PARTS, "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down"}


def gguf(cache: Path, source: Path, sizes: Sizes) -> Path:
    """The same weights for llama.cpp, made once."""
    return gguf_file.write(cache / f"{source.name}.gguf", source, sizes,
                           lambda arrays: gguf_file.renamed(arrays, sizes, _PARTS))
