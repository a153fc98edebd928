"""Two exports at once into one artifact: one after the other, and their versions count up."""

import threading

import pytest

import keras_dtl.export.artifact as artifact_module
from keras_dtl import turns
from keras_dtl.export import export_model
from keras_dtl.manifest import read_manifest
from tests.export.conftest import CLASSES, make_classifier


def export(folder):
    return export_model(make_classifier(), folder, task="classification", classes=CLASSES)


def test_the_second_export_waits_and_counts_on(no_files, tmp_path, monkeypatch):
    """It died of a FileExistsError, and its number was that of the first."""
    begun, waiting = threading.Event(), threading.Event()
    write, found = artifact_module.write_formats, []

    def write_slowly(draft, formats):
        begun.set()
        assert found or waiting.wait(20), "the second export did not wait"
        (draft.folder / f"{draft.manifest.version}").mkdir(parents=True)
        write(draft, formats)

    def pause(seconds):
        waiting.set()
        threading.Event().wait(seconds)

    monkeypatch.setattr(artifact_module, "write_formats", write_slowly)
    monkeypatch.setattr(turns.time, "sleep", pause)
    first = threading.Thread(target=lambda: found.append(export(tmp_path / "a")))
    first.start()
    assert begun.wait(20)
    second = export(tmp_path / "a")
    first.join()
    assert (found[0].version, second.version) == (1, 2)
    assert read_manifest(tmp_path / "a").version == 2
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["1", "2", "manifest.json"]
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_without_locks_a_version_that_came_between_is_not_replaced(no_files, tmp_path, monkeypatch):
    monkeypatch.setattr(turns, "_locked", lambda *arguments: None)
    write = artifact_module.write_formats

    def write_late(draft, formats):
        monkeypatch.setattr(artifact_module, "write_formats", write)
        (tmp_path / "a" / "1").mkdir(parents=True)
        (tmp_path / "a" / "1" / "model.onnx").write_bytes(b"theirs")
        write(draft, formats)

    monkeypatch.setattr(artifact_module, "write_formats", write_late)
    with pytest.raises(FileExistsError, match="Another export has published into"):
        export(tmp_path / "a")
    assert (tmp_path / "a" / "1" / "model.onnx").read_bytes() == b"theirs"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_link_stays_one_and_its_folder_becomes_the_artifact(no_files, tmp_path):
    """The link became a folder, on its own disk, and left a hidden one beside it."""
    (tmp_path / "disk" / "b").mkdir(parents=True)
    (tmp_path / "a").symlink_to("disk/b")
    for _ in range(2):
        assert export(tmp_path / "a") == read_manifest(tmp_path / "disk" / "b")
        assert (tmp_path / "a").is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "disk"]
    assert [path.name for path in (tmp_path / "disk").iterdir()] == ["b"]
