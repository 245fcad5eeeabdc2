# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Mamba of the 130M shape with random weights in float32: as a Hugging Face directory, as GGUF, and its sizes."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from model_suite import works

SEED = 6
# Changed with what is written below, so that older files are not used.
EDITION = 3


@dataclass(frozen=True)
class Sizes:
    """Of state-spaces/mamba-130m: https://huggingface.co/state-spaces/mamba-130m-hf"""

    layers: int = 24
    hidden: int = 768
    vocabulary: int = 50280

    @property
    def name(self) -> str:
        return f"mamba-{self.layers}x{self.hidden}-{EDITION}"


def folder(cache: Path, sizes: Sizes) -> Path:
    """The Hugging Face directory, made once. The head is tied to the embeddings, as there."""

    def make() -> object:
        from transformers import MambaConfig, MambaForCausalLM

        # With the default range of 0.1 the scores of float32 are 1e-4 from those of float64 in all engines.
        config = MambaConfig(hidden_size=sizes.hidden, num_hidden_layers=sizes.layers, vocab_size=sizes.vocabulary,
                             initializer_range=0.02)
        return MambaForCausalLM(config)

    return works.folder(cache / sizes.name, SEED, make)


def tokens(sizes: Sizes, count: int) -> np.ndarray:
    return works.tokens(SEED, sizes.vocabulary, count)


def _gguf_name(name: str) -> str:
    """llama.cpp's name of a tensor, as its convert_hf_to_gguf writes it for Mamba."""
    whole = {"backbone.embeddings.weight": "token_embd.weight", "backbone.norm_f.weight": "output_norm.weight"}
    if name in whole:
        return whole[name]
    layer, part = name.removeprefix("backbone.layers.").split(".", 1)
    if part == "norm.weight":
        return f"blk.{layer}.attn_norm.weight"
    parts = {"A_log": "a", "D": "d", "conv1d": "conv1d", "dt_proj": "dt", "in_proj": "in", "out_proj": "out",
             "x_proj": "x"}
    head, *kind = part.removeprefix("mixer.").split(".")
    return ".".join([f"blk.{layer}.ssm_{parts[head]}", *kind])


def gguf(cache: Path, source: Path) -> Path:
    """The same weights for llama.cpp, made once."""
    made = cache / f"{source.name}.gguf"
    if made.exists():
        return made
    from gguf import GGUFWriter
    from safetensors.numpy import load_file

    config = json.loads((source / "config.json").read_text())
    scratch = cache / "unfinished.gguf"
    writer = GGUFWriter(scratch, "mamba")
    writer.add_context_length(1 << 20)
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(0)
    writer.add_head_count(0)
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_ssm_conv_kernel(config["conv_kernel"])
    writer.add_ssm_inner_size(config["expand"] * config["hidden_size"])
    writer.add_ssm_state_size(config["state_size"])
    writer.add_ssm_time_step_rank(config["time_step_rank"])
    writer.add_layer_norm_rms_eps(config["layer_norm_epsilon"])
    writer.add_file_type(0)  # all in float32
    writer.add_tokenizer_model("none")
    writer.add_vocab_size(config["vocab_size"])
    for name, array in load_file(source / "model.safetensors").items():
        if name.endswith(".A_log"):
            array = -np.exp(array)
        writer.add_tensor(_gguf_name(name), array.squeeze(1) if name.endswith("conv1d.weight") else array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    scratch.rename(made)
    return made


def weight_bytes(source: Path) -> int:
    """What a token's step reads: every weight once, the embeddings as the head."""
    return (source / "model.safetensors").stat().st_size
