#!/usr/bin/env python3
# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""from_hf.py FOLDER OUT.gguf [--q8 | --rounded]: a fixture's folder as a GGUF file, as llama.cpp's convert_hf_to_gguf.py writes it.

Names, the order of rows and the values are changed as the converter changes them; F32, or Q8_0 where rows allow;
--rounded: F32 of the values that Q8_0 would have.
Only the standard library is used, so that tests can run it.
"""
import array
import json
import math
import pathlib
import re
import struct
import sys

ARCHITECTURES = {"mixtral": "llama", "llama": "llama", "mistral": "llama", "qwen2": "qwen2", "qwen3": "qwen3",
                 "qwen2_moe": "qwen2moe", "qwen3_moe": "qwen3moe", "olmoe": "olmoe", "gemma": "gemma",
                 "gemma2": "gemma2", "gemma3_text": "gemma3", "mamba": "mamba", "falcon_mamba": "mamba",
                 "mamba2": "mamba2", "granite": "granite", "olmo2": "olmo2", "starcoder2": "starcoder2", "phi3": "phi3",
                 "stablelm": "stablelm", "cohere": "command-r", "nemotron": "nemotron"}
KEYS = [("max_position_embeddings", "context_length"), ("hidden_size", "embedding_length"),
        ("num_hidden_layers", "block_count"), ("intermediate_size", "feed_forward_length"),
        ("num_attention_heads", "attention.head_count"), ("num_key_value_heads", "attention.head_count_kv"),
        ("head_dim", "attention.key_length"), ("head_dim", "attention.value_length"),
        ("rms_norm_eps", "attention.layer_norm_rms_epsilon"), ("rope_theta", "rope.freq_base"),
        ("sliding_window", "attention.sliding_window"), ("num_local_experts", "expert_count"),
        ("num_experts", "expert_count"), ("num_experts_per_tok", "expert_used_count"),
        ("moe_intermediate_size", "expert_feed_forward_length"),
        ("shared_expert_intermediate_size", "expert_shared_feed_forward_length"),
        ("norm_epsilon", "attention.layer_norm_epsilon"), ("layer_norm_eps", "attention.layer_norm_epsilon"),
        ("norm_eps", "attention.layer_norm_epsilon"), ("logit_scale", "logit_scale"), ("logits_scaling", "logit_scale"),
        ("embedding_multiplier", "embedding_scale"), ("residual_multiplier", "residual_scale"),
        ("attention_multiplier", "attention.scale"), ("use_parallel_residual", "use_parallel_residual"),
        ("clip_qkv", "attention.clamp_kqv"),
        ("attn_logit_softcapping", "attn_logit_softcapping"), ("final_logit_softcapping", "final_logit_softcapping")]
STATE_SPACE = [("hidden_size", "embedding_length"), ("num_hidden_layers", "block_count"),
               ("conv_kernel", "ssm.conv_kernel"), ("state_size", "ssm.state_size"), ("n_groups", "ssm.group_count"),
               ("layer_norm_epsilon", "attention.layer_norm_rms_epsilon")]
NAMES = [(r"embed_tokens|embeddings", "token_embd"), (r"norm|norm_f", "output_norm"), (r"lm_head", "output"),
         (r"layers\.(\d+)\.input_layernorm|layers\.(\d+)\.norm", "blk.#.attn_norm"),
         (r"layers\.(\d+)\.self_attn\.([qkv])_proj", "blk.#.attn_@"),
         (r"layers\.(\d+)\.self_attn\.([qk])_norm", "blk.#.attn_@_norm"),
         (r"layers\.(\d+)\.self_attn\.o_proj", "blk.#.attn_output"),
         (r"layers\.(\d+)\.mlp\.(gate|up|down)_proj", "blk.#.ffn_@"),
         (r"layers\.(\d+)\.self_attn\.(qkv)_proj", "blk.#.attn_@"),
         (r"layers\.(\d+)\.mlp\.(?:gate_up_proj|c_fc)", "blk.#.ffn_up"),
         (r"layers\.(\d+)\.mlp\.c_proj", "blk.#.ffn_down"),
         (r"layers\.(\d+)\.(?:mlp|block_sparse_moe)\.gate", "blk.#.ffn_gate_inp"),
         (r"layers\.(\d+)\.mlp\.shared_expert_gate", "blk.#.ffn_gate_inp_shexp"),
         (r"layers\.(\d+)\.mlp\.shared_expert\.(gate|up|down)_proj", "blk.#.ffn_@_shexp"),
         (r"layers\.(\d+)\.mixer\.(in|out|x|dt)_proj", "blk.#.ssm_@"),
         (r"layers\.(\d+)\.mixer\.(conv1d|norm)", "blk.#.ssm_@")]
EXPERT = re.compile(r"layers\.(\d+)\.(?:mlp|block_sparse_moe)\.experts\.(\d+)\.(\w+)\.weight")
EXPERT_PARTS = {"gate_proj": "gate", "up_proj": "up", "down_proj": "down", "w1": "gate", "w3": "up", "w2": "down"}
GEMMA_NORMS = {2: {"post_attention_layernorm": "post_attention_norm", "pre_feedforward_layernorm": "ffn_norm",
                   "post_feedforward_layernorm": "post_ffw_norm"}, 1: {"post_attention_layernorm": "ffn_norm"}}


def load(path):
    """The tensors of a safetensors file as (shape, floats), without a base prefix."""
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    tensors = {}
    for name, entry in json.loads(data[8:8 + length]).items():
        if name.startswith("__"):
            continue
        begin, end = entry["data_offsets"]
        raw = data[8 + length + begin:8 + length + end]
        if entry["dtype"] == "F32":
            values = list(array.array("f", raw))
        elif entry["dtype"] == "BF16":
            values = [struct.unpack("<f", b"\0\0" + raw[at:at + 2])[0] for at in range(0, len(raw), 2)]
        else:
            values = list(struct.unpack(f"<{len(raw) // 2}e", raw))
        tensors[re.sub(r"^(model|backbone)\.", "", name)] = (entry["shape"], values)
    return tensors


def rotate_pairs(shape, values, heads):
    """Rows i and i + d/2 of each head become rows 2i and 2i + 1."""
    width = len(values) // shape[0]
    half = shape[0] // heads // 2
    result = []
    for row in range(shape[0]):
        head, within = divmod(row, 2 * half)
        source = head * 2 * half + within // 2 + within % 2 * half
        result += values[source * width:source * width + width]
    return result


def rename(name, double_norms):
    stem, _, kind = name.rpartition(".")
    match = re.fullmatch(r"layers\.(\d+)\.(\w+_layernorm)", stem)
    if match and match[2] != "input_layernorm":
        return f"blk.{match[1]}.{GEMMA_NORMS[2 if double_norms else 1][match[2]]}.{kind}"
    match = re.fullmatch(r"layers\.(\d+)\.mixer\.(A_log|D|dt_bias)", name)
    if match:
        return f"blk.{match[1]}." + {"A_log": "ssm_a", "D": "ssm_d", "dt_bias": "ssm_dt.bias"}[match[2]]
    for pattern, new in NAMES:
        match = re.fullmatch(pattern, stem)
        if match:
            groups = [group for group in match.groups() if group]
            for mark, group in zip("#@", groups):
                new = new.replace(mark, group)
            return f"{new}.{kind}"
    raise SystemExit(f"no name in GGUF for {name}")


def convert(name, shape, values, config):
    """The converter's changes: of rows, of values, of shapes."""
    arch = ARCHITECTURES[config["model_type"]]
    heads = config.get("num_attention_heads", 1)
    if arch in ("llama", "granite") and re.search(r"\.q_proj\.", name):
        values = rotate_pairs(shape, values, heads)
    elif arch in ("llama", "granite") and re.search(r"\.k_proj\.", name):
        values = rotate_pairs(shape, values, config.get("num_key_value_heads") or heads)
    elif arch.startswith("gemma") and "norm" in name or arch == "nemotron" and name.endswith("norm.weight"):
        values = [value + 1 for value in values]
    elif name.endswith("A_log"):
        values = [-math.exp(value) for value in values]
    shape = [extent for extent in shape if extent != 1] if "conv1d" in name or "shared_expert_gate" in name else shape
    if arch == "mamba2" and name.endswith(("A_log", ".D")):
        shape = shape + [1]
    if arch == "mamba2" and name.endswith("mixer.norm.weight"):
        groups = config.get("n_groups", 8)
        shape = [groups, shape[0] // groups]
    return shape, values


def stack_experts(tensors):
    """One tensor for each layer and part, in place of one for each expert."""
    stacks = {}
    for name in [name for name in tensors if EXPERT.fullmatch(name)]:
        layer, expert, part = EXPERT.fullmatch(name).groups()
        stacks.setdefault(f"blk.{layer}.ffn_{EXPERT_PARTS[part]}_exps.weight", {})[int(expert)] = tensors.pop(name)
    return {name: ([len(parts)] + parts[0][0], [v for index in range(len(parts)) for v in parts[index][1]])
            for name, parts in stacks.items()}


def quantize_q8(values):
    data = b""
    for at in range(0, len(values), 32):
        block = values[at:at + 32]
        scale = struct.unpack("<e", struct.pack("<e", max(map(abs, block)) / 127))[0]
        data += struct.pack("<e", scale) + struct.pack("<32b", *(max(-127, min(127, round(v / scale))) if scale else 0
                                                                 for v in block))
    return data


def rounded_to_q8(values):
    result, blocks = [], quantize_q8(values)
    for begin in range(0, len(blocks), 34):
        scale, *codes = struct.unpack("<e32b", blocks[begin:begin + 34])
        result += [scale * code for code in codes]
    return result


def text(value):
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def metadata_value(key, value):
    if isinstance(value, str):
        return text(key) + struct.pack("<I", 8) + text(value)
    if isinstance(value, bool):
        return text(key) + struct.pack("<IB", 7, value)
    if isinstance(value, float):
        return text(key) + struct.pack("<If", 6, value)
    if isinstance(value, list):
        kind = {str: 8, bool: 7, float: 6, int: 5}[type(value[0])]
        parts = [text(v) if kind == 8 else struct.pack({7: "<?", 6: "<f", 5: "<i"}[kind], v) for v in value]
        return text(key) + struct.pack("<IIQ", 9, kind, len(value)) + b"".join(parts)
    return text(key) + struct.pack("<II", 4, value)


def metadata_of(config):
    arch = ARCHITECTURES[config["model_type"]]
    values = {"general.architecture": arch}
    config = dict(config)
    rope = config.get("rope_parameters") or {}
    config.setdefault("rope_theta", rope.get("rope_theta"))
    if arch.startswith("mamba"):
        inner = int(config.get("expand", 2) * config["hidden_size"])
        values[f"{arch}.ssm.inner_size"] = inner
        values[f"{arch}.ssm.time_step_rank"] = config["num_heads"] if arch == "mamba2" else config["time_step_rank"]
        if config["model_type"] == "falcon_mamba":
            values[f"{arch}.ssm.dt_b_c_rms"] = True
    if arch == "gemma3":
        full, local = rope["full_attention"], rope["sliding_attention"]
        config["rope_theta"] = full["rope_theta"]
        values["gemma3.rope.freq_base_swa"] = float(local["rope_theta"])
        rope = full
    if rope.get("rope_type") in ("linear", "yarn"):
        values[f"{arch}.rope.scaling.type"] = rope["rope_type"]
        values[f"{arch}.rope.scaling.factor"] = float(rope["factor"])
        if "original_max_position_embeddings" in rope:
            values[f"{arch}.rope.scaling.original_context_length"] = rope["original_max_position_embeddings"]
    if rope.get("partial_rotary_factor", 1) != 1:
        width = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
        values[f"{arch}.rope.dimension_count"] = int(width * rope["partial_rotary_factor"])
    if arch in ("gemma2", "gemma3"):
        values[f"{arch}.attention.scale"] = config["query_pre_attn_scalar"] ** -0.5
    if "sliding_attention" in config.get("layer_types", []):
        slides = [kind == "sliding_attention" for kind in config["layer_types"]]
        values[f"{arch}.attention.sliding_window_pattern"] = slides
    if arch.startswith("qwen") and not config.get("use_sliding_window"):
        config["sliding_window"] = None
    for field, key in STATE_SPACE if arch.startswith("mamba") else KEYS:
        value = config.get(field)
        if value is not None:
            real = "epsilon" in key or "freq_base" in key or "softcapping" in key or "clamp" in key or "scale" in key
            values[f"{arch}.{key}"] = float(value) if real else value
    if "eos_token_id" in config and config["eos_token_id"] is not None:
        ends = config["eos_token_id"]
        values["tokenizer.ggml.eos_token_id"] = ends[0] if isinstance(ends, list) else ends
    return values


def tokenizer_of(path):
    """BPE of bytes, cut into words as GPT-2 does."""
    if not path.exists():
        return {}
    root = json.loads(path.read_text())
    added = {token["content"]: 3 if token["special"] else 4 for token in root["added_tokens"]}
    tokens = sorted(root["model"]["vocab"], key=root["model"]["vocab"].get)
    return {"tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "gpt-2", "tokenizer.ggml.tokens": tokens,
            "tokenizer.ggml.token_type": [added.get(token, 1) for token in tokens],
            "tokenizer.ggml.merges": [" ".join(pair) for pair in root["model"]["merges"]]}


def llama3_factors(config):
    """What the frequencies of Llama 3 are divided by."""
    rope = config.get("rope_parameters") or {}
    if rope.get("rope_type") != "llama3":
        return {}
    width = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    low, high, trained = rope["low_freq_factor"], rope["high_freq_factor"], rope["original_max_position_embeddings"]
    factors = []
    for pair in range(0, width, 2):
        wave = 2 * math.pi * rope["rope_theta"] ** (pair / width)
        if wave < trained / high:
            factors.append(1.0)
        elif wave > trained / low:
            factors.append(rope["factor"])
        else:
            smooth = (trained / wave - low) / (high - low)
            factors.append(1 / ((1 - smooth) / rope["factor"] + smooth))
    return {"rope_freqs.weight": ([len(factors)], factors)}


def tensors_of(folder, config):
    tensors = load(folder / "model.safetensors")
    if config.get("tie_word_embeddings", config["model_type"].startswith(("gemma", "mamba"))):
        tensors.pop("lm_head.weight", None)
    double_norms = any("post_feedforward_layernorm" in name for name in tensors)
    stacks = stack_experts(tensors)
    result = {rename(name, double_norms): convert(name, *tensor, config) for name, tensor in tensors.items()}
    return result | stacks | llama3_factors(config)


def write(path, values, tensors, form):
    infos, data = b"", b""
    for name, (shape, floats) in tensors.items():
        rounds = form and len(shape) > 1 and shape[-1] % 32 == 0
        is_q8 = rounds and form == "--q8"
        floats = rounded_to_q8(floats) if rounds and not is_q8 else floats
        raw = quantize_q8(floats) if is_q8 else array.array("f", floats).tobytes()
        kind = 8 if is_q8 else 0
        infos += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *reversed(shape), kind, len(data))
        data += raw + bytes(-len(raw) % 32)
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(values))
    head += b"".join(metadata_value(key, value) for key, value in values.items()) + infos
    path.write_bytes(head + bytes(-len(head) % 32) + data)


def main():
    folder, output = map(pathlib.Path, sys.argv[1:3])
    config = json.loads((folder / "config.json").read_text())
    values = metadata_of(config) | tokenizer_of(folder / "tokenizer.json")
    write(output, values, tensors_of(folder, config), sys.argv[3] if len(sys.argv) > 3 else "")


if __name__ == "__main__":
    main()
