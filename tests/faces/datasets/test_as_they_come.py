"""Folders and tables as people have them: names, separators, encodings, Kaggle's copies, links, files of the system."""

import os
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import fr_explore as fr
from fr_explore.faces.photographs import photograph
from fr_explore.faces.photographs.decode import PictureError
from fr_explore.faces.photographs.photo_inputs import collect

NFC, NFD = (unicodedata.normalize(form, "Jos\u00e9") for form in ("NFC", "NFD"))
LATIN = "jos\udce9"  # in Latin-1


def folder(root: Path, *names: str) -> Path:
    """A folder of small pictures, one colour each; a name that ends in .txt or has no ending is an empty file."""
    for k, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        with (root / name).open("wb") as file:
            if Path(name).suffix.lower() in (".png", ".jpg", ".jpeg", ".webp", ".tif"):
                Image.new("RGB", (8, 8), (k, 0, 0)).save(file, "PNG")  # whatever the ending says
    return root


def table(root: Path, text: str, encoding: str = "utf-8"):
    (root / "t.csv").write_bytes(text.encode(encoding))
    return fr.read_labelled(root, "t.csv")


# names in a table ----------------------------------------------------------------------------------------------------


def test_each_name_means_its_own_file(tmp_path):
    root = folder(tmp_path, "Bob.JPG", "a/1.png", f"{NFD}.png", f"{LATIN}.png", "two.png")
    names = ["bob.jpg", "a\\1.png", f"{NFC}.png", "jos\u00e9.png", "two.png"]
    # Jos\u00e9 and jos\u00e9 mean several files, and none of them exactly
    images = table(root, "file,identity\n" + "".join(f"{name},x\n" for name in names))
    assert images.table.file.tolist() == ["bob.jpg", "a\\1.png", "two.png"]
    assert images.problems.file.tolist() == [f"{NFC}.png", "jos\u00e9.png"]
    assert all("it could mean any of" in reason for reason in images.problems.reason)
    (root / f"{LATIN}.png").unlink()
    images = table(root, "file,identity\n" + "".join(f"{name},x\n" for name in names))
    assert images.problems.values.tolist() == [["jos\u00e9.png", f"the same file as '{NFC}.png'"]]
    direct = table(root, f"file,identity\nBob.JPG,x\na/1.png,x\n{NFD}.png,x\ntwo.png,x\n")
    assert [images.content(i) for i in range(4)] == [direct.content(i) for i in range(4)]
    assert images.take([1, 0]).content(0) == direct.content(1)


def test_identities_and_files_that_look_like_numbers(tmp_path):
    root = folder(tmp_path, "1.10", "1.1", "12e4", "007")
    images = table(root, "file;identity;age\n1.10;1.10;3,5\n1.1;1.1;4\n12e4;12e4;\n007;007;5\n")
    assert images.table.file.tolist() == images.table.identity.tolist() == ["1.10", "1.1", "12e4", "007"]
    np.testing.assert_array_equal(images.table.age, [3.5, 4, np.nan, 5])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("head", ["", "sep"])
def test_encodings_and_separators(tmp_path, encoding, separator, head):
    root = folder(tmp_path, "a.png", "b.png")
    text = f"sep={separator}\r\n" if head else ""
    text += "\r\n".join(
        separator.join(row) for row in (["file", "identity", "hut"], ["a.png", NFC, "1"], ["b.png", "x", "0"])
    )
    images = table(root, "\ufeff" + text if encoding.endswith("bom") else text, encoding.removesuffix("-bom"))
    assert images.table.identity.tolist() == [NFC, "x"]
    assert images.labels.hut.tolist() == [1, -1]


def test_errors_count_the_line_that_names_the_separator(tmp_path):
    root = folder(tmp_path, "a.png")
    with pytest.raises(ValueError, match=r"t.csv, line 3: 1 fields, expected 2 \(file, identity\)"):
        table(root, "sep=;\nfile;identity\na.png\n")
    with pytest.raises(ValueError, match=r"t.csv, line 1: not a text file; save it as CSV in UTF-8"):
        table(root, "file,identity\na.png,x\n", "utf-16-le")


def test_links_in_a_folder_with_a_table(tmp_path):
    root, other = folder(tmp_path / "in", "a.png"), folder(tmp_path / "out", "b.png")
    (root / "there").symlink_to(other)
    (root / "loop").symlink_to(root)
    images = table(root, "file,identity\na.png,x\nthere/b.png,x\nloop/a.png,x\n")
    assert images.table.file.tolist() == ["a.png", "loop/a.png"]
    ((file, reason),) = images.problems.values.tolist()
    assert file == "there/b.png"
    assert reason.startswith("a link that leads out of the folder")


def test_reserved_columns(tmp_path):
    for name in ("usable", "embedding"):
        with pytest.raises(ValueError, match=f"the column name '{name}' is reserved here"):
            table(folder(tmp_path, "a.png"), f"file,identity,{name}\na.png,x,1\n")


# LFW -----------------------------------------------------------------------------------------------------------------


def test_lfw_with_names_and_endings_as_they_come(tmp_path):
    names = [
        "Anna Smith/Anna Smith_0001.JPG", "Anna Smith/anna smith_0002.webp", "Bob/Bob_0001.tif",
        f"{NFD}/{NFC}_0001.jpeg",
        f"{LATIN}/{LATIN}_0001.png", "Anna Smith/.DS_Store", "Bob/Thumbs.db", "Bob/._Bob_0001.tif",
        "Bob/Bob_0001_0.png",
        "__MACOSX/__MACOSX_0001.png", "readme.txt",
    ]  # fmt: skip
    root = folder(tmp_path / "lfw-deepfunneled" / "lfw-deepfunneled", *names)
    lines = ["3", "Anna Smith 1 2", "Anna Smith\t1\t2", f"{NFC}\t1\t1"]
    lines += ["Anna Smith 1 Bob 1", "Bob\t1\tAnna Smith\t2", f"{NFC} 1 Bob 1"]
    (tmp_path / "pairs.txt").write_text("\n".join(lines), encoding="utf-8")
    images = fr.read_lfw(tmp_path)
    assert set(images.table.file) == {*names[:3], f"{NFC}/{NFC}_0001.jpeg", "jos\\xe9/jos\\xe9_0001.png"}
    assert set(images.table.identity) == {"Anna Smith", "Bob", NFC, "jos\\xe9"}
    assert images.problems.values.tolist() == [["Bob/Bob_0001_0.png", "expected a name like Bob_0001.jpg"]]
    assert len({images.content(i) for i in range(len(images))}) == 5
    assert images.pairs["same"].tolist() == [True] * 3 + [False] * 3
    assert images.pairs["second"].tolist()[4] == "Anna Smith/anna smith_0002.webp"
    assert (root / "readme.txt").exists()


def test_links_in_lfw_are_listed(tmp_path):
    root, other = folder(tmp_path / "in", "Anna/Anna_0001.png"), folder(tmp_path / "out", "Bob_0001.png")
    (root / "Bob").symlink_to(other)
    (root / "Carl").symlink_to(tmp_path / "nowhere")
    (root / "Zoe").symlink_to(root / "Anna")
    images = fr.read_lfw(root)
    assert images.table.file.tolist() == ["Anna/Anna_0001.png"]
    reasons = dict(images.problems.itertuples(index=False))
    assert set(reasons) == {"Bob", "Carl", "Zoe/Anna_0001.png"}
    assert "a link that leads out of the folder" in reasons["Bob"]


# CelebA --------------------------------------------------------------------------------------------------------------


def kaggle(root: Path) -> list[str]:
    names = [f"{k:06d}.jpg" for k in range(1, 5)]
    folder(root / "img_align_celeba" / "img_align_celeba", *names)
    points = [
        f"{point}_{axis}" for point in ("lefteye", "righteye", "nose", "leftmouth", "rightmouth") for axis in "xy"
    ]
    lists = {
        "attr": (["Male", "Smiling"], lambda k: [1 if k % 2 else -1, 1 if k < 2 else -1]),
        "eval_partition": (["partition"], lambda k: [k % 3]),
        "landmarks_align": (points, lambda k: range(k, k + 10)),
    }
    for name, (head, row) in lists.items():
        rows = pd.DataFrame([row(k) for k in range(4)], pd.Index(names, name="image_id"), head)
        rows.to_csv(root / f"list_{name}{'' if name == 'eval_partition' else '_celeba'}.csv")
    return names


def test_celeba_from_kaggle(tmp_path):
    names = kaggle(tmp_path)
    with pytest.warns(UserWarning, match=r"no identity_CelebA.txt, which Kaggle leaves out: every picture counts as"):
        images = fr.read_celeba(tmp_path)
    assert images.table.file.tolist() == images.table.identity.tolist() == names
    assert images.labels.Smiling.tolist() == [1, 1, -1, -1]
    assert images.table.split.tolist() == ["train", "valid", "test", "train"]
    np.testing.assert_array_equal(images.landmarks[1].ravel(), np.arange(1, 11) + 0.5)
    assert images.content(0) != images.content(1)
    lines = {".txt": "{} {}", ".csv": "{},{}"}
    for ending, line in lines.items():
        for head in ("", "image_id,identity") if ending == ".csv" else ("",):
            people = [line.format(name, k // 2) for k, name in enumerate(names)]
            (tmp_path / f"identity_CelebA{ending}").write_text("\n".join(filter(None, [head, *people])))
            assert fr.read_celeba(tmp_path).table.identity.tolist() == ["0", "0", "1", "1"]
        (tmp_path / f"identity_CelebA{ending}").unlink()


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("attr_celeba", ("Male", "Smiling"), "line 1, field 2: 'Smiling', expected a unique column name"),
        ("attr_celeba", ("000002.jpg", "b.jpg"), "line 3, field 1: 'b.jpg', expected a picture's name"),
        ("attr_celeba", ("000002.jpg,1", "000002.jpg,5"), r"line 3, field 2 \(Male\): '5', expected -1 or 1"),
        ("landmarks_align_celeba", ("nose_x", "mouth_x"), "line 1: .*, expected the names lefteye_x"),
        ("eval_partition", ("000003.jpg", "000009.jpg"), "no line for '000003.jpg'"),
    ],
)
def test_invalid_lists_of_kaggle(tmp_path, name, change, message):
    people = [f"{each} 1" for each in kaggle(tmp_path)]
    (tmp_path / "identity_CelebA.txt").write_text("\n".join(people))
    path = tmp_path / f"list_{name}.csv"
    path.write_text(path.read_text().replace(*change))
    with pytest.raises(ValueError, match=f"list_{name}.csv.*{message}"):
        fr.read_celeba(tmp_path)


# folders of photographs ----------------------------------------------------------------------------------------------


def test_linked_folders_are_read_once(tmp_path):
    root = folder(tmp_path / "in", "anna/1.png", "anna/.DS_Store", "anna/Thumbs.db", "__MACOSX/._1.png", f"{LATIN}.png")
    other = folder(tmp_path / "out", "2.png", "deep/3.png")
    (root / "bob").symlink_to(other)
    (root / "bob again").symlink_to(other)
    (root / "also anna").symlink_to(root / "anna")
    (root / "up").symlink_to(tmp_path)
    (root / "self").symlink_to(root)
    (other / "back").symlink_to(other)
    (root / "lost.png").symlink_to(tmp_path / "nowhere")
    items = collect(root)
    found = {name: identity for identity, name, where, _ in items if not isinstance(where, PictureError)}
    assert found == {
        "anna/1.png": "anna", "bob/2.png": "bob", "bob/deep/3.png": "bob", "jos\\xe9.png": "jos\\xe9",
        "lost.png": "lost",
    }  # fmt: skip
    reasons = {name: str(where) for _, name, where, _ in items if isinstance(where, PictureError)}
    assert set(reasons) == {"bob again", "also anna", "up", "self", "bob/back"}
    assert all("is read already" in reason or "a folder that contains it" in reason for reason in reasons.values())


def test_a_folder_for_one_identity(tmp_path):
    folder(tmp_path, "a/1.png", "a/b/2.png", "c.png")
    items = collect({"anna": tmp_path / "a", 3: [tmp_path / "c.png"]})
    assert [(identity, name) for identity, name, *_ in items] == [("anna", "1.png"), ("anna", "2.png"), (3, "c.png")]


def test_names_in_all_output(tmp_path, monkeypatch):
    """A name that is not UTF-8 reaches tables and files as text."""
    root = folder(tmp_path / LATIN, f"{LATIN}/{LATIN}_0001.png", f"{LATIN}\n2/{LATIN}\n2_0001.png")
    images = fr.read_lfw(root)
    images.table.to_csv(tmp_path / "out.csv", index=False)
    assert pd.read_csv(tmp_path / "out.csv").identity.tolist() == ["jos\\xe9", "jos\\xe9\\n2"]
    images.table.to_json()
    monkeypatch.chdir(root)
    monkeypatch.setattr(photograph, "find_faces", lambda pixels: [])
    with pytest.raises(ValueError, match="none of 2 photographs shows a usable face") as caught:
        fr.Photographs(os.curdir, progress=False)
    str(caught.value).encode("utf-8")
    fr.save_results(tmp_path / f"{LATIN}.zarr", pictures=images.table)
    assert fr.load_results(tmp_path / f"{LATIN}.zarr")["pictures"].file.tolist() == images.table.file.tolist()
