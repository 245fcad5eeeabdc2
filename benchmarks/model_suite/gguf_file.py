# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Models of llama.cpp's arch llama as GGUF files in float32."""

import json
from pathlib import Path

import numpy as np

WHOLE = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
PARTS = {
    "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm", "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
}


def in_pairs(weight: np.ndarray, heads: int) -> np.ndarray:
    """Rows in the order of llama.cpp's arch llama, which turns neighbours: transformers turns the halves of a head."""
    return weight.reshape(heads, 2, -1, weight.shape[-1]).swapaxes(1, 2).reshape(weight.shape)


def renamed(arrays: dict[str, np.ndarray], sizes, parts: dict[str, str]) -> dict[str, np.ndarray]:
    """llama.cpp's names and arrays of what each layer has one of, as its convert_hf_to_gguf writes them."""
    made = {f"{new}.weight": arrays[f"{old}.weight"] for old, new in WHOLE.items()}
    for layer in range(sizes.layers):
        for old, new in parts.items():
            array = arrays[f"model.layers.{layer}.{old}.weight"]
            if new in ("attn_q", "attn_k"):
                array = in_pairs(array, sizes.heads if new == "attn_q" else sizes.key_heads)
            made[f"blk.{layer}.{new}.weight"] = array
    return made


def write(made: Path, source: Path, sizes, arrays_of, describe=lambda writer: None) -> Path:
    """The file `made` of the folder `source`, once. `arrays_of` gives llama.cpp's arrays of those in the folder."""
    if made.exists():
        return made
    from gguf import GGUFWriter
    from safetensors.numpy import load_file

    config = json.loads((source / "config.json").read_text())
    scratch = made.with_name("unfinished.gguf")
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
    describe(writer)
    writer.add_file_type(0)  # all in float32
    writer.add_tokenizer_model("none")
    writer.add_vocab_size(sizes.vocabulary)
    for name, array in arrays_of(load_file(source / "model.safetensors")).items():
        writer.add_tensor(name, array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    scratch.rename(made)
    return made
