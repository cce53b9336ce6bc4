"""The engine's networks beside torch's numbers and beside onnxruntime-web's time: `python benchmarks/networks_page.py`.

Accuracy: `--people` avatars, every slider in `--steps` steps to both ends; the distance of each step to the neutral
face, with weights packed as float32, float16 and int8, against torch. The engine runs in wasmtime.

Time: one image after the other in one worker of one Chromium, our network and onnxruntime-web's (one thread, SIMD) in
blocks by turns. Nothing else needs the 100 MB of onnxruntime-web, so it is not a development dependency. `make bench`
installs it in build/bench; `--onnxruntime` names another folder:

    npm install --prefix build/bench onnxruntime-web
    python benchmarks/networks_page.py
"""

from __future__ import annotations

import argparse
import functools
import http.server
import io
import shutil
import sys
import tempfile
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from figures import figure

import fr_explore as fr
from fr_explore.base.distance import distance
from fr_explore.models.packed import packed

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from lab import chromium  # noqa: E402  (the tests are not a package)
from network_host import Host  # noqa: E402

MODELS = ("dlib", "sface", "controlled/all-varied")
LIMITS = {"float16": 0.2, "int8": 3.0}  # percent
SHARE = 0.7  # of onnxruntime-web's time

WORKER = """
import * as ort from "./ort.wasm.bundle.min.mjs";
const fetched = async (name) => new Uint8Array(await (await fetch(name)).arrayBuffer());
self.onmessage = async ({ data: { card, runs, threads } }) => {
  const found = { relaxed: WebAssembly.validate(await fetched("network_relaxed.wasm")) };
  const ours = {};
  for (const build of ["network", ...(found.relaxed ? ["network_relaxed"] : [])]) {
    const start = performance.now();
    const module = await WebAssembly.compile(await fetched(`${build}.wasm`));
    const model = await createModel(module, await fetched("net.bin"), card);
    found[`${build} start`] = performance.now() - start;
    ours[build] = model;
  }
  ort.env.wasm.numThreads = threads;
  ort.env.wasm.wasmPaths = new URL("./", self.location.href).href;
  const start = performance.now();
  const session = await ort.InferenceSession.create(await fetched("net.onnx"), { executionProviders: ["wasm"] });
  found["onnxruntime start"] = performance.now() - start;
  const size = card.input_size;
  const crop = new Float32Array(size * size * 3).map((_, i) => ((i * 37) % 255) / 255);
  const planar = new Float32Array(crop.length);
  for (let i = 0; i < size * size; i++)
    for (let k = 0; k < 3; k++) planar[k * size * size + i] = (255 * crop[3 * i + k] - card.mean[k]) / card.std[k];
  const [input] = session.inputNames, [output] = session.outputNames;
  const runtime = async () =>
    (await session.run({ [input]: new ort.Tensor("float32", planar, [1, 3, size, size]) }))[output].data;
  const ways = { onnxruntime: runtime };
  for (const [build, model] of Object.entries(ours)) ways[build] = () => model.embedCrop(crop);
  const times = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
  // by turns, in blocks: the first run of a block finds the weights of another network in the processor's cache
  for (let i = 0; i < 10; i++) for (const way of Object.values(ways)) await way();
  for (let block = 0; block < runs / 5; block++)
    for (const [name, way] of Object.entries(ways)) {
      await way();
      for (let i = 0; i < 5; i++) {
        const before = performance.now();
        await way();
        times[name].push(performance.now() - before);
      }
    }
  const truth = await runtime();
  const length = Math.hypot(...truth);
  const apart = Object.fromEntries(Object.entries(ours).map(([name, model]) => {
    const vector = model.embedCrop(crop);
    const scale = card.normalized ? length : 1;
    return [name, Math.max(...vector.map((v, i) => Math.abs(v * scale - truth[i]))) / length];
  }));
  self.postMessage({ ...found, times, apart });
};
"""


def sliders(source: fr.Avatars, steps: int) -> dict[str, list[dict[str, float]]]:
    """For each attribute, strengths from the neutral value to both ends, evenly spaced."""
    out = {}
    for name, record in source.attributes.items():
        ends = [end for end in (record.low, record.high) if end != record.neutral]
        shares = np.arange(1, steps + 1) / steps
        out[name] = [{name: float(record.neutral + share * (end - record.neutral))} for end in ends for share in shares]
    return out


def accuracy(name: str, people: int, steps: int) -> None:
    """Distances along every slider, in each precision, against torch."""
    source, model = fr.Avatars(people, seed=0), fr.load_model(name, device="cpu")
    moves = sliders(source, steps)
    strengths = [{}, *(s for group in moves.values() for s in group)]
    who = [i for i in range(people) for _ in strengths]
    crops = model.align(source.render_batch(who, strengths * people))
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (model.card.mean, model.card.std))
    inputs = (255 * crops - mean) / std
    with torch.inference_mode():
        truth = torch.cat([model.module(part) for part in inputs.split(32)]).numpy()

    def distances(vectors: np.ndarray) -> np.ndarray:
        grouped = vectors.reshape(people, len(strengths), -1)
        return distance(grouped[:, :1], grouped[:, 1:], model.card.metric)

    wanted, scale = distances(truth), np.linalg.norm(truth, axis=1).max()
    for precision in ("float32", "float16", "int8"):
        blob = packed(model, precision).network
        got = Host(blob).embed(inputs.numpy())
        size = f"{name}, {precision}, {len(blob) / 1e6:.1f} MB"
        if precision == "float32":
            worst = np.abs(got - truth).max() / max(1, scale)
            print(f"{size}: embeddings differ from torch's by at most {worst:.1e}")
            figure(f"{name}, float32, largest difference to torch", f"{worst:.1e}", target="<= 1e-5", met=worst <= 1e-5)
            continue
        # a move that the network's crop does not show has the distance 0, of which there is no share
        moved = wanted > 0
        errors = 100 * np.abs(distances(got)[moved] / wanted[moved] - 1)
        which = np.broadcast_to(np.repeat(np.arange(len(moves)), [*map(len, moves.values())]), wanted.shape)[moved]
        by_slider = {n: np.percentile(errors[which == k], 95) for k, n in enumerate(moves) if (which == k).any()}
        slider = max(by_slider, key=lambda n: by_slider[n])
        print(f"{size}: distances off by {np.median(errors):.2f} % (median), {np.percentile(errors, 95):.2f} % (p95)")
        if still := wanted.size - moved.sum():
            print(f"  {still} of {wanted.size} moves change nothing in the crop and are left out")
        print("  p95 by slider: " + ", ".join(f"{n} {value:.2f}" for n, value in by_slider.items()))
        short = np.median(wanted[moved][which == list(moves).index(slider)]) / model.card.threshold
        print(f"  the worst, {slider}, moves faces by {100 * short:.1f} % of the threshold (median)")
        limit = LIMITS[precision]
        what = f"{name}, {precision}, p95 of the worst slider ({slider})"
        figure(what, by_slider[slider], "%", target=f"<= {limit:g} %", met=by_slider[slider] <= limit)


def as_onnx(model: fr.Model) -> bytes:
    """torch's network as an .onnx file."""
    out = io.BytesIO()
    size = model.card.input_size
    with warnings.catch_warnings():  # the older exporter, which needs no further package, announces its end
        warnings.simplefilter("ignore")
        torch.onnx.export(model.module.cpu(), (torch.zeros(1, 3, size, size),), out, dynamo=False)
    return out.getvalue()


def speed(name: str, runtime: Path, runs: int) -> None:
    """Median times of an image, by turns."""
    from fr_explore_widgets.core import bundle

    model = fr.load_model(name, device="cpu")
    made = packed(model, "int8")
    with tempfile.TemporaryDirectory() as folder:
        for path in (runtime / "dist").glob("ort*wasm*"):
            if path.suffix in (".mjs", ".wasm"):
                shutil.copy(path, folder)
        for build in ("network", "network_relaxed"):
            shutil.copy(ROOT / "fr_explore" / "engine" / f"{build}.wasm", folder)
        (Path(folder) / "net.bin").write_bytes(made.network)
        (Path(folder) / "net.onnx").write_bytes(as_onnx(model))
        (Path(folder) / "worker.js").write_text(bundle.join("engine/network.js", bundle.read) + WORKER)
        (Path(folder) / "index.html").write_text("<!doctype html><title>networks</title>")
        found = in_chromium(folder, {"card": made.card, "runs": runs, "threads": 1})
    report(name, found)


def in_chromium(folder: str, request: dict[str, Any]) -> dict[str, Any]:
    """The answer of the folder's worker to a request."""
    quiet = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with chromium() as browser:
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{server.server_port}/index.html")
            return page.evaluate(
                """(request) => new Promise((resolve, reject) => {
                  const worker = new Worker("worker.js", { type: "module" });
                  worker.onmessage = ({ data }) => resolve(data);
                  worker.onerror = (event) => reject(new Error(event.message));
                  worker.postMessage(request);
                })""",
                request,
            )
    finally:
        server.shutdown()
        server.server_close()


def report(name: str, found: dict[str, Any]) -> None:
    medians = {way: float(np.median(times)) for way, times in found["times"].items()}
    baseline = medians.pop("onnxruntime")
    print(f"{name} in Chromium, one thread, median (best) of an image:")
    for way, times in found["times"].items():
        start = found.get(f"{way} start", 0)
        print(f"  {way:16s} {np.median(times):6.1f} ms ({min(times):.1f}), ready after {start:.0f} ms")
    print(
        f"  int8 weights; largest difference to onnxruntime's float32: {max(found['apart'].values()):.1e} of the length"
    )
    used = "network_relaxed" if found["relaxed"] else "network"
    for way, median in medians.items():
        is_used = way == used
        target = f"<= {SHARE:g} of onnxruntime-web" if is_used else ""
        what = f"{name}, an image in the page, {'relaxed' if way == 'network_relaxed' else 'plain'} SIMD"
        figure(what, median, "ms", baseline, "onnxruntime-web", target, not is_used or median <= SHARE * baseline)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=6)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--runs", type=int, default=60)
    default = ROOT / "build" / "bench" / "node_modules" / "onnxruntime-web"
    parser.add_argument("--onnxruntime", type=Path, default=default, metavar="FOLDER", help="the npm package")
    parser.add_argument("--only", choices=["accuracy", "speed"])
    args = parser.parse_args()
    torch.set_num_threads(1)
    for name in MODELS:
        if args.only != "speed":
            accuracy(name, args.people, args.steps)
        if args.only == "accuracy":
            continue
        if (args.onnxruntime / "dist").is_dir():
            speed(name, args.onnxruntime, args.runs)
        else:
            print(f"no onnxruntime-web in {args.onnxruntime.name}: see the head of this file.")
            figure(
                f"{name}, an image in the page", "not measured: no onnxruntime-web", target=f"<= {SHARE:g}", met=False
            )


if __name__ == "__main__":
    main()
