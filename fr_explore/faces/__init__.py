"""Face sources: attribute strengths in, images out.

`avatars` renders parametric heads, `photographs` edits real pictures, `cartoons` draws faces whose attributes can be
read back exactly, and `datasets` reads labelled collections.

The names load on first use: avatars need neither pandas nor Pillow.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
