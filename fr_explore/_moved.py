"""Modules of version 0.1 under their old names, for one version: importing one warns and gives the new one."""

from __future__ import annotations

import sys
import warnings
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

__all__ = ["install"]

# Left out are the modules whose names are public functions: import those from fr_explore itself
MOVED = {
    "_distances": "base.distance",
    "optional": "base.optional",
    "_parallel": "base.cores",
    "cache": "base.cache",
    "_multiplicity": "base.corrections",
    "faces.cartoon": "faces.cartoons",
    "faces.avatar": "faces.avatars.source",
    "faces.head": "faces.avatars.head",
    "faces.identity": "faces.avatars.identity",
    "faces.appearance": "faces.avatars.appearance",
    "faces.sources": "faces.photographs.photo_inputs",
    "faces.readers": "faces.photographs.decode",
    "faces.detect": "faces.photographs.detect",
    "faces.cutout": "faces.photographs.portrait_crop",
    "faces.retouch": "faces.photographs.edits",
    "faces.occlusion": "faces.photographs.occlusion",
    "faces.folders": "faces.datasets.labelled",
    "faces.tables": "faces.datasets.tables",
    "faces.precomputed": "faces.datasets.precomputed",
    "align": "models.align",
    "models.box": "faces.detector_crop",
    "models.dlib_resnet": "models.dlib",
    "models.onnx_file": "models.onnx",
    "models.controlled_analytic": "models.controlled.analytic",
    "models.controlled_net": "models.controlled.trained",
    "inspection": "embedding.inspection",
    "field": "geometry.field",
    "neighbors": "geometry.neighbors",
    "profile": "geometry.profile",
    "_groups": "geometry.null",
    "projection": "geometry.projection",
    "_blocks": "geometry.tiles",
    "_graphs": "geometry.neighbor_graph",
    "_labelled": "population.labels",
    "probes": "population.probes",
    "protocol": "population.lfw_protocol",
    "_augmented": "training.augment",
    "_training": "training.loop",
    "results": "scale.results",
    "distributed": "scale.distributed",
    "cli.stock": "cli.registry_commands",
}


class _Finder:
    """A finder and loader of moved modules, asked when all others have found nothing."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        loader: Any = self  # not importlib's base class: importing it takes as long as the rest of this package
        return ModuleSpec(name, loader) if name.removeprefix(f"{__package__}.") in MOVED else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        new = f"{__package__}.{MOVED[spec.name.removeprefix(f'{__package__}.')]}"
        warnings.warn(f"{spec.name} is now {new}; the old name goes in the next version.", DeprecationWarning, 2)
        module = ModuleType(spec.name)
        module.__dict__.update(vars(import_module(new)), __name__=spec.name)
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is left to run."""


def install() -> None:
    """Make the old names importable."""
    finder: Any = _Finder()
    sys.meta_path.append(finder)
