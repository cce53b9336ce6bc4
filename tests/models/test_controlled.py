"""Controlled models: closed forms that the whole chain must find, and the trained networks that ship with cards."""

import dataclasses
import json
import math
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

import fr_explore as fr
from fr_explore.faces.cartoons import ATTRIBUTE_NAMES, standardised
from fr_explore.models import registry
from fr_explore.models.align import aligned_crops
from fr_explore.models.controlled import cards as controlled
from fr_explore.models.controlled.analytic import AMPLITUDES, ANGLES, CLUSTER, DRIFTS, SLOPES
from fr_explore.models.controlled.trained import ControlledNet

TOOLS = Path(__file__).parents[2] / "tools"
sys.path.insert(0, str(TOOLS))
import controlled_data as data  # noqa: E402  (the tools are not a package)
import train_controlled as tool  # noqa: E402
from losses import MarginLoss, TripletLoss, in_groups  # noqa: E402

CURVES = 40
FACES = fr.Cartoons(identities=4, seed=3)
STEPS = np.array([2 * a.step / (a.high - a.low) for a in FACES.attributes.values()])


class SideBySide(torch.nn.Module):
    """Several models on the same crops: each picture is rendered once for all of them."""

    def __init__(self, models: list) -> None:
        super().__init__()
        self.models = models

    def forward(self, crops):
        return torch.cat([model.forward(crops) for model in self.models], 1)


@pytest.fixture(scope="module")
def fields() -> dict[str, xr.Dataset]:
    """The field of each analytic model over six identities."""
    lattice = fr.sample_lattice(fr.Cartoons(identities=6, seed=3), ATTRIBUTE_NAMES, curves=CURVES, seed=1)
    models = [fr.load_model(f"controlled/{formula}", device="cpu") for formula in controlled.FORMULAS]
    widths = [model.card.dim for model in models]
    card = dataclasses.replace(models[0].card, name="side by side", dim=sum(widths))
    whole = fr.load_model(SideBySide(models), card=card, device="cpu")
    embeddings, stops = fr.embed(lattice, whole, progress=False, cache=False), np.cumsum(widths)
    return {
        formula: fr.vector_field(embeddings.isel(dim=slice(stop - width, stop)).assign_attrs(metric=model.card.metric))
        for formula, model, width, stop in zip(controlled.FORMULAS, models, widths, stops, strict=True)
    }


def energies(field: xr.Dataset, neighborhood=None) -> np.ndarray:
    """Mean over the identities, one for each attribute."""
    table = fr.alignment(field, neighborhood or fr.ball(1e6))
    return table.groupby("attribute", sort=False)["energy"].mean().to_numpy()


# cartoons


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 3), st.lists(st.floats(0, 1), min_size=5, max_size=5))
def test_coordinates_are_read_back(person, shares):
    records = FACES.attributes.values()
    strengths = {a.name: a.low + share * (a.high - a.low) for a, share in zip(records, shares, strict=True)}
    model = fr.load_model("controlled/drift")
    found = model.module.coordinates(model.align(FACES.render(person, strengths))).numpy()[0]
    np.testing.assert_allclose(found, np.r_[FACES.codes[person], standardised(strengths)], atol=1e-6)


def test_cartoons_are_a_face_source():
    assert isinstance(FACES, fr.FaceSource)
    assert np.allclose(np.linalg.norm(FACES.codes, axis=1), 1)
    assert np.array_equal(fr.Cartoons(2, seed=3).codes, FACES.codes[:2])
    assert fr.Cartoons(2, seed=4).fingerprint != fr.Cartoons(2, seed=3).fingerprint
    one, two = FACES.render(1, {"age": 60}), FACES.render_batch([1], [{"age": 60}])[0]
    assert np.array_equal(one.pixels, two.pixels)
    assert one.pixels.min() >= 0
    assert one.pixels.max() <= 1
    for size in (64, 320):
        assert FACES.render(0, size=size).pixels.shape == (size, size, 3)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: fr.Cartoons(0), "identities = 0: give the number of identities, 1 or more"),
        (lambda: FACES.render(9), "unknown identity 9: choose a whole number from 0 to 3"),
        (lambda: FACES.render(0, {"hue": 3}), "unknown attribute 'hue'"),
        (lambda: FACES.render(0, size=8), "size = 8: give the picture's side"),
        (lambda: FACES.render_batch([0], []), "1 identities but 0 strengths"),
    ],
)
def test_cartoons_refuse(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_every_color_stays_in_range_at_the_ends():
    for end in (-1, 1):
        strengths = {a.name: (a.low if end < 0 else a.high) for a in FACES.attributes.values()}
        for code in (*np.eye(6), *-np.eye(6)):
            faces = fr.Cartoons(1)
            faces.codes = code[None]
            pixels = faces.render(0, strengths).pixels
            assert pixels.min() >= 0
            assert pixels.max() <= 1


# closed forms


def test_drift_has_no_energy_and_a_known_magnitude(fields):
    field = fields["drift"].isel(identity=[0])
    np.testing.assert_allclose(energies(field), 0, atol=1e-6)
    np.testing.assert_allclose(field["magnitude"][0, :, 7], 2 * STEPS * AMPLITUDES, rtol=1e-3)
    assert float(field["magnitude"].std("curve").max()) < 1e-5


def test_ignored_attribute_has_no_direction(fields):
    with pytest.warns(UserWarning, match="no point has a neighbour with a direction for 0 age"):
        table = fr.alignment(fields["ignored"].isel(identity=[0]), fr.knn(5))
    age = table[table["attribute"] == "age"]
    assert (age["zero_direction"] == 1).all()
    assert (age["magnitude"] == 0).all()
    assert age["energy"].isna().all()
    others = table[table["attribute"] != "age"]
    assert (others["zero_direction"] == 0).all()
    np.testing.assert_allclose(others["energy"], 0, atol=1e-6)


def test_drift_plus_noise(fields):
    wanted = [1 / (1 + DRIFTS[name] ** 2) if name in DRIFTS else 1.0 for name in ATTRIBUTE_NAMES]
    np.testing.assert_allclose(energies(fields["drift-noise"]), wanted, atol=0.02)


def test_rotation_over_all_pairs_and_growing_with_the_scale(fields):
    field = fields["rotation"]
    reach = (1 - STEPS) * ANGLES
    np.testing.assert_allclose(energies(field), 1 - np.sinc(reach / math.pi) ** 2, atol=0.05)
    np.testing.assert_allclose(field["magnitude"].mean(("identity", "curve")), 2 * np.sin(STEPS * ANGLES), rtol=1e-3)
    assert_grows(field)


def test_curved_over_all_pairs_and_growing_with_the_scale(fields):
    field = fields["curved"]
    slopes = (1 - STEPS) * SLOPES
    np.testing.assert_allclose(energies(field), 1 - (np.arcsinh(slopes) / slopes) ** 2, atol=0.03)
    assert_grows(field)


def assert_grows(field: xr.Dataset) -> None:
    profile = fr.alignment_profile(field, [0.6, 2.0])
    means = profile.groupby(["attribute", "radius"])["energy"].mean().unstack()
    assert (means[0.6] < means[2.0]).all(), means


def test_clusters_have_known_cosines():
    strengths = {"age": 60, "expression": 0.9}
    model = fr.load_model("controlled/clusters")
    faces = [FACES.render(0), FACES.render(0, strengths), FACES.render(1, strengths)]
    vectors = model.embed(faces)
    at = [standardised({}), standardised(strengths), standardised(strengths)]
    exact = np.stack([np.r_[FACES.codes[i], CLUSTER * t] for i, t in zip((0, 0, 1), at, strict=True)])
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    np.testing.assert_allclose(vectors @ vectors.T, exact @ exact.T, atol=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]


# margin loss


def test_margin_loss_against_its_formula():
    rng = np.random.default_rng(0)
    x, who = rng.normal(size=(5, 7)), np.array([0, 2, 1, 2, 0])
    loss = MarginLoss(3, 7, scale=8.0, margin=0.4).double()
    centres = loss.centres.detach().numpy()
    cosine = x @ centres.T / np.linalg.norm(x, axis=1)[:, None] / np.linalg.norm(centres, axis=1)
    logits = cosine.copy()
    rows = np.arange(5)
    logits[rows, who] = np.cos(np.arccos(cosine[rows, who]) + 0.4)
    logits *= 8
    wanted = (np.log(np.exp(logits).sum(1)) - logits[rows, who]).mean()
    assert loss(torch.from_numpy(x), torch.from_numpy(who)).item() == pytest.approx(wanted, rel=1e-6)


def test_margin_loss_falls_towards_the_own_centre_from_anywhere():
    loss = MarginLoss(2, 3, scale=4.0, margin=0.5)
    loss.centres.data = torch.eye(3)[:2]
    angles = torch.linspace(0, math.pi, 50)  # away from the own centre, at a right angle to the other one
    points = torch.stack([torch.cos(angles), torch.zeros(50), torch.sin(angles)], 1)
    values = [loss(point[None], torch.tensor([0])).item() for point in points]
    assert (np.diff(values) > 0).all()


def test_margin_loss_refuses():
    with pytest.raises(ValueError, match=r"identities = 1, scale = 32.0, margin = 0.3: give at least 2"):
        MarginLoss(1, 8)


def test_triplet_loss_against_its_definition():
    rng = np.random.default_rng(2)
    x, who = rng.normal(size=(7, 4)), np.array([0, 0, 0, 1, 1, 2, 2])
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    terms = [
        0.4 + np.linalg.norm(unit[a] - unit[p]) - np.linalg.norm(unit[a] - unit[n])
        for a in range(7) for p in range(7) for n in range(7)
        if a != p and who[a] == who[p] and who[a] != who[n]
    ]  # fmt: skip
    wanted = np.mean([term for term in terms if term > 0])
    loss = TripletLoss(0.4)
    assert loss(torch.from_numpy(x), torch.from_numpy(who)).item() == pytest.approx(wanted, rel=1e-6)
    apart = torch.eye(3)[
        [0, 0, 1, 1]
    ].requires_grad_()  # nothing violates the margin: the loss is 0, and so is its gradient
    nothing = loss(apart, torch.tensor([0, 0, 1, 1]))
    nothing.backward()
    assert nothing.item() == 0
    assert not apart.grad.any()


@given(st.integers(1, 5), st.integers(0, 9))
def test_pictures_of_a_person_stay_together_and_each_comes_once(identities, seed):
    order = in_groups(identities, 8, 4, np.random.default_rng(seed))
    assert sorted(order.tolist()) == list(range(8 * identities))
    assert (np.ptp(order.reshape(-1, 4) // 8, axis=1) == 0).all()


# data of the training


def test_regimes_hold_and_tie_their_attribute():
    people = data.People(5, 4, seed=8)
    free = people.strengths("all-varied")
    for regime in controlled.REGIMES:
        kind, _, name = regime.partition("-")
        values = people.strengths(regime)
        if kind not in ("fixed", "tied"):
            assert np.array_equal(values, free)
            continue
        k = data.NAMES.index(name)
        assert np.array_equal(np.delete(values, k, -1), np.delete(free, k, -1))
        if kind == "fixed":
            assert (values[..., k] == fr.ATTRIBUTES[name].neutral).all()
        else:
            assert (values[..., k] == values[:, :1, k]).all()
            assert len(np.unique(values[..., k])) == 5
    later = people.strengths("all-varied", epoch=3)
    image = np.isin(data.NAMES, data.IMAGE)
    assert np.array_equal(later[..., ~image], free[..., ~image])
    assert (later[..., image] != free[..., image]).all()


def test_tied_image_attribute_stays_with_the_person_over_epochs():
    people = data.People(5, 4, seed=8)
    k = data.NAMES.index("hue")
    assert np.array_equal(people.strengths("tied-hue", 0)[..., k], people.strengths("tied-hue", 7)[..., k])


def test_adjusting_a_crop_is_cropping_an_adjusted_picture():
    faces, strengths = fr.Avatars(1, seed=2), {"hue": 20.0, "contrast": 0.8, "brightness": 1.1}
    plain, wanted = faces.render(0, {}, 80), faces.render(0, strengths, 80)

    def crop(face):
        pixels = torch.from_numpy(face.pixels.copy()).permute(2, 0, 1)[None]
        return aligned_crops(pixels, face.landmarks[None], np.array(controlled.TEMPLATE), controlled.SIZE)

    means = torch.from_numpy(plain.pixels.mean((0, 1)))[None]
    values = torch.tensor([[strengths[name] for name in data.IMAGE]])
    found = data.adjusted(crop(plain), means, values)
    assert (found - crop(wanted)).abs().mean() < 1e-4  # clipping and cropping do not commute in single pixels


def test_damage_is_of_one_regime_changes_with_the_epoch_and_repeats():
    people = data.People(3, 2, seed=8)
    assert [people.damage(regime) is None for regime in ("all-varied", "triplet", "degraded")] == [True, True, False]
    first, later = people.damage("degraded", 0), people.damage("degraded", 1)
    assert (first != later).all()
    for k, (low, high) in enumerate(data.DAMAGE.values()):
        assert ((first[..., k] >= low) & (first[..., k] <= high)).all()
    crops, seeds = torch.rand(2, 3, 16, 16), np.array([4, 5])
    once, again = (data.damaged(crops, first[0], seeds) for _ in range(2))
    assert torch.equal(once, again)
    assert (once - crops).abs().mean() > 0.05  # noise is blurred away
    none = np.array([[0, 0, 100]] * 2)
    assert torch.allclose(data.damaged(crops, none, seeds), crops)


def test_a_killed_training_resumes_and_gives_the_same_weights(tmp_path):
    torch.set_num_threads(1)
    recipe = tool.Recipe(train=data.People(4, 2, 1), held_out=data.People(3, 2, 2), epochs=3, batch=4)
    tool.make("tied-hue", recipe, tmp_path / "whole", tmp_path / "one")
    shutil.copytree(tmp_path / "whole" / "renders", tmp_path / "killed" / "renders")
    # it is killed just before it saves the checkpoint of the second epoch
    code = f"""
import sys, time
from pathlib import Path
sys.path.insert(0, {str(TOOLS)!r})
import train_controlled as tool
from controlled_data import People
tool.torch.set_num_threads(1)
save = tool.Training.save
tool.Training.save = lambda self: save(self) if self.epoch < 2 else time.sleep(60)
folder = Path({str(tmp_path)!r})
tool.make("tied-hue", tool.{recipe!r}, folder / "killed", folder / "two")
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if "epoch 2" in line:
                break
        process.send_signal(signal.SIGKILL)
    tool.make("tied-hue", recipe, tmp_path / "killed", tmp_path / "two")
    one, two = (load_file(tmp_path / name / "tied-hue.safetensors") for name in ("one", "two"))
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)
    facts = json.loads((tmp_path / "two" / "tied-hue.json").read_text())
    assert [row["pictures"] for row in facts["verification"]] == ["tied-hue", "all-varied"]


# trained models as they ship


@pytest.fixture(scope="module")
def two_pictures_of_two_people():
    return fr.Avatars(2, seed=99).render_batch([0, 0, 1, 1], [{"age": 30}, {"age": 40}] * 2, size=80)


@pytest.mark.parametrize("regime", controlled.REGIMES)
def test_trained_model_and_card(regime, two_pictures_of_two_people):
    model = fr.load_model(f"controlled/{regime}", device="cpu")
    vectors = model.embed(two_pictures_of_two_people)
    assert vectors.shape == (4, 128)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    cosine = vectors @ vectors.T
    assert min(cosine[0, 1], cosine[2, 3]) > cosine[:2, 2:].max()
    facts = json.loads((controlled.FOLDER / f"{regime}.json").read_text())
    assert sum(p.numel() for p in model.module.parameters()) == facts["parameters"] < 1_500_000
    assert facts["verification"][0]["auc"] >= 0.95
    assert "generated faces only" in model.card.weaknesses[0]
    assert model.card.threshold == pytest.approx(facts["verification"][-1]["threshold"], abs=5e-4)


def test_trained_models_were_made_alike():
    facts = [json.loads((controlled.FOLDER / f"{regime}.json").read_text()) for regime in controlled.REGIMES]
    assert all(one["recipe"] == facts[0]["recipe"] for one in facts)
    assert all(one["avatars"] == facts[0]["avatars"] for one in facts)


def test_weights_are_small_and_verified(monkeypatch):
    assert sum(path.stat().st_size for path in controlled.FOLDER.iterdir()) < 15e6
    name = "controlled/all-varied"
    assert registry.fetch_model(name).name == "all-varied.safetensors"
    assert registry.fetch_model("controlled/drift").name == "analytic.py"
    monkeypatch.setitem(controlled.CARDS, name, controlled.CARDS["controlled/fixed-hue"])
    with pytest.raises(ValueError, match=r"all-varied.safetensors has SHA-256 .* it is damaged .*; reinstall"):
        fr.load_model(name)


def test_controlled_models_are_listed():
    table = fr.list_models()
    wanted = {f"controlled/{name}" for name in (*controlled.FORMULAS, *controlled.REGIMES)}
    assert wanted <= set(table.index)
    assert table.loc[sorted(wanted), "licence"].str.startswith("MIT").all()


def test_half_precision_costs_nothing_that_matters():
    torch.manual_seed(0)
    net = ControlledNet(128).eval()
    half = ControlledNet(128).eval()
    half.load_state_dict({n: t.half().float() for n, t in net.state_dict().items()})
    x = torch.rand(8, 3, 64, 64) * 2 - 1
    with torch.inference_mode():
        assert torch.cosine_similarity(net(x), half(x)).min() > 0.999
