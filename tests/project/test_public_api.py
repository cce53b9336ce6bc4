"""The public names exist and are documented, and importing them stays light."""

import subprocess
import sys

import fr_explore as fr

HEAVY = ("torch", "wasmtime", "pandas", "xarray", "sklearn", "altair", "scipy", "embreex", "matplotlib", "IPython",
         "numpy.ma")  # fmt: skip


def run(code: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def loaded_by(code: str) -> set[str]:
    done = run(f"import sys\n{code}\nprint(*[name for name in {HEAVY!r} if name in sys.modules])")
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_every_public_name_exists_and_is_documented():
    names = {name for name in dir(fr) if not name.startswith("_")}
    assert {
        "Avatars", "load_model", "list_models", "sample_lattice", "embed", "vector_field", "knn", "alignment",
        "charts", "Attribute", "Face", "Lattice", "ModelCard",
    } <= names  # fmt: skip
    for name in sorted(names):
        public = getattr(fr, name)
        assert isinstance(public, (dict, tuple)) or (public.__doc__ or "").strip(), f"{name} has no docstring"


def test_unknown_name():
    done = run("import fr_explore as fr; fr.aligment")
    assert "No fr_explore attribute aligment" in done.stderr


def test_import_is_light():
    assert loaded_by("import fr_explore") == set()


def test_lightness_can_fail():
    assert "torch" in loaded_by("import fr_explore; fr_explore.load_model('dlib')")


def test_import_is_quick():
    """The budget is 0.3 s; the test counts loaded modules, which does not depend on the machine."""
    done = run("import sys; before = set(sys.modules); import fr_explore; print(len(set(sys.modules) - before))")
    assert int(done.stdout) < 60


def test_a_face_needs_only_the_engine():
    """The first face of a process waits for no other library."""
    assert loaded_by("import fr_explore as fr; fr.Avatars(identities=1).render(0)") == {"wasmtime"}


def test_the_first_face_needs_the_data_of_one_person_only():
    """The other skins and hair styles are unpacked when somebody else is drawn; the pictures stay the same."""
    done = run("""
import numpy as np
import fr_explore as fr
from fr_explore.faces.avatars import source
faces = fr.Avatars(identities=3, seed=0)
first = faces.render(0, size=64).pixels
head = source.load_head()
assert not source._packed_head.cache_info().currsize
assert head.skins._read.cache_info().currsize == 1 < len(head.skins)
assert head.hair._read.cache_info().currsize <= 1 < len(head.hair)
assert faces.render(0, {"age": 60}, size=64).pixels.shape == (64, 64, 3)
assert not source._packed_head.cache_info().currsize
other = faces.render(1, size=64).pixels
assert source._packed_head.cache_info().currsize == 1
batch = faces.render_batch([0, 1], [{}, {}], size=64)
np.testing.assert_array_equal(batch[0].pixels, first)
np.testing.assert_array_equal(batch[1].pixels, other)
np.testing.assert_array_equal(faces.render(0, size=64).pixels, first)
""")
    assert done.returncode == 0, done.stderr
