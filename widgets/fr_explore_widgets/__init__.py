"""fr-explore's live widgets for Jupyter. `AttributeExplorer(faces, model)` is the laboratory."""

# lazy: the Jupyter server loads `server` of this package, and needs neither torch nor a widget for it
import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
