"""Vectors as other libraries return them give the same numbers as their array, or an error that says what to do."""

import numpy as np
import pytest
import torch
import xarray as xr

import fr_explore as fr
from fr_explore.base.vectors import as_array

WHO = np.repeat(np.arange(6), 2)
POINTS = (np.random.default_rng(0).normal(size=(6, 4))[WHO] + np.eye(12, 4)).astype(np.float32)
FORMS = {
    "list of arrays": list,
    "list of lists": lambda x: x.tolist(),
    "tensor with a gradient": lambda x: torch.tensor(x, requires_grad=True),
    "big-endian": lambda x: x.astype(">f4"),
    "columns first": np.asfortranarray,
    "masked, nothing masked": np.ma.masked_invalid,
    "labelled": lambda x: xr.DataArray(x, dims=("image", "dim")),
    "labelled, in blocks": lambda x: xr.DataArray(x, dims=("image", "dim")).chunk(image=5),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_gives_the_same_numbers(form):
    np.testing.assert_array_equal(as_array(form(POINTS)), POINTS)
    expected = fr.pair_distances(POINTS, WHO)["distance"]
    np.testing.assert_allclose(fr.pair_distances(form(POINTS), WHO)["distance"], expected, rtol=1e-6)
    assert fr.verification(form(POINTS), identities=WHO, draws=0).pairs["same"].sum() == 6


def test_half_precision_and_gradients_in_the_energy():
    points, arrows = torch.randn(30, 3, requires_grad=True), torch.randn(30, 3)
    expected = fr.alignment_energy(points.detach().numpy(), arrows.numpy())
    assert fr.alignment_energy(points, arrows) == expected
    assert as_array(points.bfloat16()).dtype == np.float32
    np.testing.assert_array_equal(as_array(tuple(points)), points.detach().numpy())


def test_what_is_refused():
    with pytest.raises(ValueError, match="1 of 12 embeddings contain NaN or infinity"):
        fr.overlap(np.ma.masked_equal(POINTS, POINTS[3, 2]), WHO)
    turned = xr.DataArray(POINTS[:4], dims=("image", "dim")).T  # as many images as numbers: the shape tells nothing
    with pytest.raises(ValueError, match=r"dimensions \('dim', 'image'\): pass embeddings.transpose\(\.\.\., 'dim'\)"):
        fr.overlap(turned, WHO[:4])
    with pytest.raises(
        ValueError, match="2 of 4 embeddings do not have 3 numbers like the others, the first at position 1"
    ):
        as_array([np.ones(3), [], np.ones(3), np.ones(2)])
