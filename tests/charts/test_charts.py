"""Charts: they draw the values of the table, name everything, and are legible on white and on black."""

import base64
import io
import json
import re

import altair as alt
import loopback
import numpy as np
import pandas as pd
import pytest
import vl_convert
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from toy import Squares

import fr_explore as fr
from fr_explore.charts import style

NAMES = ("age", "hue", "head_angle")


@pytest.fixture(scope="module")
def field():
    rng = np.random.default_rng(0)
    middle = rng.normal(size=(3, 1, 40, 8)).repeat(3, 1)
    move = rng.normal(size=(3, 3, 40, 8)) * 0.1 + np.eye(8)[:3][None, :, None] * 0.3
    embeddings = xr.DataArray(
        np.stack([middle - move, middle, middle + move], axis=3),
        {"identity": [4, 5, 6], "attribute": list(NAMES), "step": [-1, 0, 1]},
        ("identity", "attribute", "curve", "step", "dim"),
        attrs={"metric": "euclidean", "model": "dlib"},
    )
    return fr.vector_field(embeddings)


def energies(identities=4, names=NAMES):
    rng = np.random.default_rng(1)
    rows = [
        {"identity": i, "attribute": name, "energy": 0.2 + 0.2 * k + 0.01 * rng.random(), "null_mean": 1.0,
         "null_sd": 0.01, "z": -9.0, "coverage": 1.0, "magnitude": 0.3 + 0.1 * i}
        for k, name in enumerate(names) for i in range(identities)
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    table.attrs = {"model": "dlib", "neighborhood": "knn:10"}
    return table


def profiles(identities=2, radii=9):
    r = np.linspace(0.2, 1.5, radii)
    parts = [
        pd.DataFrame({"identity": i, "attribute": name, "radius": r, "coverage": r / 1.5,
                      "energy": 1 - np.exp(-(k + 1) * r) + 0.01 * i, "null_mean": np.nan})
        for k, name in enumerate(NAMES) for i in range(identities)
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def labelled(seed=0):
    rng = np.random.default_rng(seed)
    identities = np.repeat(np.arange(30), 4)
    labels = pd.DataFrame({name: np.where(rng.random(120) < 0.5, 1, -1) for name in ("smiling", "Wearing_Hat", "age")})
    labels["age"] = np.where(identities % 2, 1, -1)
    points = rng.normal(size=(30, 5))[identities] + 0.3 * rng.normal(size=(120, 5)) + labels[["age"]].to_numpy()
    return points, identities, labels


def history():
    table = pd.DataFrame({"step": [0, 10, 20], "auc": [0.9, 0.92, 0.95], "movement": [0.5, 0.4, 0.3],
                          "triplet": [np.nan, 0.3, 0.2], "preservation": [np.nan, 0.1, 0.12],
                          "kept": [False, True, False]})  # fmt: skip
    table.attrs = {"augment": ["age"], "parent": "dlib"}
    return table


def ring():
    angle = 2 * np.pi * np.arange(12) / 12
    return fr.persistence(np.column_stack([np.cos(angle), np.sin(angle)]), metric="euclidean", null_draws=4)


def path():
    class Arc:
        """A model whose embeddings turn by a quarter of a circle."""

        card = fr.load_model("controlled/rotation").card

        def embed(self, faces):
            angle = np.linspace(0, np.pi / 2, len(faces))
            return np.column_stack([np.cos(angle), np.sin(angle)])

    return fr.sweep_distances(Squares(), Arc(), "a", "age", [20, 40, 60])


# what a reader sees of each chart: the titles of its axes and its legends
SEEN = {
    "energy_by_attribute": ("energy", {"alignment energy E (0 = all move alike)", "movement / mean distance"}),
    "profile": ("profile", {"alignment energy E", "coverage", "radius / mean distance (distance)"}),
    "field_quiver": ("quiver one", {"first axis", "second axis"}),
    "field_similarity": ("similarity", {"mean of 1 − cos", "age", "hue", "head angle"}),
    "distance_cdfs": ("cdfs", {"density", "share of pairs", "distance between two faces (Euclidean)", "both with it"}),
    "ks_against_entropy": (
        "ks", {"KS, mean of both modalities", "intra-entropy (nats): 0 = never changes within a person"}
    ),
    "genuine_impostor": ("pairs", {"density", "distance between two faces (Euclidean)", "threshold 2"}),
    "persistence": ("bars", {"birth (distance)", "death (distance)", "clusters", "loops"}),
    "sweep_distances": ("path", {"age (years)", "distance", "20", "60"}),
    "training": ("training", {"step", "same person? (AUC)", "copies move", "loss", "before"}),
    "before_after": ("before", {"alignment energy E", "movement / mean distance", "null"}),
    "side_by_side": ("both", {"alignment energy E (0 = all move alike)", "coverage"}),
}  # fmt: skip


@pytest.mark.parametrize("function", fr.charts.__all__)
def test_every_chart_of_the_package_shows_its_axes(every_chart, function):
    name, words = SEEN[function]
    assert words <= set(every_chart[name][2])


@pytest.fixture(scope="module")
def every_chart(field):
    """All charts by name: the specification, the SVG, its texts and its width."""
    return {name: (chart.to_dict(), *drawn(chart)) for name, chart in make_charts(field).items()}


def make_charts(field):
    points, identities, labels = labelled()
    pairs = fr.pair_distances(points, identities)
    return {
        "energy": fr.charts.energy_by_attribute(energies()),
        "energy alone": fr.charts.energy_by_attribute(energies(1), magnitude=False),
        "profile": fr.charts.profile(profiles()),
        "profile bands": fr.charts.profile(profiles(6), coverage=False),
        "quiver": fr.charts.field_quiver(field),
        "quiver one": fr.charts.field_quiver(field, attributes="age", length="magnitude"),
        "similarity": fr.charts.field_similarity(fr.field_similarity(field)),
        "cdfs": fr.charts.distance_cdfs(fr.modality_distances(points, identities, labels, "age")),
        "ks": fr.charts.ks_against_entropy(fr.macroscale(points, identities, labels, permutations=9)),
        "pairs": fr.charts.genuine_impostor(pairs, threshold=2.0),
        "pairs alone": fr.charts.genuine_impostor(pairs),
        "bars": fr.charts.persistence(ring()),
        "path": fr.charts.sweep_distances(path()),
        "training": fr.charts.training(history()),
        "before": fr.charts.before_after(pd.concat([energies().assign(model=name) for name in "ab"]), "hue"),
        "both": fr.charts.side_by_side(fr.charts.energy_by_attribute(energies()), fr.charts.profile(profiles())),
    }


def drawn(chart):
    """All texts in the picture, and its width."""
    svg = vl_convert.vegalite_to_svg(chart.to_dict())
    texts = [re.sub(r"<[^>]+>", "", text) for text in re.findall(r"<text[^>]*>(.*?)</text>", svg)]
    return svg, texts, float(re.search(r'width="([\d.]+)"', svg).group(1))


def datasets(chart):
    """Every table in the chart, as DataFrames."""
    return [pd.DataFrame(rows) for rows in chart.to_dict()["datasets"].values()]


def with_columns(chart, *names):
    return next(table for table in datasets(chart) if set(names) <= set(table.columns))


def luminance(color):
    channels = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, two):
    low, high = sorted((luminance(one), luminance(two)))
    return (high + 0.05) / (low + 0.05)


def test_every_chart_renders_named_and_fits(every_chart):
    for name, (spec, svg, texts, width) in every_chart.items():
        json.dumps(spec, allow_nan=False)
        assert texts, name
        assert "NaN" not in svg, name
        assert "undefined" not in " ".join(texts), name
        assert name == "both" or width <= 600, (name, width)
        assert name == "both" or spec["title"]["text"], name


def test_text_takes_the_colour_of_the_host(every_chart):
    for name, (spec, svg, _, _) in every_chart.items():
        assert spec["background"] == "transparent", name
        assert spec["usermeta"]["embedOptions"]["renderer"] == "svg", name
        for text in re.findall(r"<text[^>]*>", svg):
            fill = re.search(r'fill="([^"]+)"', text).group(1)
            # words in the cells of the matrix lie on their own colour
            assert fill == "currentColor" or name == "similarity", (name, text)


def test_every_chart_carries_a_picture_for_readers_without_vega(field, every_chart, capsys):
    charts = make_charts(field)
    for name in ("similarity", "cdfs", "both"):  # one with a matrix, the one with most marks, the widest
        data, metadata = charts[name]._repr_mimebundle_()
        png = base64.b64decode(data["image/png"])
        image, told = Image.open(io.BytesIO(png)).convert("RGBA"), metadata["image/png"]
        spec, svg, _, width = every_chart[name]
        height = float(re.search(r'height="([\d.]+)"', svg).group(1))
        assert abs(told["width"] - width) <= 2, name
        assert abs(told["height"] - height) <= 2, name
        assert image.getchannel("A").getextrema() == (255, 255), name
        assert image.getpixel((0, 0)) == (255, 255, 255, 255), name
        assert len(np.unique(np.asarray(image.convert("L")))) > 20, name  # more than a blank page
        with capsys.disabled():
            print(f"\n{name}: PNG of {len(png) / 1000:.0f} kB")
        assert len(png) <= 60_000, name
        if "title" in spec:
            assert spec["title"]["text"] in told["alt"], name
            assert told["alt"] in data["text/plain"], name


def test_a_picture_loads_nothing():
    """Data behind an address are for the reader's front end to load, if at all: the chart has no picture then."""
    with loopback.serve(loopback.Site(b"x,y\n1,2\n")) as site:
        chart = alt.Chart(site.url.replace("weights.pt", "data.csv")).mark_point().encode(x="x:Q", y="y:Q")
        data, metadata = chart._repr_mimebundle_()
    assert site.asked == []
    assert "image/png" not in data
    assert metadata == {}
    assert "application/vnd.vegalite.v5+json" in data


def test_colours_stand_out_on_white_and_on_black():
    colors = [color for color, _ in style.FALLBACK] + [style.GREY, style.SAME, style.DIFFERENT, style.PLAIN[0]]
    colors += [record.color for record in fr.ATTRIBUTES.values()]
    for color in colors:
        assert min(contrast(color, "#ffffff"), contrast(color, "#111111")) >= 3, color


def test_known_attributes_keep_their_colour_and_others_get_a_free_one():
    scales = [scale.to_dict() for scale in style.attribute_scales(["mine", "age", "yours", "age"])]
    assert scales[0]["domain"] == ["mine", "age", "yours"]
    record = fr.ATTRIBUTES["age"]
    assert (scales[0]["range"][1], scales[1]["range"][1]) == (record.color, record.shape)
    assert len(set(scales[0]["range"])) == len(set(scales[1]["range"])) == 3 or record.shape in scales[1]["range"]
    assert len(set(scales[0]["range"])) == 3
    many = style.attribute_scales(f"a{k}" for k in range(20))[0].to_dict()
    assert set(many["range"]) == {style.PLAIN[0]}
    assert style.color_of("yours", ["mine", "age"]) == scales[0]["range"][2]


def test_words():
    assert style.label_of("hair_color") == fr.ATTRIBUTES["hair_color"].label
    assert style.label_of("Wearing_Hat") == "Wearing Hat"
    for text, words in {
        "knn:10": "10 nearest neighbours",
        "knn:1": "1 nearest neighbour",
        "knn:5:self": "5 nearest neighbours, self included",
        "ball:0.6": "ball of radius 0.6 × mean distance",
        "ball:2:absolute": "ball of radius 2",
        "all_pairs": "all pairs",
        "my own": "my own",
    }.items():
        assert style.scale_words(text) == words
    assert style.scale_words(fr.knn(10)) == "10 nearest neighbours"


@given(
    values=st.lists(st.floats(0, 10), min_size=1, max_size=12),
    gap=st.floats(0.01, 0.8),
)
def test_labels_move_apart_and_no_further(values, gap):
    moved = np.array(style.apart(values, gap, 0, 10))
    order = np.argsort(values, kind="stable")
    assert (np.diff(moved[order]) >= gap - 1e-9).all()
    assert moved.min() >= -1e-9
    assert moved.max() <= 10 + 1e-9
    sorted_values = np.array(values)[order]
    if (np.diff(sorted_values) >= gap).all():
        np.testing.assert_allclose(moved, values, atol=1e-9)


def test_energy_medians_order_and_null():
    table = energies(5)
    chart = fr.charts.energy_by_attribute(table)
    medians = next(t for t in datasets(chart) if list(t.columns) == ["label", "energy"])
    expected = table.groupby("attribute")["energy"].median()
    for name in NAMES:
        shown = medians.loc[medians["label"] == fr.ATTRIBUTES[name].label, "energy"].item()
        assert shown == pytest.approx(expected[name])
    _, texts, _ = drawn(chart)
    assert [text for text in texts if text in {"age", "hue", "head angle"}] == ["age", "hue", "head angle"]
    assert texts.count("null") == 1
    assert "dlib, 5 identities, 10 nearest neighbours" in texts
    dots = with_columns(chart, "across", "energy")
    assert len(dots) == 15
    assert dots["across"].abs().max() <= 0.6
    shuffled = fr.charts.energy_by_attribute(table.assign(energy=-table["energy"] + 1))
    assert [text for text in drawn(shuffled)[1] if text in {"age", "hue", "head angle"}] == ["head angle", "hue", "age"]


def test_energy_without_null_draws_or_direction():
    table = energies(2).drop(columns=["null_mean", "z"])
    null = next(t for t in datasets(fr.charts.energy_by_attribute(table)) if list(t.columns) == ["label", "null_mean"])
    assert (null["null_mean"] == 1).all()
    table.attrs["neighborhood"] = "knn:5:self"
    assert "null" not in drawn(fr.charts.energy_by_attribute(table))[1]
    table.loc[table["attribute"] == "hue", "energy"] = np.nan
    texts = drawn(fr.charts.energy_by_attribute(table))[1]
    assert texts.count("no direction: nothing moves") == 1
    table["energy"] = np.nan
    assert drawn(fr.charts.energy_by_attribute(table, magnitude=False))[1].count("no direction: nothing moves") == 3


def test_many_identities_pass_altairs_limit_on_rows():
    chart = fr.charts.energy_by_attribute(energies(2000))
    assert len(with_columns(chart, "across")) == 6000


def test_tables_are_left_as_they_were(field):
    points, identities, labels = labelled()
    for make, table in (
        (fr.charts.energy_by_attribute, energies()),
        (fr.charts.profile, profiles()),
        (fr.charts.genuine_impostor, fr.pair_distances(points, identities)),
        (fr.charts.distance_cdfs, fr.modality_distances(points, identities, labels, "age")),
        (fr.charts.ks_against_entropy, fr.macroscale(points, identities, labels, permutations=2)),
    ):
        before = table.copy(deep=True)
        make(table)
        pd.testing.assert_frame_equal(table, before)
        assert table.attrs.keys() == before.attrs.keys()


def test_profile_draws_medians_and_coverage():
    table = profiles(5)
    chart = fr.charts.profile(table)
    medians = with_columns(chart, "energy", "lower", "upper")
    row = medians[(medians["label"] == "age") & np.isclose(medians["radius"], table["radius"].min())].iloc[0]
    values = table[(table["attribute"] == "age") & (table["radius"] == table["radius"].min())]["energy"]
    assert row["energy"] == pytest.approx(values.median())
    assert [row["lower"], row["upper"]] == pytest.approx(values.quantile([0.25, 0.75]).tolist())
    texts = drawn(chart)[1]
    assert {"coverage", "null", "radius / mean distance (distance)"} <= set(texts)
    table.attrs = {"radius": "metric", "metric": "cosine"}
    assert "radius (distance 1 − cos)" in drawn(fr.charts.profile(table))[1]
    assert "coverage" not in drawn(fr.charts.profile(table, coverage=False))[1]


def test_profile_null_of_its_own():
    table = profiles().assign(null_mean=lambda t: t["attribute"].map({"age": 0.5, "hue": 0.7, "head_angle": 0.9}))
    null = next(t for t in datasets(fr.charts.profile(table)) if list(t.columns) == ["label", "radius", "null_mean"])
    assert sorted(null["null_mean"].unique()) == [0.5, 0.7, 0.9]


def test_arrows_lie_where_the_projection_says(field):
    plane = fr.pca(field["point"].sel(identity=5).values)
    chart = fr.charts.field_quiver(field, identity=5, attributes="hue", plane=plane)
    arrows = with_columns(chart, "x1", "x2").sort_values("curve")
    here = field.sel(identity=5, attribute="hue")
    middle = (arrows[["x1", "y1"]].to_numpy() + arrows[["x2", "y2"]].to_numpy()) / 2
    np.testing.assert_allclose(middle, plane.transform(here["point"].values), atol=1e-6)
    vector = arrows[["x2", "y2"]].to_numpy() - arrows[["x1", "y1"]].to_numpy()
    wanted = plane.project_vectors(here["direction"].values)
    # one common scale, no mean taken away
    np.testing.assert_allclose(vector / np.linalg.norm(vector), wanted / np.linalg.norm(wanted), atol=1e-6)
    turned = np.radians(arrows["angle"].to_numpy())
    np.testing.assert_allclose(np.sin(turned), vector[:, 0] / np.linalg.norm(vector, axis=1), atol=1e-6)
    assert plane.caption in " ".join(drawn(chart)[1])


def test_quiver_leaves_out_what_has_no_direction(field):
    still = field.copy(deep=True)
    still["direction"][0, 0, :10] = np.nan
    chart = fr.charts.field_quiver(still, attributes="age")
    assert with_columns(chart, "x1")["curve"].min() == 10
    assert len(with_columns(fr.charts.field_quiver(field, attributes="age", curves=7), "x1")) == 7
    still["direction"][:] = np.nan
    with pytest.raises(ValueError, match="no curve has a point and a direction"):
        fr.charts.field_quiver(still)


def test_similarity_shows_the_matrix(field):
    matrix = fr.field_similarity(field)
    cells = with_columns(fr.charts.field_similarity(matrix), "row", "column")
    assert len(cells) == 6  # without the diagonal
    mean = matrix.mean("identity").sel(attribute="age", attribute_2="hue").item()
    shown = cells[(cells["row"] == "age") & (cells["column"] == "hue")]["value"].item()
    assert shown == pytest.approx(mean)
    square = pd.DataFrame(matrix.mean("identity").values, NAMES, NAMES)
    pd.testing.assert_frame_equal(with_columns(fr.charts.field_similarity(square), "row"), cells)


def test_thresholds_count_the_pairs():
    rng = np.random.default_rng(0)
    pairs = pd.DataFrame({
        "pair": ["genuine"] * 200 + ["impostor"] * 1000,
        "distance": np.concatenate([rng.normal(1, 0.2, 200), rng.normal(2, 0.3, 1000)]).clip(0),
    })  # fmt: skip
    chart = fr.charts.genuine_impostor(pairs, threshold=1.4)
    missed = np.mean(pairs["distance"][:200] > 1.4)
    passed = np.mean(pairs["distance"][200:] <= 1.4)
    texts = drawn(chart)[1]
    assert {f"false match {100 * passed:.3g} %", f"false non-match {100 * missed:.3g} %", "threshold 1.4"} <= set(texts)
    assert {"same person", "different people"} <= set(texts)
    bars = with_columns(chart, "from", "to", "density")
    area = ((bars["to"] - bars["from"]) * bars["density"]).groupby(bars["kind"]).sum()
    assert area.tolist() == pytest.approx([1, 1])
    _, wrong = (t for t in datasets(chart) if {"from", "to"} <= set(t.columns) and len(t) > 1)
    assert wrong.loc[wrong["kind"] == "same person", "from"].min() == pytest.approx(1.4)
    assert wrong.loc[wrong["kind"] == "different people", "to"].max() == pytest.approx(1.4)


def test_a_pair_at_exactly_the_threshold_counts_as_the_same_person():
    pairs = pd.DataFrame({"pair": ["genuine"] * 4 + ["impostor"] * 4, "distance": [1.0, 2, 2, 3, 2, 3, 4, 5]})
    for threshold, match, non_match in ((2.0, 25, 25), (np.nextafter(2, 0), 0, 75)):
        texts = drawn(fr.charts.genuine_impostor(pairs, threshold))[1]
        assert {f"false match {match} %", f"false non-match {non_match} %"} <= set(texts)


def test_a_few_pairs_give_a_few_bars():
    rng = np.random.default_rng(0)
    for genuine, bars in ((30, range(20, 40)), (20_000, range(60, 81))):
        pairs = pd.DataFrame({
            "pair": ["genuine"] * genuine + ["impostor"] * 30_000,
            "distance": np.concatenate([rng.normal(1, 0.2, genuine), rng.normal(2, 0.3, 30_000)]),
        })  # fmt: skip
        assert with_columns(fr.charts.genuine_impostor(pairs), "from")["from"].nunique() in bars
    equal = pd.DataFrame({"pair": ["genuine", "impostor"], "distance": [0.0, 0.0]})
    assert "same person" in drawn(fr.charts.genuine_impostor(equal))[1]


def test_brackets_span_the_gap():
    points, identities, labels = labelled()
    curves = fr.modality_distances(points, identities, labels, "age")
    chart = fr.charts.distance_cdfs(curves)
    ends = [t for t in datasets(chart) if list(t.columns) == ["distance", "cdf"]]
    gaps = sorted(round(float(np.ptp(t["cdf"])), 9) for t in ends)
    assert sorted({*gaps}) == pytest.approx(sorted({gap["value"] for gap in curves.attrs["ks"].values()}))
    texts = drawn(chart)[1]
    assert f"KS {curves.attrs['ks']['positive']['value']:.3f} with it" in texts
    assert f"KS {curves.attrs['ks']['negative']['value']:.3f} without it" in texts


def test_names_that_fit_do_not_overlap():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({
        "attribute": [f"Attribute_{k}" for k in range(40)], "n": 100, "ks_mean": 0.15 * rng.random(40),
        "intra_entropy": 0.6 * rng.random(40), "inter_entropy": 4.0, "null_mean": 0.01, "p_value": 0.5,
    })  # fmt: skip
    texts = drawn(fr.charts.ks_against_entropy(table))[1]
    shown = [text for text in texts if text.startswith("Attribute")]
    assert 15 <= len(shown) < 40
    assert len(set(shown)) == len(shown)
    # the strongest always has a name, and a few attributes all have theirs
    assert table["attribute"][table["ks_mean"].idxmax()].replace("_", " ") in shown
    few = table.iloc[:4].assign(intra_entropy=[0.1, 0.2, 0.3, 0.4], ks_mean=[0.1, 0.08, 0.06, 0.05])
    texts = drawn(fr.charts.ks_against_entropy(few))[1]
    assert sum(text.startswith("Attribute") for text in texts) == 4
    assert texts.count("null") == 1


def test_correlation_is_in_the_subtitle():
    points, identities, labels = labelled()
    table = fr.macroscale(points, identities, labels, permutations=9)
    found = table.attrs["spearman"]["inter_entropy"]
    texts = drawn(fr.charts.ks_against_entropy(table, "inter_entropy"))[1]
    assert any(f"{abs(found['rho']):.2f}" in text and "3 attributes" in text for text in texts)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: fr.charts.energy_by_attribute([1]), TypeError, r"got list: this chart draws the table that fr\.align"),
        (lambda: fr.charts.energy_by_attribute(energies().drop(columns="energy")), ValueError, "lacks the column 'en"),
        (lambda: fr.charts.energy_by_attribute(energies().head(0)), ValueError, "no rows"),
        (lambda: fr.charts.profile(energies()), ValueError, "lacks the column 'radius'.*alignment_profile"),
        (lambda: fr.charts.ks_against_entropy(energies(), "entropy"), ValueError, "unknown entropy 'entropy'"),
        (lambda: fr.charts.distance_cdfs(pd.DataFrame({"pairs": [1], "distance": [1], "cdf": [1], "density": [1]})),
         ValueError, r"lacks attrs\['ks'\]"),
        (lambda: fr.charts.genuine_impostor(pd.DataFrame({"pair": ["genuine"], "distance": [1.0]})), ValueError,
         "no impostor pairs"),
        (lambda: fr.charts.field_similarity(xr.DataArray(np.eye(2), dims=("a", "b"))), ValueError, "field_similarity"),
        (lambda: fr.charts.side_by_side(), ValueError, "got no chart"),
    ],
)  # fmt: skip
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_quiver_errors(field):
    for change, message in (
        ({"identity": 9}, "identity 9 is not in the field: choose from 4, 5, 6"),
        ({"attributes": ["age", "wig"]}, "attribute 'wig' is not in the field: choose from age, hue, head_angle"),
        ({"attributes": []}, "attribute .* is not in the field"),
        ({"length": "long"}, "unknown length 'long'"),
        ({"plane": fr.pca(np.eye(8), dims=3)}, "the plane has 3 axes"),
    ):
        with pytest.raises(ValueError, match=message):
            fr.charts.field_quiver(field, **change)
    with pytest.raises(ValueError, match=r"lacks direction: this chart draws the result of fr\.vector_field"):
        fr.charts.field_quiver(field.drop_vars("direction"))


def test_no_attribute_has_a_ks():
    table = pd.DataFrame({"attribute": ["a"], "n": [1], "ks_mean": [np.nan], "intra_entropy": [0.1]})
    with pytest.raises(ValueError, match="no attribute has a KS: each needs two people"):
        fr.charts.ks_against_entropy(table)


def test_bars_and_paths_are_drawn_as_they_are():
    bars = ring()
    shown = with_columns(fr.charts.persistence(bars), "outside", "death")
    tables = [t for t in datasets(fr.charts.persistence(bars)) if "label" in t]
    assert sorted(len(t) for t in tables) == sorted(
        [(bars["cloud"] == "observed").sum(), ((bars["cloud"] == "null") & (bars["draw"] < 3)).sum()]
    )
    assert set(shown["death"].round(6)) <= set(bars["death"].round(6))
    with pytest.raises(ValueError, match="lacks attrs"):
        fr.charts.persistence(pd.DataFrame(bars.to_dict("list")))
    cells = with_columns(fr.charts.sweep_distances(path()), "strength", "strength_2")
    found = cells.set_index(["strength", "strength_2"])["distance"]
    assert [found[20, 40], found[20, 60], found[40, 40]] == pytest.approx([2 * np.sin(np.pi / 8), np.sqrt(2), 0])
    with pytest.raises(ValueError, match=r"draws the result of fr\.sweep_distances"):
        fr.charts.sweep_distances(path().rename(strength="step"))
