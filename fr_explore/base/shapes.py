"""Types that state the shape of an array: `Float[np.ndarray, "n dim"]` is a floating-point array of two dimensions.

At run time and for type checkers these names are `typing.Annotated`, so the library needs no other package for them.
The tests read the same annotations with jaxtyping and check every call (`tests/shape_checks.py`).

How to use it, in a module with `from __future__ import annotations`:

    from ..base.shapes import Float, Num

    def energies(points: Num[Any, "n dim"], directions: Num[Any, "n dim_2"]) -> Float[np.ndarray, " n"]: ...

- The first argument is the type of the array: np.ndarray, torch.Tensor, xr.DataArray, or Any for "whatever np.asarray
  takes". The second names the dimensions. The same name means the same length in all arguments and the result of a
  call; "..." stands for any number of dimensions, a number for that length, "_" for any length.
- A single dimension starts with a space, " n", so that ruff does not take it for the name of a type.
- Shapes may stand inside `| None`, `tuple[...]`, `list[...]` and `dict[...]`.
- The check runs after the function has returned. What a function refuses with its own ValueError stays testable; what
  it accepts and what it returns must fit.
"""

from typing import Annotated as Bool
from typing import Annotated as Float
from typing import Annotated as Float32
from typing import Annotated as Float64
from typing import Annotated as Int
from typing import Annotated as Num
from typing import Annotated as Shaped
from typing import Annotated as UInt8

__all__ = ["Bool", "Float", "Float32", "Float64", "Int", "Num", "Shaped", "UInt8"]
