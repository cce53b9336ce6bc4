"""FaceNet (Inception-ResNet v1) from facenet-pytorch, with its published weights, downloaded and verified.

- The architecture is facenet-pytorch's own class. That package checks nothing that it downloads and unpickles it, so
  both steps are done here: `weights` verifies size and SHA-256, and only tensors are loaded.
- The network is built on torch's meta device, without memory for its parameters, and takes them from the file.
  A parameter that is missing from the file is therefore an error and cannot keep a random value.
- The publisher gives no checksums. Those below are the ones on which other projects that pin these files agree; the
  sizes are, to the byte, those of a state dict of this architecture with 8,631 and 10,575 classes.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import weights
from .card import ModelCard

if TYPE_CHECKING:
    from torch import nn

__all__ = ["CARDS", "FILES", "fetch", "load", "needs", "read_network"]


def _file(model: str, name: str, size: int, sha256: str) -> weights.WeightsFile:
    release = "https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9"
    return weights.WeightsFile(model, name, f"{release}/{name}", size, sha256)


FILES = {
    "facenet-vggface2": _file(
        "facenet-vggface2",
        "20180402-114759-vggface2.pt",
        size=111_898_327,
        sha256="281cebca8662831adb987a874bdcb36e73f5b1c6dc5ee5878f305e985625d99b",
    ),
    "facenet-casia-webface": _file(
        "facenet-casia-webface",
        "20180408-102900-casia-webface.pt",
        size=115_887_415,
        sha256="7a67afdbbc995fce5e10128675e318799a70698c2f433ba75dd7eb9a2f096e7d",
    ),
}


def _card(name: str, **facts: Any) -> ModelCard:
    file = FILES[name]
    return ModelCard(
        name=name,
        input_size=160,
        dim=512,
        metric="cosine",
        std=(128.0, 128.0, 128.0),
        box_margin=14,  # as in facenet-pytorch's evaluation on LFW
        normalized=True,
        loss="softmax over the people of the training data",
        weights=f"{file.name}, {file.size / 2**20:.0f} MiB, from facenet-pytorch's releases on first use",
        weights_sha256=file.sha256,
        citation="F. Schroff, D. Kalenichenko, J. Philbin, FaceNet, CVPR 2015; port: T. Esler, facenet-pytorch",
        weaknesses=(
            "faces are not turned upright: a head tilted sideways is another input",
            "the face's box is stretched to a square, so its proportions depend on the box",
            "trained on photographs of celebrities: weaker on children and on people seldom seen there",
        ),
        **facts,
    )


CARDS = {
    "facenet-vggface2": _card(
        "facenet-vggface2",
        title="FaceNet, Inception-ResNet v1, VGGFace2 (20180402-114759)",
        trained_on="VGGFace2: 3.3 million photographs of 9,131 people; 8,631 of them in training",
        accuracy="LFW 99.65 % (D. Sandberg); 99.37 % in facenet-pytorch's notebook",
        licence="MIT (code and weights as published); VGGFace2 has terms of its own",
        threshold=0.30,
        threshold_source="DeepFace, for this network in Keras (Facenet512) and its own crops: calibrate",
    ),
    "facenet-casia-webface": _card(
        "facenet-casia-webface",
        title="FaceNet, Inception-ResNet v1, CASIA-WebFace (20180408-102900)",
        trained_on="CASIA-WebFace: 0.49 million photographs of 10,575 people",
        accuracy="LFW 99.05 % (D. Sandberg)",
        licence="MIT (code and weights as published); CASIA-WebFace is for research only",
    ),
}


def _own_folder() -> Path:
    """facenet-pytorch's folder: a user of that package need not download the file again."""
    # as get_torch_home of that package says, whose import takes 100 MB
    home = os.getenv("TORCH_HOME", os.path.join(os.getenv("XDG_CACHE_HOME", "~/.cache"), "torch"))
    return Path(home).expanduser() / "checkpoints"


def needs(name: str) -> str | None:
    """What must be done before the weights can be used; None if a file of their size is on this machine."""
    file = FILES[name]
    return None if weights.found(file, [_own_folder()]) else f"a download of {file.size / 2**20:.0f} MiB on first use"


def fetch(name: str, progress: bool = True) -> Path:
    """The verified weights on this machine, downloaded if necessary; see `weights.fetch`."""
    return weights.fetch(FILES[name], also=[_own_folder()], progress=progress)


def load(name: str) -> nn.Module:
    """The trained network, (n, 3, 160, 160) -> (n, 512) of unit length; raises what `weights.fetch` raises."""
    return read_network(fetch(name))


def read_network(path: Path) -> nn.Module:
    """The network from a state dict in facenet-pytorch's format; ValueError if a tensor is missing or unknown."""
    import torch
    from facenet_pytorch import InceptionResnetV1

    with torch.device("meta"):
        network = InceptionResnetV1()
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        state = {name: x.float() if x.is_floating_point() else x for name, x in state.items()}
        # the file also holds the classifier of the training identities, which is not needed
        used = {name: x for name, x in state.items() if not name.startswith("logits.")}
        network.load_state_dict(used, strict=True, assign=True)
    except Exception as error:  # torch.load has no common error class for invalid files
        raise ValueError(
            f"{path.name} does not hold FaceNet's weights ({type(error).__name__}: {str(error).splitlines()[0]}): "
            "delete it and fetch it again with `fr-explore fetch`."
        ) from error
    return network
