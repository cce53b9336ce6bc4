"""FaceNet, loaded from a full-size checkpoint in the published format, made here with random weights."""

import dataclasses
import hashlib
import shutil

import numpy as np
import pytest
import torch
from facenet_pytorch import MTCNN, InceptionResnetV1
from facenet_pytorch.models.inception_resnet_v1 import load_weights
from facenet_pytorch.models.utils.detect_face import extract_face
from loopback import Site, serve
from PIL import Image
from skimage import data

import fr_explore as fr
from fr_explore.faces import detector_crop as box
from fr_explore.models import facenet

NAME = "facenet-vggface2"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """Names, shapes and serialisation of the published file; batch statistics as after some training."""
    torch.manual_seed(0)
    network = InceptionResnetV1(classify=True, num_classes=8631)
    for module in network.modules():
        if isinstance(module, (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d)):
            torch.nn.init.normal_(module.running_mean, std=0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
    path = tmp_path_factory.mktemp("checkpoint") / facenet.FILES[NAME].name
    torch.save(network.state_dict(), path, _use_new_zipfile_serialization=False)
    return path


@pytest.fixture
def file(checkpoint, monkeypatch, tmp_path):
    """The record of our checkpoint instead of the published one's, and an empty cache."""
    content = checkpoint.read_bytes()
    record = dataclasses.replace(
        facenet.FILES[NAME],
        url="http://127.0.0.1:9/nothing-listens-here",
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )
    monkeypatch.setitem(facenet.FILES, NAME, record)
    monkeypatch.setenv("FR_EXPLORE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return record


@pytest.fixture(scope="module")
def model(checkpoint):
    return fr.load_model(facenet.read_network(checkpoint), card=facenet.CARDS[NAME], device="cpu")


def test_from_a_server_that_breaks_off_to_an_embedding(checkpoint, file, monkeypatch, avatars, model):
    with serve(Site(checkpoint.read_bytes(), cuts=[40_000_000])) as site:
        monkeypatch.setitem(facenet.FILES, NAME, dataclasses.replace(file, url=site.url))
        loaded = fr.load_model(NAME, device="cpu")
        assert len(site.asked) == 2
        assert site.asked[1].startswith("bytes=")
        fr.load_model(NAME, device="cpu")
        assert len(site.asked) == 2
    face = avatars.render(0)
    np.testing.assert_array_equal(loaded.embed(face), model.embed(face))
    assert loaded.embed(face).shape == (1, 512)


def test_same_numbers_as_facenet_pytorchs_own_loading(checkpoint, tmp_path, monkeypatch, model):
    """Its `load_weights`, given the file where it would have downloaded it to, in evaluation mode."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    shutil.copy(checkpoint, tmp_path / "checkpoints")
    theirs = InceptionResnetV1(pretrained="vggface2").eval()
    assert load_weights.__module__.startswith("facenet_pytorch")
    crops = np.random.default_rng(0).integers(0, 256, (3, 160, 160, 3), dtype=np.uint8)
    with torch.inference_mode():
        expected = theirs((torch.from_numpy(crops).permute(0, 3, 1, 2).float() - 127.5) / 128)
    np.testing.assert_allclose(model.embed(crops), expected, atol=2e-5)


def test_a_copy_that_facenet_pytorch_fetched_is_used(checkpoint, file, tmp_path):
    (tmp_path / "torch" / "checkpoints").mkdir(parents=True)
    shutil.copy(checkpoint, tmp_path / "torch" / "checkpoints")
    assert facenet.fetch(NAME).parent.name == "checkpoints"


def test_offline_never_random(file):
    with pytest.raises(FileNotFoundError, match=rf"{file.name} .*fr-explore fetch {NAME}.*{file.sha256}"):
        fr.load_model(NAME)


@pytest.mark.parametrize("fault", ["a parameter is missing", "a shape is wrong", "cut", "not a checkpoint", "code"])
def test_a_file_without_facenet_weights_is_refused(checkpoint, tmp_path, fault):
    path = tmp_path / "bad.pt"
    if fault == "cut":
        path.write_bytes(checkpoint.read_bytes()[:1_000_000])
    elif fault == "not a checkpoint":
        path.write_bytes(b"<html>please log in</html>")
    elif fault == "code":
        torch.save(InceptionResnetV1, path)  # a pickled class: loading it would import and run what the file names
    else:
        state = torch.load(checkpoint, weights_only=True)
        last = state.pop("last_linear.weight")
        torch.save(state if fault == "a parameter is missing" else state | {"last_linear.weight": last[1:]}, path)
    with pytest.raises(ValueError, match=r"bad.pt does not hold FaceNet's weights \(.*fr-explore fetch"):
        facenet.read_network(path)


def test_half_precision_weights_become_float32(checkpoint, tmp_path):
    state = {key: x.half() if x.is_floating_point() else x for key, x in torch.load(checkpoint).items()}
    torch.save(state, tmp_path / "half.pt")
    network = facenet.read_network(tmp_path / "half.pt")
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}
    assert not any(parameter.is_meta for parameter in network.parameters())


def test_the_published_sizes_are_those_of_this_architecture():
    """Parameters and buffers in bytes, plus the few hundred kB of names that torch's old format adds."""
    for name, classes in {"facenet-vggface2": 8631, "facenet-casia-webface": 10575}.items():
        with torch.device("meta"):
            state = InceptionResnetV1(classify=True, num_classes=classes).state_dict()
        content = sum(x.numel() * x.element_size() for x in state.values())
        assert facenet.FILES[name].size - content == 137_723


def test_cards_say_what_is_needed():
    for name, card in facenet.CARDS.items():
        assert card.name == name
        assert card.weights_sha256 == facenet.FILES[name].sha256
        assert len(card.weights_sha256) == 64
        assert (card.input_size, card.dim, card.color_order, card.normalized) == (160, 512, "RGB", True)
    assert facenet.CARDS["facenet-casia-webface"].threshold is None


def overlap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes (n, 4)."""
    sides = np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2])
    both = np.prod(np.maximum(sides, 0), axis=1)
    return both / (np.prod(a[:, 2:] - a[:, :2], axis=1) + np.prod(b[:, 2:] - b[:, :2], axis=1) - both)


def detect(detector: MTCNN, image: Image.Image):
    boxes, _, points = detector.detect(image, landmarks=True)
    return (None, None) if boxes is None else (np.array(boxes.tolist())[:1], np.array(points.tolist())[:1] + 0.5)


@pytest.fixture(scope="module")
def detector():
    return MTCNN(device="cpu", min_face_size=60)


def test_box_of_a_photograph_agrees_with_mtcnns(detector):
    """As well as MTCNN agrees with itself when the picture is mirrored, to a few hundredths."""
    picture = data.astronaut()
    boxes, points = detect(detector, Image.fromarray(picture))
    mirrored, mirrored_points = detect(detector, Image.fromarray(picture[:, ::-1]))
    back = mirrored[:, [2, 1, 0, 3]] * [-1, 1, -1, 1] + [picture.shape[1], 0, picture.shape[1], 0]
    own = overlap(boxes, back)[0]
    ours = [overlap(box.face_boxes(p), b)[0] for p, b in ((points, boxes), (mirrored_points, mirrored))]
    print(f"astronaut: overlap with MTCNN's box {ours[0]:.3f}, mirrored {ours[1]:.3f}; MTCNN with itself {own:.3f}")
    assert min(ours) > 0.88


def test_box_of_turned_avatars_agrees_with_mtcnns(detector):
    """Where the face lies wholly in the picture; the same rule without the nose would miss the far cheek."""
    avatars, found, points = fr.Avatars(identities=12, seed=3), [], []
    for i in range(36):
        face = avatars.render(i % 12, {"head_angle": -30 + 60 * i / 35, "head_pitch": (i % 5) * 3}, size=200)
        boxes, landmarks = detect(detector, face.to_image())
        if boxes is not None and boxes.min() > 1 and boxes.max() < 199:
            found.append(boxes[0])
            points.append(landmarks[0])
    found, points = np.array(found), np.array(points)
    assert len(found) >= 8
    share = overlap(box.face_boxes(points), found)
    straight = points.copy()
    straight[:, 2, 0] = points[..., 0].mean(1)
    without = overlap(box.face_boxes(straight), found)
    print(
        f"{len(found)} avatars: overlap median {np.median(share):.3f}, least {share.min():.3f}; "
        f"without the nose {np.median(without):.3f}"
    )
    assert np.median(share) > max(0.8, np.median(without) + 0.05)
    assert share.min() > 0.65


def test_crop_is_the_one_that_facenet_pytorch_cuts():
    """Same box, same pixels: its own extraction rounds the box to whole pixels and the crop to 8 bits."""
    picture = data.astronaut()
    theirs = extract_face(Image.fromarray(picture), np.array([180.0, 60.0, 268.0, 172.0]), 160, 0)
    pixels = torch.from_numpy(picture).permute(2, 0, 1)[None].float()
    ours = box.box_crops(pixels, np.array([[180.0, 60.0, 268.0, 172.0]]), 160)[0]
    inside = np.s_[:, 2:-2, 2:-2]  # at its rim it sees the box's edge, ours the picture beyond
    np.testing.assert_allclose(ours[inside], theirs[inside], atol=1.01)


@pytest.mark.parametrize("edges", [(181.3, 60.2, 270.9, 171.7), (20.5, 30.25, 500.5, 480.0)])
def test_crop_is_pillows_resampling_of_any_box(edges):
    picture = data.astronaut()[..., 0].astype(np.float32) / 255
    theirs = np.asarray(Image.fromarray(picture, mode=None).resize((160, 160), Image.Resampling.BILINEAR, box=edges))
    pixels = torch.from_numpy(picture)[None, None].expand(1, 3, -1, -1).double()
    ours = box.box_crops(pixels, np.array([edges]), 160)[0, 1]
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_crop_outside_repeats_the_edge_and_is_differentiable():
    pixels = torch.arange(16.0).view(1, 1, 4, 4).expand(1, 3, 4, 4).clone().requires_grad_()
    crop = box.box_crops(pixels, np.array([[-8.0, -8.0, 12.0, 12.0]]), 40)
    np.testing.assert_allclose(crop[0, 0, :16, :16].detach(), 0, atol=1e-6)
    np.testing.assert_allclose(crop[0, 0, -16:, -16:].detach(), 15, atol=1e-5)
    crop.sum().backward()
    assert pixels.grad is not None
    assert torch.isclose(pixels.grad.sum(), torch.tensor(3.0 * 40 * 40))


def test_box_follows_the_face():
    points = np.array([[[40, 50], [80, 50], [60, 75], [45, 95], [75, 95]]], float)
    first = box.face_boxes(points)
    np.testing.assert_allclose(box.face_boxes(points + np.array([5, -3])), first + np.array([5, -3, 5, -3]))
    np.testing.assert_allclose(box.face_boxes(points * 3), first * 3)
    wide = box.face_boxes(points, margin=14 / 160)
    np.testing.assert_allclose((wide[:, 2:] - wide[:, :2]) * (1 - 14 / 160), first[:, 2:] - first[:, :2])
    np.testing.assert_allclose(wide[:, :2] + wide[:, 2:], first[:, :2] + first[:, 2:])
    with pytest.raises(ValueError, match="five distinct points"):
        box.face_boxes(np.zeros((1, 5, 2)))


def test_align_shows_the_box_crop(avatars, model):
    faces = [avatars.render(0, size=200), avatars.render(1, size=160)]
    crops = model.align(faces)
    assert crops.shape == (2, 3, 160, 160)
    edges = box.face_boxes(faces[0].landmarks[None], margin=14 / 160)
    pixels = torch.from_numpy(faces[0].pixels).permute(2, 0, 1)[None]
    np.testing.assert_array_equal(crops[0], box.box_crops(pixels, edges, 160)[0])
    with pytest.raises(ValueError, match="has no landmarks"):
        model.align(fr.Face(faces[0].pixels))


def test_gradients_flow_to_the_pixels(avatars, model):
    crops = model.align(avatars.render(0)).requires_grad_()
    model.forward(crops)[:, 0].sum().backward()
    assert torch.isfinite(crops.grad).all()
    assert (crops.grad.abs().amax((2, 3)) > 0).all()


def test_bfloat16_stays_close(avatars, model):
    crops = model.align([avatars.render(i) for i in avatars.identities]).permute(0, 2, 3, 1).numpy()
    half = fr.load_model(model.module, card=model.card, device="cpu", precision="bfloat16")
    cosine = (model.embed(crops) * half.embed(crops)).sum(1)
    print(f"FaceNet in bfloat16: least cosine to float32 {cosine.min():.6f}")
    assert cosine.min() >= 0.999


# torch's own modules for forward mode use torch.jit.script, which it has deprecated
@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:FutureWarning")
def test_tangents_agree_with_small_differences(avatars, model):
    crops = model.align(avatars.render(0))
    way = 0.05 * (crops - crops.mean())  # contrast; large enough to stand out of float32 rounding
    with torch.no_grad():
        _, tangent = torch.func.jvp(model.forward, (crops,), (way,))
        difference = (model.forward(crops + way) - model.forward(crops - way)) / 2
    assert torch.nn.functional.cosine_similarity(tangent, difference).item() > 0.99


@pytest.mark.parametrize("variables", [{}, {"XDG_CACHE_HOME": "/x/cache"}, {"TORCH_HOME": "~/torch"}])
def test_the_folder_of_facenet_pytorch(monkeypatch, variables):
    """`needs` finds it without importing that package."""
    from facenet_pytorch.models.inception_resnet_v1 import get_torch_home

    for name in ("XDG_CACHE_HOME", "TORCH_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert str(facenet._own_folder()) == f"{get_torch_home()}/checkpoints"
