"""O-Net, the last stage of MTCNN (K. Zhang et al., IEEE Signal Processing Letters 23 (2016) 1499-1503).

It takes a square of 48 x 48 px around a face and gives how certain it is, a better box, and the five landmarks. Applied
twice to a box that another detector proposed, it finds landmarks as good as MTCNN's without MTCNN's search over all
places and sizes. Its weights are those of facenet-pytorch.
"""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

from ...base.packaged import find
from ...engine.network import Network
from ..detector_crop import box_crops

__all__ = ["MEAN", "PASSES", "SIDE", "STD", "describe_onet", "load_onet", "refined", "squares"]

SIDE = 48  # px
PASSES = 2  # with one, landmarks are half as good; a third changes nothing
MEAN, STD = 127.5, 128.0


class ONet(nn.Module):
    """(n, 3, 48, 48) to changes of the boxes (n, 4), points (n, 10) and scores (n, 2).

    The layers have the names that facenet-pytorch gives them. Its own class is not imported, because that package
    imports torchvision: 150 MB of memory and a second, for 1.6 MB of weights.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.prelu1 = nn.Conv2d(3, 32, 3), nn.PReLU(32)
        self.conv2, self.prelu2 = nn.Conv2d(32, 64, 3), nn.PReLU(64)
        self.conv3, self.prelu3 = nn.Conv2d(64, 64, 3), nn.PReLU(64)
        self.conv4, self.prelu4 = nn.Conv2d(64, 128, 2), nn.PReLU(128)
        self.dense5, self.prelu5 = nn.Linear(1152, 256), nn.PReLU(256)
        self.dense6_1, self.dense6_2, self.dense6_3 = nn.Linear(256, 2), nn.Linear(256, 4), nn.Linear(256, 10)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Boxes, points and scores."""
        x = F.max_pool2d(self.prelu1(self.conv1(x)), 3, 2, ceil_mode=True)
        x = F.max_pool2d(self.prelu2(self.conv2(x)), 3, 2, ceil_mode=True)
        x = F.max_pool2d(self.prelu3(self.conv3(x)), 2, 2, ceil_mode=True)
        x = self.prelu4(self.conv4(x)).permute(0, 3, 2, 1)  # by column, row and channel, as it was trained
        x = self.prelu5(self.dense5(x.flatten(1)))
        return self.dense6_2(x), self.dense6_3(x), torch.softmax(self.dense6_1(x), dim=1)


def load_onet(device: torch.device | str = "cpu") -> nn.Module:
    """O-Net with facenet-pytorch's weights.

    Raises
    ------
    ImportError : the package facenet-pytorch is not installed.
    """
    path = find("facenet_pytorch", "data", "onet.pt")
    if path is None:
        raise ImportError("O-Net's weights are in the package facenet-pytorch: pip install facenet-pytorch.")
    net = ONet()
    net.load_state_dict(torch.load(path, weights_only=True))
    return net.eval().requires_grad_(False).to(device)


def refined(net: nn.Module, pixels: np.ndarray, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores (n,), boxes (n, 4) and landmarks (n, 5, 2) of the faces in some boxes.

    Parameters
    ----------
    pixels : the picture, uint8 (height, width, 3).
    boxes : (n, 4) left, top, right and bottom, in pixels; they may reach beyond the picture, whose edge is repeated.
    """
    boxes, device = np.asarray(boxes, np.float64), next(net.parameters()).device
    scores, points = np.zeros(len(boxes)), np.zeros((len(boxes), 5, 2))
    for _ in range(PASSES):
        around = squares(boxes)
        crops = torch.cat([_crop(pixels, box) for box in around]).to(device)
        with torch.inference_mode():
            change, five, certain = (numbers.cpu().numpy().astype(np.float64) for numbers in net((crops - MEAN) / STD))
        corner, side = around[:, :2], around[:, 2:] - around[:, :2]
        scores, boxes = certain[:, 1], around + change * np.tile(side, 2)
        # five x, then five y, as shares of the square
        points = corner[:, None] + five.reshape(-1, 2, 5).transpose(0, 2, 1) * side[:, None]
    return scores, boxes, points


def squares(boxes: np.ndarray) -> np.ndarray:
    """The squares around the middles of boxes (n, 4), as wide as the longer side of each."""
    middle, side = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]).max(1, keepdims=True)
    return np.concatenate([middle - side / 2, middle + side / 2], 1)


def _crop(pixels: np.ndarray, box: np.ndarray) -> torch.Tensor:
    """One square of the picture as (1, 3, 48, 48); only its neighbourhood is converted to floats."""
    height, width = pixels.shape[:2]
    reach = (box[2] - box[0]) / SIDE + 1  # as far as the filter looks
    left, right = (int(np.clip(x, 0, width)) for x in (min(box[0] - reach, width - 1), max(box[2] + reach, 1)))
    top, bottom = (int(np.clip(y, 0, height)) for y in (min(box[1] - reach, height - 1), max(box[3] + reach, 1)))
    part, box = pixels[top:bottom, left:right], box - [left, top, left, top]
    factor = int((box[2] - box[0]) / SIDE / 4)
    if factor > 1:  # many more pixels than needed: first average blocks, in 8 bits
        part, box = np.asarray(Image.fromarray(np.ascontiguousarray(part)).reduce(factor)), box / factor
    values = torch.from_numpy(part.astype(np.float32)).permute(2, 0, 1)
    return box_crops(values[None], box[None], SIDE)


def describe_onet(net: nn.Module) -> Network:
    """O-Net for the engine, with two results: the score, and the box's four changes with ten numbers for the points."""
    part = {name: p.detach().cpu().numpy() for name, p in net.named_parameters()}
    network = Network(SIDE, SIDE)
    x = network.picture
    for i, pool in enumerate((3, 3, 2, None), 1):
        x = network.convolution(
            x, part[f"conv{i}.weight"], part[f"conv{i}.bias"], activation="prelu", slope=part[f"prelu{i}.weight"]
        )
        x = network.largest(x, pool, step=2, partial=True) if pool else x
    height, width, channels = x.shape
    # O-Net flattens by column, row and channel: in torch's order, its weights are those of a transposed tensor
    turned = part["dense5.weight"].reshape(-1, width, height, channels).transpose(0, 3, 2, 1)
    weight = turned.reshape(len(turned), -1)
    x = network.dense(x, weight, part["dense5.bias"], activation="prelu", slope=part["prelu5.weight"])
    # of two scores that a softmax makes one, only the difference counts
    face = [part[f"dense6_1.{name}"][1:] - part[f"dense6_1.{name}"][:1] for name in ("weight", "bias")]
    network.result(network.dense(x, *face, activation="sigmoid"))
    both = [np.concatenate([part[f"dense6_2.{name}"], part[f"dense6_3.{name}"]]) for name in ("weight", "bias")]
    network.result(network.dense(x, *both))
    return network
