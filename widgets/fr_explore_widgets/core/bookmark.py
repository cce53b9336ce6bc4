"""A state as text: JSON in a notebook, or a link to a page (`shared/page.js` writes it)."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any

__all__ = ["read_bookmark"]

_LINK = re.compile(r"#state=([\w-]+)")


def read_bookmark(text: str) -> dict[str, Any]:
    """The state in the text of `w.bookmark`, or in a link that "Copy this state" of a page gave."""
    found = _LINK.search(text)
    try:
        if found:
            text = base64.urlsafe_b64decode(found[1] + "=" * (-len(found[1]) % 4)).decode()
        state = json.loads(text)
        if not isinstance(state, dict):
            raise ValueError("it is not an object")
    except (ValueError, binascii.Error) as problem:
        raise ValueError(
            f"bookmark {text[:60]!r} cannot be read ({problem}): give the whole text of w.bookmark, or the whole link "
            'that "Copy this state" of a page gave.'
        ) from None
    return state
