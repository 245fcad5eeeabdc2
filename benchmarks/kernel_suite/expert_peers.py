# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Layers of experts by PyTorch, as transformers' Mixtral has them, with each of its implementations for a CPU; and by
ONNX Runtime's operator."""

from collections.abc import Callable

import numpy as np
from minilm.peers import Unavailable

from .cases import FLOAT, Experts, Routing

# What torch's peers of these names set as config.experts_implementation.
IMPLEMENTATIONS = {"torch": "eager", "torch-batched": "batched_mm", "torch-grouped": "grouped_mm",
                   "torch-compile": "grouped_mm"}
MOST_COPIED_BYTES = 1 << 30


def _block(library, case: Experts, implementation: str):
    from transformers import MixtralConfig
    from transformers.models.mixtral.modeling_mixtral import MixtralSparseMoeBlock

    config = MixtralConfig(hidden_size=case.width, intermediate_size=case.inner, num_local_experts=case.experts,
                           num_experts_per_tok=case.chosen)
    config._experts_implementation = implementation
    with library.device("meta"):
        block = MixtralSparseMoeBlock(config)
    weights = {name: library.from_numpy(array) for name, array in case.weights().items()}
    joined = library.cat([weights["gate"], weights["up"]], dim=1)
    tensors = {"gate.weight": weights["router"], "experts.gate_up_proj": joined, "experts.down_proj": weights["down"]}
    block.load_state_dict(tensors, assign=True)
    return block.eval()


def _routing(library, case: Routing) -> Callable[[], object]:
    """Mixtral's router after its product, then what grouped_mm_experts_forward does before its first product."""
    scores = library.from_numpy(case.inputs()["scores"])

    def call():
        shares = library.nn.functional.softmax(scores, dim=-1)
        weights, experts = library.topk(shares, case.chosen, dim=-1)
        weights /= weights.sum(dim=-1, keepdim=True)
        sorted_experts, order = library.sort(experts.reshape(-1))
        counts = library.histc(sorted_experts.float(), bins=case.experts, min=0, max=case.experts - 1)
        offsets = library.cumsum(counts, dim=0, dtype=library.int32)
        return order // case.chosen, weights.reshape(-1)[order], library.nn.functional.pad(offsets, (1, 0))

    return call


def torch(library, case: Experts | Routing, peer: str) -> Callable[[], object]:
    compiled = peer == "torch-compile"
    if isinstance(case, Routing):
        if peer in ("torch-batched", "torch-grouped"):
            raise Unavailable("the same as the peer torch")
        call = _routing(library, case)
        return library.compile(call) if compiled else call
    implementation = IMPLEMENTATIONS[peer]
    if implementation == "batched_mm" and case.rows * case.chosen * case.inner * case.width * FLOAT > MOST_COPIED_BYTES:
        raise Unavailable("batched_mm copies the weights for each token")
    blocks = [_block(library, case, implementation) for _ in range(case.copies)]
    if compiled:
        blocks = [library.compile(block) for block in blocks]
    step = len(case.inputs()["x"]) if case.tokens > 1 else 1
    parts = library.from_numpy(case.inputs()["x"])[None].split(step, dim=1)

    def call():
        for block in blocks:
            results = [block(part) for part in parts]
        return results

    return call


def array_of_torch(result) -> np.ndarray:
    from .experts import Dispatched

    if isinstance(result, tuple):
        return Dispatched(*(tensor.numpy() for tensor in result)).dense()
    return np.concatenate([part[0].numpy() for part in result])


def _onnx_model(case: Experts) -> bytes:
    """com.microsoft's MoE, which wants the rows of gate and up in turns."""
    from onnx import TensorProto, helper, numpy_helper

    weights = case.weights()
    turns = np.stack([weights["gate"], weights["up"]], axis=2).reshape(case.experts, 2 * case.inner, case.width)
    constants = {"router": np.ascontiguousarray(weights["router"].T), "first": turns, "second": weights["down"]}
    nodes = [
        helper.make_node("MatMul", ["x", "router"], ["scores"]),
        helper.make_node("MoE", ["x", "scores", "first", "", "second"], ["y"], domain="com.microsoft", k=case.chosen,
                         normalize_routing_weights=1, activation_type="swiglu", swiglu_fusion=1, activation_alpha=1.0,
                         activation_beta=0.0),
    ]
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["m", case.width]) for name in "xy"]
    graph = helper.make_graph(nodes, "experts", values[:1], values[1:],
                              [numpy_helper.from_array(array, name) for name, array in constants.items()])
    opset = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()


def onnxruntime(case: Experts | Routing, session_of: Callable[[bytes], object]) -> Callable[[], object]:
    if isinstance(case, Routing):
        raise Unavailable("its operator routes inside")
    model = _onnx_model(case)
    sessions = [session_of(model) for _ in range(case.copies)]
    x = case.inputs()["x"]
    parts = np.split(x, 1 if case.tokens > 1 else len(x))

    def call():
        for session in sessions:
            results = [session.run(["y"], {"x": part})[0] for part in parts]
        return results

    return call
