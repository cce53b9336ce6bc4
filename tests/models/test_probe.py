"""What people hand over as a network, and what three test pictures find out about it."""

import dataclasses
from collections import namedtuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from toy import Squares

import fr_explore as fr
from fr_explore.models import probe
from fr_explore.models.checks import NotFiniteError

CARD = fr.ModelCard(name="mine", title="mine", input_size=8, dim=8, metric="cosine")
CROPS = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)
Pair = namedtuple("Pair", "embedding norm")


@dataclasses.dataclass
class Output:
    feature: torch.Tensor
    quality: torch.Tensor
    note: str = ""


def layers() -> torch.nn.Sequential:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(192, 8)).eval()


class Then(torch.nn.Module):
    """The layers, then a function."""

    def __init__(self, function) -> None:
        super().__init__()
        self.net, self.function = layers(), function

    def forward(self, x):
        return self.function(self.net(x))


def load(network, **change):
    return fr.load_model(network, card=dataclasses.replace(CARD, **change), device="cpu")


@pytest.mark.parametrize(
    "wrap",
    [
        lambda y: (y, y.norm(dim=1, keepdim=True)),
        lambda y: [y.norm(dim=1), y],
        lambda y: {"logits": y.repeat(1, 3), "embedding": y},
        lambda y: Pair(y, y.norm(dim=1)),
        lambda y: Output(y, y.norm(dim=1)),
        lambda y: (None, {"deep": [torch.zeros(3, 8), y]}),  # (3, 8) is not one row per picture
        lambda y: y.numpy(),
    ],
)
def test_the_one_output_with_a_row_per_picture_is_the_embedding(wrap):
    np.testing.assert_array_equal(load(Then(wrap)).embed(CROPS), load(layers()).embed(CROPS))


FAULTS = {
    "two embeddings": (lambda y: (y, -y), r"several tensors for 3 pictures \(0: \(3, 8\), 1: .*\), and 2 of them with"),
    "rows apart": (lambda y: list(y), r"several tensors .* and none of them with the shape \(n, 8\).*wrap the network"),
    "nothing": (lambda y: None, "an object of class NoneType without tensors"),
    "a fixed reshape": (lambda y: y.reshape(1, -1), r"shapes \(1, 8\) for 1, \(1, 16\) for 2, .*: its reshape"),
    "a fixed number of rows": (lambda y: y.reshape(3, -1), "runs on batches of 3 but not of 1: its batch size"),
    "a mean over the batch": (lambda y: y - y.mean(0), "embeds a picture differently alone and in a batch"),
    "statistics of the batch": (torch.nn.BatchNorm1d(8).forward, "batch normalisation in training mode"),
    "dropout": (lambda y: torch.dropout(y, 0.5, True), "the same picture differently each time: switch dropout off"),
    "a constant": (lambda y: 0 * y + 1, "the same embedding for three very different pictures"),
    "another length": (lambda y: y[:, :5], r"returned shape \(3, 5\), but its card says dim = 8: correct the card"),
    "a picture": (lambda y: y[:, :, None, None], r"returned shape \(3, 8, 1, 1\).*add torch.nn.Flatten"),
    "whole numbers": (lambda y: y.long(), "torch.int64 is not floating point"),
    "an error": (lambda y: y @ torch.eye(3), r"fails on 3 pictures of shape \(3, 3, 8, 8\).*Check input_size"),
}  # fmt: skip


@pytest.mark.parametrize("what", FAULTS)
def test_faults_are_found_when_the_network_is_loaded(what):
    function, message = FAULTS[what]
    with pytest.raises(ValueError, match=f"the network of 'mine' .*{message}"):
        load(Then(function))


@settings(max_examples=20, deadline=None)
@given(st.floats(0.1, 1), st.integers(0, 9))
def test_any_share_of_the_batch_in_a_row_is_found(share, seed):
    weights = torch.randn(8, 8, generator=torch.Generator().manual_seed(seed))
    with pytest.raises(ValueError, match="alone and in a batch"):
        load(Then(lambda y: y @ weights - share * (y @ weights).mean(0)))


def test_batch_normalisation_in_a_plain_list_is_found():
    hidden = [torch.nn.BatchNorm1d(8)]
    with pytest.raises(ValueError, match=r"network.eval\(\) doesn't reach in a plain list: use torch.nn.ModuleList"):
        load(Then(lambda y: hidden[0](y)))
    hidden[0].eval()
    assert load(Then(lambda y: hidden[0](y))).embed(CROPS).shape == (3, 8)


def test_test_pictures_are_pictures_and_differ():
    for size in (1, 8, 112):
        crops = probe.pictures(size)
        assert crops.shape == (3, size, size, 3)
        assert (crops.min() >= 0) & (crops.max() <= 1)
    assert min(np.abs(crops[i] - crops[j]).mean() for i, j in [(0, 1), (0, 2), (1, 2)]) > 0.1


class Album:
    """A set of pictures; the network gives NaN for those that are white."""

    private = False

    def __init__(self, white):
        import pandas as pd

        self.white = white
        self.table = pd.DataFrame({"file": [f"{i}.png" for i in range(len(white))], "identity": "somebody"})

    def content(self, i):
        return f"{i} {self.white[i]}"

    def face(self, i, size=160):
        return fr.Face(np.ones((8, 8, 3), np.float32) * (1.0 if self.white[i] else 0.1 * i))


class Fragile(torch.nn.Module):
    """Overflows for white pictures."""

    def __init__(self):
        super().__init__()
        self.net = layers()

    def forward(self, x):
        return torch.where(x.amin((1, 2, 3))[:, None] > 0.99, torch.inf, self.net(x))


def test_nan_is_the_networks_fault():
    model = load(Fragile())
    with pytest.raises(NotFiniteError, match=r"'mine' gave NaN or infinity for 1 of 3 faces \(the first is number 2\)"):
        model.embed(np.concatenate([CROPS[:2], np.full((1, 8, 8, 3), 255, np.uint8)]))
    with pytest.warns(UserWarning, match=r"1 of 3 pictures are left out: 1.png: the network of 'mine' gave NaN or inf"):
        found = fr.embed(Album([False, True, False]), model, progress=False)
    assert found.file.values.tolist() == ["0.png", "2.png"]
    with pytest.raises(ValueError, match=r"none of 2 pictures has an embedding, 2 because of the network: 0\.png"):
        fr.embed(Album([True, True]), model, progress=False)
    with pytest.warns(UserWarning, match="gave NaN or infinity for 3 of 3 test pictures"):
        broken = load(Then(lambda y: y * torch.nan))
    lattice = fr.sample_lattice(Squares(["a"]), ["age"], curves=2, seed=0)
    with pytest.raises(ValueError, match="'mine' gave NaN or infinity for 6 of 6 faces of identity 'a'"):
        fr.embed(lattice, broken, progress=False)


@pytest.mark.filterwarnings("ignore:.torch.jit:FutureWarning", "ignore:.torch.jit:DeprecationWarning")
@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_the_input_has_the_type_of_the_weights(kind):
    exact = load(layers()).embed(CROPS)
    hidden = torch.jit.freeze(torch.jit.trace(layers().to(kind), torch.zeros(1, 3, 8, 8, dtype=kind)))
    for network in (layers().to(kind), hidden):  # the second one lists no weights
        found = load(network).embed(CROPS)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, exact, atol=0.05)


class Viewed(torch.nn.Module):
    """Flattens by `view`, as many networks do, which needs its pictures channels first in memory."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.full = torch.nn.Conv2d(3, 4, 3), torch.nn.Linear(144, 8)

    def forward(self, x):
        return self.full(self.conv(x).view(x.size(0), -1))


@pytest.mark.filterwarnings("ignore:.torch.jit:FutureWarning", "ignore:.torch.jit:DeprecationWarning")
def test_a_network_that_flattens_by_view():
    network = Viewed().eval()
    seen = (torch.from_numpy(CROPS).permute(0, 3, 1, 2).contiguous() - 127.5) / 127.5
    exact = network(seen).detach().numpy()
    hidden = torch.jit.freeze(torch.jit.trace(network.half(), torch.zeros(1, 3, 8, 8, dtype=torch.float16)))
    np.testing.assert_allclose(load(hidden).embed(CROPS), exact, atol=0.01)
    np.testing.assert_allclose(load(network.float()).embed(CROPS), exact, atol=0.01)


def keras_model():
    kind = type("Model", (), {"__module__": "keras.src.models.model", "__call__": lambda self, x: x})
    return type("Mine", (kind,), {})()


def lazy():
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.LazyLinear(8))


HANDED = [
    (lambda: layers().state_dict(), TypeError, r"a state dict \(1.weight, 1.bias, .*\) holds weights.*load_state_dict"),
    (lambda: {"state_dict": layers().state_dict(), "epoch": 3}, TypeError, "a checkpoint .* holds weights"),
    (lambda: torch.nn.DataParallel(layers()).state_dict(), TypeError, r"without 'module\.' in their names"),
    (lambda: torch.nn.ReLU, TypeError, r"the class .*ReLU is not a network yet: make one.*ReLU\(\)"),
    (lambda: b"1234", TypeError, "4 bytes are not a network: write them to a file"),
    (lambda: [layers()], TypeError, "an object of class builtins.list is not a network: give a torch module or a func"),
    (lambda: None, TypeError, "NoneType is not a network"),
    (lambda: load(layers()), TypeError, "a model is ready to use as it is"),
    (keras_model, TypeError, "is not a torch network: export it to an .onnx file.*tf2onnx"),
    (lambda: __import__("sklearn.svm").svm.SVC(), TypeError, "sklearn.* estimators work on its embeddings"),
    (lambda: torch.nn.Linear(3, 3, device="meta"), ValueError, "weight of the network is on torch's meta device"),
    (lazy, ValueError, "1.weight of the network has no size yet"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "kind", "message"), HANDED)
@pytest.mark.filterwarnings("ignore:Lazy modules")
def test_what_is_not_a_network_is_refused_in_words(make, kind, message):
    with pytest.raises(kind, match=message):
        load(make())


@pytest.fixture
def files(tmp_path):
    network, crops = layers(), torch.rand(3, 3, 8, 8)
    torch.save(network.state_dict(), tmp_path / "weights.pth")
    torch.save({"state_dict": network.state_dict(), "epoch": 3}, tmp_path / "checkpoint.pt")
    torch.save(network, tmp_path / "whole.pt")
    torch.jit.save(torch.jit.trace(network, crops), tmp_path / "script.pt")
    torch.compiler.reset()  # what earlier tests have compiled counts towards a limit of torch's
    torch.export.save(
        torch.export.export(network, (crops,), dynamic_shapes=({0: torch.export.Dim.AUTO},)), tmp_path / "program.pt2"
    )
    for name in ("net.h5", "net.safetensors", "damaged.pt"):
        (tmp_path / name).write_bytes(b"1234")
    return tmp_path


@pytest.mark.filterwarnings("ignore:.torch.jit:FutureWarning", "ignore:.torch.jit:DeprecationWarning")
def test_files(files):
    exact = load(layers()).embed(CROPS)
    for name in ("script.pt", "program.pt2"):
        np.testing.assert_allclose(load(files / name).embed(CROPS), exact, atol=1e-5)
    messages = {
        "weights.pth": "weights.pth holds weights, not a network: build the network",
        "checkpoint.pt": "checkpoint.pt holds weights, not a network",
        "whole.pt": r"neither TorchScript nor .* torch.load\(path, weights_only=False\), which runs code",
        "damaged.pt": "neither TorchScript nor",
        "net.h5": "is a file of Keras: export it to an .onnx file",
        "net.safetensors": "holds weights, not a network",
        ".": "is a folder: give the path of the .onnx file in it",
    }
    for name, message in messages.items():
        with pytest.raises(ValueError, match=message):
            load(files / name)
    with pytest.raises(FileNotFoundError, match=r"no file .*gone\.pt"):
        load(files / "gone.pt")


@pytest.mark.filterwarnings("ignore:.torch.jit:FutureWarning", "ignore:.torch.jit:DeprecationWarning")
def test_a_function_and_a_home_folder(files, monkeypatch):
    network = layers()
    function = load(lambda crops: network(crops).numpy())
    np.testing.assert_array_equal(function.embed(CROPS), load(network).embed(CROPS))
    monkeypatch.setenv("HOME", str(files))
    monkeypatch.setenv("USERPROFILE", str(files))
    assert load("~/script.pt").embed(CROPS).shape == (3, 8)
    with pytest.raises(TypeError, match=r"card \{'name': 'x'\} of a network of your own: give a ModelCard"):
        fr.load_model(network, card={"name": "x"})
    with pytest.raises(ValueError, match=r"'bfloat16' is for weights in float32, these are torch\.float16"):
        fr.load_model(layers().half(), CARD, "cpu", "bfloat16")


CARDS = [
    ({"mean": (0.5,) * 3, "std": (0.5,) * 3}, r"pixels from 0 to 1, .* write mean=\(127.5, .*, std=\(127.5"),
    ({"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}, r"mean=\(123.675, 116.28, 103.53\), std=\(58.395"),
    ({"mean": (0, 0, 0), "std": (0.5,) * 3}, r"write std=\(127.5, 127.5, 127.5\)"),
    ({"mean": (0.5,) * 3, "std": (1, 1, 1)}, r"write mean=\(127.5, 127.5, 127.5\), std=\(255"),
    ({"std": (1 / 128,) * 3}, r"are a factor, where we divide by std: write std=\(128.0, 128.0, 128.0\)"),
    ({"std": (127.5, 0, 127.5)}, "so std must be positive"),
    ({"std": (-1,) * 3}, "so std must be positive"),
    ({"std": (np.nan,) * 3}, "give three numbers"),
    ({"mean": 127.5}, "mean 127.5 of model 'mine': give three numbers"),
    ({"mean": (-127.5,) * 3}, "is in that range too"),
    ({"mean": (300,) * 3}, "is in that range too"),
    ({"template": [[0.34, 0.46], [0.66, 0.46], [0.5, 0.64], [0.37, 0.82], [0.63, 0.82]]}, "in shares .*give pixels"),
    ({"template": [[5, 5]] * 5}, "give five distinct points"),
    ({"template": [[38, 51], [73, 51], [56, 71], [41, 92], [70, 92]]}, r"at \(55.6, 71.4\), outside the crop of 8"),
    ({"dim": "512"}, "dim '512' of model 'mine': give a whole number"),
    ({"input_size": 0}, "input_size 0 of model 'mine'"),
    ({"threshold": "0.4"}, "threshold '0.4' of model 'mine': give a distance"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "message"), CARDS)
def test_cards_in_other_units(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(CARD, **change)


@pytest.mark.parametrize(
    ("mean", "std"),
    [
        ((0, 0, 0), (1, 1, 1)),
        ((0, 0, 0), (255, 255, 255)),
        ((104, 117, 123), (1, 1, 1)),
        (np.full(3, 127.5), [128] * 3),
    ],
)
def test_cards_in_our_units(mean, std):
    card = dataclasses.replace(CARD, mean=mean, std=std)
    assert card.mean == tuple(map(float, mean))
    assert card == dataclasses.replace(card)
    assert hash(card) == hash(dataclasses.replace(card))
