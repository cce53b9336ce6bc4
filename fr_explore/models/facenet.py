"""FaceNet (Inception-ResNet v1) by facenet-pytorch, its published weights fetched and verified.

- The architecture is facenet-pytorch's own class. Its own download checks nothing and its unpickling trusts the
  file, so the two steps are done here: fetch by size and SHA-256 (`weights`), then load tensors only.
- The network is built without memory for its parameters (torch's meta device) and takes them from the file: a
  parameter that the file lacks is an error and can't be left at random values.
- The publisher gives no checksums. Those below are the ones that projects which pin these files agree on; the sizes
  are those of a state dict of this architecture with 8,631 and 10,575 classes, to the byte.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from . import weights
from .card import ModelCard

__all__ = ["CARDS", "FILES", "fetch", "load"]

_RELEASE = "https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9"

FILES = {
    "facenet-vggface2": weights.WeightsFile(
        model="facenet-vggface2",
        name="20180402-114759-vggface2.pt",
        url=f"{_RELEASE}/20180402-114759-vggface2.pt",
        size=111_898_327,
        sha256="281cebca8662831adb987a874bdcb36e73f5b1c6dc5ee5878f305e985625d99b",
    ),
    "facenet-casia-webface": weights.WeightsFile(
        model="facenet-casia-webface",
        name="20180408-102900-casia-webface.pt",
        url=f"{_RELEASE}/20180408-102900-casia-webface.pt",
        size=115_887_415,
        sha256="7a67afdbbc995fce5e10128675e318799a70698c2f433ba75dd7eb9a2f096e7d",
    ),
}


def _card(name: str, title: str, trained_on: str, accuracy: str, licence: str, **more) -> ModelCard:
    file = FILES[name]
    return ModelCard(
        name=name,
        title=title,
        input_size=160,
        dim=512,
        metric="cosine",
        mean=(127.5, 127.5, 127.5),
        std=(128.0, 128.0, 128.0),
        box_margin=14,  # of facenet-pytorch's evaluation on LFW
        normalized=True,
        accuracy=accuracy,
        trained_on=trained_on,
        weights=f"{file.name}, {file.size / 2**20:.0f} MiB, from facenet-pytorch's releases on first use",
        weights_sha256=file.sha256,
        licence=licence,
        citation="F. Schroff, D. Kalenichenko, J. Philbin, FaceNet, CVPR 2015; port: T. Esler, facenet-pytorch",
        weaknesses=(
            "faces are not turned upright: a head tilted sideways is another input",
            "the face's box is stretched to a square, so its proportions depend on the box",
            "trained on photographs of celebrities: weaker on children and on people seldom seen there",
        ),
        **more,
    )


CARDS = {
    "facenet-vggface2": _card(
        "facenet-vggface2",
        "FaceNet, Inception-ResNet v1, VGGFace2 (20180402-114759)",
        trained_on="VGGFace2: 3.3 million photographs of 9,131 people; 8,631 of them in training",
        accuracy="LFW 99.65 % (D. Sandberg); 99.37 % in facenet-pytorch's notebook",
        licence="MIT (code and weights as published); VGGFace2 has terms of its own",
        threshold=0.30,
        threshold_source="DeepFace, for this network in Keras (Facenet512) and its own crops: calibrate",
    ),
    "facenet-casia-webface": _card(
        "facenet-casia-webface",
        "FaceNet, Inception-ResNet v1, CASIA-WebFace (20180408-102900)",
        trained_on="CASIA-WebFace: 0.49 million photographs of 10,575 people",
        accuracy="LFW 99.05 % (D. Sandberg)",
        licence="MIT (code and weights as published); CASIA-WebFace is for research only",
    ),
}


def fetch(name: str, progress: bool = True) -> Path:
    """The verified weights on this machine, downloaded now if need be; see `weights.fetch`."""
    from facenet_pytorch.models.inception_resnet_v1 import get_torch_home

    # where facenet-pytorch itself keeps them: whoever has used it before needs no second download
    return weights.fetch(FILES[name], also=[Path(get_torch_home()) / "checkpoints"], progress=progress)


def load(name: str) -> nn.Module:
    """The trained network (n, 3, 160, 160) -> (n, 512), of unit length; errors as `weights.fetch` gives them."""
    return read_network(fetch(name))


def read_network(path: Path) -> nn.Module:
    """The network from a state dict in facenet-pytorch's format; ValueError where anything is missing or left over."""
    from facenet_pytorch import InceptionResnetV1

    with torch.device("meta"):
        network = InceptionResnetV1()
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        # the classifier over the training identities is in the file and not needed
        state = {key: tensor.float() if tensor.is_floating_point() else tensor for key, tensor in state.items()
                 if not key.startswith("logits.")}  # fmt: skip
        network.load_state_dict(state, strict=True, assign=True)
    except Exception as error:  # torch.load has no one class of error for a file that is not its own
        raise ValueError(
            f"{path.name} holds no weights of FaceNet ({type(error).__name__}: {str(error).splitlines()[0]}): "
            "delete it, and fetch it again with `fr-explore fetch`."
        ) from error
    return network
