"""Files are data: nothing is unpickled, no name leads out of its folder, and damage raises a clear error."""

import ast
import pickle
import re
import warnings
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import fr_explore as fr
from fr_explore.base import cache
from fr_explore.faces.datasets.labelled import check_inside
from fr_explore.faces.photographs.decode import PictureError, decode
from fr_explore.report.page import table as report_table

ROOT = Path(__file__).parents[2]
FILES = sorted([*(ROOT / "fr_explore").rglob("*.py"), *(ROOT / "widgets" / "fr_explore_widgets").rglob("*.py")])
# few cases: CI runs this at each change
BOUNDED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def unsafe(tree: ast.AST) -> list[str]:
    """Calls that may unpickle data or run code from a file."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
            found += [name for name in names if name.split(".")[0] in {"pickle", "dill", "joblib", "shelve", "marshal"}]
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        options = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
        if name in {"eval", "exec", "pd.read_pickle", "yaml.load", "torch.hub.load", "os.system"}:
            found.append(name)
        if name == "torch.load" and options.get("weights_only") != "True":
            found.append("torch.load without weights_only=True")
        if name in {"np.load", "numpy.load"} and options.get("allow_pickle") != "False":
            found.append("np.load without allow_pickle=False")
        if name in {"extractall", "extract"} or name.endswith((".extractall", ".extract")):
            found.append(name)
        found += ["shell=True"] if options.get("shell") == "True" else []
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_ever_unpickled_or_run(path):
    assert unsafe(ast.parse(path.read_text())) == []


@pytest.mark.parametrize(
    "line",
    ["import pickle", "from joblib import load", "torch.load(p)", "torch.load(p, weights_only=False)", "np.load(p)",
     "np.load(p, allow_pickle=True)", "eval(x)", "archive.extractall()", "run(x, shell=True)"],
)  # fmt: skip
def test_the_rule_can_fail(line):
    assert unsafe(ast.parse(line))


def attempt(read, *args, errors=(ValueError,)):
    """(result, None), or (None, message) if `read` raises one of `errors`; other errors propagate."""
    try:
        return read(*args), None
    except errors as error:
        return None, str(error)


class Boom:
    """Unpickling it creates a file."""

    def __reduce__(self):
        return Path.touch, (Path("boom"),)


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """The current folder, where unpickling a `Boom` would create a file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FR_EXPLORE_CACHE", str(tmp_path / "cache"))
    return tmp_path


def test_the_bomb_works(here):
    pickle.loads(pickle.dumps(Boom()))
    assert (here / "boom").exists()


def test_a_lattice_of_pickles(here):
    (here / "curves.csv").write_text("curve_id,moving_dimension,step,index\n0,age,-1,0\n0,age,0,1\n0,age,1,2\n")
    np.save(here / "ann.npy", np.array([Boom()] * 3, dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match=r"ann\.npy is not a plain \.npy array"):
        fr.read_lattice(here)
    (here / "ann.npy").write_bytes(pickle.dumps(Boom()))
    with pytest.raises(ValueError, match=r"ann\.npy is not a plain \.npy array"):
        fr.read_lattice(here)
    assert not (here / "boom").exists()


def test_a_cache_entry_of_pickles(here):
    name = cache.key("x")
    cache.store(name, np.zeros(3))
    (path,) = (here / "cache").rglob("*.npz")
    for bad in (pickle.dumps(Boom()), _npz(here, array=np.array([Boom()], dtype=object), about=np.array("{}"))):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bad)
        assert cache.load(name, (3,)) is None
    assert not (here / "boom").exists()


def _npz(folder: Path, **arrays) -> bytes:
    np.savez(folder / "made.npz", **arrays)
    return (folder / "made.npz").read_bytes()


def test_weights_of_pickles(here):
    """Weights with a pickle inside: torch refuses anything but tensors."""
    import torch

    with zipfile.ZipFile(here / "net.pt", "w") as archive:
        archive.writestr("net/data.pkl", pickle.dumps(Boom()))
        archive.writestr("net/version", "3")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # torch warns about the pickle's protocol before it refuses
        with pytest.raises(pickle.UnpicklingError):
            torch.load(here / "net.pt", weights_only=True)
    assert not (here / "boom").exists()


@BOUNDED
@given(st.text(max_size=30))
@example("0:")
@example("0:a.jpg")
def test_names_in_tables_stay_in_their_folder(name):
    """A name that passes the check is inside the folder, by the rules of POSIX and of Windows."""
    import ntpath
    import posixpath

    _, refused = attempt(check_inside, name, "table.csv, line 2")
    if refused is not None:
        assert "is not a file inside the folder" in refused
        return
    for system in (posixpath, ntpath):
        joined = system.normpath(system.join("/folder", name))
        assert joined.replace("\\", "/").startswith("/folder"), (system, name)


@pytest.mark.parametrize(
    "name", ["../x.png", "/etc/passwd", "a/../../x", "C:\\x", "\\\\server\\x", "a\0b", "", "..\\x"]
)
def test_names_that_lead_out(name):
    with pytest.raises(ValueError, match="is not a file inside the folder"):
        check_inside(name, "table.csv, line 2")


def test_a_link_that_leads_out(tmp_path):
    from PIL import Image

    (tmp_path / "in").mkdir()
    Image.new("RGB", (64, 64)).save(tmp_path / "secret.png")
    (tmp_path / "in" / "x.png").symlink_to(tmp_path / "secret.png")
    (tmp_path / "in" / "t.csv").write_text("file,identity\nx.png,ann\n")
    images = fr.read_labelled(tmp_path / "in", "t.csv")
    with pytest.raises(PictureError, match="a link that leads out of the folder"):
        images.face(0)


@BOUNDED
@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"BM", b"II*\0"]),
)
def test_any_bytes_as_a_picture(data, head):
    """Decoding gives pixels or a PictureError, never another error or a crash."""
    found, refused = attempt(decode, head + data, errors=(PictureError,))
    assert refused or found[0].ndim == 3


@BOUNDED
@given(
    st.one_of(
        st.binary(max_size=300), st.text(st.sampled_from('abfile,identy;"\n\t01-. '), max_size=200).map(str.encode)
    )
)
def test_any_bytes_as_a_table(tmp_path, data):
    (tmp_path / "t.csv").write_bytes(b"file,identity,label\na.png,ann,1\n" + data)
    (tmp_path / "a.png").touch()
    images, refused = attempt(fr.read_labelled, tmp_path, "t.csv", errors=(ValueError, FileNotFoundError))
    assert refused or set(images.table["file"]) == {"a.png"}


@BOUNDED
@given(st.binary(max_size=300), st.integers(0, 200))
def test_any_bytes_as_embeddings(tmp_path, data, at):
    (tmp_path / "curves.csv").write_text("curve_id,moving_dimension,step,index\n0,age,-1,0\n0,age,0,1\n0,age,1,2\n")
    np.save(tmp_path / "ann.npy", np.ones((3, 4), np.float32))
    whole = bytearray((tmp_path / "ann.npy").read_bytes())
    whole[at : at + len(data)] = data
    (tmp_path / "ann.npy").write_bytes(whole)
    found, refused = attempt(fr.read_lattice, tmp_path)
    assert np.isfinite(found).all() if refused is None else "ann.npy" in refused


@BOUNDED
@given(st.binary(min_size=1, max_size=40), st.integers(0, 3000))
def test_any_damage_to_results(tmp_path_factory, data, at):
    """A results file with changed bytes can be read, or raises an error that names it."""
    folder = tmp_path_factory.mktemp("damage")
    whole = bytearray((ROOT / "tests" / "golden" / "results-1.zarr.zip").read_bytes())
    whole[at : at + len(data)] = data
    (folder / "x.zip").write_bytes(whole)
    found, refused = attempt(fr.load_results, folder / "x.zip")
    assert found.attrs["schema"] == 1 if refused is None else "x.zip" in refused


HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "\"' onload='alert(1)' x=\"",
    "]]><a href='javascript:alert(1)'>x</a><!--",
    "</title></svg><style>*{display:none}</style>\u2028",
    "\u202eevil&lt;b&gt;",
]
ALLOWED = re.compile(
    "b|br|caption|circle|clippath|d[dlt]|defs|details|div|figcaption|figure|g|input|label|li|line|lineargradient|p|path|"
    "pre|rect|section|small|span|stop|style|summary|svg|symbol|table|tbody|t[dhr]|text|thead|title|tspan|ul|use"
)


class Markup(HTMLParser):
    """All tags, attributes and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.text, self.style = "", ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data
        self.style += data if self.tags and self.tags[-1][0] == "style" else ""


def obeyed(text: str) -> list[str]:
    """Whatever in a page or picture would run, load or hide something."""
    page = Markup(text)
    found = [tag for tag, _ in page.tags if not ALLOWED.fullmatch(tag)]
    for tag, attrs in page.tags:
        found += [f"{tag} {name}" for name in attrs if name.startswith("on") or name == "src"]
        found += [f"{tag} {name}" for name in ("href", "xlink:href") if not (attrs.get(name) or "#").startswith("#")]
    return found + (["style"] if "*{display:none}" in page.style else [])


@pytest.mark.parametrize("bad", [bad for bad in HOSTILE if "<" in bad])
def test_the_watch_can_fail(bad):
    assert obeyed(f"<p>{bad}</p>")


@pytest.mark.parametrize("bad", HOSTILE)
def test_names_from_files_are_text_in_every_chart(bad):
    """The SVG of each chart shows hostile names of people, attributes and models as text."""
    import vl_convert

    field, rng = hostile_field(bad), np.random.default_rng(0)
    energies, points, people = fr.alignment(field, "knn:3", null_draws=3), rng.normal(size=(24, 4)), np.arange(24) // 2
    labels = pd.DataFrame({bad: np.where(people % 2, 1, -1), f"{bad}b": np.where(people % 3, 1, -1)})
    charts = [
        fr.charts.energy_by_attribute(energies),
        fr.charts.profile(fr.alignment_profile(field)),
        fr.charts.field_quiver(field),
        fr.charts.field_similarity(fr.field_similarity(field)),
        fr.charts.distance_cdfs(fr.modality_distances(points, people, labels, bad)),
        fr.charts.ks_against_entropy(fr.macroscale(points, people, labels, permutations=5)),
        fr.charts.genuine_impostor(fr.pair_distances(points, people), threshold=2.0),
    ]
    for chart in charts:
        svg = vl_convert.vegalite_to_svg(chart.to_dict())
        assert obeyed(svg) == []
        ElementTree.fromstring(svg)  # also well-formed


def hostile_field(bad: str) -> xr.Dataset:
    rng = np.random.default_rng(0)
    embeddings = xr.DataArray(
        rng.normal(size=(3, 2, 12, 3, 4)).astype(np.float32), dims=("identity", "attribute", "curve", "step", "dim"),
        coords={"identity": [bad, f"a{bad}", "c"], "attribute": [bad, f"{bad}b"], "step": [-1, 0, 1]},
        attrs={"metric": "euclidean", "model": bad},
    )  # fmt: skip
    return fr.vector_field(embeddings)


@pytest.mark.parametrize("bad", HOSTILE)
def test_names_from_files_are_text_in_every_table(bad):
    """Tables and labelled arrays with such names show them as text in a notebook."""
    field = hostile_field(bad)
    energies, details = fr.alignment(field, "knn:3", null_draws=3, point_energies=True)
    labels = pd.DataFrame({bad: [1, 1, -1, -1] * 3})
    ks = fr.macroscale(np.random.default_rng(0).normal(size=(12, 4)), np.arange(12), labels, permutations=5)
    shown = [field, details, energies, fr.summarize(energies), fr.compare(energies), fr.alignment_profile(field), ks]
    for one in [*shown, fr.field_similarity(field)]:
        assert obeyed(one._repr_html_()) == [], type(one)
    table = pd.DataFrame({"model": [bad], f"E {bad}": ["1"]})
    page = report_table(table, bad, 1)
    assert obeyed(page) == []
    assert Markup(page).text.count(bad) == 3


@pytest.mark.parametrize("bad", HOSTILE)
def test_text_of_files_is_escaped_where_it_is_shown(bad):
    """Cards and rates show hostile names as text in a notebook."""
    card = fr.ModelCard(name=bad, title=bad, input_size=8, dim=2, metric="euclidean", licence=bad, weaknesses=(bad,))
    assert obeyed(card._repr_html_()) == []
    assert Markup(card._repr_html_()).text.count(bad) >= 3
    rng = np.random.default_rng(0)
    pairs = pd.DataFrame({"first": [0, 0, 2, 1], "second": [1, 2, 3, 3], "same": [True, False, True, False]})
    pairs["group"] = [bad, "b", "b", bad]
    found = fr.verification(rng.normal(size=(4, 3)), pairs, by="group", draws=0)
    assert obeyed(found._repr_html_()) == []
    assert bad[:20] in Markup(found._repr_html_()).text
