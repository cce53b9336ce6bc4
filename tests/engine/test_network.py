"""The engine's networks: every layer against torch, whole networks against torch, and blobs that must be refused."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from network_host import Host, Refused, compiled
from torch.nn import functional as F

import fr_explore as fr
from fr_explore.engine.network import Network, folded
from fr_explore.models.packed import packed

BUILDS = ("network", "network_relaxed")


def numbers(*shape, seed=0, scale=1.0):
    return (scale * np.random.default_rng(seed).standard_normal(shape)).astype(np.float32)


def close(network, x, expected, build="network", precision="float32"):
    """The result for a picture x (height, width, channels) is torch's (1, channels, height, width)."""
    got = Host(network.pack(precision), build).run(x)
    wanted = expected[0].permute(1, 2, 0).numpy()
    assert got.shape == wanted.shape
    np.testing.assert_allclose(got, wanted, atol=1e-5 * max(1, np.abs(wanted).max()), rtol=0)


def as_torch(x):
    return torch.from_numpy(x.transpose(2, 0, 1).copy())[None]


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("outputs", "size", "step", "padding"), [(8, 3, 1, 1), (13, 5, 2, 2), (1, 1, 1, 0), (32, 7, 2, 0)]
)
def test_convolution(build, channels, outputs, size, step, padding):
    x, weight, bias = (
        numbers(11, 14, channels),
        numbers(outputs, channels, size, size, seed=1),
        numbers(outputs, seed=2),
    )
    network = Network(11, 14, channels)
    network.result(network.convolution(network.picture, weight, bias, step=step, padding=padding))
    expected = F.conv2d(as_torch(x), torch.from_numpy(weight), torch.from_numpy(bias), step, padding)
    close(network, x, expected, build)


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("padding", [0, 1, 2])
@pytest.mark.parametrize(("height", "width"), [(8, 8), (13, 6), (9, 31), (7, 8), (40, 5)])
def test_convolutions_with_fewer_multiplications(build, padding, height, width):
    """3 x 3 without a step, after a first layer: whole and half tiles at the edges, channels that fill no group."""
    x, first, weight = numbers(height, width, 3), numbers(10, 3, 1, 1, seed=1), numbers(13, 10, 3, 3, seed=2)
    bias = numbers(13, seed=3)
    network = Network(height, width)
    y = network.convolution(network.picture, first)
    z = network.convolution(y, weight, bias, padding=padding, activation="relu")
    network.result(network.convolution(z, numbers(2, 13, 3, 3, seed=4)))  # reads the channels that fill the group
    w = F.conv2d(as_torch(x), torch.from_numpy(first))
    w = F.relu(F.conv2d(w, torch.from_numpy(weight), torch.from_numpy(bias), padding=padding))
    close(network, x, F.conv2d(w, torch.from_numpy(numbers(2, 13, 3, 3, seed=4))), build)


def test_a_kernel_need_not_be_square_and_a_tensor_may_have_two_readers():
    x, first, wide = numbers(9, 7, 3), numbers(10, 3, 3, 3, seed=1), numbers(6, 10, 5, 3, seed=2)
    tall = numbers(6, 10, 1, 1, seed=3)
    network = Network(9, 7)
    y = network.convolution(network.picture, first, padding=1)
    # the two readers need borders of different widths
    a, b = network.convolution(y, wide, padding=2), network.convolution(y, tall)
    network.result(network.add(a, b))
    z = F.conv2d(as_torch(x), torch.from_numpy(first), padding=1)
    p, q = F.conv2d(z, torch.from_numpy(wide), padding=2), F.conv2d(z, torch.from_numpy(tall))
    close(network, x, F.pad(p, (0, max(0, 7 - p.shape[3]), 0, max(0, 9 - p.shape[2]))) + F.pad(
        q, (0, p.shape[3] - 7, 0, p.shape[2] - 9)))  # fmt: skip


@pytest.mark.parametrize("activation", ["none", "relu", "prelu", "sigmoid"])
def test_activations(activation):
    x, weight, slope = numbers(5, 5, 3), numbers(11, 3, 3, 3, seed=1, scale=3), numbers(11, seed=2)
    network = Network(5, 5)
    slopes = {"slope": slope} if activation == "prelu" else {}
    y = network.convolution(network.picture, weight, activation=activation, **slopes)
    # a second convolution shows that the channels that fill up the last group stay zero
    network.result(network.convolution(y, numbers(3, 11, 1, 1, seed=3)))
    z = F.conv2d(as_torch(x), torch.from_numpy(weight))
    functions = {"none": lambda z: z, "relu": F.relu, "prelu": lambda z: F.prelu(z, torch.from_numpy(slope))}
    z = (functions | {"sigmoid": torch.sigmoid})[activation](z)
    close(network, x, F.conv2d(z, torch.from_numpy(numbers(3, 11, 1, 1, seed=3))))


@pytest.mark.parametrize("values", [(-100.0, -88.0, -20.0, -1e-3, 0.0), (1e-3, 3.0, 20.0, 88.0, 1e4)])
def test_the_sigmoid_holds_far_out(values):
    network = Network(1, 5, 1)
    network.result(network.convolution(network.picture, np.ones((1, 1, 1, 1)), activation="sigmoid"))
    got = Host(network.pack("float32")).run(np.array(values, np.float32).reshape(1, 5, 1)).ravel()
    np.testing.assert_allclose(got, torch.sigmoid(torch.tensor(values)).numpy(), atol=1e-7, rtol=1e-6)


def test_depthwise_pools_and_enlargement():
    x, weight = numbers(13, 10, 3), numbers(12, 3, 1, 1, seed=1)
    each, bias = numbers(12, 1, 3, 3, seed=2), numbers(12, seed=3)
    z = F.conv2d(as_torch(x), torch.from_numpy(weight))
    cases = {
        "depthwise": (
            lambda n, y: n.convolution(y, each, bias, depthwise=True, step=2, padding=1, activation="relu"),
            F.relu(F.conv2d(z, torch.from_numpy(each), torch.from_numpy(bias), 2, 1, groups=12)),
        ),
        "largest": (lambda n, y: n.largest(y, 3, step=2), F.max_pool2d(z, 3, 2)),
        "largest, padded": (lambda n, y: n.largest(y, 3, step=2, padding=1), F.max_pool2d(z, 3, 2, 1)),
        "largest, partial": (
            lambda n, y: n.largest(y, 3, step=2, partial=True),
            F.max_pool2d(z, 3, 2, ceil_mode=True),
        ),
        "mean": (lambda n, y: n.mean(y, 2), F.avg_pool2d(z, 2)),
        "mean of all": (lambda n, y: n.mean(y), z.mean((2, 3), keepdim=True)),
        "enlarge": (lambda n, y: n.enlarge(y), F.interpolate(z, scale_factor=2, mode="nearest")),
        "normalise": (lambda n, y: n.normalise(y), F.normalize(z, dim=1)),
    }
    for layer, expected in cases.values():
        network = Network(13, 10)
        network.result(layer(network, network.convolution(network.picture, weight)))
        close(network, x, expected)


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize(("size", "step", "padding"), [(3, 1, 1), (3, 2, 1), (3, 3, 0), (5, 1, 2)])
def test_depthwise_rows_longer_than_a_block(build, size, step, padding):
    x, weight, each, bias = numbers(6, 77, 3), numbers(12, 3, 1, 1), numbers(12, 1, size, size), numbers(12)
    network = Network(6, 77)
    y = network.convolution(network.picture, weight)
    options = {"depthwise": True, "step": step, "padding": padding, "activation": "prelu", "slope": numbers(12, seed=5)}
    network.result(network.convolution(y, each, bias, **options))
    z = F.conv2d(as_torch(x), torch.from_numpy(weight))
    z = F.conv2d(z, torch.from_numpy(each), torch.from_numpy(bias), step, padding, groups=12)
    close(network, x, F.prelu(z, torch.from_numpy(numbers(12, seed=5))), build)


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_partial_windows_are_torchs(data):
    """Sizes, steps and paddings that torch allows: the last window begins in the picture, or is none."""
    height, width, size = (data.draw(st.integers(1, 9)) for _ in range(3))
    step, padding = data.draw(st.integers(1, 5)), data.draw(st.integers(0, size // 2))
    if min(height, width) + 2 * padding < size:
        return
    network = Network(height, width)
    y = network.convolution(network.picture, np.ones((8, 3, 1, 1), np.float32))
    network.result(network.largest(y, size, step=step, padding=padding, partial=True))
    x = numbers(height, width, 3)
    z = F.conv2d(as_torch(x), torch.ones(8, 3, 1, 1))
    close(network, x, F.max_pool2d(z, size, step, padding, ceil_mode=True))


def test_an_addition_fills_up_with_zeros():
    x, a, b = numbers(6, 6, 3), numbers(5, 3, 2, 2, seed=1), numbers(20, 3, 4, 1, seed=2)
    network = Network(6, 6)
    first, second = network.convolution(network.picture, a), network.convolution(network.picture, b)
    network.result(network.add(first, second, activation="relu"))
    p, q = F.conv2d(as_torch(x), torch.from_numpy(a)), F.conv2d(as_torch(x), torch.from_numpy(b))
    expected = torch.zeros(1, 20, 5, 6)
    expected[:, :5, :5, :5] += p
    expected[:, :, :3, :6] += q
    close(network, x, F.relu(expected))


def test_several_results_and_a_dense_layer():
    x, weight, matrix = numbers(4, 3, 3), numbers(10, 3, 1, 1, seed=1), numbers(7, 120, seed=2)
    network = Network(4, 3)
    y = network.convolution(network.picture, weight)
    network.result(network.dense(y, matrix, numbers(7, seed=3)))
    network.result(y)
    host = Host(network.pack("float32"))
    z = F.conv2d(as_torch(x), torch.from_numpy(weight))
    np.testing.assert_allclose(host.run(x, 1), z[0].permute(1, 2, 0), atol=1e-5)
    np.testing.assert_allclose(host.run(x)[0, 0], z.flatten().numpy() @ matrix.T + numbers(7, seed=3), atol=1e-4)
    assert host.call("output", 2) == 0


@pytest.mark.parametrize("activation", ["relu", "prelu", "sigmoid"])
def test_a_dense_layer_with_an_activation(activation):
    x, matrix, bias, slope = numbers(4, 3, 3), numbers(7, 36, seed=1), numbers(7, seed=2), numbers(7, seed=3)
    network = Network(4, 3)
    slopes = {"slope": slope} if activation == "prelu" else {}
    network.result(network.dense(network.picture, matrix, bias, activation=activation, **slopes))
    y = F.linear(as_torch(x).flatten(1), torch.from_numpy(matrix), torch.from_numpy(bias))
    functions = {"relu": F.relu, "prelu": lambda y: F.prelu(y, torch.from_numpy(slope)), "sigmoid": torch.sigmoid}
    close(network, x, functions[activation](y)[:, :, None, None])


def test_folding_a_batch_normalisation():
    conv, norm = torch.nn.Conv2d(3, 9, 3, bias=False), torch.nn.BatchNorm2d(9).eval()
    values = [torch.from_numpy(numbers(9, seed=seed)) for seed in range(4)]
    norm.weight.data, norm.bias.data, norm.running_mean, norm.running_var = *values[:3], values[3].abs()
    arrays = [p.detach().numpy() for p in (conv.weight, norm.weight, norm.bias, norm.running_mean, norm.running_var)]
    weight, bias = folded(*arrays, norm.eps)
    x = as_torch(numbers(6, 6, 3))
    with torch.no_grad():
        np.testing.assert_allclose(
            F.conv2d(x, torch.from_numpy(weight), torch.from_numpy(bias)), norm(conv(x)), atol=1e-4
        )


def as_packed(weight, precision):
    """The weights (outputs, 3, 3, 3) that the engine uses: the results for pictures with a single 1."""
    network = Network(3, 3)
    network.result(network.convolution(network.picture, weight))
    host = Host(network.pack(precision))
    pictures = np.eye(27, dtype=np.float32).reshape(27, 3, 3, 3)
    return np.stack([host.run(picture)[0, 0] for picture in pictures], 1).reshape(-1, 3, 3, 3).transpose(0, 3, 1, 2)


def test_float16_is_rounded_to_the_nearest():
    weight = numbers(9, 3, 3, 3, scale=10.0 ** np.arange(-6, 3)[:, None, None, None])
    np.testing.assert_array_equal(as_packed(weight, "float16"), weight.astype(np.float16))
    np.testing.assert_array_equal(as_packed(weight, "float32"), weight)


@given(seed=st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_int8_is_rounded_so_that_errors_cancel(seed):
    weight = numbers(9, 3, 3, 3, seed=seed, scale=10.0 ** np.arange(-6, 3)[:, None, None, None])
    weight[4] = 0
    got = as_packed(weight, "int8")
    scale = np.abs(weight).max((1, 2, 3), keepdims=True) / 127
    assert not got[4].any()
    scale[4] = 1
    steps, errors = got / scale, (got - weight) / scale
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-4)  # whole numbers
    assert np.abs(steps).max() < 127.001
    assert np.abs(errors).max() <= 1.001
    assert np.abs(errors.sum((1, 2, 3))).max() <= 0.501
    assert np.abs(errors.sum((2, 3))).max() <= 1.501


def test_the_smallest_layers_stay_finer():
    network, small, large = Network(3, 3), numbers(8, 3, 1, 1), numbers(64, 8, 3, 3, seed=1)
    network.result(network.convolution(network.convolution(network.picture, small), large))
    assert len(network.pack("int8")) < len(network.pack("float16")) - 0.45 * large.size * 2
    only = Network(3, 3)
    only.result(only.convolution(only.picture, small))
    x = numbers(3, 3, 3)
    first = Network(3, 3)
    y = first.convolution(first.picture, small)
    first.result(first.convolution(y, large))
    first.result(y)
    np.testing.assert_array_equal(Host(first.pack("int8")).run(x, 1), Host(only.pack("float16")).run(x))


# ---- whole networks --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def models(dlib_model, sface_model):
    return {
        "dlib": dlib_model,
        "sface": sface_model,
        "controlled/all-varied": fr.load_model("controlled/all-varied", device="cpu"),
    }


def crops(model, avatars):
    """What the network is given along three sliders of two people: (n, 3, size, size)."""
    strengths = [{}, {"age": 30}, {"age": 60}, {"head_angle": -12}, {"head_angle": 20}, {"brightness": 1.2}]
    faces = avatars.render_batch([i for i in (0, 1) for _ in strengths], strengths * 2, size=112)
    card = model.card
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (card.mean, card.std))
    return ((255 * model.align(faces) - mean) / std).numpy()


@pytest.mark.parametrize("name", ["dlib", "sface", "controlled/all-varied"])
def test_the_engine_and_torch_agree(models, avatars, name):
    model = models[name]
    inputs = crops(model, avatars)
    with torch.inference_mode():
        truth = model.module(torch.from_numpy(inputs)).numpy()
    size = np.linalg.norm(truth, axis=1).mean()  # both are compared on the scale of an embedding
    distance = lambda v: np.linalg.norm(v.reshape(2, 6, -1)[:, 1:] - v.reshape(2, 6, -1)[:, :1], axis=-1).ravel()  # noqa: E731
    for build in BUILDS:
        got = Host(packed(model, "float32").network, build).embed(inputs)
        assert np.abs(got - truth).max() < 1e-5 * max(1, size)
    for precision, tolerance in (("float16", 0.002), ("int8", 0.03)):
        got = Host(packed(model, precision).network).embed(inputs)
        errors = np.abs(distance(got) / distance(truth) - 1)
        assert np.percentile(errors, 95) <= tolerance, (precision, errors)


def test_what_a_page_is_given(models):
    made = packed(models["dlib"])
    card = models["dlib"].card
    assert made.card["template"] == card.template
    assert made.card["threshold"] == 0.6
    assert Host(made.network).shape == (150, 150, 3)
    sizes = {precision: len(packed(models["dlib"], precision).network) for precision in ("float32", "float16", "int8")}
    assert sizes["int8"] < 0.28 * sizes["float32"]
    assert sizes["float16"] < 0.56 * sizes["float32"]
    own = fr.load_model(torch.nn.Flatten(), card=fr.ModelCard("own", "Own", input_size=8, dim=192, metric="cosine"))
    with pytest.raises(ValueError, match=r"'own' cannot run in a page: its network has no `describe\(\)`"):
        packed(own)


# ---- blobs that must be refused --------------------------------------------------------------------------------------


def small():
    """A network with every kind of layer, and its blob."""
    network = Network(8, 8)
    x = network.convolution(network.picture, numbers(6, 3, 3, 3), numbers(6), padding=1, activation="sigmoid")
    x = network.convolution(x, numbers(6, 6, 3, 3), padding=1)
    x = network.convolution(x, numbers(6, 1, 3, 3), depthwise=True, activation="prelu", slope=numbers(6))
    y = network.enlarge(network.largest(x, 2, step=2))
    x = network.mean(network.add(x, y, activation="relu"))
    network.result(network.normalise(network.dense(x, numbers(5, 6))))
    return network


@pytest.mark.parametrize(
    ("place", "number", "words"),
    [
        (0, 7, "not a packed network"),
        (1, 1, "another version"),
        (2, 0, "too many or too few layers"),
        (2, 400, "cut short"),
        (4, 65, "too many or too few layers"),
        (6, 0, "a picture of a size"),
        (7, 30000, "a picture of a size"),
        (10, 77, "slot that does not exist"),
        (11, 10, r"unknown operation .*\(layer 0\)"),
        (12, 5, r"uses a slot that does not exist or is empty.*\(layer 0\)"),
        (14, 0, r"writes the slot that it reads.*\(layer 0\)"),
        (15, 40, r"does not fit the shape of its input \(layer 0\)"),
        (17, 0, r"a number out of range \(layer 0\)"),
        (18, 2, r"does not fit the shape of its input \(layer 0\)"),
        (19, 9, r"not as many as it needs \(layer 0\)"),
        (20, 4, "unknown operation or activation"),
        (22, -1, r"weights are missing.*\(layer 0\)"),
        (22, 1, r"weights are missing, outside the packed network, or not as many as it needs \(layer 0\)"),
    ],
)
def test_refused_in_words(place, number, words):
    blob = np.frombuffer(small().pack("float32"), "<i4").copy()
    blob[place] = number
    with pytest.raises(Refused, match=words):
        Host(blob.tobytes())


def test_numbers_that_are_not_finite():
    network = Network(4, 4)
    network.result(network.convolution(network.picture, np.full((1, 3, 1, 1), np.nan)))
    with pytest.raises(ValueError, match="a weight of the network is not finite"):
        network.pack()
    network = Network(4, 4)
    network.result(network.convolution(network.picture, np.full((1, 3, 1, 1), 7e4)))
    with pytest.raises(ValueError, match="a weight of 70000 exceeds float16's 65504: pack the network as float32"):
        network.pack("float16")
    blob = bytearray(small().pack("float32"))
    blob[-4:] = np.float32(np.inf).tobytes()
    with pytest.raises(Refused, match="a weight is not finite"):
        Host(bytes(blob))
    host = Host(small().pack())
    with pytest.raises(Refused, match="the network's result is not finite"):
        host.run(np.full((8, 8, 3), np.nan, np.float32))
    assert np.isfinite(host.run(numbers(8, 8, 3))).all()  # and the next picture is fine again


def test_one_instance_holds_one_network():
    host = Host(small().pack())
    assert host.call("inbox", 100) == 0
    assert (
        host.words(host.call("load", 100))
        == "this instance already holds a network, or refused one: create a new instance"
    )
    assert host.words(99) == "unknown code"


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_blob_traps(data):
    """Cut, changed and swapped blobs: a code, or a result of finite numbers; never a trap."""
    blob = bytearray(small().pack(data.draw(st.sampled_from(["float32", "float16", "int8"]))))
    layers, arrays = np.frombuffer(blob, "<i4", 2, 8).tolist()
    head = 4 * (11 + 14 * layers + 4 * arrays)
    for _ in range(data.draw(st.integers(1, 4))):
        kind = data.draw(st.sampled_from(["number", "byte", "cut", "swap"]))
        at = data.draw(st.integers(0, head // 4 - 1)) * 4
        if kind == "number":
            edges = st.sampled_from([-(2**31), -1, 0, 1, 2, 3, 7, 63, 2048, 65536, 2**31 - 1])
            blob[at : at + 4] = int(data.draw(edges)).to_bytes(4, "little", signed=True)
        elif kind == "byte":
            blob[data.draw(st.integers(0, len(blob) - 1))] ^= data.draw(st.integers(1, 255))
        elif kind == "cut":
            del blob[max(4, data.draw(st.integers(0, len(blob)))) :]
            blob += bytes(max(0, head - len(blob)))
        else:
            other = data.draw(st.integers(0, head // 4 - 1)) * 4
            blob[at : at + 4], blob[other : other + 4] = blob[other : other + 4], blob[at : at + 4]
    try:
        host = Host(bytes(blob), "network-limited", fuel=3_000_000_000)
        result = host.run(np.zeros(host.shape, np.float32))
    except Refused:
        return
    assert np.isfinite(result).all()


@pytest.mark.parametrize("build", BUILDS)
def test_the_modules_import_nothing(build):
    module = compiled(build)[1]
    assert module.imports == []
    names = {"inbox", "load", "input", "input_size", "run", "output", "output_size", "words", "subject"}
    assert {export.name for export in module.exports} == names | {"memory"}


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda n: n.convolution(n.picture, np.ones((4, 2, 3, 3))), r"have shape \(4, 2, 3, 3\): give \(outputs, 3"),
        (lambda n: n.convolution(n.picture, np.ones((4, 3, 9, 9))), "a kernel of 9 x 9 does not fit"),
        (
            lambda n: n.convolution(n.picture, np.ones((4, 3, 1, 1)), activation="tanh"),
            "activation 'tanh': give one of",
        ),
        (lambda n: n.convolution(n.picture, np.ones((4, 3, 1, 1)), activation="prelu"), "slopes belong to"),
        (lambda n: n.convolution(n.picture, np.ones((4, 1, 3, 3)), depthwise=True), r"give \(3, 1, rows, columns\)"),
        (
            lambda n: n.convolution(n.picture, np.ones((4, 3, 1, 1)), np.ones(3)),
            r"bias has shape \(3,\): give one number",
        ),
        (lambda n: n.dense(n.picture, np.ones((4, 3))), r"have shape \(4, 3\): give \(outputs, 192\)"),
        (lambda n: n.pack("int4"), "precision 'int4': give one of float32, float16, int8"),
        (lambda n: n.pack(), "the network has no result"),
    ],
)
def test_descriptions_that_make_no_sense(call, words):
    with pytest.raises(ValueError, match=words):
        call(Network(8, 8))
