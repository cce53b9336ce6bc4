"""Networks from .onnx files: small ones built here, in both layouts and colour orders."""

import dataclasses
import pickle
import subprocess
import sys

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

import fr_explore as fr
from fr_explore.models.presets import PRESETS

SIZE = 16


def build(path, *, shape=("n", 3, SIZE, SIZE), dim=5, outputs=("embedding",), seed=0, kind=TensorProto.FLOAT):
    """Write a network that multiplies pixels, pooled to 4 x 4, by a matrix; return a function that does the same."""
    first = shape[1] == 3
    size = shape[2] if isinstance(shape[2], int) else SIZE
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(48, dim)).astype(np.float32)
    dtype = np.float32 if kind == TensorProto.FLOAT else np.float16
    nodes = [] if first else [helper.make_node("Transpose", ["x"], ["t"], perm=[0, 3, 1, 2])]
    nodes += [
        helper.make_node(
            "AveragePool", ["x" if first else "t"], ["p"], kernel_shape=[size // 4] * 2, strides=[size // 4] * 2
        ),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("MatMul", ["f", "w"], ["embedding"]),
    ]
    if "norm" in outputs:
        nodes.append(helper.make_node("ReduceL2", ["embedding"], ["norm"], axes=[1], keepdims=1))
    values = [helper.make_tensor_value_info(name, kind, None) for name in outputs]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", kind, shape)],
        values,
        [numpy_helper.from_array(matrix.astype(dtype), "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, path)

    def oracle(seen: np.ndarray) -> np.ndarray:
        """Embeddings of the network's input (n, 3, size, size), normalised, in its own colour order."""
        n, c = seen.shape[:2]
        pooled = seen.reshape(n, c, 4, size // 4, 4, size // 4).mean((3, 5))
        return pooled.reshape(n, -1) @ matrix

    return oracle


CARD = fr.ModelCard(
    name="small", title="small", input_size=SIZE, dim=5, metric="cosine", mean=(100, 110, 120), std=(50, 60, 70.0)
)


@pytest.fixture
def crops():
    return np.random.default_rng(1).integers(0, 256, (7, SIZE, SIZE, 3), dtype=np.uint8)


@pytest.mark.parametrize("order", ["RGB", "BGR"])
@pytest.mark.parametrize(
    "shape", [("n", 3, SIZE, SIZE), ("n", SIZE, SIZE, 3), (1, 3, SIZE, SIZE), (4, SIZE, SIZE, 3), ("n", 3, "h", "w")]
)
def test_the_card_decides_colours_and_the_file_the_layout(tmp_path, crops, order, shape):
    oracle = build(tmp_path / "net.onnx", shape=shape)
    model = fr.load_model(tmp_path / "net.onnx", card=dataclasses.replace(CARD, color_order=order), device="cpu")
    seen = crops.transpose(0, 3, 1, 2)[:, :: -1 if order == "BGR" else 1].astype(np.float64)
    seen = (seen - np.array(CARD.mean).reshape(3, 1, 1)) / np.array(CARD.std).reshape(3, 1, 1)
    np.testing.assert_allclose(model.embed(crops), oracle(seen), rtol=1e-4, atol=1e-4)


def test_colour_order_matters(tmp_path, crops):
    """The two orders give different embeddings, so that the test above can fail."""
    build(tmp_path / "net.onnx")
    a, b = (
        fr.load_model(str(tmp_path / "net.onnx"), card=dataclasses.replace(CARD, color_order=order)).embed(crops)
        for order in ("RGB", "BGR")
    )
    assert np.abs(a - b).max() > 0.1


@pytest.mark.parametrize("name", PRESETS)
def test_presets_take_sizes_from_the_file(tmp_path, name, avatars):
    dim = PRESETS[name].dim
    oracle = build(tmp_path / "net.onnx", shape=(1, 3, 112, 112), dim=dim, outputs=("norm", "embedding"))
    model = fr.load_model(tmp_path / "net.onnx", card=name)
    assert (model.card.input_size, model.card.dim, model.card.template) == (112, dim, PRESETS[name].template)
    crops = model.align([avatars.render(0), avatars.render(1)])
    scale = {"arcface": (127.5, 127.5), "adaface": (127.5, 127.5), "sface": (0, 1)}[name]
    seen = (crops.numpy() * 255 - scale[0]) / scale[1]
    expected = oracle(seen[:, ::-1] if name == "adaface" else seen)
    np.testing.assert_allclose(model.embed([avatars.render(0), avatars.render(1)]), expected, rtol=1e-3, atol=1e-3)
    build(tmp_path / "large.onnx", shape=("n", 3, 224, 224), dim=64)
    large = fr.load_model(tmp_path / "large.onnx", card=name).card
    assert (large.input_size, large.dim) == (224, 64)
    np.testing.assert_allclose(large.template, 2 * np.array(PRESETS[name].template))


def test_preset_template_is_insightfaces():
    """Its published points, for pixel centres at whole numbers."""
    published = [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)]
    for card in PRESETS.values():
        np.testing.assert_allclose(card.template, np.array(published) + 0.5)
        assert card.licence != "unknown"


def test_half_precision_file(tmp_path, crops):
    oracle = build(tmp_path / "half.onnx", kind=TensorProto.FLOAT16)
    model = fr.load_model(tmp_path / "half.onnx", card=dataclasses.replace(CARD, mean=(127.5,) * 3, std=(127.5,) * 3))
    vectors = model.embed(crops)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, oracle((crops.transpose(0, 3, 1, 2) - 127.5) / 127.5), rtol=0.02, atol=0.02)


# torch's own modules for forward mode use torch.jit.script, which it has deprecated
@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:FutureWarning")
def test_derivatives_raise_an_error(tmp_path):
    build(tmp_path / "net.onnx")
    model = fr.load_model(tmp_path / "net.onnx", card=CARD)
    crop = torch.rand(2, 3, SIZE, SIZE)
    message = r"net.onnx runs in ONNX Runtime, which computes no derivatives: use .* \(fr.vector_field\)"
    with pytest.raises(NotImplementedError, match=message):
        model.forward(crop.clone().requires_grad_()).sum().backward()
    with pytest.raises(NotImplementedError, match=message):
        torch.func.jvp(model.forward, (crop,), (torch.ones_like(crop),))
    assert model.forward(crop).shape == (2, 5)
    lattice = fr.sample_lattice(fr.Avatars(identities=1), ["hue"], curves=1, seed=0)
    wide = fr.load_model(tmp_path / "net.onnx", card=dataclasses.replace(CARD, box_margin=1))
    with pytest.raises(NotImplementedError, match=message):
        fr.tangent_field(lattice, wide, progress=False)
    assert fr.vector_field(fr.embed(lattice, wide, progress=False)).sizes["curve"] == 1


def test_fingerprint_follows_the_file(tmp_path):
    build(tmp_path / "a.onnx", seed=0)
    build(tmp_path / "b.onnx", seed=1)
    a, b, again = (fr.load_model(tmp_path / f"{name}.onnx", card=CARD).fingerprint for name in "aba")
    assert a == again != b


def test_wrong_files_and_cards(tmp_path):
    net = tmp_path / "net.onnx"
    build(net)
    with pytest.raises(ValueError, match=r"says input_size = 20, dim = 4, but net.onnx has input_size = 16, dim = 5"):
        fr.load_model(net, card=dataclasses.replace(CARD, input_size=20, dim=4))
    with pytest.raises(ValueError, match=r"net.onnx needs a card.*preset: arcface, adaface, sface"):
        fr.load_model(net)
    with pytest.raises(ValueError, match=r"unknown card 'arcfase'.*arcface, adaface, sface"):
        fr.load_model(net, card="arcfase")
    with pytest.raises(FileNotFoundError, match=r"no file .*gone.onnx"):
        fr.load_model(tmp_path / "gone.onnx", card=CARD)
    with pytest.raises(ValueError, match=r"precision 'bfloat16': an .onnx file runs in the precision"):
        fr.load_model(net, card=CARD, precision="bfloat16")
    (tmp_path / "page.onnx").write_bytes(b"<html>please log in</html>")
    with pytest.raises(ValueError, match=r"page.onnx is not an ONNX network that onnxruntime can run"):
        fr.load_model(tmp_path / "page.onnx", card=CARD)


@pytest.mark.parametrize(
    ("shape", "axes", "message"),
    [
        (("n", 1, SIZE, SIZE), [2, 3], r"inputs \(x tensor\(float\) .*exactly one"),
        (("n", 3, SIZE, 2 * SIZE), [2, 3], "must be square"),
        (("n", 3, SIZE, SIZE), [1, 2, 3], r"no output of the shape \(n, dim\)"),
    ],
)
def test_files_that_are_not_face_networks(tmp_path, shape, axes, message):
    graph = helper.make_graph(
        [helper.make_node("ReduceMean", ["x"], ["mean"], axes=axes, keepdims=0)],
        "mean",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("mean", TensorProto.FLOAT, None)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, tmp_path / "net.onnx")
    with pytest.raises(ValueError, match=message):
        fr.load_model(tmp_path / "net.onnx", card=CARD)


def test_without_onnxruntime(tmp_path):
    build(tmp_path / "net.onnx")
    code = (
        "import sys; sys.modules['onnxruntime'] = None\n"
        "import fr_explore as fr\n"
        f"fr.load_model({str(tmp_path / 'net.onnx')!r}, card='arcface')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert 'pip install "fr-explore[onnx]"' in done.stderr


def test_gpu_that_is_not_there(tmp_path):
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        return
    build(tmp_path / "net.onnx")
    with pytest.raises(ValueError, match=r"this onnxruntime has no CUDA.*onnxruntime-gpu"):
        fr.load_model(tmp_path / "net.onnx", card=CARD, device="cuda")


def chain(path, *nodes, outputs, external=False, **metadata):
    """A network of 5 numbers, `embedding`, then further nodes; its weights in a second file if they are external."""
    rng, size = np.random.default_rng(len(str(path))), SIZE // 4
    pool = helper.make_node("AveragePool", ["x"], ["p"], kernel_shape=[size] * 2, strides=[size] * 2)
    first = [pool, helper.make_node("Flatten", ["p"], ["f"]), helper.make_node("MatMul", ["f", "w"], ["embedding"])]
    values = {"w": rng.normal(size=(48, 5)).astype(np.float32), "wide": rng.normal(size=(5, 7)).astype(np.float32)}
    values["row"] = np.array([1, -1], np.int64)
    used = {name for node in nodes for name in node.input} | {"w"}
    graph = helper.make_graph(
        [*first, *nodes],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ("n", 3, SIZE, SIZE))],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(value, name) for name, value in values.items() if name in used],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(model, metadata)
    path.parent.mkdir(exist_ok=True)
    options = {"save_as_external_data": True, "location": "net.data", "size_threshold": 0} if external else {}
    onnx.save(model, path, **options)
    return path


def test_fingerprint_follows_weights_in_a_second_file(tmp_path):
    """The two .onnx files are equal; the lengths of their folders' names are the seeds of the weights."""
    paths = [chain(tmp_path / name / "net.onnx", outputs=["embedding"], external=True) for name in ("a", "bb")]
    assert paths[0].read_bytes() == paths[1].read_bytes()
    a, b, again = (fr.load_model(path, CARD, "cpu").fingerprint for path in (*paths, paths[0]))
    assert a == again != b
    kept = fr.load_model(paths[0], CARD, "cpu")
    pickled = pickle.dumps(kept)
    assert pickle.loads(pickled).fingerprint == a
    (paths[0].parent / "net.data").write_bytes((paths[1].parent / "net.data").read_bytes())
    with pytest.raises(ValueError, match=r"net.onnx was changed after it was loaded: load it again"):
        pickle.loads(pickled)


def test_metadata_that_looks_like_a_second_file(tmp_path):
    path = chain(tmp_path / "net.onnx", outputs=["embedding"], location="Berlin", long="x" * 300)
    assert fr.load_model(path, CARD, "cpu").embed(np.zeros((2, SIZE, SIZE, 3), np.uint8)).shape == (2, 5)


def test_the_card_decides_between_outputs(tmp_path, crops):
    wide = helper.make_node("MatMul", ["embedding", "wide"], ["logits"])
    path = chain(tmp_path / "net.onnx", wide, outputs=["logits", "embedding"])
    alone = fr.load_model(chain(tmp_path / "one.onnx", outputs=["embedding"]), CARD, "cpu")
    np.testing.assert_array_equal(fr.load_model(path, CARD, "cpu").embed(crops), alone.embed(crops))
    twice = chain(tmp_path / "two.onnx", helper.make_node("Neg", ["embedding"], ["n"]), outputs=["n", "embedding"])
    with pytest.raises(ValueError, match=r"two.onnx has several outputs \(n: \(n, 5\), embedding: \(n, 5\)\)"):
        fr.load_model(twice, CARD, "cpu")


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([("Reshape", ["embedding", "row"], {})], r"runs on batches of 1 but not of 3.*shape \(1, 15\) for 3 pictures"),
        ([("ReduceMean", ["embedding"], {"axes": [0]}), ("Sub", ["embedding", "y0"], {})], "alone and in a batch"),
        ([("Sub", ["embedding", "embedding"], {})], "the same embedding for three very different pictures"),
    ],
)
def test_files_are_probed_as_other_networks_are(tmp_path, nodes, message):
    made = [helper.make_node(op, given, [f"y{i}"], **facts) for i, (op, given, facts) in enumerate(nodes)]
    path = chain(tmp_path / "net.onnx", *made, outputs=[made[-1].output[0]])
    with pytest.raises(ValueError, match=f"the network of 'small' .*{message}"):
        fr.load_model(path, CARD, "cpu")


def test_what_others_make_of_a_file(tmp_path):
    import onnxruntime

    path = chain(tmp_path / "net.onnx", outputs=["embedding"])
    session = onnxruntime.InferenceSession(str(path))
    for thing, advice in ((session, "give the path of the .onnx file"), (onnx.load(path), "save it with onnx.save")):
        with pytest.raises(TypeError, match=f"is not a torch network: {advice}"):
            fr.load_model(thing, CARD)
    for device in ("CPU", torch.device("cpu"), None):
        assert fr.load_model(path, CARD, device).device.type == "cpu"
