"""The shape of clouds: speed of dimension and Hodge shares, and what these say where the truth is known.

python benchmarks/shape.py                 # speed, beside the naive versions: about a minute
python benchmarks/shape.py --controlled    # the controlled models: which measure tells rotation from drift?
python benchmarks/shape.py --models        # dlib and SFace: dimension of avatars' means and of one person
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from figures import figure
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import pdist, squareform

import fr_explore as fr
from fr_explore.geometry.hodge import clique_complex, edge_values

CONTROLLED = ("controlled/drift", "controlled/drift-noise", "controlled/rotation", "controlled/curved")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=5000, help="for the dimension; a fifth of them for Hodge")
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--controlled", action="store_true")
    parser.add_argument("--models", action="store_true")
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    if not (args.controlled or args.models):
        dimension(args.points, args.dim, rng)
        hodge(args.points // 5, args.dim, rng)
    if args.controlled:
        controlled()
    if args.models:
        models()


def dimension(n: int, dim: int, rng: np.random.Generator) -> None:
    """A cloud of 20 dimensions inside `dim`, against SciPy's distances and one spanning tree."""
    points = rng.normal(size=(n, 20)) @ rng.normal(size=(20, dim))
    fr.intrinsic_dimension(points[:200], draws=0)  # imports
    start, busy = time.perf_counter(), time.process_time()
    table = fr.intrinsic_dimension(points.astype(np.float32))
    ours, busy = time.perf_counter() - start, time.process_time() - busy
    print(table.round(2).to_string(index=False))
    start = time.perf_counter()
    minimum_spanning_tree(squareform(pdist(points)))
    naive = time.perf_counter() - start
    print(
        f"dimension, {n:,} x {dim}: {ours:.2f} s ({busy:.2f} s of CPU); SciPy's distances and one tree: {naive:.2f} s"
    )
    name = f"intrinsic dimension with interval and calibration, {n:,} x {dim}"
    figure(name, ours, "s", naive, "SciPy: one tree", "<= 5 s", ours <= 5)


def hodge(n: int, dim: int, rng: np.random.Generator) -> None:
    """Shares and null of one field, against dense least squares without null for a quarter of the points."""
    table, ours, _, _ = _hodge(n, dim, rng)
    print(
        table[["gradient", "gradient_null", "curl", "harmonic", "edges", "triangles"]].round(3).to_string(index=False)
    )
    small, quick, points, vectors = _hodge(n // 4, dim, rng)
    start = time.perf_counter()
    mesh = clique_complex(points, 10)
    z, basis = edge_values(mesh, points, vectors), np.zeros((len(mesh.edges), len(points)))
    around = np.zeros((len(mesh.edges), len(mesh.triangles)))
    for e, (i, j) in enumerate(mesh.edges):
        basis[e, [i, j]] = -1, 1
    for t, edges in enumerate(mesh.triangles):
        around[edges, t] = 1, 1, -1
    parts = [matrix @ np.linalg.lstsq(matrix, z, rcond=None)[0] for matrix in (basis, around)]
    naive = time.perf_counter() - start
    error = np.abs(small[["gradient", "curl"]].to_numpy()[0] - [(part @ part) / (z @ z) for part in parts]).max()
    print(f"Hodge shares and 20 random fields, {n:,} x {dim}: {ours:.2f} s; {n // 4}: {quick:.2f} s")
    print(f"dense least squares for one field of {n // 4}: {naive:.2f} s; largest difference of the shares {error:.1e}")
    figure(f"Hodge shares with null, {n:,} x {dim}", ours, "s", target="<= 10 s", met=ours <= 10)
    figure(f"Hodge shares with null, {n // 4} x {dim}", quick, "s", naive, "dense least squares, one field, no null")


def _hodge(n: int, dim: int, rng: np.random.Generator) -> tuple[pd.DataFrame, float, np.ndarray, np.ndarray]:
    """Table, seconds, points and vectors of a random field."""
    points, vectors = rng.normal(size=(2, n, dim))
    size = np.linalg.norm(vectors, axis=1)
    dims = ("identity", "attribute", "curve", "dim")
    field = xr.Dataset(
        {"point": (dims, points[None, None]), "direction": (dims, (vectors / size[:, None])[None, None]),
         "magnitude": (dims[:3], size[None, None])}
    )  # fmt: skip
    fr.hodge_shares(field.isel(curve=slice(60)), null_draws=0)  # imports
    start = time.perf_counter()
    table = fr.hodge_shares(field)
    return table, time.perf_counter() - start, points, vectors


def controlled() -> None:
    """Medians over identities of energy, magnitude and flow for models whose fields are known."""
    lattice = fr.sample_lattice(
        fr.Cartoons(identities=6, seed=0), ["age", "hair_color", "expression"], curves=150, seed=0
    )
    rows: list[Any] = []
    for name in CONTROLLED:
        field = fr.vector_field(fr.embed(lattice, fr.load_model(name), progress=False))
        rows.append(fr.alignment(field, "all_pairs:0", null_draws=20, flow=True).assign(model=name))
    columns = [
        "energy",
        "magnitude",
        "gravity",
        "spread",
        "gradient",
        "gradient_null",
        "gradient_z",
        "curl",
        "harmonic",
    ]
    table = pd.concat(rows).groupby(["model", "attribute"], sort=False)[columns].median()
    print("\nControlled models, medians over 6 identities x 150 curves\n" + table.round(3).to_string())


def models() -> None:
    """Dimension of the means of 250 avatars, and of 600 faces of one."""
    faces, rng = fr.Avatars(identities=250, seed=20263), np.random.default_rng(0)

    def recipes(count: int) -> list[dict[str, float]]:
        ranges = {name: faces.attributes[name] for name in fr.PAPER_ATTRIBUTES}
        return [{name: float(rng.uniform(a.low, a.high)) for name, a in ranges.items()} for _ in range(count)]

    people = np.repeat(faces.identities, 4)
    pictures = faces.render_batch(people.tolist(), recipes(1000), size=96)
    alone = faces.render_batch([0] * 600, recipes(600), size=96)
    for name in ("dlib", "sface"):
        model = fr.load_model(name)
        vectors = model.embed(pictures)
        means = vectors.reshape(250, 4, -1).mean(1)
        for what, cloud in (("means of 250 avatars", means), ("600 faces of one avatar", model.embed(alone))):
            for metric in ("chord", "cosine"):
                table = fr.intrinsic_dimension(cloud, metric=metric).drop(columns="points")
                print(f"\n{name}, {what}, {metric}\n{table.round(1).to_string(index=False)}")


if __name__ == "__main__":
    main()
