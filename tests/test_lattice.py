import numpy as np
import pytest

import fr_explore as fr


def test_stencil_moves_one_attribute_only(avatars):
    lattice = fr.sample_lattice(avatars, ["age", "hue"], curves=5, seed=1)
    assert lattice.shape == (3, 2, 5, 3)
    for a, name in enumerate(lattice.attributes):
        low, middle, high = (lattice.strengths(1, a, 2, s) for s in range(3))
        step = avatars.attributes[name].step
        assert {n for n in middle if middle[n] != high[n]} == {name}
        assert high[name] - middle[name] == pytest.approx(step)
        assert middle[name] - low[name] == pytest.approx(step)


def test_attributes_share_their_base_points(avatars):
    lattice = fr.sample_lattice(avatars, ["age", "hue"], curves=5)
    assert lattice.strengths(0, 0, 3, 1) == lattice.strengths(0, 1, 3, 1)


@pytest.mark.parametrize(("reach", "spread"), [(1, 1.0), (2, 1.0), (1, 0.5), (2, 0.5)])
def test_every_face_stays_in_range(avatars, reach, spread):
    lattice = fr.sample_lattice(avatars, curves=40, seed=2, reach=reach, spread=spread)
    _, attributes, curves, steps = lattice.shape
    assert steps == 2 * reach + 1
    for a in range(attributes):
        for c in range(curves):
            for s in (0, steps - 1):
                for name, value in lattice.strengths(0, a, c, s).items():
                    record = avatars.attributes[name]
                    middle, half = (record.low + record.high) / 2, (record.high - record.low) / 2
                    assert abs(value - middle) <= spread * half * (1 + 1e-9)


def test_seed_and_prefix():
    faces = fr.Avatars(identities=2, seed=0)
    base = fr.sample_lattice(faces, ["age"], curves=4, seed=7).base
    again = fr.sample_lattice(fr.Avatars(identities=3, seed=0), ["age"], curves=6, seed=7).base
    np.testing.assert_array_equal(base.values, again.values[:2, :4])
    assert not np.array_equal(base.values, fr.sample_lattice(faces, ["age"], curves=4, seed=8).base.values)


def test_base_points_are_uniform(avatars):
    base = fr.sample_lattice(avatars, ["age"], curves=2000, seed=0).base.sel(attribute="hue").values.ravel()
    record = avatars.attributes["hue"]
    share = (base < record.low + 0.25 * (record.high - record.low)).mean()
    assert share == pytest.approx(0.25, abs=0.02)


def test_curve_renders_its_faces(avatars):
    lattice = fr.sample_lattice(avatars, "head_angle", curves=2)
    faces = lattice.curve(1, 0, 1, size=64)
    assert [face.pixels.shape for face in faces] == [(64, 64, 3)] * 3
    assert np.abs(faces[0].pixels - faces[2].pixels).max() > 0.05


ERRORS = [
    ({"attributes": ["agee"]}, "unknown attribute 'agee'. Did you mean 'age'"),
    ({"attributes": []}, "no attribute to vary"),
    ({"curves": 0}, "curves = 0"),
    ({"reach": 3}, "reach = 3"),
    ({"spread": 0}, "spread = 0"),
    ({"step_sizes": {"age": 100}}, "by 100 years do not fit"),
    ({"step_sizes": {"age": -1}}, "give a positive step"),
    ({"step_sizes": {"hue": 5}}, "unknown attribute 'hue'"),
    ({"vary": ["length"]}, "unknown attribute 'length'"),
]


@pytest.mark.parametrize(("change", "message"), ERRORS)
def test_errors(avatars, change, message):
    with pytest.raises(ValueError, match=message):
        fr.sample_lattice(avatars, **{"attributes": ["age"], "curves": 3, **change})
