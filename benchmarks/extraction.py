"""Speed and memory of embedding extraction: every model in our batches, compared with the bare network and one by one.

python benchmarks/extraction.py            # speed of every model, about two minutes
python benchmarks/extraction.py --memory   # resident memory over 20,000 images, ten minutes
python benchmarks/extraction.py --renders 10000   # 10,000 renders through fr.embed, some minutes
"""

from __future__ import annotations

import argparse
import copy
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import torch
from figures import figure

import fr_explore as fr
from fr_explore.models import dlib as dlib_resnet
from fr_explore.models import facenet
from fr_explore.models.onnx import OnnxNetwork


def timed(
    rows: dict[str, tuple[Callable[[], object], int]], rounds: int, clock: Callable[[], float]
) -> dict[str, np.ndarray]:
    """Milliseconds per image, (rounds,) for each row. Rows take turns, so a busy moment affects all of them."""
    times: dict[str, list[float]] = {name: [] for name in rows}
    for turn in range(rounds + 1):  # the first is a warm-up
        for name, (function, images) in rows.items():
            start = clock()
            function()
            if turn:
                times[name].append(1000 * (clock() - start) / images)
    return {name: np.array(values) for name, values in times.items()}


def models(folder: Path) -> dict[str, fr.models.Model]:
    """Every kind of model; if FaceNet's weights are missing, its untrained network, which is as fast."""
    found = {name: fr.load_model(name, device="cpu") for name in ("dlib", "sface")}
    try:
        found["facenet-vggface2"] = fr.load_model("facenet-vggface2", device="cpu")
    except FileNotFoundError:
        from facenet_pytorch import InceptionResnetV1

        card = facenet.CARDS["facenet-vggface2"]
        found["facenet-vggface2 (untrained)"] = fr.load_model(InceptionResnetV1(), card=card, device="cpu")
    path = small_onnx(folder / "small.onnx")
    found["ResNet-18 like ArcFace's, .onnx"] = fr.load_model(path, card="arcface", device="cpu")
    return found


def small_onnx(path: Path) -> Path:
    """The convolutions of a ResNet-18 at ArcFace's sizes, 112 x 112 to 512 numbers, with random weights."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    rng, nodes, weights, last, channels = np.random.default_rng(0), [], [], "x", 3
    for i, (width, stride) in enumerate([(64, 1), *[(w, s) for w in (64, 128, 256, 512) for s in (2, 1, 1, 1)]]):
        filters = rng.normal(size=(width, channels, 3, 3)) * (2 / (9 * channels)) ** 0.5
        weights.append(numpy_helper.from_array(filters.astype(np.float32), f"w{i}"))
        nodes.append(helper.make_node("Conv", [last, f"w{i}"], [f"c{i}"], pads=[1] * 4, strides=[stride] * 2))
        nodes.append(helper.make_node("Relu", [f"c{i}"], [f"r{i}"]))
        last, channels = f"r{i}", width
    weights.append(numpy_helper.from_array(rng.normal(size=(channels, 512)).astype(np.float32), "head"))
    nodes += [
        helper.make_node("GlobalAveragePool", [last], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("MatMul", ["flat", "head"], ["embedding"]),
    ]
    values = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ("n", 3, 112, 112))]
    graph = helper.make_graph(
        nodes, "small", values, [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ("n", 512))], weights
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


def speed(images: int, batch_size: int, rounds: int, cpu: bool) -> None:
    what = "processor" if cpu else "wall-clock"
    print(
        f"{torch.get_num_threads()} threads, batches of {batch_size}, {what} time, medians of {rounds} rounds in turn"
    )
    with tempfile.TemporaryDirectory() as folder:
        for name, model in models(Path(folder)).items():
            one_model(name, model, images, batch_size, rounds, time.process_time if cpu else time.perf_counter)
    print("targets: ratio at least 0.95; cosine at least 0.999; dlib at most 10 ms per image on two cores")


def one_model(
    name: str, model: fr.models.Model, images: int, batch_size: int, rounds: int, clock: Callable[[], float]
) -> None:
    size = model.card.input_size
    crops = np.random.default_rng(0).integers(0, 256, (images, size, size, 3), dtype=np.uint8)
    times = timed(ways(name, model, crops, batch_size), rounds, clock)
    print(f"\n{name}: {size} px, {model.card.dim} numbers")
    for row, values in times.items():
        print(f"  {row:22s} {np.median(values):7.2f} ms per image   {np.median(values / times['ours']):5.2f} x ours")
    ratio, ours = np.median(times["bare"] / times["ours"]), np.median(times["ours"])
    print(f"  ratio, bare network's time / ours: {ratio:.3f}", flush=True)
    figure(f"{name}, an image", ours, "ms", np.median(times["bare"]), "bare network", "ratio >= 0.95", ratio >= 0.95)
    if name == "dlib":
        figure("dlib, an image on two cores", ours, "ms", target="<= 10 ms", met=ours <= 10)
    if not isinstance(model.module, OnnxNetwork):
        a, b = model.embed(crops), in_half(model).embed(crops)
        cosine = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
        print(f"  bfloat16: least cosine to float32 over {images} images {cosine.min():.5f}", flush=True)
        figure(f"{name}, bfloat16, least cosine", f"{cosine.min():.5f}", target=">= 0.999", met=cosine.min() >= 0.999)


def ways(
    name: str, model: fr.models.Model, crops: np.ndarray, batch_size: int
) -> dict[str, tuple[Callable[[], object], int]]:
    """Each way to embed the crops, with the number of crops that it embeds."""
    images, few = len(crops), max(len(crops) // 32, 1)
    # normalised as the card says: the input of the bare network
    ready = (torch.from_numpy(crops.astype(np.float32)) - torch.tensor(model.card.mean)) / torch.tensor(model.card.std)
    ready = ready.permute(0, 3, 1, 2)
    last = [b.contiguous(memory_format=torch.channels_last) for b in ready.split(batch_size)]
    first = [b.contiguous() for b in ready.split(batch_size)]
    rows = {"ours": (lambda: model.embed(crops, batch_size), images)}
    if isinstance(model.module, OnnxNetwork):
        rows["bare"] = (lambda: [model.module.vectors(batch.numpy()) for batch in first], images)
    else:
        plain, half = copy.deepcopy(model.module).to(memory_format=torch.contiguous_format), in_half(model)
        rows["bare"] = (bare(model.module, last), images)
        rows["bare, channels first"] = (bare(plain, first), images)
        rows["ours, bfloat16"] = (lambda: half.embed(crops, batch_size), images)
    rows["ours, one by one"] = (lambda: [model.embed(crops[i : i + 1]) for i in range(few)], few)
    if name == "dlib":
        import dlib

        reference = dlib.face_recognition_model_v1(str(dlib_resnet.weights_path()))
        rows["dlib itself"] = (lambda: [reference.compute_face_descriptor(crop) for crop in crops[:2]], 2)
    return rows


def in_half(model: fr.models.Model) -> fr.models.Model:
    return fr.load_model(model.module, card=model.card, device="cpu", precision="bfloat16")


def bare(module: torch.nn.Module, batches: list[torch.Tensor]) -> Callable[[], object]:
    def run() -> None:
        with torch.inference_mode():
            for batch in batches:
                module(batch)

    return run


def memory(images: int) -> None:
    """Resident memory while each model embeds many images, new ones in each call."""
    process = psutil.Process()
    with tempfile.TemporaryDirectory() as folder:
        for name, model in models(Path(folder)).items():
            size, samples, rng = model.card.input_size, [], np.random.default_rng(0)
            start = time.perf_counter()
            for _ in range(images // 100):
                model.embed(rng.integers(0, 256, (100, size, size, 3), dtype=np.uint8))
                samples.append(process.memory_info().rss / 2**20)
            report(name, images, time.perf_counter() - start, samples)


def renders(count: int) -> None:
    """Resident memory while `fr.embed` renders and embeds many faces."""
    curves = count // (4 * 5)
    avatars, model = fr.Avatars(identities=4, seed=0), fr.load_model("dlib", device="cpu")
    process, samples = psutil.Process(), []
    original = type(model).embed

    def sampled(self, *args, **kwargs):
        vectors = original(self, *args, **kwargs)
        samples.append(process.memory_info().rss / 2**20)
        return vectors

    type(model).embed = sampled
    lattice = fr.sample_lattice(avatars, ["age", "head_angle"], curves=curves, seed=0)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FR_EXPLORE_CACHE"] = folder
        embeddings = fr.embed(lattice, model)
    report("renders through fr.embed, dlib", 4 * curves * 5, time.perf_counter() - start, samples)
    print(f"of which the result itself: {embeddings.nbytes / 2**20:.1f} MiB")


def report(name: str, images: int, seconds: float, samples: list[float]) -> None:
    tenth = max(len(samples) // 10, 1)
    early, late = max(samples[tenth : 2 * tenth]), max(samples[-tenth:])
    print(
        f"{name}: {images} images in {seconds:.0f} s ({images / seconds:.0f} a second), resident memory "
        f"{early:.0f} MiB after a tenth, {late:.0f} MiB at the end, growth {late - early:+.0f} MiB",
        flush=True,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--memory", action="store_true", help="memory over many images instead of speed")
    parser.add_argument("--renders", type=int, metavar="N", help="memory and speed of N renders through fr.embed")
    parser.add_argument("--images", type=int, help="256 for speed, 20,000 for memory")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--cpu", action="store_true", help="processor time: for a busy machine, with OMP_NUM_THREADS=1")
    options = parser.parse_args()
    if options.renders:
        renders(options.renders)
    elif options.memory:
        memory(options.images or 20_000)
    else:
        speed(options.images or 256, options.batch_size, options.rounds, options.cpu)
