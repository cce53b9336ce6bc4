"""Statistics of pictures that are known, and labels whose KS brightness does or does not explain."""

import colorsys
import warnings

import numpy as np
import pandas as pd
import pytest

import fr_explore as fr


def flat(color, size=64, noise=0.0, seed=0):
    rng = np.random.default_rng(seed)
    pixels = np.clip(np.asarray(color) + noise * rng.normal(size=(size, size, 1)), 0, 1)
    landmarks = np.array([[0.38, 0.42], [0.62, 0.42], [0.5, 0.56], [0.4, 0.68], [0.6, 0.68]]) * size
    return fr.Face(pixels.astype(np.float32), landmarks.astype(np.float32))


@pytest.mark.parametrize("hue", [0, 60, 120, 200, 300])
def test_statistics_of_one_colour(hue):
    color = colorsys.hsv_to_rgb(hue / 360, 0.5, 0.8)
    row = fr.image_statistics([flat(color)]).iloc[0]
    assert abs((row["hue"] - hue + 180) % 360 - 180) < 1.2  # the hexagon's hue and the circle's differ by so much
    assert row["hue_strength"] == pytest.approx(1, abs=1e-5)
    assert row["saturation"] == pytest.approx(0.5, abs=1e-5)
    assert row["brightness"] == pytest.approx(np.dot(color, [0.2126, 0.7152, 0.0722]), abs=1e-5)
    assert row["contrast"] == pytest.approx(0, abs=1e-5)


def test_the_mean_of_hues_is_circular_and_weighted():
    """Half the face at 350° and half at 10° is red, not cyan; a grey half says nothing."""
    red = np.stack([colorsys.hsv_to_rgb(h, 0.5, 0.8) for h in (350 / 360, 10 / 360)])
    halves = flat((0.5,) * 3).pixels.copy()
    halves[:, :32], halves[:, 32:] = red
    face = fr.Face(halves, flat((0.5,) * 3).landmarks)
    row = fr.image_statistics([face]).iloc[0]
    assert min(row["hue"], 360 - row["hue"]) < 1.5
    assert row["hue_strength"] == pytest.approx(np.cos(np.radians(10)), abs=0.01)
    halves[:, :32] = 0.5, 0.5, 0.5001  # a blue that nobody sees
    row = fr.image_statistics([fr.Face(halves, face.landmarks)]).iloc[0]
    assert row["hue"] == pytest.approx(10, abs=1.2)


def test_only_the_face_counts():
    face = flat((0.2, 0.2, 0.2))
    bright = face.pixels.copy()
    bright[:8], bright[:, :8] = 1, 1
    around = fr.Face(bright, face.landmarks)
    assert fr.image_statistics([around])["brightness"].item() == pytest.approx(0.2, abs=1e-5)
    assert fr.image_statistics([around], mask=False)["brightness"].item() > 0.3
    # moved and larger in its picture, the face has the same statistics
    large = np.ones((160, 160, 3), np.float32)
    large[40:168, 20:148] = np.repeat(np.repeat(face.pixels, 2, 0), 2, 1)[:120]
    moved = fr.Face(large, face.landmarks * 2 + [20, 40])
    assert fr.image_statistics([moved])["brightness"].item() == pytest.approx(0.2, abs=1e-4)
    with pytest.raises(ValueError, match="1 faces, 1 without landmarks: give faces with landmarks, or mask=False"):
        fr.image_statistics([fr.Face(face.pixels)])


def test_contrast_and_sharpness():
    one, other = (fr.image_statistics([flat((0.5,) * 3, noise=n)], mask=False).iloc[0] for n in (0.05, 0.1))
    assert other["contrast"] == pytest.approx(2 * one["contrast"], rel=0.01)
    assert other["sharpness"] == pytest.approx(one["sharpness"], rel=0.01)
    # white noise: 4² + 4 · 1² = 20 times the variance
    assert one["sharpness"] == pytest.approx(np.sqrt(20), rel=0.05)


def test_avatars_follow_their_sliders(avatars):
    recipes = [{"brightness": 0.7}, {"brightness": 1.3}, {"contrast": 0.7}, {"contrast": 1.3}, {"blur": 3}, {"hue": 40}]
    table = fr.image_statistics(avatars.render_batch([0] * 7, [{}, *recipes], size=96))
    neutral, dark, bright, soft, hard, blurred, turned = (row for _, row in table.iterrows())
    assert dark["brightness"] < neutral["brightness"] < bright["brightness"]
    assert soft["contrast"] < neutral["contrast"] < hard["contrast"]
    assert blurred["sharpness"] < 0.7 * neutral["sharpness"]
    assert (turned["hue"] - neutral["hue"]) % 360 == pytest.approx(40, abs=8)


def crowd(seed=0, count=240):
    """Brightness and hats move the embedding; "sunny" is a label of bright pictures, "hat" is not, "both" is."""
    rng = np.random.default_rng(seed)
    brightness, hat = rng.normal(size=count), rng.random(count) < 0.5
    both = rng.random(count) < 1 / (1 + np.exp(-1.5 * brightness))
    points = rng.normal(size=(count, 6))
    points[:, 0] += 3 * brightness
    points[:, 1] += 4 * hat
    points[:, 2] += 6 * both
    labels = pd.DataFrame({"sunny": brightness + 0.3 * rng.normal(size=count) > 0, "hat": hat, "both": both,
                           "chance": rng.random(count) < 0.5})  # fmt: skip
    statistics = pd.DataFrame({"brightness": brightness, "noise": rng.normal(size=count)})
    return points, np.arange(count), labels, statistics


def test_what_brightness_explains_and_what_it_does_not():
    data = crowd()
    with pytest.warns(UserWarning, match="the KS of 'sunny' by brightness can be explained") as caught:
        table = fr.confounders(*data, permutations=60)
    assert len(caught) == 1
    rows = table.set_index(["attribute", "statistic"])
    assert rows.index[rows["explained"]].tolist() == [("sunny", "brightness")]
    assert rows.loc[("sunny", "noise"), "p_matched"] <= 0.05
    for label in ("hat", "both"):  # an effect of their own
        assert rows.loc[(label, "brightness"), "p_matched"] <= 0.05
    assert rows.loc[("chance", "brightness"), "p_value"] > 0.05
    assert rows.loc[("sunny", "brightness"), "difference"] > 1 > abs(rows.loc[("hat", "brightness"), "difference"])
    assert rows.loc[("hat", "brightness"), "share"] < 0.2 < rows.loc[("both", "brightness"), "share"] < 0.7
    sunny = rows.loc[("sunny", "brightness")]
    assert sunny["ks_matched"] == pytest.approx(sunny["ks_mean"], rel=0.2)
    assert rows.loc[("hat", "brightness"), "ks_statistic"] > 3 * rows.loc[("hat", "noise"), "ks_statistic"]
    assert rows.loc[("hat", "brightness"), "predictable"] > 0.8
    assert rows.loc[("hat", "noise"), "predictable"] < 0.1


def test_the_labels_figures_are_those_of_macroscale():
    points, who, labels, statistics = crowd(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = fr.confounders(points, who, labels, statistics, permutations=20, seed=3)
    plain = fr.macroscale(points, who, labels, permutations=20, seed=3).set_index("attribute")
    for row in table.itertuples():
        assert [row.ks_mean, row.p_value] == plain.loc[row.attribute, ["ks_mean", "p_value"]].tolist()
    alone = fr.macroscale(points, who, statistics > statistics.median(), permutations=0, seed=3)["ks_mean"]
    assert table["ks_statistic"].tolist() == alone.tolist() * 4


def test_hue_as_a_confounder_is_an_angle():
    rng = np.random.default_rng(0)
    angle = rng.normal(0, 25, size=200)  # around red: 0 and 360 are neighbours
    points = np.column_stack([3 * np.radians(angle) * 2, rng.normal(size=(200, 3))])
    statistics = pd.DataFrame({"hue": angle % 360, "hue_strength": 1.0})
    with pytest.warns(UserWarning, match="'warm' by hue"):
        table = fr.confounders(points, np.arange(200), pd.DataFrame({"warm": angle > 0}), statistics, permutations=40)
    assert table["statistic"].tolist() == ["hue"]
    assert table["predictable"].item() > 0.6
    with pytest.raises(ValueError, match="199 rows of 1 statistics for 200 images"):
        fr.confounders(points, np.arange(200), pd.DataFrame({"warm": angle > 0}), statistics[:199])
