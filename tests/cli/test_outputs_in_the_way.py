"""An output that cannot be a folder is one line that names it, before any work begins."""

import pytest

from keras_dtl.cli.__main__ import main
from keras_dtl.export import export_model
from keras_dtl.images import write_image
from keras_dtl.turns import turn
from tests.convert.conftest import colour, write_classifier, write_negative
from tests.networks import features

PHOTOS = ["--size", "16", "--iterations", "2"]
DOMAINS = ["--source", "digits", "--target", "digits_m"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Photos, a style, artifacts, a file, and a link that leads nowhere."""
    monkeypatch.chdir(tmp_path)
    write_image(tmp_path / "photos" / "a.png", colour("red"))
    write_classifier(tmp_path / "classifier", (8, 8))
    write_negative(tmp_path / "negative")
    (tmp_path / "file").write_text("kept")
    (tmp_path / "nowhere").symlink_to("there/is/none")
    return tmp_path


WORDS = {
    "convert a folder": ["convert", "negative", "photos", "{}"],
    "convert to a table": ["convert", "classifier", "photos", "{}"],
    "convert one file": ["convert", "classifier", "photos/a.png", "{}"],
    "stylize": ["stylize", "photos", "photos/a.png", "{}", *PHOTOS],
    "train": ["train", "dann", *DOMAINS, "--output", "{}"],
    "train, the artifact": ["train", "dann", *DOMAINS, "--artifact", "{}"],
    "adapt": ["adapt", "run", "--target", "digits_m", "--output", "{}"],
    "search": ["search", *DOMAINS, "--output", "{}"],
    "search, the artifact": ["search", *DOMAINS, "--artifact", "{}"],
    "study": ["study", "layer-transfer", "--output", "{}"],
    "evaluate": ["evaluate", "run", "--output", "{}"],
    "demo": ["demo", "--output", "{}"],
    "demo, the artifact": ["demo", "--artifact", "{}"],
}


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("file", "which is a file"),
        ("file/a/b", "of which file is a file"),
        ("nowhere", "which is a link that leads nowhere"),
    ],
)
def test_an_output_that_cannot_be_a_folder_is_named(folder, capsys, words, output, reason):
    (folder / "run").mkdir()
    (folder / "run/settings.json").write_text('{"recipe": "source-only", "source": "digits"}')
    before = sorted(folder.rglob("*"))
    assert main([word.format(output) for word in words]) == 2
    told = capsys.readouterr().err.splitlines()
    (line,) = [line for line in told if line.startswith("error: ")]
    assert f"must be a folder. Received: {output}, {reason}. Name another" in line
    assert sorted(folder.rglob("*")) == before
    assert (folder / "file").read_text() == "kept"


@pytest.mark.parametrize(
    "words",
    [
        ["convert", "negative", "photos/a.png", "file/b.png"],
        ["stylize", "photos/a.png", "photos/a.png", "file/b.png", *PHOTOS],
        ["stylize", "photos/a.png", "photos/a.png", "b.png", "--save-weights", "file/w.npz"],
    ],
)
def test_one_file_below_a_file_is_named_too(folder, capsys, words):
    assert main(words) == 2
    (line,) = capsys.readouterr().err.splitlines()[-1:]
    assert "is written to must be a folder. Received: file, which is a file." in line


def test_an_image_is_not_written_onto_a_folder(folder, capsys):
    words = ["stylize", "photos/a.png", "photos/a.png", "folder.png", "--overwrite", *PHOTOS]
    (folder / "folder.png").mkdir()
    assert main(words) == 2
    assert "folder.png is a folder" in capsys.readouterr().err


def test_an_artifact_below_a_file_is_refused(folder):
    with pytest.raises(NotADirectoryError, match="must be a folder. Received: file, which"):
        export_model(features(), "file/artifact", task="features")


@pytest.mark.parametrize(("content", "output"), [("photos", "out"), ("photos/a.png", "b.png")])
def test_a_second_style_transfer_into_one_place_is_refused(folder, capsys, content, output):
    """Both went on from one state, and each removed that of the other."""
    with turn(output, "style transfer"):
        assert main(["stylize", content, "photos/a.png", output, *PHOTOS]) == 2
    assert "Another style transfer is writing to" in capsys.readouterr().err
    assert not (folder / output).exists()
