# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""PyTorch: eager with scaled_dot_product_attention, and torch.compile with dynamic shapes and frozen weights."""

import numpy as np
import torch
from transformers import BertModel

from . import Peer, Setting

WARM_UP_SIZE = (2, 64)  # a batch other than 1, which torch.compile treats as a constant


def load(setting: Setting, attention: str) -> torch.nn.Module:
    torch.set_num_threads(setting.threads)
    return BertModel.from_pretrained(setting.model, attn_implementation=attention, add_pooling_layer=False).eval()


def _peer(name: str, module: torch.nn.Module, note: str) -> Peer:
    def prepare(feed: dict[str, np.ndarray]):
        tensors = {key: torch.from_numpy(array) for key, array in feed.items()}

        def call():
            with torch.no_grad():
                return module(**tensors).last_hidden_state

        return call

    return Peer(name, torch.__version__, prepare, lambda tensor: tensor.numpy(), note)


def make_eager(setting: Setting) -> Peer:
    return _peer("torch", load(setting, "sdpa"), "eager, scaled_dot_product_attention")


def make_compiled(setting: Setting) -> Peer:
    import torch._inductor.config as inductor

    inductor.freezing = True  # weights become constants, packed for the matrix library
    torch.set_num_threads(setting.threads)
    peer = _peer(
        "torch-compile",
        torch.compile(load(setting, "sdpa"), dynamic=True),
        "torch.compile, dynamic shapes, frozen weights",
    )
    full = np.ones(WARM_UP_SIZE, np.int64)
    peer.prepare({"input_ids": full, "attention_mask": full, "token_type_ids": 0 * full})()
    return peer
