"""Data sets in their official layouts, made of avatars: the content that is read, and the errors of invalid files."""

import os
import pickle
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import fr_explore as fr
from fr_explore.faces.datasets.labelled import check_inside
from fr_explore.faces.photographs.decode import PictureError
from fr_explore.faces.photographs.detect import find_faces
from fr_explore.faces.photographs.portrait_crop import PortraitCrop

PEOPLE, EACH = 4, 3
HEADER = "lefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y rightmouth_x rightmouth_y"


@pytest.fixture(scope="module")
def renders():
    """Three pictures of each of four people, and whether they smile."""
    faces = fr.Avatars(identities=PEOPLE, seed=3)
    smiles = [0.0, 1.0, 0.0]
    recipes = [
        {"expression": smile, "head_angle": angle, "brightness": 1 + angle / 60}
        for smile, angle in zip(smiles, (0, -12, 12), strict=True)
    ]
    return {(i, k): faces.render(i, recipe) for i in range(PEOPLE) for k, recipe in enumerate(recipes)}


def paste(face, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """An 8-bit grey picture with a render in its middle, and the landmarks in this picture."""
    canvas = np.full((height, width, 3), 150, np.uint8)
    left, top = (width - 160) // 2, (height - 160) // 2
    canvas[top : top + 160, left : left + 160] = np.asarray(face.to_image())
    return canvas, face.landmarks + np.array([left, top])


def save(path: Path, pixels: np.ndarray) -> None:
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, quality=95)


@pytest.fixture(scope="module")
def celeba(renders, tmp_path_factory):
    folder = tmp_path_factory.mktemp("celeba")
    names, signs, people, points = [], [], [], []
    for n, ((i, k), face) in enumerate(renders.items(), 1):
        pixels, landmarks = paste(face, 178, 218)
        names.append(f"{n:06d}.jpg")
        save(folder / "img_align_celeba" / names[-1], pixels)
        signs.append(f"{1 if i % 2 else -1:2d} {1 if k == 1 else -1:2d}")
        people.append(100 + i)
        points.append(" ".join(str(round(value)) for value in (landmarks - 0.5).ravel()))
    count = len(names)

    def listing(name: str, head: list[str], rows: list) -> None:
        (folder / name).write_text("\n".join([*head, *(f"{a}  {b}" for a, b in zip(names, rows, strict=True)), ""]))

    listing("list_attr_celeba.txt", [str(count), "Male Smiling "], signs)
    listing("identity_CelebA.txt", [], people)
    listing("list_landmarks_align_celeba.txt", [str(count), HEADER], points)
    listing("list_eval_partition.txt", [], [0] * (count - 2) + [1, 2])
    return folder


@pytest.fixture(scope="module")
def lfw(renders, tmp_path_factory):
    folder = tmp_path_factory.mktemp("lfw")
    for (i, k), face in renders.items():
        save(folder / f"Person_{i}" / f"Person_{i}_{k + 1:04d}.jpg", paste(face, 250, 250)[0])
    lines = ["2\t3"]
    for fold in range(2):
        lines += [f"Person_{2 * fold + j % 2}\t{1 + j // 2}\t{2 + j // 2}" for j in range(3)]
        lines += [f"Person_{j}\t{1 + fold}\tPerson_{(j + 1 + fold) % 4}\t{j + 1}" for j in range(3)]
    (folder / "pairs.txt").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def copy(tmp_path):
    """Copy a data set, so that a test can damage it; pictures are linked, lists are copied."""

    def make(folder: Path) -> Path:
        for path in folder.rglob("*"):
            target = tmp_path / "copy" / path.relative_to(folder)
            if path.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                os.link(path, target) if path.suffix == ".jpg" else target.write_bytes(path.read_bytes())
        return tmp_path / "copy"

    return make


# CelebA ------------------------------------------------------------------------------------------------------------


def test_celeba(celeba, renders):
    images = fr.read_celeba(celeba)
    assert len(images) == PEOPLE * EACH
    assert images.label_names == ("Male", "Smiling")
    assert images.table.identity.tolist() == [str(100 + i) for i, _ in renders]
    assert images.labels.Male.tolist() == [1 if i % 2 else -1 for i, _ in renders]
    assert images.labels.Smiling.tolist() == [1 if k == 1 else -1 for _, k in renders]
    assert images.labels.index.tolist() == images.table.file.tolist()
    assert images.table.split.tolist() == ["train"] * 10 + ["valid", "test"]
    assert images.problems.empty
    assert not images.private
    for n, face in enumerate(renders.values()):
        np.testing.assert_allclose(images.landmarks[n], paste(face, 178, 218)[1], atol=0.51)
        portrait = images.face(n)
        assert portrait.pixels.shape == (160, 160, 3)
    assert repr(images) == "LabelledImages(12 images of 4 identities, 2 labels, 0 problems)"


def test_celeba_in_its_own_folders(celeba, copy):
    folder = copy(celeba)
    for name, place in [("list_attr", "Anno"), ("identity", "Anno"), ("list_landmarks", "Anno"), ("list_eval", "Eval")]:
        (folder / place).mkdir(exist_ok=True)
        for path in folder.glob(f"{name}*.txt"):
            path.rename(folder / place / path.name)
    (folder / "Img").mkdir()
    (folder / "img_align_celeba").rename(folder / "Img" / "img_align_celeba")
    images, flat = fr.read_celeba(folder), fr.read_celeba(celeba)
    pd.testing.assert_frame_equal(images.table, flat.table)
    np.testing.assert_array_equal(images.landmarks, flat.landmarks)


def test_some_pictures_of_celeba_may_be_missing(celeba, copy):
    folder = copy(celeba)
    (folder / "img_align_celeba" / "000002.jpg").unlink()
    (folder / "list_eval_partition.txt").unlink()
    images = fr.read_celeba(folder)
    assert len(images) == 11
    assert images.problems.values.tolist() == [["000002.jpg", "file not found"]]
    assert "split" not in images.table
    whole = fr.read_celeba(celeba)
    np.testing.assert_array_equal(images.landmarks, np.delete(whole.landmarks, 1, axis=0))
    assert images.content(1) == whole.content(2)


def test_without_landmarks_faces_are_detected(celeba, copy):
    folder = copy(celeba)
    (folder / "list_landmarks_align_celeba.txt").unlink()
    found, known = fr.read_celeba(folder), fr.read_celeba(celeba)
    assert found.landmarks is None
    assert np.abs(found.face(0).pixels - known.face(0).pixels).mean() < 0.08
    assert found.content(0) != known.content(0)


def test_a_missing_list(celeba, copy):
    folder = copy(celeba)
    (folder / "list_attr_celeba.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"list_attr_celeba.txt is missing: looked for .*Anno.* with .csv"):
        fr.read_celeba(folder)
    (folder / "img_align_celeba").rename(folder / "elsewhere")
    (folder / "img_align_celeba.zip").write_bytes(b"")
    with pytest.raises(FileNotFoundError, match=r"img_align_celeba is missing \(unpack its zip first\)"):
        fr.read_celeba(folder)


ATTR, WHO, WHERE, PARTS = (
    "list_attr_celeba.txt", "identity_CelebA.txt", "list_landmarks_align_celeba.txt", "list_eval_partition.txt",
)  # fmt: skip
CELEBA_ERRORS = [
    (ATTR, 1, "many", "line 1, field 1 (number of pictures): 'many', expected a whole number"),
    (ATTR, 1, "13", "12 pictures are listed, but line 1 says 13: the file is cut off"),
    (ATTR, 2, "Male Male", "line 2, field 2: 'Male', expected a unique column name other than file"),
    (ATTR, 2, "Male file", "line 2, field 2: 'file', expected a unique column name other than file"),
    (ATTR, 5, "000003.jpg 1", "line 5: 2 fields, expected 3 (file name, Male, Smiling)"),
    (ATTR, 5, "000003.jpg 1 0", "line 5, field 3 (Smiling): '0', expected -1 or 1"),
    (ATTR, 5, "000003.jpg one -1", "line 5, field 2 (Male): 'one', expected -1 or 1"),
    (ATTR, 5, "000002.jpg 1 -1", "line 5, field 1: '000002.jpg' is already in line 4"),
    (ATTR, 5, "../../../etc/passwd 1 -1", "line 5, field 1: '../../../etc/passwd', expected a picture's name"),
    (ATTR, 5, "/etc/passwd 1 -1", "line 5, field 1: '/etc/passwd', expected a picture's name"),
    (WHO, 4, "000004.jpg", "line 4: 1 fields, expected 2 (file name, identity)"),
    (WHO, 4, "000004.jpg x", "line 4, field 2 (identity): 'x', expected a whole number, 0 or larger"),
    (WHO, 4, "", "no line for '000004.jpg', which is listed in list_attr_celeba"),
    (WHERE, 2, "a b", "line 2: 'a b', expected the names lefteye_x lefteye_y"),
    (WHERE, 3, "000001.jpg 1 2 3 4 5 6 7 8 9 1.5", "line 3, field 11 (rightmouth_y): '1.5', expected a whole number"),
    (PARTS, 7, "000007.jpg 3", "line 7, field 2 (partition): '3', expected 0, 1 or 2"),
]


@pytest.mark.parametrize(("name", "line", "text", "message"), CELEBA_ERRORS, ids=range(len(CELEBA_ERRORS)))
def test_invalid_lists_of_celeba(celeba, copy, name, line, text, message):
    path = copy(celeba) / name
    lines = path.read_text().splitlines()
    lines[line - 1] = text
    path.write_text("\n".join(lines))
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        fr.read_celeba(path.parent)
    assert str(caught.value).startswith(name)


# LFW ---------------------------------------------------------------------------------------------------------------


def test_lfw(lfw):
    images = fr.read_lfw(lfw)
    assert len(images) == PEOPLE * EACH
    assert images.table.identity.unique().tolist() == [f"Person_{i}" for i in range(PEOPLE)]
    assert images.table.file[0] == "Person_0/Person_0_0001.jpg"
    assert images.choose == "central"
    pairs = images.pairs
    assert pairs.fold.tolist() == [0] * 6 + [1] * 6
    assert pairs.same.tolist() == ([True] * 3 + [False] * 3) * 2
    assert pairs.iloc[0].tolist() == [0, "Person_0/Person_0_0001.jpg", "Person_0/Person_0_0002.jpg", True]
    assert pairs.iloc[10].tolist() == [1, "Person_1/Person_1_0002.jpg", "Person_3/Person_3_0002.jpg", False]
    who = images.table.set_index("file").identity
    assert ((who[pairs["first"]].values == who[pairs["second"]].values) == pairs.same).all()
    assert fr.read_lfw(lfw.parent / lfw.name, pairs=lfw / "pairs.txt").pairs.equals(pairs)


def test_lfw_in_an_inner_folder(lfw, copy):
    folder = copy(lfw)
    (folder / "lfw").mkdir()
    for path in folder.glob("Person*"):
        path.rename(folder / "lfw" / path.name)
    assert fr.read_lfw(folder).pairs.equals(fr.read_lfw(lfw).pairs)


def test_lfw_uses_the_face_in_the_middle(renders, tmp_path):
    canvas = np.full((220, 480, 3), 150, np.uint8)
    canvas[50:170, 180:300] = np.asarray(renders[0, 0].to_image().resize((120, 120)))
    canvas[20:200, 300:480] = np.asarray(renders[1, 0].to_image().resize((180, 180)))
    save(tmp_path / "A" / "A_0001.png", canvas)
    (tmp_path / "t.csv").write_text("file,identity\nA/A_0001.png,A\n")
    large, small = find_faces(canvas)
    assert small.offset(480, 220) < 20 < large.offset(480, 220)
    middle, largest = fr.read_lfw(tmp_path), fr.read_labelled(tmp_path, "t.csv")
    for images, face in ((middle, small), (largest, large)):
        np.testing.assert_array_equal(
            images.face(0).pixels, PortraitCrop(canvas, face.landmarks, 160, margin=0).portrait().pixels
        )
    assert middle.content(0) != largest.content(0)
    assert middle.pairs is None


def test_problems_of_lfw(lfw, copy):
    folder = copy(lfw)
    (folder / "Person_0" / "Person_0_0003.jpg").unlink()
    (folder / "Person_1" / "notes.txt").write_text("x")
    images = fr.read_lfw(folder)
    assert len(images) == 11
    reasons = images.problems.reason.tolist()
    assert reasons[0] == "expected a name like Person_1_0001.jpg"
    assert all("not found; pairs.txt, line" in reason for reason in reasons[1:])
    assert len(images.pairs) == 12 - (len(reasons) - 1)


LFW_ERRORS = [
    (1, "2 3 4", "line 1: 3 fields, expected the number of folds and of pairs in each, such as 10 300"),
    (1, "2 x", "line 1, field 2: 'x', expected a whole number, 1 or larger"),
    (1, "2 4", "12 pairs are listed, but line 1 says 16"),
    (2, "Person_0 1", "line 2: 2 fields, expected 3 (name, number, number)"),
    (2, "Person_0 1 0", "line 2, field 3: '0', expected a whole number, 1 or larger"),
    (5, "Person_0 1 2", "line 5: 3 fields, expected 4 (name, number, name, number)"),
    (5, "Person_0 1 Person_1 -2", "line 5, field 4: '-2', expected a whole number, 1 or larger"),
]


@pytest.mark.parametrize(("line", "text", "message"), LFW_ERRORS, ids=range(len(LFW_ERRORS)))
def test_invalid_pairs(lfw, copy, line, text, message):
    path = copy(lfw) / "pairs.txt"
    lines = path.read_text().splitlines()
    lines[line - 1] = text
    path.write_text("\n".join(lines))
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        fr.read_lfw(path.parent)
    assert str(caught.value).startswith("pairs.txt")


def test_pairs_never_open_a_file_elsewhere(lfw, copy):
    path = copy(lfw) / "pairs.txt"
    path.write_text("1\n../../secret 1 2\nPerson_0 1 ../x 1\n")
    images = fr.read_lfw(path.parent)
    assert len(images.pairs) == 0
    assert images.problems.file.str.contains("secret").any()


def test_a_folder_without_lfw(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no picture called name/name_0001.jpg"):
        fr.read_lfw(tmp_path)
    with pytest.raises(FileNotFoundError, match="no such folder"):
        fr.read_lfw(tmp_path / "x")


# the user's own table ------------------------------------------------------------------------------------------------


@pytest.fixture
def labelled(celeba, tmp_path):
    """Return a function that writes a table and calls `read_labelled`; the pictures are those of `celeba`."""

    def read(text: str | bytes, name: str = "faces.csv", **options):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return fr.read_labelled(celeba / "img_align_celeba", path, **options)

    return read


TABLE = """file,identity,smiling,glasses,bald,age,note
000001.jpg,ann,1,1,yes,31,"a, ""quoted"" one"
000002.jpg,ann,-1,0,no,45,
000004.jpg,bob,0,1,,29.5,"two
lines"

000005.jpg,bob,,0,True,,x
"""


def test_labelled(labelled):
    images = labelled(TABLE)
    assert images.label_names == ("smiling", "glasses", "bald")
    assert images.labels.smiling.tolist() == [1, -1, 0, 0]  # -1 occurs, so 0 and an empty cell are unknown
    assert images.labels.glasses.tolist() == [1, -1, 1, -1]
    assert images.labels.bald.tolist() == [1, -1, 0, 1]
    assert images.labels.dtypes.tolist() == [np.int8] * 3
    assert images.table.identity.tolist() == ["ann", "ann", "bob", "bob"]
    np.testing.assert_array_equal(images.table.age, [31, 45, 29.5, np.nan])
    assert images.table.note.tolist() == ['a, "quoted" one', "", "two\nlines", "x"]


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators_and_names(labelled, separator):
    rows = ["picture,who,smiling", "000001.jpg,7,1", "000002.jpg,8,0"]
    text = "\ufeff" + "\r\n".join(rows).replace(",", separator)
    images = labelled(text, file="picture", identity="who")
    assert images.table.identity.tolist() == ["7", "8"]
    assert images.labels.smiling.tolist() == [1, -1]


def test_chosen_labels(labelled):
    assert labelled(TABLE, labels=["bald"]).label_names == ("bald",)
    assert labelled(TABLE, labels=[]).label_names == ()
    assert labelled("file,identity,code\n000001.jpg,007,1\n").table.identity.tolist() == ["007"]


def test_missing_pictures_are_reported(labelled):
    images = labelled("file,identity\n000001.jpg,a\nsub/x.jpg,b\n")
    assert len(images) == 1
    assert images.problems.values.tolist() == [["sub/x.jpg", "file not found"]]
    with pytest.raises(FileNotFoundError, match="none of the 1 files is in"):
        labelled("file,identity\nx.jpg,a\n")


LABELLED_ERRORS = [
    ("", {}, "faces.csv, line 1: empty, expected a header"),
    ("file,identity\n", {}, "faces.csv has a header but no rows"),
    ("name,identity\na.jpg,x\n", {}, "faces.csv has no column 'file': it has name, identity; say which one to use"),
    ("file,identity,file\na.jpg,x,b\n", {}, "line 1, field 3: 'file', expected a unique column name"),
    ("file,identity,\na.jpg,x,b\n", {}, "line 1, field 3: '', expected a unique column name"),
    ("file,identity\n000001.jpg,x\n000002.jpg\n", {}, "line 3: 1 fields, expected 2 (file, identity)"),
    ('file,identity\n"1.jpg\n",x\n2.jpg\n', {}, "line 4: 1 fields, expected 2"),
    ("file,identity\n000001.jpg,\n", {}, "line 2, field 'identity': '', expected a value"),
    ("file,identity\n000001.jpg,x\n000001.jpg,y\n", {}, "line 3, field 'file': '000001.jpg' is already in line 2"),
    ("file,identity\n../x.jpg,a\n", {}, "line 2, field 'file': '../x.jpg' is not a file inside the folder"),
    ("file,identity\n/etc/passwd,a\n", {}, "line 2, field 'file': '/etc/passwd' is not a file inside the folder"),
    ("file,identity\nC:\\x.jpg,a\n", {}, "is not a file inside the folder"),
    ("file,identity,dim\n000001.jpg,a,3\n", {}, "header: the column name 'dim' is reserved"),
    ("file,identity,x\n000001.jpg,a,2\n", {"labels": ["x"]}, "line 2, field 'x': 2, expected +1 with, -1 without"),
    ("file,identity\n000001.jpg,a\n", {"labels": ["x"]}, "faces.csv has no column 'x': it has file, identity"),
    ('file,identity\n"000001.jpg,a\n', {}, "faces.csv, line 2: unexpected end of data"),
    (b"file,identity\n000001.jpg,\xff\n", {}, "faces.csv, line 2: not UTF-8 text"),
]


@pytest.mark.parametrize(("text", "options", "message"), LABELLED_ERRORS, ids=range(len(LABELLED_ERRORS)))
def test_invalid_tables(labelled, text, options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        labelled(text, **options)


@pytest.mark.parametrize("name", ["a/b.jpg", "a b.jpg", "ä.jpg", "a..b.jpg", "..a.jpg"])
def test_paths_that_stay_inside(name):
    check_inside(name, "here")


@pytest.mark.parametrize(
    "name", ["/a", "..", "a/../../b", "..\\b", "a\\..\\..\\b", "C:\\a", "C:a", "\\\\host\\a", "\\a", "", " ", "a\0b"]
)
def test_paths_that_lead_out(name):
    with pytest.raises(ValueError, match=r"here: .* is not a file inside the folder"):
        check_inside(name, "here")


def test_links_that_lead_out_of_the_folder_are_refused(celeba, tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "a.jpg").symlink_to(celeba / "img_align_celeba" / "000001.jpg")
    (tmp_path / "set" / "b.jpg").write_bytes((celeba / "img_align_celeba" / "000001.jpg").read_bytes())
    (tmp_path / "set" / "c.jpg").symlink_to(tmp_path / "set" / "b.jpg")
    (tmp_path / "t.csv").write_text("file,identity\na.jpg,x\nb.jpg,x\nc.jpg,x\n")
    images = fr.read_labelled(tmp_path / "set", tmp_path / "t.csv")
    for read in (images.content, images.face):
        with pytest.raises(PictureError, match="a link that leads out of the folder"):
            read(0)
    assert images.content(1) == images.content(2)


def test_parquet_without_its_package(labelled, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r'parquet table needs the package .pyarrow.*"fr-explore\[parquet\]"'):
        labelled(b"PAR1", name="faces.parquet")


def test_take(celeba):
    images = fr.read_celeba(celeba)
    for rows in ([1, 3], np.isin(np.arange(12), [1, 3]), slice(1, 5, 2)):
        some = images.take(rows)
        assert some.table.file.tolist() == ["000002.jpg", "000004.jpg"]
        assert some.content(1) == images.content(3)
        assert len(some.labels) == 2


# embeddings from elsewhere -----------------------------------------------------------------------------------------


@pytest.fixture
def lattice(tmp_path):
    """A folder in the reference format with shuffled rows, the array that it encodes, and its table."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(2, 2, 4, 3, 8)).astype(np.float32)
    rows, vectors = [], []
    for a, c, s in np.ndindex(2, 4, 3):
        rows.append((f"{a}-{c}", a, s - 1, len(rows)))
        vectors.append(values[:, a, c, s])
    table = pd.DataFrame(rows, columns=["curve_id", "moving_dimension", "step", "index"])
    order = rng.permutation(len(rows))
    table.iloc[order].to_csv(tmp_path / "curves.csv", index=False)
    for i, name in enumerate(("p0", "p1")):
        np.save(tmp_path / f"{name}.npy", np.stack(vectors)[:, i])
    return tmp_path, values, table


def test_read_lattice(lattice):
    folder, values, _ = lattice
    found = fr.read_lattice(folder, names=["age", "hue"], metric="cosine", model="ArcFace")
    assert found.dims == ("identity", "attribute", "curve", "step", "dim")
    assert found.identity.values.tolist() == ["p0", "p1"]
    assert found.attribute.values.tolist() == ["age", "hue"]
    assert found.step.values.tolist() == [-1, 0, 1]
    assert found.attrs == {"metric": "cosine", "model": "ArcFace", "source": "curves.csv"}
    np.testing.assert_array_equal(found.values, values)
    field = fr.vector_field(found)
    np.testing.assert_array_equal(field.point.values, values[:, :, :, 1])
    assert fr.read_lattice(folder).attribute.values.tolist() == ["0", "1"]
    assert fr.read_lattice(folder, curves=2).sizes["curve"] == 2


def test_steps_are_counted_from_the_middle(tmp_path):
    table = pd.DataFrame({"curve_id": [0] * 5, "moving_dimension": ["age"] * 5, "step": range(5), "index": range(5)})
    table.rename(columns={"step": "position"}).to_csv(tmp_path / "t.csv", index=False)
    np.save(tmp_path / "a.npy", np.arange(5.0)[:, None])
    with pytest.raises(ValueError, match=r"no column 'step': it has .*; say which one to use by step="):
        fr.read_lattice(tmp_path)
    found = fr.read_lattice(tmp_path, step="position")
    assert found.step.values.tolist() == [-2, -1, 0, 1, 2]
    assert found.values.ravel().tolist() == [0, 1, 2, 3, 4]
    assert found.dtype == np.float32


def test_other_usual_names_and_row_numbers(lattice):
    folder, values, table = lattice
    table.columns = ["Curve ID", "attribute", "step", "idx"]
    table.to_csv(folder / "curves.csv")  # with pandas' own column of row numbers
    np.testing.assert_array_equal(fr.read_lattice(folder).values, values)


LATTICE_ERRORS = [
    (
        lambda t: t.rename(columns={"step": "s"}),
        "has no column 'step': it has curve_id, moving_dimension, s, index; say",
    ),
    (lambda t: t.assign(step=t.step + 0.5), "line 2, field 'step': -0.5, expected a whole number"),
    (lambda t: t.assign(index="x"), "line 2, field 'index': 'x', expected a whole number"),
    (lambda t: t.assign(step=t.step * 2), "the steps are [-2, 0, 2], expected 3 or 5 consecutive ones"),
    (lambda t: t[t.step < 1], "the steps are [-1, 0], expected 3 or 5 consecutive ones"),
    (lambda t: t.iloc[1:], "curve '0-0' along 0 lacks a step"),
    (lambda t: pd.concat([t, t.iloc[:1]]), "line 26: curve '0-0' has step -1 twice"),
    (lambda t: t[t.curve_id != "1-3"], "curves per attribute are {'0': 4, '1': 3}: give curves=3 or fewer"),
    (lambda t: t.assign(index=t["index"] + 1), "p0.npy has 24 rows, the table asks for row 24"),
    (lambda t: t.assign(index=t["index"] - 1), "p0.npy has 24 rows, the table asks for row -1"),
]


@pytest.mark.parametrize(("change", "message"), LATTICE_ERRORS, ids=range(len(LATTICE_ERRORS)))
def test_invalid_tables_of_curves(lattice, change, message):
    folder, _, table = lattice
    change(table).to_csv(folder / "curves.csv", index=False)
    with pytest.raises(ValueError, match=re.escape(message)):
        fr.read_lattice(folder)


class Evil:
    def __reduce__(self):
        return os.mkdir, ("pickle-was-loaded",)


def test_no_pickle_is_ever_loaded(lattice, monkeypatch):
    folder, _, _ = lattice
    monkeypatch.chdir(folder)
    np.save(folder / "p0.npy", np.array([Evil()], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match=r"p0.npy is not a plain .npy array"):
        fr.read_lattice(folder)
    (folder / "p0.npy").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(ValueError, match=r"p0.npy is not a plain .npy array"):
        fr.read_lattice(folder)
    assert not (folder / "pickle-was-loaded").exists()


ARRAYS = [
    (np.zeros((24, 8), np.int32), r"p1.npy has shape \(24, 8\) and type int32: expected floats"),
    (np.zeros(24), r"p1.npy has shape \(24,\) and type float64"),
    (np.zeros((24, 9)), "p1.npy has dim 9, p0.npy has 8"),
    (np.full((24, 8), np.nan), "p1.npy has NaN or infinity"),
]


@pytest.mark.parametrize(("array", "message"), ARRAYS)
def test_invalid_arrays(lattice, array, message):
    np.save(lattice[0] / "p1.npy", array)
    with pytest.raises(ValueError, match=message):
        fr.read_lattice(lattice[0])


def test_missing_parts_of_a_lattice(lattice):
    folder, _, _ = lattice
    with pytest.raises(ValueError, match=r"3 names for 2 attributes: the table has 0, 1"):
        fr.read_lattice(folder, names=["a", "b", "c"])
    with pytest.raises(ValueError, match="metric 'l2' is unknown"):
        fr.read_lattice(folder, metric="l2")
    (folder / "second.csv").write_text("a\n1\n")
    with pytest.raises(FileNotFoundError, match=r"expected one table .* found curves.csv, second.csv: give table="):
        fr.read_lattice(folder)
    assert fr.read_lattice(folder, table="curves.csv").shape == (2, 2, 4, 3, 8)
    for path in folder.glob("*.npy"):
        path.unlink()
    with pytest.raises(FileNotFoundError, match=r"no .npy file in"):
        fr.read_lattice(folder, table="curves.csv")
    with pytest.raises(FileNotFoundError, match="no such folder"):
        fr.read_lattice(folder / "x")


def test_parquet(celeba, tmp_path):
    table = pd.DataFrame(
        {"file": ["000001.jpg", "000002.jpg"], "identity": ["a", "b"], "bald": [True, None], "age": [3.5, None]}
    )
    table.to_parquet(tmp_path / "t.parquet")
    images = fr.read_labelled(celeba / "img_align_celeba", tmp_path / "t.parquet")
    assert images.labels.bald.tolist() == [1, 0]
    np.testing.assert_array_equal(images.table.age, [3.5, np.nan])
    table.assign(file=["000001.jpg", "../x"]).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(ValueError, match=r"t.parquet, row 2, field 'file': '../x' is not a file inside the folder"):
        fr.read_labelled(celeba / "img_align_celeba", tmp_path / "t.parquet")
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    with pytest.raises(ValueError, match=r"t.parquet is not a readable parquet file"):
        fr.read_labelled(celeba / "img_align_celeba", tmp_path / "t.parquet")
