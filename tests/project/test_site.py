"""The static course: its pages need no kernel and no network, and their widgets work."""

import base64
import functools
import gzip
import io
import re
import sys
import threading
from contextlib import closing, contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from lab import until
from PIL import Image

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import build_site  # noqa: E402  (a tool, not a package)
import front_page  # noqa: E402

sys.path.pop(0)
HEIGHT = "(one) => one.offsetHeight"
CHART = {
    "data": {"values": [{"x": "<script>alert(1)</script>", "y": 1}]},
    "mark": "bar",
    "encoding": {"x": {"field": "x", "type": "nominal"}, "y": {"field": "y", "type": "quantitative"}},
}


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    chart = nbformat.v4.new_output("display_data", {build_site.VEGA: CHART, "text/plain": "A chart."})
    Image.new("RGB", (480, 270), "teal").save(first := io.BytesIO(), "PNG")
    cells = [
        nbformat.v4.new_markdown_cell(
            "# 5. A notebook\n\nThe energy is $E = 1 - \\cos\\theta$, and\n\n$$E_i = \\frac{1}{k}\\sum_j E_{ij}$$\n\n"
            "It costs `$5` or $10. See [the glossary](GLOSSARY.md), [the next](06-next.ipynb#part).",
            attachments={"first.png": {"image/png": base64.b64encode(first.getvalue()).decode()}},
        ),
        nbformat.v4.new_code_cell("from fr_explore_widgets import EnergyPlayground"),
        nbformat.v4.new_code_cell("EnergyPlayground()", metadata={"tags": ["widget"], "alt": 'Arrows "on" a ring'}),
        nbformat.v4.new_code_cell("None", outputs=[chart]),
        nbformat.v4.new_code_cell(
            "import ipywidgets\nbox = ipywidgets.VBox()\nbox",
            metadata={"tags": ["widget"], "alt": "No page of its own"},
        ),
    ]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    path = tmp_path_factory.mktemp("notebook") / "05-a-notebook.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def test_what_waits_for_a_guess_is_folded_and_comes_from_the_solution(tmp_path):
    line = nbformat.v4.new_output("display_data", {"text/plain": "This waits"})
    table = nbformat.v4.new_output("display_data", {"text/html": "<table></table>", "text/plain": "a table"})
    text = nbformat.v4.new_output("stream", text="2 < 3")
    chart = nbformat.v4.new_output("display_data", {build_site.VEGA: CHART})
    for folder, outputs in ((tmp_path, [line]), (tmp_path / "solutions", [text, table, chart])):
        folder.mkdir(exist_ok=True)
        cell = nbformat.v4.new_code_cell("course.after(guess, x)", outputs=outputs, id="a")
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), folder / "05-a.ipynb")
    [folded] = BeautifulSoup(build_site.notebook_body(tmp_path / "05-a.ipynb", {}), "html.parser").find_all("details")
    assert folded.find("summary").text == "After your guess"
    assert folded.find("pre").text == "2 < 3"
    assert folded.find("table")
    assert folded.select_one(".chart script")
    assert "This waits" not in folded.text
    assert build_site.shown("x = f()\ncourse.after(guess, x)") == "x"
    assert build_site.shown("x = f()\nx\n") == "x"


def test_formulas_become_mathml_and_links_point_to_pages(notebook):
    body = build_site.notebook_body(notebook, {})
    assert body.count("<math") == 2
    assert 'display="block"' in body
    assert "<code>$5</code>" in body
    assert "or $10." in body
    assert 'href="GLOSSARY.html"' in body
    assert 'href="06-next.html#part"' in body


def test_content_of_a_notebook_is_escaped(notebook):
    body = build_site.notebook_body(notebook, {"cell-2": "x.html"})
    assert "<script>alert" not in body
    assert BeautifulSoup(body, "html.parser").iframe["title"] == 'Arrows "on" a ring'


def test_the_opening_has_a_dark_picture_and_gives_way_to_the_widget_that_it_shows(notebook, tmp_path):
    opened = nbformat.read(notebook, as_version=4)
    opened.cells[0].source += "\n\n![Teal](attachment:first.png)\n"
    path = tmp_path / "05-a.ipynb"
    nbformat.write(opened, path)

    def parts(pages):
        soup = BeautifulSoup(build_site.notebook_body(path, pages), "html.parser")
        return soup.find("img"), soup.find("source")

    image, dark = parts({})
    assert (image["alt"], dark) == ("Teal", None)
    (tmp_path / "source" / "stills").mkdir(parents=True)
    (tmp_path / "source" / "stills" / "05-dark.png").touch()
    image, dark = parts({"cell-2": "x.html"})  # the widget is further down
    assert image.parent.name == "picture"
    assert (dark["media"], dark["srcset"]) == ("(prefers-color-scheme: dark)", "assets/05-dark.png")
    assert parts({"cell-1": "x.html"}) == (None, None)


def test_an_unknown_number_names_the_choice(tmp_path):
    with pytest.raises(SystemExit, match=r"no notebook begins with 'zz': choose from 00"):
        build_site.build(tmp_path, "zz")


@pytest.fixture(scope="module")
def site(notebook, tmp_path_factory):
    """The static page of the notebook, and the page of its widget in the same folder."""
    out = tmp_path_factory.mktemp("site")
    build_site.assets(out)
    (out / "widgets").mkdir()
    pages = build_site.export_widgets(notebook, out / "widgets")
    body = build_site.notebook_body(notebook, pages)
    (out / "05-a-notebook.html").write_text(build_site.page("5. A notebook", body), encoding="utf-8")
    return out / "05-a-notebook.html", pages


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_works_from_disk_with_the_network_off(site, browser, scheme):
    path, pages = site
    assert list(pages) == ["cell-2"]  # the other widget cannot be exported
    with closing(browser.new_context(offline=True, color_scheme=scheme)) as context:
        page = context.new_page()
        requested, problems = [], []
        page.on("request", lambda request: requested.append(request.url))
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda problem: problems.append(str(problem)))
        page.goto(path.as_uri())
        page.locator(".chart svg").wait_for()
        assert page.locator("math").count() == 2
        frame = page.locator("iframe")
        frame.scroll_into_view_if_needed()
        inside = frame.content_frame
        # the frame is exactly as high as its widget: no empty space, no scrolling
        until(lambda: frame.evaluate(HEIGHT) == inside.locator("body").evaluate(HEIGHT) + 2)
        before = inside.locator("[role=meter]").first.get_attribute("aria-valuenow")
        inside.locator("input[type=range]").first.press("Home")
        assert inside.locator("[role=meter]").first.get_attribute("aria-valuenow") != before
        assert problems == []
        assert [url for url in requested if not re.match(r"(file|data|blob):", url)] == []
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert colour == {"light": "rgb(255, 255, 255)", "dark": "rgb(17, 17, 17)"}[scheme]


@contextmanager
def served(folder):
    """A plain web server below a path; yields its address and the paths that are requested."""
    asked = []

    class Server(SimpleHTTPRequestHandler):
        def translate_path(self, path):
            return super().translate_path(path.removeprefix("/below/a/path"))

        def do_GET(self):
            asked.append(self.path.removeprefix("/below/a/path/"))
            super().do_GET()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Server, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/below/a/path/", asked
        server.shutdown()


def compressed(folder, names):
    return sum(len(gzip.compress(path.read_bytes(), 6)) for path in {folder / name for name in names} if path.is_file())


@pytest.mark.browser
def test_the_front_page_is_a_live_laboratory(tmp_path, browser, notebook):
    """Live before the network is there, which comes with the first touch; afterwards all works without the server."""
    (tmp_path / "widgets").mkdir()
    build_site.assets(tmp_path)
    parts = front_page.laboratory(tmp_path)
    body = front_page.front(parts, front_page.cards([notebook], tmp_path), [])
    (tmp_path / "index.html").write_text(build_site.page("front", body), encoding="utf-8")
    with served(tmp_path) as (address, asked), closing(browser.new_context()) as context:
        page = context.new_page()
        page.goto(address + "index.html")
        inside = page.locator("iframe").content_frame
        inside.locator("html[data-live=ready]").wait_for(state="attached")
        first = compressed(tmp_path, asked)
        key = inside.locator(".fr-key").first
        assert key.get_attribute("data-distance") != "0"  # the greeting's figures, from the kernel
        before = key.get_attribute("data-distance")
        inside.locator("input[data-attribute=age]").press("End")
        until(lambda: key.get_attribute("data-distance") != before)
        whole = compressed(tmp_path, asked)
        print(f"front page: {first / 1e6:.2f} MB compressed until it is live, {whole / 1e6:.2f} MB with the network")
        assert first < 6e6
        assert whole - first > 4e6
        page.reload()  # now the service worker keeps what is loaded
        inside.locator("html[data-live=ready]").wait_for(state="attached")
        inside.locator("input[data-attribute=age]").press("Home")
        until(lambda: key.get_attribute("data-distance") not in (before, "0"))
        context.set_offline(True)
        page.reload()
        inside.locator("html[data-live=ready]").wait_for(state="attached")
        again = key.get_attribute("data-distance")
        inside.locator("input[data-attribute=age]").press("End")
        until(lambda: key.get_attribute("data-distance") != again)


def test_cards_show_a_picture_a_sentence_and_minutes(tmp_path):
    buffer = io.BytesIO()
    Image.new("RGB", (900, 900), "teal").save(buffer, "PNG")
    head = nbformat.v4.new_markdown_cell(
        "# 3. A <title>\n\n*About 25 minutes. Before this: nothing.*\n\n![Teal](attachment:first.png)\n\n"
        "A **bold** [link](x.ipynb) and $n$. " + "More. " * 30,
        attachments={"first.png": {"image/png": base64.b64encode(buffer.getvalue()).decode()}},
    )
    notebook = nbformat.v4.new_notebook(cells=[head])
    nbformat.write(notebook, tmp_path / "03-x.ipynb")
    (tmp_path / "assets").mkdir()
    dark = front_page.dark_picture(tmp_path / "03-x.ipynb")
    dark.parent.mkdir(parents=True)
    Image.new("RGB", (900, 900), "navy").save(dark)
    (card,) = BeautifulSoup(front_page.cards([tmp_path / "03-x.ipynb"], tmp_path), "html.parser").find_all("li")
    assert card.a["href"] == "03-x.html"
    assert card.b.text == "3. A <title>"
    words, minutes = (one.text for one in card.find_all("p"))
    assert words.startswith("A bold link and n. More.")
    assert front_page.SENTENCES <= len(words) < front_page.SENTENCES + 10
    assert minutes == "25 minutes"
    for file, green in ((card.img["src"], 128), (card.source["srcset"], 0)):
        with Image.open(tmp_path / file) as picture:
            assert picture.size == front_page.CARD
            assert abs(picture.getpixel((9, 9))[1] - green) < 5
    for path in sorted((ROOT / "notebooks").glob("[0-9][0-9]-*.ipynb")):
        committed = nbformat.read(path, as_version=4)
        number, title, words, minutes = front_page.summary(committed)
        assert re.fullmatch(r"\d+: .+: .{80,}: \d+ minutes", f"{number}: {title}: {words}: {minutes}"), path.name
        assert front_page.first_picture(committed).width == front_page.CARD[0], path.name


@pytest.mark.browser
def test_predictions_score_themselves_and_equal_pages_are_stored_once(tmp_path, open_page):
    """The truth comes from a later cell of the notebook; the page reveals and scores it."""
    code = nbformat.v4.new_code_cell
    cells = [
        nbformat.v4.new_markdown_cell("# 5. A notebook"),
        code("from fr_explore_widgets import Prediction, course"),
        code('guess = Prediction("How many?", low=0, high=10)\nguess', metadata={"tags": ["widget"]}),
        code("course.reveal(guess, 4)"),
    ]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "05-x.ipynb")
    (tmp_path / "widgets").mkdir()
    pages = build_site.export_widgets(tmp_path / "05-x.ipynb", tmp_path / "widgets")
    assert list(pages) == ["cell-2"]
    path = tmp_path / "widgets" / pages["cell-2"]
    (copy := path.with_name("copy.html")).write_bytes(path.read_bytes())
    assert build_site._once(path.parent, "copy.html") == path.name
    assert not copy.exists()
    assert "it is 4" not in path.read_text(encoding="utf-8")
    page = open_page(path, files=tmp_path / "shared")
    page.locator("input[type=range]").press("End")
    page.locator("[data-action=commit]").click()
    page.locator("[data-action=reveal]").click()
    page.locator(".fr-status", has_text="You said 10, it is 4").wait_for()


def test_the_reference_has_every_public_name_and_loads_nothing(tmp_path):
    import fr_explore as fr

    build_site.reference(tmp_path)
    text = (tmp_path / "fr_explore.html").read_text(encoding="utf-8")
    public = [name for name in fr.__all__ if not name.startswith("_")]
    assert [n for n in public if f'id="{n}"' not in text and not (tmp_path / f"fr_explore/{n}.html").is_file()] == []
    loaded = re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="([^"]+)"', text)
    assert [url for url in loaded if "//" in url and not url.startswith("data:")] == []
    assert str(build_site.ROOT) not in text
