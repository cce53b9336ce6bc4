"""Cards for networks that users bring as .onnx files: ArcFace, AdaFace and SFace.

We may not distribute these files. A preset describes the preprocessing of the published network; `onnx.load` reads
the input size and the length of the embedding from the file.
"""

from __future__ import annotations

from typing import Any

from .card import ModelCard

__all__ = ["PRESETS", "preset"]

# InsightFace's template for 112 x 112 crops; its pixel centres are at whole numbers, ours at +0.5
_ARCFACE_112 = ((38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041))
_TEMPLATE = tuple((round(x + 0.5, 4), round(y + 0.5, 4)) for x, y in _ARCFACE_112)


def _card(name: str, dim: int, **facts: Any) -> ModelCard:
    """A network on 112 x 112 crops at InsightFace's template, compared by cosine."""
    return ModelCard(
        name=name, dim=dim, input_size=112, metric="cosine", template=_TEMPLATE, weights="your own .onnx file", **facts
    )


PRESETS = {
    "arcface": _card(
        "arcface",
        512,
        title="ArcFace, from an ONNX file",
        threshold=0.68,
        threshold_source="DeepFace, on LFW",
        accuracy="LFW 99.83 % (InsightFace, buffalo_l)",
        loss="softmax with a margin on angles",
        trained_on="depends on the file: MS1MV3, Glint360K or WebFace600K for InsightFace's",
        licence="InsightFace's weights: non-commercial research only",
        citation="J. Deng, J. Guo, N. Xue, S. Zafeiriou, ArcFace, CVPR 2019",
        weaknesses=("needs aligned faces: 57 % on LFW without alignment",),
    ),
    "adaface": _card(
        "adaface",
        512,
        title="AdaFace, from an ONNX file",
        color_order="BGR",
        accuracy="LFW 99.47 % (R18, VGGFace2)",
        loss="softmax with a margin on angles that follows the picture's quality",
        trained_on="depends on the file: VGGFace2, CASIA-WebFace, MS1MV2/3 or WebFace4M/12M",
        licence="MIT (code); the weights follow the terms of their training data",
        citation="M. Kim, A. K. Jain, X. Liu, AdaFace, CVPR 2022",
        weaknesses=("wants BGR: RGB gives plausible, wrong embeddings",),
    ),
    # OpenCV's own code converts its BGR crops to RGB for this network (swapRB in FaceRecognizerSF::feature)
    "sface": _card(
        "sface",
        128,
        title="SFace, from OpenCV's model zoo (ONNX)",
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
        threshold=0.637,
        threshold_source="OpenCV's model zoo: cosine similarity 0.363; DeepFace uses the distance 0.593",
        accuracy="LFW 99.4 %",
        loss="softmax on a hypersphere whose pull and push fade by sigmoids",
        trained_on="CASIA-WebFace, VGGFace2 or MS1M, by its authors",
        licence="Apache 2.0 (OpenCV's model zoo)",
        citation="Y. Zhong, W. Deng, J. Hu, D. Zhao, X. Li, D. Wen, SFace, IEEE TIP 30 (2021) 2587-2598",
    ),
}


def preset(name: str) -> ModelCard:
    """The preset with this name; ValueError lists the names if there is none."""
    if name not in PRESETS:
        raise ValueError(f"unknown card {name!r}: give a ModelCard, or one of the presets {', '.join(PRESETS)}.")
    return PRESETS[name]
