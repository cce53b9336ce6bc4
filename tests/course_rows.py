"""Answers to the exercises of notebooks 6, 7, 8, 10 and 11, for test_course.py: right and wrong ones."""

import itertools
import math

import numpy as np
import pandas as pd
import torch
from scipy import stats
from scipy.spatial.distance import cdist
from sklearn.metrics import pairwise_distances

import fr_explore as fr

__all__ = ["RIGHT", "WRONG"]


def energy_by_angle(s):
    return [np.cos(np.arctan(s)) ** 2]


def energy_drawn(s):
    """The library's energy of arrows with orthogonal noise."""
    arrows = np.hstack([np.full((6, 1), s), np.eye(6)])
    return fr.alignment_energy(arrows, arrows, fr.all_pairs(power=0))


def paired_by_scipy(before, after):
    return [np.mean(after - before), stats.sem(after - before)]


def paired_by_pandas(before, after):
    d = pd.Series(after) - pd.Series(before)
    return torch.tensor([d.mean(), d.sem()])


def triplet_by_torch(vectors, who, margin):
    gaps = torch.cdist(torch.tensor(vectors), torch.tensor(vectors), compute_mode="donot_use_mm_for_euclid_dist")
    mine = torch.tensor(who[:, None] == who)
    return torch.relu(margin + (gaps * mine).amax(1) - gaps.masked_fill(mine, torch.inf).amin(1)).mean()


def triplet_by_loop(vectors, who, margin):
    gaps = pairwise_distances(vectors)
    return [np.mean([max(margin + g[who == w].max() - g[who != w].min(), 0) for g, w in zip(gaps, who, strict=True)])]


def own_and_other(vectors, who):
    gaps = cdist(vectors, vectors)
    mine = who[:, None] == who
    return np.where(mine, gaps, 0).max(1), np.where(mine, np.inf, gaps).min(1)


def no_hinge(vectors, who, margin):
    far, near = own_and_other(vectors, who)
    return (margin + far - near).mean()


def itself_as_nearest(vectors, who, margin):
    return (margin + own_and_other(vectors, who)[0] - cdist(vectors, vectors).min(1)).mean()


def p_by_scipy(gaps):
    found = stats.permutation_test((gaps,), np.mean, permutation_type="samples", n_resamples=np.inf)
    return found.pvalue


def p_by_library(gaps):
    rows = [{"identity": i, "model": m, "energy": e} for i, g in enumerate(gaps) for m, e in (("a", g), ("b", 0.0))]
    return fr.compare(pd.DataFrame(rows), between="model")["p"]


def people_by_trial(tests, level):
    return next(n for n in itertools.count(1) if tests * 2 / 2**n <= level)


def share_by_scipy(n, r):
    ranks = range(n)
    return [np.mean([stats.pearsonr(ranks, order).statistic >= r for order in itertools.permutations(ranks)])]


def cost_by_name(pictures, models, seconds, cores, dim):
    work = pd.Timedelta(seconds=pictures * seconds / cores) * models
    return np.array([work / pd.Timedelta(hours=1), pictures * models * np.zeros(dim, "f4").nbytes / 1e9])


def recall_by_sets(exact, found):
    return torch.tensor([len({*a} & {*b}) / len(a) for a, b in zip(exact, found, strict=True)]).mean()


def recall_by_comparison(exact, found):
    return [(exact[:, :, None] == found[:, None]).any(2).mean()]


def tree_by_scipy(sizes, lengths, alpha):
    return [alpha / (1 - stats.linregress(np.log10(sizes), np.log10(lengths)).slope)]


def polygon(n, r):
    angle = 2 * np.pi * np.arange(n) / n
    return r * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def loop_by_search(n, r):
    """The longest side of every triangle whose angles at the centre are all at most half a turn; the least of them."""
    gaps = cdist(polygon(n, r), polygon(n, r))
    closed = [(0, i, j) for i in range(1, n) for j in range(i + 1, n) if max(i, j - i, n - j) <= n / 2]
    return gaps[0, 1], min(max(gaps[a, b], gaps[b, c], gaps[a, c]) for a, b, c in closed)


def loop_by_library(n, r):
    bars = fr.persistence(polygon(n, r), metric="euclidean", null_draws=1)
    return bars.query("cloud == 'observed' and dimension == 1")[["birth", "death"]].iloc[0]


def loop_of_steps(n, r, steps):
    return 2 * r * np.sin(np.pi / n), 2 * r * np.sin(np.pi * steps / n)


def _rho(order):
    return stats.pearsonr(range(len(order)), order).statistic


# exercise: right answers
RIGHT = {
    "06a": [energy_by_angle, energy_drawn, lambda s: torch.tensor(1.0) / (1 + s * s)],
    "06b": [paired_by_scipy, paired_by_pandas, lambda b, a: ((a - b).mean(), np.std(a - b, ddof=1) / len(a) ** 0.5)],
    "06c": ["b", " B"],
    "07a": [triplet_by_torch, triplet_by_loop],
    "07b": [lambda a, b: (a - b) / (1 + b), lambda a, b: pd.Series([0.4 * (1 + a) / (0.4 * (1 + b)) - 1])],
    "07c": ["a", "A "],
    "08a": [p_by_scipy, p_by_library],
    "08b": [people_by_trial, lambda m, level: np.int64(math.ceil(1 + math.log2(m / level)))],
    "08c": [
        share_by_scipy,
        lambda n, r: np.mean([np.corrcoef(range(n), o)[0, 1] >= r for o in itertools.permutations(range(n))]),
    ],
    "10a": [cost_by_name, lambda n, m, c, w, d: [n * m * c / w / 3600, 4e-9 * n * m * d]],
    "10b": [lambda b: (b / 8) ** 0.5, lambda b: np.floor(np.sqrt(b / 8))],
    "10c": [recall_by_sets, recall_by_comparison],
    "11a": [tree_by_scipy, lambda n, s, a: torch.tensor(a / (1 - np.polyfit(np.log(n), np.log(s), 1)[0]))],
    "11b": [loop_by_search, lambda n, r: [*loop_of_steps(n, r, math.ceil(n / 3))]],
}  # fmt: skip

# exercise: (wrong answer, part of its hint)
WRONG = {
    "06a": [
        (lambda s: s**2 / (1 + s**2), "cosine itself"),
        (lambda s: 1 / (1 + s), "Pythagoras"),
        (lambda s: (1 + s**2) ** -0.5, "Both arrows"),
        (lambda s: 0.5, "Right in 1 of 5 tries. With a drift"),
        (lambda s: [s, s], "one number"),
    ],
    "06b": [
        (lambda b, a: (np.mean(b - a), stats.sem(b - a)), "sign"),
        (lambda b, a: (np.mean(a - b), np.hypot(stats.sem(a), stats.sem(b))), "two groups"),
        (lambda b, a: (np.mean(a - b), np.std(a - b, ddof=1)), "single people"),
        (lambda b, a: (np.mean(a - b), np.std(a - b) / np.sqrt(len(a))), "n - 1"),
        (lambda b, a: np.mean(a - b), "2 numbers; got one number"),
        (lambda b, a: (np.median(a - b), stats.sem(a - b)), "median"),
        (lambda b, a: (np.mean(a / b), stats.sem(a / b)), "0.577"),
    ],
    "06c": [("a", "other scales"), ("c", "narrower range"), ("d", "letters")],
    "07a": [
        (no_hinge, "below zero"),
        (itself_as_nearest, "the picture itself"),
        (lambda v, w, m: max(0, no_hinge(v, w, m)), "after the mean"),
        (lambda v, w, m: triplet_by_torch(v, w, 0), "margin is missing"),
        (lambda v, w, m: len(v) * triplet_by_torch(v, w, m), "sum"),
        (lambda v, w, m: own_and_other(v, w)[0], "one number"),
        (lambda v, w, m: 0, "0.75"),
    ],
    "07b": [
        (lambda a, b: a - b, "both are small"),
        (lambda a, b: (1 + a) / (1 + b), "the change"),
        (lambda a, b: a, "length alone"),
        (lambda a, b: b, "changes by 0"),
    ],
    "07c": [("b", "by heart"), ("c", "any training"), ("brightness", "letters")],
    "08a": [
        (lambda g: p_by_scipy(g) / 2, "one side only"),
        (lambda g: stats.ttest_1samp(g, 0).pvalue, "t test"),
        (lambda g: 1 - p_by_scipy(g), "nearer to 0"),
        (lambda g: p_by_scipy(g) - 2 / 2 ** len(g), "The observed signs"),
        (lambda g: g, "one number; got"),
        (lambda g: 0.5, "two of the four combinations"),
    ],
    "08b": [
        (lambda m, level: people_by_trial(m / 2, level), "all signs minus"),
        (lambda m, level: people_by_trial(1, level), "number of tests"),
        (lambda m, level: 1 + np.log2(m / level), "whole"),
        (lambda m, level: people_by_trial(m, level) - 1, "all signs minus"),
        (lambda m, level: 100, "six give 1/32"),
    ],
    "08c": [
        (lambda n, r: np.mean(np.abs([_rho(o) for o in itertools.permutations(range(n))]) >= r), "both ends"),
        (lambda n, r: sum(_rho(o) >= r for o in itertools.permutations(range(n))), "number of orders"),
        (lambda n, r: 1 - share_by_scipy(n, r)[0], "below"),
        (lambda n, r: np.mean(np.array([_rho(o) for o in itertools.permutations(range(n))]) > r), "equals r"),
        (lambda n, r: 0, "1/6"),
    ],
    "10a": [
        (lambda n, m, c, w, d: (n * m * c / 3600, n * m * d * 4e-9), "cores"),
        (lambda n, m, c, w, d: (n * m * c / w, n * m * d * 4e-9), "seconds"),
        (lambda n, m, c, w, d: (n * m * c / w / 3600, n * m * d * 8e-9), "float64"),
        (lambda n, m, c, w, d: (n * m * c / w / 3600, n * m * d * 4 / 1024**3), "GiB"),
        (lambda n, m, c, w, d: (n * m * c / w / 3600, n * d * 4e-9), "one model only"),
        (lambda n, m, c, w, d: n * m * c / w / 3600, "2 numbers; got one number"),
        (lambda *job: (1, 1), "0.01 hours"),
    ],
    "10b": [
        (lambda b: np.sqrt(b / 4), "float32"),
        (lambda b: b / 8, "That many numbers"),
        (lambda b: (b / 8) ** 0.25, "10 points"),
    ],
    "10c": [
        (lambda e, f: (e == f).mean(), "position by position"),
        (lambda e, f: (np.sort(e) == np.sort(f)).all(1).mean(), "all neighbours were found"),
        (lambda e, f: 1 - recall_by_sets(e, f), "missed"),
        (lambda e, f: recall_by_sets(e, f) * e.shape[1], "asks for a share"),
        (lambda e, f: 0.123, "0.75"),
    ],
    "11a": [
        (lambda n, s, a: np.polyfit(np.log(n), np.log(s), 1)[0], "not yet the dimension"),
        (lambda n, s, a: tree_by_scipy(n, s, 1), "numerator"),
        (lambda n, s, a: 1 / tree_by_scipy(n, s, a)[0], "exchanged numerator"),
        (lambda n, s, a: a / (1 - np.polyfit(n, s, 1)[0]), "numbers themselves"),
        (lambda n, s, a: a / (1 - np.polyfit(n, np.log(s), 1)[0]), "Only the lengths"),
        (lambda n, s, a: a / (1 - np.polyfit(np.log(s), np.log(n), 1)[0]), "axes"),
        (lambda n, s, a: tree_by_scipy(n[[0, -1]], s[[0, -1]], a), "first and the last"),
        (lambda n, s, a: -tree_by_scipy(n, s, a)[0], "sign"),
        (lambda n, s, a: s, "one number"),
        (lambda n, s, a: 3, "the slope is 1/2"),
    ],
    "11b": [
        (lambda n, r: loop_of_steps(n, r, n / 3), "whole numbers"),
        (lambda n, r: loop_of_steps(n, r, n // 3), "round n/3 down"),
        (lambda n, r: loop_of_steps(n, r, round(n / 3)), "nearest"),
        (lambda n, r: loop_of_steps(n, r, n / 2), "diameter"),
        (lambda n, r: np.array(loop_by_search(n, r)) / 2, "radii of balls"),
        (lambda n, r: np.array([1, math.ceil(n / 3)]) * 2 * np.pi * r / n, "arcs"),
        (lambda n, r: loop_by_search(n, 1), "ignore the radius"),
        (lambda n, r: loop_by_search(n, r)[::-1], "exchanged birth"),
        (lambda n, r: 2 * r, "2 numbers; got one number"),
        (lambda n, r: (1, 2), "1.414"),
    ],
}
