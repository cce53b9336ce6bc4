"""Fine-tuning: training data, what stays unchanged, the card, resuming after a kill, and the charts."""

import numpy as np
import pandas as pd
import pytest
import torch
import vl_convert
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import fr_explore as fr
from fr_explore.training.augment import Augmented, augmented_ranges
from fr_explore.training.finetune import finetune
from fr_explore.training.loop import Run, triplet_loss

SMALL = {"people": 3, "views": 2, "pictures": 2, "held_out": 0.4, "check_every": 2, "size": 48, "progress": False}


@pytest.fixture(scope="module")
def faces():
    return fr.Avatars(identities=5, seed=3)


def small_model(metric="euclidean", norm=False):
    torch.manual_seed(0)
    middle = nn.BatchNorm2d(8) if norm else nn.Identity()
    net = nn.Sequential(nn.Conv2d(3, 8, 5, stride=3), middle, nn.ReLU(), nn.Conv2d(8, 16, 3, stride=2), nn.Flatten(),
                        nn.LazyLinear(12))  # fmt: skip
    net(torch.zeros(2, 3, 32, 32))
    card = fr.ModelCard("small", "A small network", input_size=32, dim=12, metric=metric, threshold=1.0)
    return fr.load_model(net, card, device="cpu")


def weights(model):
    return {name: tensor.clone() for name, tensor in model.module.state_dict().items()}


def same(first, second):
    return all(torch.equal(first[name], second[name]) for name in first)


def test_the_given_model_is_unchanged_and_the_new_card_says_what_was_done(faces):
    model = small_model()
    before, seen = weights(model), []
    tuned = fr.finetune(
        model, faces, {"brightness": (0.8, 1.2), "head_angle": True}, steps=4, on_check=seen.append, **SMALL
    )
    assert same(before, weights(model))
    assert not same(before, weights(tuned))
    assert tuned.card.name == "small+brightness+head_angle"
    assert tuned.card.trained_on.endswith(
        "3 people of Avatars with brightness 0.8 to 1.2, head angle -30 to 30 varied alone, 4 steps, seed 0"
    )
    assert "AUC" in tuned.card.accuracy
    assert "not recalibrated" in tuned.card.threshold_source
    assert model.fingerprint in tuned.card.weights
    assert tuned.recipe["augment"] == {"brightness": [0.8, 1.2], "head_angle": [-30.0, 30.0]}
    assert tuned.recipe["faces_fingerprint"] == faces.fingerprint
    assert tuned.history["step"].tolist() == [0, 2, 4]
    assert tuned.history["kept"].sum() == 1
    assert [len(history) for history in seen] == [2, 3]
    assert tuned.embed(faces.render(0, size=48)).shape == (1, 12)
    assert tuned.fingerprint != model.fingerprint


def test_a_killed_run_resumes_exactly(faces, tmp_path):
    model, path = small_model(), tmp_path / "runs" / "one.pt"
    whole = finetune(model, faces, "brightness", steps=6, **SMALL)

    def kill(history):
        if len(history) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        finetune(model, faces, "brightness", steps=6, checkpoint=path, on_check=kill, **SMALL)
    assert [file.name for file in path.parent.iterdir()] == ["one.pt"]
    resumed = finetune(model, faces, "brightness", steps=6, checkpoint=path, **SMALL)
    assert same(weights(whole), weights(resumed))
    pd.testing.assert_frame_equal(whole.history, resumed.history)
    # a finished run is read back, nothing is rendered
    faces_gone = fr.Avatars(identities=5, seed=3)
    faces_gone.render_batch = None
    again = finetune(model, faces_gone, "brightness", steps=6, checkpoint=path, **SMALL)
    assert same(weights(whole), weights(again))


def test_a_checkpoint_of_another_run_or_a_broken_one_is_refused(faces, tmp_path):
    model, path = small_model(), tmp_path / "one.pt"
    finetune(model, faces, "brightness", steps=2, checkpoint=path, **SMALL)
    with pytest.raises(ValueError, match=r"another run \(seed = 0 there, 1 here\): delete it or give another path"):
        finetune(model, faces, "brightness", steps=2, checkpoint=path, seed=1, **SMALL)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match=r"one\.pt is not a checkpoint of fr\.finetune"):
        finetune(model, faces, "brightness", steps=2, checkpoint=path, **SMALL)


def run_of(**recipe):
    recipe = {
        "learning_rate": 1e-3,
        "steps": 100,
        "patience": 2,
        "tolerance": 0.01,
        "parent": "small",
        "augment": {},
        **recipe,
    }
    return Run.begin(small_model(), recipe, None)


@pytest.mark.parametrize(
    ("aucs", "kept", "stops"),
    [
        ([0.90, 0.91, 0.93, 0.925], 3, False),  # the last check within the tolerance of the best
        ([0.90, 0.95, 0.93, 0.92], 1, True),
        ([0.90, 0.80, 0.82, 0.81, 0.80], 2, True),  # never as good as given: the best since training began
        ([0.90, 0.80, 0.70, 0.895], 3, False),
    ],
)
def test_early_stopping_keeps_the_weights_that_verify(aucs, kept, stops):
    run = run_of()
    for step, auc in enumerate(aucs):
        run.step = step
        with torch.no_grad():
            run.student.module[0].bias.fill_(step)
        run.record({"auc": auc})
    assert run.best["step"] == kept
    assert float(run.best["weights"]["0.bias"][0]) == kept
    assert run.finished == stops
    assert run.history()["kept"].tolist() == [step == kept for step in range(len(aucs))]


def test_batch_statistics_and_frozen_weights_stay(faces):
    model = small_model(norm=True, metric="cosine")
    model.module[0].weight.requires_grad_(False)
    before = weights(model)
    after = weights(finetune(model, faces, "contrast", steps=2, **SMALL))
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"0.bias", "1.weight", "1.bias", "3.weight", "3.bias", "5.weight", "5.bias"}


def test_it_teaches_what_it_should():
    options = {**SMALL, "people": 6, "steps": 240, "check_every": 240, "learning_rate": 1e-2}
    tuned = finetune(small_model(), fr.Avatars(identities=10, seed=3), "brightness", **options)
    first, last = tuned.history["movement"].iloc[[0, -1]]
    assert last < 0.6 * first


def test_copies_differ_from_their_picture_in_the_target_alone(faces):
    size, options = 48, {"pictures": 2, "copies": 2, "size": 48, "seed": 5, "progress": False}
    base = fr.sample_lattice(faces, ["brightness"], curves=2, seed=5).base.isel(identity=1, curve=0)
    point = dict(zip(base.attribute.values.tolist(), base.values.tolist(), strict=True))
    bright = Augmented(faces, range(1, 4), {"brightness": (0.6, 0.7)}, **options)
    shown = bright.views(0, 0, 3, np.random.default_rng(0))
    given = faces.render(1, point | {"brightness": 1.0}, size=size).pixels
    np.testing.assert_allclose(shown[0].pixels, given, atol=0.02)  # rounding to 8 bits, then hue and contrast
    for copy in shown[1:]:
        lit = given < 0.9  # what was clipped at white before is not told apart after
        ratio = copy.pixels[lit & (given > 0.3)] / given[lit & (given > 0.3)]
        assert 0.55 < np.median(ratio) < 0.72
        np.testing.assert_array_equal(copy.landmarks, shown[0].landmarks)
    turned = Augmented(faces, range(1, 2), {"head_angle": (10, 20)}, **options)
    straight, *copies = turned.views(0, 1, 2, np.random.default_rng(0))
    assert not any(np.allclose(copy.landmarks, straight.landmarks, atol=0.5) for copy in copies)
    again = Augmented(faces, range(1, 2), {"head_angle": (10, 20)}, **options)
    for one, other in zip([straight, *copies], again.views(0, 1, 2, np.random.default_rng(0)), strict=True):
        np.testing.assert_array_equal(one.pixels, other.pixels)


@given(st.integers(0, 1000), st.integers(2, 5), st.integers(2, 4), st.floats(0, 2))
def test_triplets_are_the_hardest_of_the_batch(seed, people, views, margin):
    vectors = np.random.default_rng(seed).normal(size=(people, views, 6))
    losses = []
    for i in range(people):
        for a in range(views):
            own = max(np.linalg.norm(vectors[i, a] - vectors[i, b]) for b in range(views))
            others = [np.linalg.norm(vectors[i, a] - vectors[j, b])
                      for j in range(people) if j != i for b in range(views)]  # fmt: skip
            losses.append(max(0.0, margin + own - min(others)))
    assert float(triplet_loss(torch.from_numpy(vectors), margin)) == pytest.approx(np.mean(losses), abs=1e-9)


@pytest.mark.parametrize(
    ("augment", "message"),
    [
        ("brihtness", r"unknown attribute 'brihtness'\. Did you mean 'brightness'\?"),
        ([], r"augment names no attribute: give for instance augment=\{'brightness': True\}"),
        ({"age": (10, 50)}, r"augment\['age'\] = \(10, 50\): give True .* within 18 to 75 years\."),
        ({"age": (50, 40)}, r"\(50, 40\)"),
        ({"brightness": False}, r"augment\['brightness'\] = False"),
        ({"brightness": 0.3}, r"augment\['brightness'\] = 0\.3"),
    ],
)
def test_what_cannot_be_augmented_is_named(augment, message, faces):
    with pytest.raises(ValueError, match=message):
        augmented_ranges(augment, faces)


def test_too_few_people_and_networks_without_weights_are_refused(faces):
    with pytest.raises(ValueError, match=r"5 people \(held_out = 0\.2 keeps 1 of them for checks\).*more identities"):
        fr.finetune(small_model(), faces, "age", people=3)
    fixed = nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten())
    model = fr.load_model(fixed, fr.ModelCard("fixed", "Means", input_size=32, dim=12, metric="euclidean"))
    with pytest.raises(ValueError, match=r"'fixed' has no weights that torch could train: a network from an \.onnx"):
        fr.finetune(model, faces, "age", people=3)


def test_a_loss_that_is_not_finite_ends_the_run(faces):
    with pytest.raises(ValueError, match=r"the loss is (nan|inf) at step \d: give a smaller learning_rate"):
        fr.finetune(small_model(), faces, "brightness", steps=6, learning_rate=1e30, **SMALL)


def history(checks=4):
    rows = [{"step": 25 * i, "loss": 0.4, "triplet": 0.3 / (i or 1), "preservation": 0.01 * i,
             "auc": 0.98 + 0.002 * i, "tar": 0.9, "movement": 0.13 - 0.01 * i, "kept": i == checks - 1}
            for i in range(checks)]  # fmt: skip
    table = pd.DataFrame(rows)
    table.loc[0, ["loss", "triplet", "preservation"]] = np.nan
    table.attrs = {"parent": "dlib", "augment": ["brightness"]}
    return table


def drawn(chart):
    spec = chart.to_json()
    return vl_convert.vegalite_to_svg(spec, vl_version="5.20")


def test_the_curves_of_a_run():
    picture = drawn(fr.charts.training(history()))
    for words in ("Fine-tuning dlib on brightness", "same person? (AUC)", "preservation", "triplet", "before"):
        assert words in picture
    assert fr.ATTRIBUTES["brightness"].color in picture
    assert "same person? (AUC)" in drawn(fr.charts.training(history(1)))  # nothing but the model as it was given
    with pytest.raises(ValueError, match=r"lacks the column 'auc'.*fr\.finetune"):
        fr.charts.training(history().drop(columns="auc"))


def energies(model, shift):
    rng = np.random.default_rng(0)
    rows = [{"identity": i, "attribute": name, "energy": 0.5 + 0.1 * k + shift + 0.01 * rng.random(),
             "magnitude": 0.4 - shift, "model": model}
            for k, name in enumerate(("age", "brightness")) for i in range(6)]  # fmt: skip
    return pd.DataFrame(rows)


def test_before_and_after():
    table = pd.concat([energies("dlib", 0), energies("dlib+brightness", 0.2)])
    picture = drawn(fr.charts.before_after(table, target="brightness"))
    for words in ("dlib (hollow) and dlib+brightness (filled), 6 identities", "fine-tuning on brightness change?"):
        assert words in picture
    assert picture.index(">brightness<") < picture.index(">age<")
    with pytest.raises(ValueError, match=r"contains \['dlib'\]: give two models"):
        fr.charts.before_after(energies("dlib", 0))
    with pytest.raises(ValueError, match=r"target 'hue' is not in the table: choose from age, brightness"):
        fr.charts.before_after(table, target="hue")
