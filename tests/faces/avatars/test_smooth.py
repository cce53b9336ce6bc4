"""The blur in numpy against SciPy's."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from fr_explore.faces.avatars.smooth import smooth


@pytest.mark.parametrize("sigma", [(5.0, 5.0), (3.2, 0.7), (1.4, 0.3)])
@pytest.mark.parametrize(("wrap", "mode"), [(False, "reflect"), (True, "wrap")])
def test_it_is_scipys_gaussian_filter(sigma, wrap, mode):
    values = np.random.default_rng(0).standard_normal((60, 32))
    np.testing.assert_allclose(smooth(values, sigma, wrap), gaussian_filter(values, sigma, mode=mode), atol=1e-14)
