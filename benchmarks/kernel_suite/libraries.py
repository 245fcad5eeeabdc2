# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The peers of the kernels. Each `prepare` takes a case; a case that the library has no kernel for is Unavailable."""

from functools import partial

import numpy as np
from minilm.peers import Peer, Setting, Unavailable

from . import expert_peers, onnx_graphs, scan_onnx, scan_peers
from .cases import DENSE, Attention, Case, Experts, Norm, Product, Routing, Scan


def weft(setting: Setting, level: str = "native") -> Peer:
    from . import compiled

    return compiled.weft(setting, level)


def weft_dense(setting: Setting) -> Peer:
    """The rival of a layer of experts: Weft's own product of as many flops."""
    from . import compiled

    plain = compiled.weft(setting)

    def prepare(case: Case):
        if not isinstance(case, Experts) or case.tokens == 1:
            raise Unavailable("beside layers of experts only")
        return plain.prepare(case.dense())

    return Peer(DENSE, "", prepare, plain.fetch, "one product with as many flops as the experts' products")


def llama_cpp(setting: Setting) -> Peer:
    from llama_cpp import kernels

    return kernels.make(setting)


def _torch(setting: Setting):
    import torch as library

    library.set_num_threads(setting.threads)
    library.set_grad_enabled(False)
    return library


def _array(tensor) -> np.ndarray:
    if isinstance(tensor, (list, tuple)):
        return expert_peers.array_of_torch(tensor)
    return tensor.float().numpy()


def _torch_attention(library, case: Attention):
    if case.form == "int8":
        raise Unavailable("no keys and values in 8 bits")
    kind = {"f32": library.float32, "f16": library.float16, "bf16": library.bfloat16}[case.form]
    q, k, v = (library.from_numpy(array)[None].to(kind) for array in case.grouped().values())
    options = {"is_causal": case.mask == "causal"}
    if case.window:
        options = {"attn_mask": library.from_numpy(case.visible())}
    return lambda: library.nn.functional.scaled_dot_product_attention(q, k, v, **options)


def torch(setting: Setting) -> Peer:
    library = _torch(setting)
    functional = library.nn.functional

    def quantised(case: Product):
        linear = library.nn.Linear(case.k, case.n, bias=False)
        linear.weight.data = library.from_numpy(case.weight())
        kinds = {library.nn.Linear}
        # The other engines, FBGEMM's, have no AMX.
        if "onednn" in library.backends.quantized.supported_engines:
            library.backends.quantized.engine = "onednn"
        return library.ao.quantization.quantize_dynamic(library.nn.Sequential(linear), kinds, library.qint8)

    def prepare(case: Case):
        if isinstance(case, Attention):
            return _torch_attention(library, case)
        if isinstance(case, Scan):
            return scan_peers.torch(library, case)
        if isinstance(case, (Experts, Routing)):
            return expert_peers.torch(library, case, "torch")
        x = library.from_numpy(case.inputs()["x"])
        if isinstance(case, Norm):
            weights = [library.from_numpy(weight) for weight in case.weights()]
            return lambda: functional.layer_norm(x, (case.width,), *weights, case.epsilon)
        if case.form == "int8":
            _no_copies(case)
            module = quantised(case)
            return lambda: module(x)
        kind = _only_forms(case, {"f32": library.float32, "bf16": library.bfloat16})
        x = x.to(kind)
        plain = library.from_numpy(case.weight())
        weights = [plain.to(kind, copy=True) for _ in _copies(case)]
        return _each(lambda weight: functional.linear(x, weight), weights)

    note = (
        "eager: linear, scaled_dot_product_attention, layer_norm; quantize_dynamic; bf16 in and out; "
        "scans as transformers computes them, experts eagerly one by one"
    )
    return Peer("torch", library.__version__, prepare, _array, note)


def torch_compile(setting: Setting) -> Peer:
    library = _torch(setting)

    def prepare(case: Case):
        if isinstance(case, (Experts, Routing)):
            return expert_peers.torch(library, case, "torch-compile")
        if not isinstance(case, Scan):
            raise Unavailable("scans and experts only: it calls the same kernels for the others")
        return scan_peers.torch(library, case, compiled=True)

    note = "scans of transformers by torch.compile, experts with grouped_mm"
    return Peer("torch-compile", library.__version__, prepare, _array, note)


def torch_experts(setting: Setting, name: str) -> Peer:
    """Another of transformers' implementations of experts; the peer torch has the eager one."""
    library = _torch(setting)

    def prepare(case: Case):
        if not isinstance(case, (Experts, Routing)):
            raise Unavailable("layers of experts only")
        return expert_peers.torch(library, case, name)

    note = f"transformers' experts_implementation {expert_peers.IMPLEMENTATIONS[name]}"
    return Peer(name, library.__version__, prepare, _array, note)


def onednn(setting: Setting) -> Peer:
    """Through PyTorch's operators, with weights in oneDNN's own layout."""
    library = _torch(setting)
    if not library.backends.mkldnn.is_available():
        raise Unavailable("this PyTorch was built without oneDNN")
    operators = library.ops.mkldnn

    def prepare(case: Case):
        kind = _only_forms(case, {"f32": library.float32, "bf16": library.bfloat16})
        x = library.from_numpy(case.inputs()["x"]).to(kind)
        plain = library.from_numpy(case.weight()).to(kind)
        weights = [operators._reorder_linear_weight(plain, case.m) for _ in _copies(case)]
        return _each(lambda weight: operators._linear_pointwise(x, weight, None, "none", [], ""), weights)

    return Peer("onednn", library.__version__, prepare, _array, "PyTorch's, packed weight; bf16 in and out")


def mkl(setting: Setting) -> Peer:
    """Through PyTorch's operators, with weights in MKL's own layout."""
    library = _torch(setting)
    if not library.backends.mkl.is_available():
        raise Unavailable("this PyTorch was built without MKL")
    operators = library.ops.mkl

    def prepare(case: Case):
        _only_forms(case, {"f32": library.float32})
        x, plain = library.from_numpy(case.inputs()["x"]), library.from_numpy(case.weight())
        weights = [operators._mkl_reorder_linear_weight(plain, case.m) for _ in _copies(case)]
        return _each(lambda weight: operators._mkl_linear(x, weight, plain, None, case.m), weights)

    return Peer("mkl", library.__version__, prepare, _array, "PyTorch's, packed weight")


def openblas(setting: Setting) -> Peer:
    """NumPy's own; its weights are not packed beforehand."""

    def prepare(case: Case):
        _only_forms(case, {"f32": np.float32})
        x, output = case.inputs()["x"], np.empty((case.m, case.n), np.float32)
        first = case.weight()
        weights = [first.copy().T for _ in _copies(case)]
        return _each(lambda weight: np.matmul(x, weight, out=output), weights)

    return Peer("openblas", np.__version__, prepare, note="NumPy's matmul")


def onnxruntime(setting: Setting) -> Peer:
    import onnxruntime as library

    options = library.SessionOptions()
    options.intra_op_num_threads = setting.threads
    options.inter_op_num_threads = 1

    def session_of(model: bytes):
        return library.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def prepare(case: Case):
        if isinstance(case, (Experts, Routing)):
            return expert_peers.onnxruntime(case, session_of)
        if case.form not in (("f32",) if isinstance(case, Attention) else ("f32", "int8", "q8_0", "int4")):
            raise Unavailable("f32, and products in 8 and 4 bits")
        _no_copies(case)
        if isinstance(case, Scan) and not scan_onnx.takes(case):
            raise Unavailable("no operator with a decay for each channel and state")
        session = session_of(onnx_graphs.model(case))
        feed = onnx_graphs.inputs(case)
        return lambda: session.run(["y"], feed)[0]

    def fetch(result) -> np.ndarray:
        return np.concatenate(result) if isinstance(result, list) else result

    note = "the plain graph; GatedDeltaNet for scans, MoE for experts"
    return Peer("onnxruntime", library.__version__, prepare, fetch, note)


def openvino(setting: Setting) -> Peer:
    import openvino as library
    from minilm.peers.openvino import options

    core = library.Core()

    def prepare(case: Case):
        if isinstance(case, (Scan, Experts, Routing)):
            raise Unavailable("its operators for recurrences and experts are made of patterns in whole models only")
        if case.form not in _openvino_forms(case):
            raise Unavailable("f32, many rows in bf16, and products in int8")
        _no_copies(case)
        model = core.read_model(onnx_graphs.model(case, integers=False))
        config = options(setting)
        if case.form == "bf16":
            config["INFERENCE_PRECISION_HINT"] = "bf16"
        if case.form == "int8":
            config["DYNAMIC_QUANTIZATION_GROUP_SIZE"] = case.k  # one factor a row, as the others
        feed = onnx_graphs.inputs(case)
        request = core.compile_model(model, "CPU", config).create_infer_request()
        return lambda: request.infer(feed, share_inputs=True, share_outputs=True)[0]

    version = library.__version__.split("-")[0]
    note = "the plain graph, precision hint f32, or bf16 where that is asked"
    return Peer("openvino", version, prepare, lambda array: np.array(array), note)


def _openvino_forms(case: Case) -> tuple[str, ...]:
    # Decoding from keys in bf16 would compare nothing: they would be read in f32 and converted.
    if isinstance(case, Product):
        return ("f32", "bf16", "int8")
    return ("f32",) if isinstance(case, Norm) or case.queries == 1 else ("f32", "bf16")


def _only_forms(case: Case, kinds: dict[str, object]):
    """The library's kind of the case's form, for products in these forms."""
    if not isinstance(case, Product) or case.form not in kinds:
        raise Unavailable(f"products in {', '.join(kinds)} only")
    return kinds[case.form]


def _copies(case: Case) -> range:
    return range(getattr(case, "copies", 1))


def _no_copies(case: Case) -> None:
    if len(_copies(case)) > 1:
        raise Unavailable("a session for each copy of a weight would take minutes to make")


def _each(step, parts: list):
    """A call that does the step with each part and returns the last result."""
    if len(parts) == 1:
        only = parts[0]
        return lambda: step(only)

    def call():
        for part in parts:
            result = step(part)
        return result

    return call


ALL = {"weft": weft, DENSE: weft_dense, "torch": torch, "torch-compile": torch_compile,
       **{name: partial(torch_experts, name=name) for name in ("torch-batched", "torch-grouped")},
       "onednn": onednn, "mkl": mkl, "openblas": openblas, "onnxruntime": onnxruntime, "openvino": openvino,
       "llama.cpp": llama_cpp}
DEFAULT = list(ALL)
FOR_EXPERTS = [DENSE, "torch-batched", "torch-grouped"]  # they take nothing else
QUICK = [name for name in ALL if name != "torch-compile"]  # it takes a minute or two to compile
# Weft's other levels are timed when asked for.
ALL |= {f"weft-{level}": partial(weft, level=level) for level in ("v4", "v3", "portable")}
