"""The macroscale of dlib's network on faces with known labels: avatars, no download."""

import numpy as np

import fr_explore as fr


def test_permanent_attributes_shape_the_space_more_than_changing_ones(dlib_model):
    faces, rng = fr.Avatars(identities=100, seed=3), np.random.default_rng(0)
    who = [identity for identity in faces.identities for _ in range(2)]
    strengths = [{"expression": rng.integers(2) * 0.8, "head_angle": rng.uniform(-8, 8)} for _ in who]
    vectors = dlib_model.embed(faces.render_batch(who, strengths, size=96))
    labels = faces.labels(who, strengths)[["feminine", "smiling"]]
    table = fr.macroscale(vectors, who, labels, metric="euclidean", permutations=99, seed=0).set_index("attribute")
    assert table.intra_entropy["feminine"] == 0
    assert table.intra_entropy["smiling"] > 0.2
    assert table.ks_mean["feminine"] > table.ks_mean["smiling"]
    assert table.p_value["feminine"] < 0.05
