# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The peers of the kernels. Each `prepare` takes a case; a case that the library has no kernel for is Unavailable."""

import zlib

import numpy as np
from minilm.peers import Peer, Setting, Unavailable

from . import graphs
from .cases import Attention, Case, Norm, Product


def weft(setting: Setting) -> Peer:
    from minilm.peers.weft import compiled, runtime
    from minilm.weft_runtime import Session
    from safetensors.numpy import save_file

    library = runtime(setting)
    sessions = []

    def prepare(case: Case):
        while sessions:
            sessions.pop().close()
        text = graphs.mlir(case)
        stem = setting.cache / f"{case.suite}-{zlib.crc32(text.encode()):08x}"
        form = ["--weights", case.form] if case.suite == "int8" else []
        source = stem.with_suffix(".mlir")
        if not source.exists():
            if not isinstance(case, Attention):
                save_file({f"w{i}": w for i, w in enumerate(case.weights())}, stem.with_suffix(".safetensors"))
            source.write_text(text)
        made = compiled(setting, source, stem.with_suffix(".weft"), "--target", "cpu:native", "--threads", "1", *form)
        session = Session(library, made, setting.threads)
        sessions.append(session)
        arrays = case.inputs()
        output = result = np.empty(case.shape, np.float32)
        if isinstance(case, Attention):
            arrays = {name: graphs.to_weft(case, array) for name, array in arrays.items()}
            output = graphs.to_weft(case, output)
            result = graphs.from_weft(case, output)
        run = session.bind(arrays, {"y": output})

        def call() -> np.ndarray:
            run()
            return result

        return call

    return Peer("weft", "", prepare, note="C runtime, one artifact a case, the host's best target")


def torch(setting: Setting) -> Peer:
    import torch as library
    from torch.nn import functional

    library.set_num_threads(setting.threads)
    library.set_grad_enabled(False)

    def prepare(case: Case):
        if isinstance(case, Attention):
            q, k, v = (library.from_numpy(array)[None] for array in case.grouped().values())
            options = {"is_causal": case.mask == "causal"}
            if case.window:
                options = {"attn_mask": library.from_numpy(case.visible())}
            return lambda: functional.scaled_dot_product_attention(q, k, v, **options)
        x = library.from_numpy(case.inputs()["x"])
        weights = [library.from_numpy(weight) for weight in case.weights()]
        if isinstance(case, Norm):
            return lambda: functional.layer_norm(x, (case.width,), *weights, case.epsilon)
        if case.suite == "int8":
            linear = library.nn.Linear(case.k, case.n, bias=False)
            linear.weight.data = weights[0]
            kinds = {library.nn.Linear}
            quantised = library.ao.quantization.quantize_dynamic(library.nn.Sequential(linear), kinds, library.qint8)
            return lambda: quantised(x)
        return _chain(functional.linear, x, weights)

    note = "eager: linear, scaled_dot_product_attention, layer_norm; quantize_dynamic"
    return Peer("torch", library.__version__, prepare, lambda tensor: tensor.numpy(), note)


def onednn(setting: Setting) -> Peer:
    """Through PyTorch's operators, with weights in oneDNN's own layout."""
    import torch as library

    if not library.backends.mkldnn.is_available():
        raise Unavailable("this PyTorch was built without oneDNN")
    library.set_num_threads(setting.threads)
    library.set_grad_enabled(False)
    operators = library.ops.mkldnn

    def prepare(case: Case):
        _only_products(case)
        x = library.from_numpy(case.inputs()["x"])
        plain = [library.from_numpy(weight) for weight in case.weights()]
        weights = [operators._reorder_linear_weight(weight, case.m) for weight in plain]
        return _chain(lambda a, w: operators._linear_pointwise(a, w, None, "none", [], ""), x, weights)

    return Peer("onednn", library.__version__, prepare, lambda tensor: tensor.numpy(), "PyTorch's, packed weight")


def mkl(setting: Setting) -> Peer:
    """Through PyTorch's operators, with weights in MKL's own layout."""
    import torch as library

    if not library.backends.mkl.is_available():
        raise Unavailable("this PyTorch was built without MKL")
    library.set_num_threads(setting.threads)
    library.set_grad_enabled(False)
    operators = library.ops.mkl

    def prepare(case: Case):
        _only_products(case)
        x = library.from_numpy(case.inputs()["x"])
        plain = [library.from_numpy(weight) for weight in case.weights()]
        packed = [(operators._mkl_reorder_linear_weight(weight, case.m), weight) for weight in plain]
        return _chain(lambda a, w: operators._mkl_linear(a, w[0], w[1], None, case.m), x, packed)

    return Peer("mkl", library.__version__, prepare, lambda tensor: tensor.numpy(), "PyTorch's, packed weight")


def openblas(setting: Setting) -> Peer:
    """NumPy's own; its weights are not packed beforehand."""

    def prepare(case: Case):
        _only_products(case)
        weights = [weight.T for weight in case.weights()]
        outputs = [np.empty((case.m, case.n), np.float32) for _ in weights]
        pairs = list(zip(weights, outputs, strict=True))
        return _chain(lambda a, pair: np.matmul(a, pair[0], out=pair[1]), case.inputs()["x"], pairs)

    return Peer("openblas", np.__version__, prepare, note="NumPy's matmul")


def onnxruntime(setting: Setting) -> Peer:
    import onnxruntime as library

    options = library.SessionOptions()
    options.intra_op_num_threads = setting.threads
    options.inter_op_num_threads = 1

    def prepare(case: Case):
        session = library.InferenceSession(graphs.onnx_model(case), options, providers=["CPUExecutionProvider"])
        feed = _onnx_inputs(case)
        return lambda: session.run(["y"], feed)[0]

    return Peer("onnxruntime", library.__version__, prepare, note="the plain graph")


def openvino(setting: Setting) -> Peer:
    import openvino as library
    from minilm.peers.openvino import options

    core = library.Core()

    def prepare(case: Case):
        model = core.read_model(graphs.onnx_model(case, integers=False))
        config = options(setting)
        if case.suite == "int8":
            config["DYNAMIC_QUANTIZATION_GROUP_SIZE"] = case.k  # one factor a row, as the others
        compiled = core.compile_model(model, "CPU", config)
        request = compiled.create_infer_request()
        feed = _onnx_inputs(case)
        return lambda: request.infer(feed, share_inputs=True, share_outputs=True)[0]

    version = library.__version__.split("-")[0]
    return Peer("openvino", version, prepare, lambda array: np.array(array), "the plain graph, precision hint f32")


def _only_products(case: Case) -> None:
    if not isinstance(case, Product) or case.form != "f32":
        raise Unavailable("products in f32 only")


def _chain(step, first, rest: list):
    if len(rest) == 1:
        only = rest[0]
        return lambda: step(first, only)

    def call():
        value = first
        for part in rest:
            value = step(value, part)
        return value

    return call


def _onnx_inputs(case: Case) -> dict[str, np.ndarray]:
    if isinstance(case, Attention):
        return {name: array[None] for name, array in case.grouped().items()}
    return case.inputs()


ALL = {"weft": weft, "torch": torch, "onednn": onednn, "mkl": mkl, "openblas": openblas, "onnxruntime": onnxruntime,
       "openvino": openvino}
