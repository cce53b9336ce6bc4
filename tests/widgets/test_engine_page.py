"""The engine in a page from disk, in Chromium and in Firefox: pictures, crops, embeddings, distances as in Python."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from engine_page import POLICY, array, as_text, write_page

import fr_explore as fr
from fr_explore.base.distance import distance
from fr_explore.engine import host
from fr_explore.faces.avatars.source import head_blob, person_blob
from fr_explore.models.packed import packed

pytestmark = pytest.mark.browser

PINNED = json.loads((Path(__file__).parents[1] / "engine" / "hashes.json").read_text())
SEED = PINNED[0]["seed"]
PRECISION = {"dlib": "float16", "sface": "float16", "controlled/all-varied": "float32"}

WAY = """async ([person, size, values, models]) => {
  const engine = await lab.ready;
  const { pixels, landmarks, picture } = await engine.draw({ head: "head", person, size, values, keep: true });
  const vectors = models.length ? await engine.embed({ picture, landmarks, models }) : {};
  const coded = Object.entries(vectors).map(([name, vector]) => [name, lab.toText(vector)]);
  return { pixels: lab.toText(pixels), landmarks, vectors: Object.fromEntries(coded) };
}"""

CROP = """async ([text, kind, height, width, channels, landmarks, model]) => {
  const bytes = lab.toBytes(text);
  const data = kind === "u1" ? bytes : new Float32Array(bytes.buffer);
  const engine = await lab.ready;
  return lab.toText(await engine.crop({ picture: { data, width, height, channels }, landmarks, model }));
}"""


@pytest.fixture(scope="module")
def models(dlib_model, sface_model):
    small = fr.load_model("controlled/all-varied", device="cpu")
    return {"dlib": dlib_model, "sface": sface_model, small.card.name: small}


@pytest.fixture(scope="module")
def written(models, tmp_path_factory):
    """The path of a page with the pinned people and both networks, and the people's keys."""
    path = tmp_path_factory.mktemp("engine") / "engine.html"
    people = [person_blob(SEED, case["identity"]) for case in PINNED]
    keys = write_page(path, head_blob(), people, [packed(models[name], PRECISION[name]) for name in PRECISION])
    return path, keys


@pytest.fixture(scope="module")
def page(browser, written):
    problems = []
    context = browser.new_context()
    page = context.new_page()
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.goto(written[0].as_uri())
    page.evaluate("lab.ready.then(() => true)")
    yield page
    context.close()
    assert problems == []


def digest(data):
    return hashlib.sha256(np.ascontiguousarray(data).tobytes()).hexdigest()


def test_pinned_pictures(page, written):
    """More people than the module has slots, in one instance: pixels and landmarks to the bit."""
    for case, key in zip(PINNED, written[1], strict=True):
        got = page.evaluate(WAY, [key, case["size"], case["parameters"], []])
        assert digest(array(got["pixels"], "u1")) == case["bytes"], case["identity"]
        assert digest(np.array(got["landmarks"], "<f4")) == case["landmarks"], case["identity"]


def test_pinned_floats(page, written):
    """The float picture that the crop is taken from, to the bit."""
    pictures = page.evaluate(
        """async ([cases, keys]) => {
          const module = await WebAssembly.compile(await lab.inflate(lab.data.parts.renderer));
          const renderer = await lab.createRenderer(module);
          renderer.attachHead(await lab.inflate(lab.data.heads[0].blob));
          const people = new Map(lab.data.people.map(({ key, blob }) => [key, blob]));
          const texts = [];
          for (const [i, { size, parameters }] of cases.entries()) {
            renderer.addPerson(keys[i], await lab.inflate(people.get(keys[i])));
            texts.push(lab.toText(renderer.render(keys[i], size, parameters).picture.data));
          }
          return texts;
        }""",
        [PINNED[:4], written[1][:4]],
    )
    assert [digest(array(text)) for text in pictures] == [case["picture"] for case in PINNED[:4]]


def faces_of(case):
    source = fr.Avatars(identities=case["identity"] + 1, seed=SEED)
    return source.render(case["identity"], case["parameters"], size=case["size"])


@pytest.mark.parametrize("name", PRECISION)
def test_crops(page, models, name):
    """From small and large pictures: enlarged, reduced with several samples, partly outside; float and 8 bits."""
    rng = np.random.default_rng(0)
    for size, channels in ((40, 3), (97, 3), (300, 3), (120, 4)):
        template = np.array(models[name].card.template) / models[name].card.input_size
        marks = (template * rng.uniform(0.5, 1.1) + rng.uniform(-0.1, 0.2, 2) + rng.normal(0, 0.02, (5, 2))) * size
        pixels = rng.random((size, size + 7, 3)).astype(np.float32)
        if channels == 4:
            pixels = np.rint(255 * pixels).astype(np.float32) / np.float32(255)
        wanted = models[name].align(fr.Face(pixels, marks))[0].permute(1, 2, 0).numpy()
        kind, given = "<f4", pixels
        if channels == 4:
            kind, given = "u1", np.dstack([np.rint(255 * pixels), np.full(pixels.shape[:2], 9)])
        got = page.evaluate(CROP, [as_text(given, kind), kind, *given.shape, marks.tolist(), name])
        assert np.abs(array(got).reshape(wanted.shape) - wanted).max() <= 0.01 / 255, (size, channels)


def compare(results, models, people):
    """Embeddings and distances of a page against Python's, for the first person's cases and their neutral face."""
    faces = [faces_of(case) for case in people]
    for name, model in models.items():
        truth = model.embed(faces)
        got = np.stack([array(result["vectors"][name]) for result in results])
        tolerance = 3e-4 if PRECISION[name] == "float16" else 1e-5
        assert np.abs(got - truth).max() <= tolerance * np.linalg.norm(truth, axis=1).max(), name
        wanted = distance(truth[:1], truth[1:], model.card.metric)
        np.testing.assert_allclose(distance(got[:1], got[1:], model.card.metric), wanted, rtol=0.002)
    for result, face in zip(results, faces, strict=True):
        np.testing.assert_array_equal(np.array(result["landmarks"], np.float32), face.landmarks.astype(np.float32))


CASES = [
    {"identity": 0, "size": 160, "parameters": values}
    for values in ({}, {"age": 60.0}, {"head_angle": -20.0, "blur": 1.0}, {"illumination": 50.0, "hue": 8.0})
]


def test_the_whole_way(page, written, models):
    results = [page.evaluate(WAY, [written[1][0], 160, case["parameters"], [*PRECISION]]) for case in CASES]
    compare(results, models, CASES)


def test_the_whole_way_in_firefox(firefox, written, models):
    firefox.navigate(written[0].as_uri())
    script = f"""const [request, done] = arguments;
      ({WAY})(request).then((result) => done({{ result }}), (error) => done({{ error: String(error) }}));"""
    requests = [(written[1][0], 160, case["parameters"], [*PRECISION]) for case in CASES]
    requests += [(written[1][i], PINNED[i]["size"], PINNED[i]["parameters"], []) for i in range(len(PINNED))]
    answers = [firefox.execute_async_script(script, [list(request)], sandbox=None) for request in requests]
    assert [answer.get("error") for answer in answers] == [None] * len(answers)
    results = [answer["result"] for answer in answers]
    compare(results[: len(CASES)], models, CASES)
    for case, got in zip(PINNED, results[len(CASES) :], strict=True):
        assert digest(array(got["pixels"], "u1")) == case["bytes"], case["identity"]


def test_distances_and_projection(page):
    rng = np.random.default_rng(1)
    points = rng.normal(size=(30, 16))
    pca = fr.pca(points)
    near = points[0] * (1 + 1e-9)
    pairs = [(points[0], points[1]), (points[2], points[2]), (points[0], near), (points[3], 0 * points[3])]
    for metric in ("euclidean", "cosine"):
        got = page.evaluate(
            "([pairs, metric]) => pairs.map(([a, b]) => lab.distance(a, b, metric))",
            [[[a.tolist(), b.tolist()] for a, b in pairs], metric],
        )
        np.testing.assert_allclose(got, [float(distance(a, b, metric)) for a, b in pairs], rtol=1e-12, atol=1e-30)
    got = page.evaluate(
        "([points, mean, axes]) => points.map((point) => lab.project(point, { mean, axes }))",
        [points.tolist(), pca.mean.tolist(), pca.axes.tolist()],
    )
    np.testing.assert_allclose(got, pca.transform(points), atol=1e-12)


def test_image_attributes_of_any_picture(page):
    picture = np.random.default_rng(2).random((48, 60, 3)).astype(np.float32)
    values = {"brightness": 1.3, "blur": 1.5, "noise": 0.05, "hue": 9.0}
    got = page.evaluate(
        """async ([text, values]) => {
          const data = new Float32Array(lab.toBytes(text).buffer);
          const engine = await lab.ready;
          const picture = { data, width: 60, height: 48, channels: 3 };
          const { pixels } = await engine.adjust({ picture, values, seed: 7 });
          return lab.toText(pixels);
        }""",
        [as_text(picture), values],
    )
    wanted = host.adjust(picture, values, 7)
    eight = array(got, "u1").reshape(48, 60, 4)[..., :3]
    assert np.abs(eight - 255 * wanted).max() <= 0.501


def test_errors_are_words(page, written):
    ask = """async ({ models, ...request }) => {
      const engine = await lab.ready;
      return engine.draw({ ...request, keep: true })
        .then(({ picture, landmarks }) => models && engine.embed({ picture, landmarks, models }))
        .then(() => "fine", (error) => error.message);
    }"""
    request = {"head": "head", "person": written[1][0], "size": 160, "values": {}}
    assert page.evaluate(ask, request) == "fine"
    assert "unknown attribute cheer: choose from head_angle" in page.evaluate(ask, {**request, "values": {"cheer": 1}})
    assert "unknown person nobody: add it first." in page.evaluate(ask, {**request, "person": "nobody"})
    assert "unknown head other: add it first." in page.evaluate(ask, {**request, "head": "other"})
    assert "unknown model m: add it first." in page.evaluate(ask, {**request, "models": ["m"]})
    assert "age" in page.evaluate(ask, {**request, "values": {"age": 1000}})
    assert page.evaluate(ask, request) == "fine"
    damaged = (
        """async () => (await lab.ready).addHead("x", new Uint8Array(9)).then(() => "fine", (error) => error.message)"""
    )
    assert "the engine's data is damaged" in page.evaluate(damaged)


def test_widgets_share_one_engine(page):
    assert page.evaluate("async () => (await lab.startEngine(lab.data.parts)) === (await lab.ready)")
    assert page.evaluate("frExploreEngines.size") == 1


@pytest.mark.parametrize(
    ("policy", "kind"),
    [
        (POLICY.replace("'wasm-unsafe-eval' ", ""), "policy"),
        (POLICY.replace("worker-src blob:", "worker-src 'none'"), "policy"),
    ],
)
def test_a_policy_is_noticed(browser, tmp_path, policy, kind):
    write_page(tmp_path / "strict.html", policy=policy)
    context = browser.new_context()
    page = context.new_page()
    page.goto((tmp_path / "strict.html").as_uri())
    found = page.evaluate("lab.ready.then(() => null, ({ kind, message }) => ({ kind, message }))")
    context.close()
    assert found["kind"] == kind
    assert "policy forbids WebAssembly" in found["message"]
    assert "pictures come from the kernel" in found["message"]
