# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A Mixtral of 214 million parameters with random weights in float32: as a Hugging Face directory, as GGUF, and its
sizes."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from model_suite import works

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


_WHOLE = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
_PARTS = {
    "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm", "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
    "block_sparse_moe.gate": "ffn_gate_inp",
}
_MATRICES = {"w1": "ffn_gate_exps", "w3": "ffn_up_exps", "w2": "ffn_down_exps"}


def _in_pairs(weight: np.ndarray, heads: int) -> np.ndarray:
    """Rows in the order of llama.cpp's arch llama, which turns neighbours: transformers turns the halves of a head."""
    return weight.reshape(heads, 2, -1, weight.shape[-1]).swapaxes(1, 2).reshape(weight.shape)


def _renamed(arrays: dict[str, np.ndarray], sizes: Sizes) -> dict[str, np.ndarray]:
    """llama.cpp's names and arrays, as its convert_hf_to_gguf writes them for Mixtral."""
    made = {f"{new}.weight": arrays[f"{old}.weight"] for old, new in _WHOLE.items()}
    for layer in range(sizes.layers):
        for old, new in _PARTS.items():
            array = arrays[f"model.layers.{layer}.{old}.weight"]
            if new in ("attn_q", "attn_k"):
                array = _in_pairs(array, sizes.heads if new == "attn_q" else sizes.key_heads)
            made[f"blk.{layer}.{new}.weight"] = array
        for old, new in _MATRICES.items():
            names = [f"model.layers.{layer}.block_sparse_moe.experts.{e}.{old}.weight" for e in range(sizes.experts)]
            made[f"blk.{layer}.{new}.weight"] = np.stack([arrays[name] for name in names])
    return made


def gguf(cache: Path, source: Path, sizes: Sizes) -> Path:
    """The same weights for llama.cpp, made once."""
    made = cache / f"{source.name}.gguf"
    if made.exists():
        return made
    from gguf import GGUFWriter
    from safetensors.numpy import load_file

    config = json.loads((source / "config.json").read_text())
    scratch = cache / "unfinished.gguf"
    writer = GGUFWriter(scratch, "llama")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(sizes.hidden)
    writer.add_feed_forward_length(sizes.inner)
    writer.add_block_count(sizes.layers)
    writer.add_head_count(sizes.heads)
    writer.add_head_count_kv(sizes.key_heads)
    writer.add_rope_dimension_count(sizes.hidden // sizes.heads)
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_expert_count(sizes.experts)
    writer.add_expert_used_count(sizes.chosen)
    writer.add_file_type(0)  # all in float32
    writer.add_tokenizer_model("none")
    writer.add_vocab_size(sizes.vocabulary)
    for name, array in _renamed(load_file(source / "model.safetensors"), sizes).items():
        writer.add_tensor(name, array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    scratch.rename(made)
    return made
