"""Networks in the engine: the same embeddings as torch's, and everything but derivatives without torch."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

import fr_explore as fr
from fr_explore.models.packed import packed


@pytest.fixture(scope="module", params=["dlib", "sface"])
def pair(request):
    """The same network in torch and in the engine."""
    return fr.load_model(request.param, device="cpu"), fr.load_model(request.param, device="engine")


@pytest.fixture(scope="module")
def faces(avatars):
    """Small and large pictures, of which those that are reduced take several samples for a pixel of the crop."""
    wanted = [({"age": 40}, 160), ({"head_angle": 25, "hue": 30}, 160), ({"expression": 1}, 333), ({}, 90)]
    return [avatars.render(i % 3, values, size=size) for i, (values, size) in enumerate(wanted)]


def test_embeddings_are_those_of_torch(pair, faces):
    torch_model, model = pair
    ours, theirs = model.embed(faces), torch_model.embed(faces)
    scale = np.linalg.norm(theirs, axis=1, keepdims=True)
    print(f"{model.card.name} in the engine and in torch: at most {np.abs(ours - theirs).max():.1e}")
    assert ours.dtype == np.float32
    assert np.abs(ours - theirs).max() < 1e-5 * max(1, scale.max())
    np.testing.assert_array_equal(model.embed(faces[1]), ours[1:2])  # the bits do not depend on the batch


def test_crops_are_those_of_torch(pair, faces):
    torch_model, model = pair
    # one at a time: torch takes as many samples as the most reduced picture of a batch needs
    theirs = np.concatenate([torch_model.crops(face) for face in faces])
    np.testing.assert_allclose(model.crops(faces), theirs, atol=1e-5)
    np.testing.assert_allclose(model.align(faces).permute(0, 2, 3, 1), theirs, atol=1e-5)
    whole, size = (255 * theirs).astype(np.uint8), model.card.input_size
    np.testing.assert_allclose(model.embed(whole), torch_model.embed(whole), atol=1e-4, rtol=1e-5)
    np.testing.assert_allclose(model.embed(whole), model.embed(whole / np.float32(255)), atol=1e-4, rtol=1e-5)
    with pytest.raises(ValueError, match=rf"takes aligned crops \(n, {size}, {size}, 3\)"):
        model.embed(whole[:, 1:])


def test_a_page_gets_the_same_network(pair):
    torch_model, model = pair
    assert packed(model, "int8") == packed(torch_model, "int8")


def test_it_is_a_model_like_others(pair, faces, tmp_path):
    _, model = pair
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.embed(faces[:1]), model.embed(faces[:1]))
    assert again.fingerprint == model.fingerprint != fr.load_model(model.card.name, device="cpu").fingerprint
    assert repr(model).endswith("device='engine')")
    with pytest.raises(ValueError, match="no landmarks"):
        model.embed(fr.Face(np.zeros((160, 160, 3), np.float32)))


def test_what_only_torch_can_do_says_so(avatars):
    model = fr.load_model("dlib", device="engine")
    with pytest.raises(TypeError, match=r"computes no derivatives: load it in torch, fr\.load_model\('dlib'"):
        fr.finetune(model, avatars, augment={"age": True})
    for name, precision in (("controlled/drift", "float32"), ("dlib", "bfloat16"), ("x.onnx", "float32")):
        with pytest.raises(ValueError, match=f"{name}' with precision '{precision}': in float32, .* runs dlib, sface"):
            fr.load_model(name, device="engine", precision=precision)
    with pytest.raises(ValueError, match="Did you mean 'dlib'"):
        fr.load_model("dlip", device="engine")


BLOCKED = "import sys; sys.modules['torch'] = sys.modules['torchvision'] = None; import fr_explore as fr\n"


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_avatars_dlib_and_geometry_without_torch():
    said = python(
        BLOCKED
        + """
import numpy as np
model, faces = fr.load_model("dlib"), fr.Avatars(identities=2, seed=0)
print(model.device)
lattice = fr.sample_lattice(faces, ["age", "hue"], curves=6)
embeddings = fr.embed(lattice, model, progress=False, cache=False)
print(dict(embeddings.sizes), len(fr.alignment(fr.vector_field(embeddings), "knn:3", null_draws=3)))
print(list(fr.list_models().index)[:2])
for needs in (lambda: fr.load_model("controlled/drift"), lambda: fr.load_model("dlib", device="cpu"),
              lambda: fr.tangent_field(lattice, model)):
    try:
        needs()
    except ImportError as error:
        print(error)
"""
    )
    lines = said.splitlines()
    assert lines[0] == "engine"
    assert lines[1] == "{'identity': 2, 'attribute': 2, 'curve': 6, 'step': 3, 'dim': 128} 4"
    assert lines[2] == "['dlib', 'sface']"
    assert len(lines) == 6
    assert all("needs torch, which is not installed: pip install torch" in line for line in lines[3:])


def test_the_widget_without_torch():
    said = python(
        BLOCKED
        + """
from fr_explore_widgets import AttributeExplorer
w = AttributeExplorer(fr.Avatars(identities=3, seed=0), fr.load_model("dlib"))
w.set(age=60)
print(round(w.distance, 3))
w.wait()
"""
    )
    assert 0 < float(said) < 1


def test_the_engine_leaves_torch_alone():
    said = python("""
import sys, fr_explore as fr
from fr_explore.base.distance import distance
model, faces = fr.load_model("dlib", device="engine"), fr.Avatars(identities=2, seed=0)
distance(*model.embed([faces.render(0), faces.render(1)]), model.card.metric)
print("torch" in sys.modules)
""")
    assert said == "False\n"
