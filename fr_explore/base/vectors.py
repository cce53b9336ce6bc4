"""Vectors as callers hold them: NumPy arrays, torch tensors, masked arrays, labelled arrays, lists."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["as_array"]


def as_array(vectors: Any) -> np.ndarray:
    """One NumPy array. Tensors lose their gradient and device, masked numbers become NaN.

    Raises ValueError for a labelled array whose last dimension is not "dim", and for a list of vectors of different
    lengths, as they come from pictures without a face.
    """
    if isinstance(vectors, (list, tuple)):
        _check_lengths(vectors)
        return np.array([as_array(one) if hasattr(one, "dtype") else one for one in vectors])
    if hasattr(vectors, "detach"):
        tensor = vectors.detach().cpu()
        return (tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor).numpy()
    if isinstance(vectors, np.ma.MaskedArray):
        floats: Any = vectors.astype(np.result_type(vectors.dtype, np.float32))
        return floats.filled(np.nan)
    dims = getattr(vectors, "dims", ())
    if "dim" in dims[:-1]:
        raise ValueError(f"the embeddings have dimensions {dims}: pass embeddings.transpose(..., 'dim').")
    return np.asarray(vectors)


def _check_lengths(vectors: Any) -> None:
    sizes = [int(np.prod(np.shape(one))) for one in vectors]
    usual = max(sizes, key=sizes.count, default=0)
    odd = [place for place, size in enumerate(sizes) if size != usual]
    if odd:
        raise ValueError(
            f"{len(odd)} of {len(sizes)} embeddings do not have {usual} numbers like the others, the first at position "
            f"{odd[0]}: leave out images without a face, and their identities."
        )
