"""A fingerprint follows everything that the embeddings depend on: each change is made between two calls of fr.embed."""

import copy
import dataclasses
import pickle
import types

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from toy import Squares

import fr_explore as fr
from fr_explore.models.base import Model
from fr_explore.models.content import content

CARD = fr.ModelCard(name="mine", title="mine", input_size=8, dim=8, metric="euclidean")
GAIN = [1.0]  # a global that a network uses


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FR_EXPLORE_CACHE", str(tmp_path))


@pytest.fixture(scope="module")
def lattice():
    return fr.sample_lattice(Squares(["a"]), ["age", "hue"], curves=1, seed=0)


def layers() -> torch.nn.Sequential:
    torch.manual_seed(0)
    parts = torch.nn.Conv2d(3, 4, 3, stride=2), torch.nn.BatchNorm2d(4), torch.nn.ReLU(), torch.nn.Dropout(0.5)
    return torch.nn.Sequential(*parts, torch.nn.Flatten(), torch.nn.Linear(36, 8)).eval()


class Rich(torch.nn.Module):
    """Numbers in every place where a network may keep them."""

    def __init__(self):
        super().__init__()
        self.net, self.scale, self.matrix = layers(), 1.0, torch.eye(8)
        self.hidden, self.options = [torch.nn.Linear(8, 8)], types.SimpleNamespace(gain=1.0)
        self.table, self.function, self.calls = np.ones(8, np.float32), lambda x: x * GAIN[0], 0
        self.register_buffer("mask", torch.ones(8), persistent=False)

    def last(self, x):
        return x

    def forward(self, x):
        self.calls += 1
        y = self.net(x) * self.scale * self.options.gain @ self.matrix * torch.from_numpy(self.table) * self.mask
        return self.last(self.function(self.hidden[0](y)))


def train(network):
    network.train()
    optimizer = torch.optim.Adam(network.parameters(), 0.1)
    for _ in range(2):
        optimizer.zero_grad()
        network(torch.rand(4, 3, 8, 8)).square().sum().backward()
        optimizer.step()


def fill(tensor, value):
    with torch.no_grad():
        tensor.fill_(value)


CHANGES = {
    "weights in place": lambda m, _: fill(m.module.net[5].weight, 0.1),
    "weights through .data": lambda m, _: m.module.net[0].weight.data.add_(0.3),
    "one weight through .data": lambda m, _: m.module.net[5].weight.data[7, 35].add_(9),
    "one weight through NumPy": lambda m, _: m.module.net[5].weight.detach().numpy().__setitem__((7, 35), 9),
    "a training loop": lambda m, _: train(m.module),
    "load_state_dict": lambda m, _: m.module.load_state_dict({k: x + 1 for k, x in m.module.state_dict().items()}),
    "an attribute": lambda m, _: setattr(m.module, "scale", 2.0),
    "an attribute of an attribute": lambda m, _: setattr(m.module.options, "gain", 2.0),
    "a plain tensor": lambda m, _: m.module.matrix.mul_(3),
    "a plain array": lambda m, _: m.module.table.__setitem__(0, 5),
    "a buffer outside the state dict": lambda m, _: m.module.mask.mul_(2),
    "a module in a list": lambda m, _: fill(m.module.hidden[0].weight, 0.2),
    "a global": lambda m, patch: patch.setitem(globals(), "GAIN", [2.0]),
    "a function": lambda m, _: setattr(m.module, "function", lambda x: -x),
    "forward of the object": lambda m, _: setattr(m.module, "forward", lambda x: m.module.net(x)),
    "a method of the class": lambda m, patch: patch.setattr(Rich, "last", lambda self, x: x.roll(1, 1)),
    "a method of torch": lambda m, patch: patch.setattr(torch.nn.Linear, "forward", lambda self, x: x @ self.weight.T),
    "a hook": lambda m, _: m.module.net.register_forward_hook(lambda module, given, found: -found),
    "a hook before": lambda m, _: m.module.register_forward_pre_hook(lambda module, given: (given[0] / 2,)),
    "a layer": lambda m, _: m.module.net.__setitem__(5, torch.nn.Linear(36, 8)),
    "a setting of a layer": lambda m, _: setattr(m.module.net[1], "eps", 1.0),
    "the network": lambda m, _: setattr(m, "module", layers()),
    "the card": lambda m, _: setattr(m, "card", dataclasses.replace(CARD, mean=(0, 0, 0), color_order="BGR")),
    "a method of the model": lambda m, _: setattr(m, "embed", lambda faces, size: 2 * Model.embed(m, faces, size)),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_embeddings_are_those_of_the_present_network(what, lattice, own_cache, monkeypatch):
    model = fr.load_model(Rich().eval(), CARD, "cpu")
    assert model.fingerprint == fr.load_model(Rich().eval(), CARD, "cpu").fingerprint
    old = model.fingerprint
    before = fr.embed(lattice, model, progress=False)
    CHANGES[what](model, monkeypatch)
    after = fr.embed(lattice, model, progress=False)
    truth = fr.embed(lattice, model, progress=False, cache=False)
    np.testing.assert_array_equal(after, truth)
    assert np.abs(before - truth).max() > 1e-3  # so the test can fail
    assert model.fingerprint != old == before.attrs["model_fingerprint"]
    assert after.attrs["model_fingerprint"] == model.fingerprint
    assert model.uncached is None


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore:.*quantize:UserWarning")
@pytest.mark.parametrize("kind", ["frozen", "traced", "exported", "16 bits", "quantised", "parallel", "compiled"])
def test_networks_of_every_make_have_a_fingerprint_of_their_numbers(kind):
    crops = torch.rand(3, 3, 8, 8)

    def make(bias: float):
        network = layers()
        fill(network[5].bias, bias)
        return {
            "frozen": lambda: torch.jit.freeze(torch.jit.trace(network, crops)),
            "traced": lambda: torch.jit.trace(network, crops),
            "exported": lambda: torch.export.export(network, (crops,), dynamic_shapes=({0: torch.export.Dim.AUTO},)),
            "16 bits": lambda: network.half(),
            "quantised": lambda: torch.ao.quantization.quantize_dynamic(network, {torch.nn.Linear}, torch.qint8),
            "parallel": lambda: torch.nn.DataParallel(network),
            "compiled": lambda: torch.compile(network, backend="eager"),
        }[kind]()

    one, same, other = (fr.load_model(make(bias), CARD, "cpu") for bias in (0.0, 0.0, 0.5))
    assert one.fingerprint == same.fingerprint == one.fingerprint
    assert one.fingerprint != other.fingerprint
    assert one.uncached is None
    pictures = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), dtype=np.uint8)
    np.testing.assert_allclose(other.embed(pictures) - one.embed(pictures), 0.5, atol=0.05)


def test_training_mode_is_left_as_it_was_and_not_used(lattice):
    model = fr.load_model(layers(), CARD, "cpu")
    before = fr.embed(lattice, model, progress=False, cache=False)
    model.module.train()
    model.module[1].eval()
    np.testing.assert_array_equal(before, fr.embed(lattice, model, progress=False, cache=False))
    assert [part.training for part in model.module] == [True, False, True, True, True, True]


def test_nothing_is_cached_if_something_cannot_be_read(lattice, own_cache):
    from fr_explore.base import cache

    network = layers()
    network.handle = (i for i in range(3))
    model = fr.load_model(network, CARD, "cpu")
    with pytest.warns(UserWarning, match=r"'mine' are not cached: what is inside module.handle \(an object of class"):
        fr.embed(lattice, model, progress=False, cache=True)
    assert cache.size() == 0


def test_a_change_that_only_the_probe_sees(lattice, own_cache, monkeypatch):
    """A function of torch is replaced: nothing in the network changes but its embeddings."""
    model = fr.load_model(torch.nn.Sequential(*layers()[:3], torch.nn.Flatten(), torch.nn.Linear(36, 8)), CARD, "cpu")
    before, relu = fr.embed(lattice, model, progress=False), F.relu
    monkeypatch.setattr(F, "relu", lambda x, inplace=False: relu(x) + 1)
    with pytest.warns(UserWarning, match="changed, but nothing that can be seen in the network did"):
        after = fr.embed(lattice, model, progress=False)
    assert np.abs(before - after).max() > 1e-3
    assert after.attrs["model_fingerprint"] != before.attrs["model_fingerprint"]


def test_copies_have_the_same_fingerprint():
    model = fr.load_model(layers(), CARD, "cpu")
    assert copy.deepcopy(model).fingerprint == pickle.loads(pickle.dumps(model)).fingerprint == model.fingerprint


def test_what_the_network_itself_writes_is_not_part_of_it():
    model = fr.load_model(Rich().eval(), CARD, "cpu")
    first = model.fingerprint
    model.embed(np.zeros((3, 8, 8, 3), np.uint8))
    assert model.module.calls > 3
    assert model.fingerprint == first


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
KEYS = st.text(max_size=3) | st.integers(0, 2)
VALUES = st.recursive(SCALARS, lambda part: st.lists(part, max_size=3) | st.dictionaries(KEYS, part, max_size=3))


@settings(max_examples=60, deadline=None)
@given(VALUES, VALUES)
def test_equal_values_have_equal_digests_and_others_do_not(a, b):
    one, other = content({"part": a}), content({"part": b})
    assert content({"part": copy.deepcopy(a)}).digest() == one.digest()
    assert (one.digest() == other.digest()) == (repr(a) == repr(b))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 5), st.integers(0, 3), st.sampled_from([torch.float32, torch.float16, torch.int64]), st.data())
def test_any_single_number_of_a_tensor_counts(rows, columns, kind, data):
    tensor = torch.arange((rows + 1) * (columns + 1)).reshape(rows + 1, columns + 1).to(kind)
    changed = tensor.clone()
    place = data.draw(st.integers(0, tensor.numel() - 1))
    changed.view(-1)[place] += 1
    digest = content([tensor]).digest()
    assert digest == content([tensor.clone()]).digest() == content([tensor.t().contiguous().t()]).digest()
    assert len({digest, content([changed]).digest(), content([tensor.double()]).digest()}) == 3
