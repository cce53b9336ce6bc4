"""Hodge shares: parts that are known, holes that are counted, invariance, and fields whose nature is known."""

import numpy as np
import pytest
import xarray as xr
from scipy.stats import spearmanr

import fr_explore as fr
from fr_explore.geometry.hodge import clique_complex, close, decompose, edge_values


def annulus(around=12, rings=4):
    """A triangulated annulus: one hole."""
    place = lambda r, a: r * around + a % around  # noqa: E731
    pairs = []
    for r in range(rings):
        for a in range(around):
            pairs.append((place(r, a), place(r, a + 1)))
            if r + 1 < rings:
                pairs += [(place(r, a), place(r + 1, a)), (place(r, a), place(r + 1, a + 1))]
    return close(around * rings, np.array(pairs))


def operators(mesh):
    """Dense matrices of gradient (edges, points) and curl (triangles, edges)."""
    gradient = np.zeros((len(mesh.edges), mesh.points))
    curl = np.zeros((len(mesh.triangles), len(mesh.edges)))
    for e, (i, j) in enumerate(mesh.edges):
        gradient[e, [i, j]] = -1, 1
    for t, edges in enumerate(mesh.triangles):
        curl[t, edges] = 1, 1, -1
    return gradient, curl


def test_known_parts_of_an_annulus():
    mesh = annulus()
    gradient, curl = operators(mesh)
    assert (len(mesh.edges), len(mesh.triangles)) == (120, 72)
    assert np.abs(curl @ gradient).max() == 0  # the boundary of a boundary
    # one hole: Betti number 1 = edges - ranks
    assert len(mesh.edges) - np.linalg.matrix_rank(gradient) - np.linalg.matrix_rank(curl) == 1
    rng = np.random.default_rng(0)
    around = np.linalg.svd(np.concatenate([gradient.T, curl]))[2][-1]
    truth = {"gradient": gradient @ rng.normal(size=48), "curl": curl.T @ rng.normal(size=72), "harmonic": 3 * around}
    found = decompose(mesh, sum(truth.values())[:, None])
    for name, part in truth.items():
        np.testing.assert_allclose(found[name][:, 0], part, atol=1e-11)


def test_random_edges_have_shares_that_follow_the_dimensions():
    mesh = annulus()
    ranks = np.array([np.linalg.matrix_rank(operator) for operator in operators(mesh)])
    noise = np.random.default_rng(0).normal(size=(120, 400))
    parts = list(decompose(mesh, noise).values())
    shares = [(part**2).sum() / (noise**2).sum() for part in parts]
    assert shares == pytest.approx([*ranks / 120, 1 / 120], abs=0.015)
    for a, b in ((0, 1), (0, 2), (1, 2)):
        assert np.abs((parts[a] * parts[b]).sum(0)).max() < 1e-9


def test_every_triangle_of_a_graph_is_found():
    points = np.random.default_rng(0).normal(size=(40, 3))
    mesh = clique_complex(points, 5)
    near = np.linalg.norm(points[:, None] - points, axis=-1)
    np.fill_diagonal(near, np.inf)
    joined = np.zeros((40, 40), bool)
    joined[np.arange(40)[:, None], near.argsort(axis=1)[:, :5]] = True
    joined |= joined.T
    assert mesh.edges.tolist() == np.argwhere(np.triu(joined)).tolist()
    expected = [
        [i, j, k] for i, j in mesh.edges.tolist() for k in range(j + 1, 40) if joined[i, k] and joined[j, k]
    ]  # fmt: skip
    ij, jk, ik = (mesh.edges[mesh.triangles[:, c]] for c in range(3))
    assert np.column_stack([ij, jk[:, 1]]).tolist() == expected
    assert (ik == np.column_stack([ij[:, 0], jk[:, 1]])).all()


def fields(n=100, dim=20, seed=0):
    """Fields of known nature on the same points, as a field of attributes."""
    rng = np.random.default_rng(seed)
    points, turn = rng.normal(size=(n, dim)), rng.normal(size=(dim, dim))
    vectors = {
        "drift": np.tile(rng.normal(size=dim), (n, 1)), "sink": -points, "saddle": points @ (turn + turn.T),
        "rotation": points @ (turn - turn.T), "noise": rng.normal(size=(n, dim)),
    }  # fmt: skip
    return as_field(points, vectors)


def as_field(points, vectors):
    v = np.stack(list(vectors.values()))[None]
    size = np.linalg.norm(v, axis=-1)
    dims = ("identity", "attribute", "curve", "dim")
    parts = {"point": (dims, np.broadcast_to(points, v.shape)), "direction": (dims, v / size[..., None])}
    parts["magnitude"] = (dims[:3], size)
    return xr.Dataset(parts, {"identity": [0], "attribute": list(vectors)})


@pytest.fixture(scope="module")
def shares():
    return fr.hodge_shares(fields()).set_index("attribute")


def test_the_nature_of_a_field(shares):
    for name in ("drift", "sink", "saddle"):
        # constant fields and x -> S x are gradients: no curl, exactly
        assert shares.loc[name, ["gradient", "curl", "harmonic"]].tolist() == pytest.approx([1, 0, 0], abs=1e-11)
        assert shares.loc[name, "gradient_z"] > 5
    assert shares.loc["rotation", "gradient"] < 0.2
    assert shares.loc["rotation", "gradient_z"] < -5
    assert abs(shares.loc["noise", "gradient_z"]) < 3
    # the null of random vectors is far from the shares of random numbers on the edges, 99 / 700
    assert 0.4 < shares.loc["noise", "gradient_null"] < 0.65
    assert shares[["gradient", "curl", "harmonic"]].sum(axis=1).to_numpy() == pytest.approx(np.ones(5))


def test_scale_changes_nothing(shares):
    """Doubling the field would quarter an energy that is divided by its squared norm."""
    field = fields()
    longer = field.assign(magnitude=2 * field["magnitude"])
    wider = field.assign(point=30 * field["point"] + 1)
    turned, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(20, 20)))
    rotated = field.assign(
        {name: field[name].copy(data=field[name].values @ turned) for name in ("point", "direction")}
    )
    columns = ["gradient", "curl", "harmonic"]
    for changed in (longer, wider, rotated):
        found = fr.hodge_shares(changed, null_draws=0).set_index("attribute")
        np.testing.assert_allclose(found[columns], shares[columns], atol=1e-9)


def test_the_share_does_not_follow_the_norm_of_the_field():
    rng = np.random.default_rng(0)
    points, norms = rng.normal(size=(80, 16)), np.exp(rng.normal(size=40))
    table = fr.hodge_shares(as_field(points, {f"f{k}": s * rng.normal(size=(80, 16)) for k, s in enumerate(norms)}),
                            null_draws=0)  # fmt: skip
    assert abs(spearmanr(table["gradient"], norms).statistic) < 0.4  # by chance: sd 0.16


def test_permutations_keep_the_drift():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(80, 10))
    field = as_field(points, {"drift": rng.normal(size=(80, 10)) + 3 * np.eye(10)[0]})
    random, own = (fr.hodge_shares(field, null=null).iloc[0] for null in ("gaussian", "permutation"))
    assert random["gradient"] == own["gradient"]
    assert random["gradient_z"] > 5
    assert own["gradient_null"] > random["gradient_null"] + 3 * random["gradient_sd"]


def test_flow_beside_the_energy():
    field = fields()
    plain, details = fr.alignment(field, null_draws=2, point_energies=True)
    table, same = fr.alignment(field, null_draws=2, point_energies=True, flow=True)
    assert table[plain.columns].equals(plain)
    assert table.attrs == plain.attrs
    xr.testing.assert_identical(same, details)
    rows = table.set_index("attribute")
    assert rows.loc["sink", "gravity"] == pytest.approx(1, abs=0.01)  # the centre is the points' mean, nearly 0
    assert abs(rows.loc[["rotation", "noise"], "gravity"]).max() < 4 / np.sqrt(100 * 20)
    points = field["point"].values[0, 0]
    mean = field["direction"].values[0, 0, 0]
    expected = mean @ np.cov(points.T) @ mean / (np.trace(np.cov(points.T)) / 20)
    assert rows.loc["drift", "spread"] == pytest.approx(expected)
    by_parts = [fr.alignment(field.isel(attribute=[a]), flow=True) for a in range(2)]
    assert by_parts[1]["gradient"].item() == rows.loc["sink", "gradient"]


def test_the_edge_field_by_hand():
    points, vectors = np.array([[0.0, 0], [2, 0], [0, 1]]), np.array([[1.0, 0], [3, 0], [0, 5]])
    mesh = close(3, np.array([[0, 1], [2, 1], [0, 2]]))
    assert mesh.edges.tolist() == [[0, 1], [0, 2], [1, 2]]
    assert edge_values(mesh, points, vectors).tolist() == pytest.approx([4, 2.5, -0.5])


def test_too_few_points_are_refused_or_left_out():
    with pytest.raises(ValueError, match="30 points in 512 dimensions are too few for a Hodge decomposition"):
        fr.hodge_shares(fields(30, 512))
    with pytest.raises(ValueError, match="k = 1: give at least 2 neighbours"):
        fr.hodge_shares(fields(), k=1)
    field = fields()
    field["direction"][0, 0, :50] = np.nan
    table = fr.hodge_shares(field, null_draws=0).set_index("attribute")
    assert table.loc["drift", ["gradient", "curl", "harmonic"]].isna().all()
    assert table.loc["sink", "gradient"] == pytest.approx(1)


def test_an_arc_is_a_gradient_and_a_ring_is_a_circulation():
    """The same tangential field: on an arc it climbs an angle; around a ring no potential can, and one hole remains."""
    rng = np.random.default_rng(0)
    for turn, name in ((np.pi, "gradient"), (2 * np.pi, "harmonic")):
        angle = turn * (np.arange(100) + rng.uniform(0, 0.5, 100)) / 100
        points = np.column_stack([np.cos(angle), np.sin(angle)])
        tangents = points[:, ::-1] * [-1, 1]
        row = fr.hodge_shares(as_field(points, {"tangent": tangents}), null_draws=0).iloc[0]
        assert row[name] > 0.98


def test_one_identity_at_a_time_gives_the_same_flow():
    """As from a store or on a cluster: each part draws the random fields that it has in the whole."""
    data = np.random.default_rng(0).normal(size=(2, 2, 60, 3, 4))
    dims = ("identity", "attribute", "curve", "step", "dim")
    coords = {"identity": ["a", "b"], "attribute": ["age", "hue"], "step": [-1, 0, 1]}
    embeddings = xr.DataArray(data, coords, dims)
    parts = fr.alignment(embeddings, flow=True, progress=False)
    whole = fr.alignment(fr.vector_field(embeddings), flow=True)
    assert parts.columns.tolist() == whole.columns.tolist()
    for name in ("energy", "gravity", "spread", "gradient", "gradient_null", "gradient_z"):
        np.testing.assert_allclose(parts[name], whole[name], rtol=1e-9)
