"""fr-explore: a laboratory for the geometry of face-recognition embeddings.

The public names are listed in `__init__.pyi`, grouped as the data flow: strengths -> images -> embeddings ->
field -> energy -> chart. They load on first use, so `import fr_explore` stays light and brings no torch.
"""

import lazy_loader as _lazy

from ._moved import install as _install

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
_install()
