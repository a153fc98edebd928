"""An output that cannot be a folder is one line that names it, before any work begins."""

import types

import pytest

from keras_dtl.cli import stylize
from keras_dtl.cli.__main__ import main
from keras_dtl.export import export_model
from keras_dtl.files import write_json, write_text
from keras_dtl.images import write_image
from keras_dtl.recipes import RECIPES
from keras_dtl.recipes.domain_adaptation import DomainAdaptationRecipe
from keras_dtl.recipes.shot import SHOTRecipe
from keras_dtl.recipes.training import train, train_and_publish
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


ARTIFACTS = {
    "train": ["train", "dann", *DOMAINS, "--artifact", "{}"],
    "train, as it is by default": ["train", "dann", *DOMAINS],
    "train, resumed": ["train", "--resume", "run", "--artifact", "{}"],
    "adapt": ["adapt", "run", "--target", "digits_m", "--artifact", "{}"],
    "search": ["search", *DOMAINS, "--artifact", "{}"],
    "demo": ["demo", "--artifact", "{}"],
    "export": ["export", "run", "--output", "{}"],
}


@pytest.fixture
def run(folder, monkeypatch):
    """The records of a run whose data is never loaded, and a folder that is no artifact."""
    monkeypatch.setattr(DomainAdaptationRecipe, "load_data", lambda self: pytest.fail("it began"))
    monkeypatch.setattr(SHOTRecipe, "load_data", lambda self: pytest.fail("it began"))
    (folder / "run").mkdir()
    write_json(folder / "run/settings.json", {"recipe": "source-only", "source": "digits"})
    write_json(folder / "run/scores.json", {"target": {"accuracy": 0.5}})
    for name in ("exported/dann", "letters"):
        write_text(folder / name / "letter.txt", "kept")
    return folder


@pytest.mark.parametrize("words", ARTIFACTS.values(), ids=ARTIFACTS)
def test_a_folder_that_is_no_artifact_is_refused_before_the_work(run, capsys, words):
    """It was after the whole training."""
    place = "letters" if "{}" in words else "exported/dann"
    before = sorted(run.rglob("*"))
    assert main([word.format(place) for word in words]) == 2
    told = capsys.readouterr().err.splitlines()
    (line,) = [line for line in told if line.startswith("error: ")]
    assert f"Received: {place}, which holds something else and is not replaced. Name" in line
    assert sorted(run.rglob("*")) == before


@pytest.mark.parametrize(
    "words",
    [
        ["train", "dann", *DOMAINS, "--output", "a/run", "--artifact", "a"],
        ["train", "dann", *DOMAINS, "--output", "a", "--artifact", "a"],
        ["adapt", "run", "--target", "digits_m", "--output", "a/b/run", "--artifact", "a"],
        ["search", *DOMAINS, "--output", "a", "--artifact", "a"],
        ["demo", "--output", "a/b", "--artifact", "a"],
        ["export", "run", "--output", "."],
    ],
)
def test_an_artifact_that_would_take_the_place_of_its_run_is_refused(run, capsys, words):
    """It was refused after the training; above a run, where an artifact was, the run was lost."""
    assert main(words) == 2
    told = capsys.readouterr().err
    assert f"must not lie in it. Received: {words[-1]}, and the run" in told


def test_where_a_file_system_begins_no_artifact_is_published(run, capsys, monkeypatch):
    (run / "volume").mkdir()
    monkeypatch.setattr("os.path.ismount", lambda path: path == run / "volume")
    assert main(["train", "dann", *DOMAINS, "--artifact", "volume"]) == 2
    assert "volume, where a file system begins, cannot be. Name" in capsys.readouterr().err


@pytest.mark.parametrize(("flag", "status"), [(0, "has no right"), (1, "Make it writable")])
def test_a_place_that_nobody_may_write_to_is_told_before_the_work(
    run, capsys, monkeypatch, flag, status
):
    monkeypatch.setattr("os.access", lambda path, mode: path.name != "exported")
    monkeypatch.setattr("os.ST_RDONLY", 1)
    monkeypatch.setattr("os.statvfs", lambda path: types.SimpleNamespace(f_flag=flag))
    assert main(["train", "dann", *DOMAINS, "--artifact", "exported/new"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "'exported'" in line and status in line


def test_a_run_that_is_only_read_needs_no_right_to_write(run, capsys, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: path.name != "run")
    assert main(["export", "run"]) == 2
    assert "there is no model.keras" in capsys.readouterr().err


def test_what_is_not_published_needs_no_place(run, monkeypatch):
    """Candidates of a search that lose, and the first stage of ADDA."""
    write_text(run / "exported" / "source-only", "a file")
    monkeypatch.setattr("keras_dtl.recipes.training.train_alone", lambda *arguments: "trained")
    recipe = RECIPES["source-only"]()
    assert train(recipe) == "trained"
    with pytest.raises(NotADirectoryError, match="--artifact must be a folder"):
        train_and_publish(recipe)


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


@pytest.mark.parametrize(
    "words", ["photos/a.png b.png photos/../photos/a.png", "photos/a.png b.png b.png"]
)
def test_an_image_to_work_from_is_not_replaced(folder, capsys, words):
    assert main(["stylize", *words.split(), "--overwrite", *PHOTOS]) == 2
    assert "Name another output" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["photos/a.png", "photos/a.png", "folder.png", "--overwrite"],
        ["photos", "photos/a.png", "out"],
        ["photos/a.png", "photos/a.png", "b.png", "--save-weights", "folder.png"],
    ],
)
def test_a_file_is_not_written_onto_a_folder(folder, capsys, words):
    (folder / "folder.png").mkdir()
    (folder / "out/a.png").mkdir(parents=True)
    assert main(["stylize", *words, *PHOTOS]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "folder.png is a folder" in line or "out/a.png is a folder" in line


def test_an_artifact_below_a_file_is_refused(folder):
    with pytest.raises(NotADirectoryError, match="Received: file/artifact, of which file"):
        export_model(features(), "file/artifact", task="features")
    with pytest.raises(NotADirectoryError, match="nowhere, which is a link that leads nowhere"):
        export_model(features(), "nowhere", task="features")


@pytest.mark.parametrize(("content", "output"), [("photos", "out"), ("photos/a.png", "b.png")])
def test_a_second_style_transfer_into_one_place_is_refused(folder, capsys, content, output):
    """Both went on from one state, and each removed that of the other."""
    with turn(output, "style transfer"):
        assert main(["stylize", content, "photos/a.png", output, *PHOTOS]) == 2
    assert "Another style transfer is writing to" in capsys.readouterr().err
    assert not (folder / output).exists()


def test_one_image_of_a_folder_that_another_style_transfer_writes_is_told(
    folder, capsys, monkeypatch
):
    """One into the folder and one into a file of it wrote the same file, and the same state."""
    monkeypatch.setattr("keras_dtl.cli.session.start_session", lambda seed: "")
    monkeypatch.setattr(stylize, "build_model", lambda arguments: None)
    write_image(folder / "photos" / "b.png", colour("red"))
    done = []
    monkeypatch.setattr(stylize, "stylize_file", lambda a, model, content, *_: done.append(content))
    with turn("out/a.png", "style transfer"):
        assert main(["stylize", "photos", "photos/a.png", "out", *PHOTOS]) == 1
    assert "failed: photos/a.png: Another style transfer is writing to" in capsys.readouterr().err
    assert [path.name for path in done] == ["b.png"]
