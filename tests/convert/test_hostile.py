"""Files and names that come from anywhere: read for what they are, or refused with a reason."""

import contextlib
import csv
import dataclasses
import io
import json
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_dtl.convert import ArtifactError, convert_folder, load_artifact
from keras_dtl.convert import journal as journal_module
from keras_dtl.convert.engines import run as run_module
from keras_dtl.convert.image_files.small_png import read_small_png
from keras_dtl.convert.runtimes.graph_file import GraphError, refuse_external_data
from keras_dtl.convert.watch import watch_folder
from keras_dtl.files import open_regular, read_regular, sha256
from keras_dtl.images import ImageError, read_image, write_image
from keras_dtl.manifest import ManifestError, read_manifest, write_manifest
from tests.convert.conftest import colour, write_classifier, write_negative
from tests.convert.image_files.test_small_png import png


def externalize(folder, place):
    """Let the weights of an artifact lie in another file, and the manifest vouch for the graph."""
    path = folder / "1" / "model.onnx"
    model = onnx.load(path)
    (tensor,) = model.graph.initializer
    data = onnx.numpy_helper.to_array(tensor).tobytes()
    onnx.external_data_helper.set_external_data(_raw(tensor, data), place, 0, len(data))
    tensor.ClearField("raw_data")
    path.write_bytes(model.SerializeToString())
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["1/model.onnx"] = sha256(path)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return data


def _raw(tensor, data):
    tensor.ClearField("int32_data")
    tensor.raw_data = data
    return tensor


@pytest.mark.parametrize("place", ["weights.bin", "../../outside.bin", "/etc/hostname"])
def test_weights_in_other_files_are_refused_before_a_runtime_sees_them(
    tmp_path, monkeypatch, place
):
    folder = write_negative(tmp_path / "negative")
    data = externalize(folder, place)
    (folder / "1" / "weights.bin").write_bytes(data)
    (tmp_path / "outside.bin").write_bytes(data)
    monkeypatch.setattr("keras_dtl.convert.artifact.open_session", lambda *a: pytest.fail("opened"))
    with pytest.raises(ArtifactError, match="lie in other files"):
        load_artifact(folder, device="cpu")


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_changed_graph_is_read_or_refused(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "graph.onnx"
    if not path.exists():
        folder = write_classifier(tmp_path_factory.mktemp("graph") / "colours", (8, 8))
        path.write_bytes((folder / "1" / "model.onnx").read_bytes())
    graph = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        graph[data.draw(st.integers(0, len(graph) - 1))] = data.draw(st.integers(0, 255))
    changed = path.with_name("changed.onnx")
    changed.write_bytes(graph[: data.draw(st.integers(0, len(graph)))])
    with open_regular(changed) as file, contextlib.suppress(GraphError):
        refuse_external_data(file)


def test_pipes_and_devices_are_no_files(negative, tmp_path):
    photos = tmp_path / "photos"
    write_image(photos / "a.png", colour("red"))
    os.mkfifo(tmp_path / "pipe")
    (photos / "b.png").symlink_to(tmp_path / "pipe")
    (photos / "c.png").symlink_to("/dev/zero")
    report = convert_folder(negative, photos, tmp_path / "out")
    assert report.converted == 1
    assert [failure.path.name for failure in report.failed] == ["b.png", "c.png"]
    assert all("regular file" in failure.reason for failure in report.failed)
    for path in (tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(OSError, match="regular file"):
            read_regular(path)
        with pytest.raises(ImageError, match="regular file"):
            read_image(path)


@pytest.mark.parametrize("name", ["manifest.json", "1/model.onnx"])
def test_an_artifact_of_pipes_is_refused_and_not_waited_for(tmp_path, name):
    folder = write_negative(tmp_path / "negative")
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(ManifestError, match="cannot be read"):
        load_artifact(folder, device="cpu")


def test_a_file_that_says_it_is_empty_is_read_to_the_limit():
    with pytest.raises(OSError, match="more than 10"):
        read_regular("/proc/self/status", limit=10)
    assert b"Name:" in read_regular("/proc/self/status")


@pytest.mark.parametrize("task", ["classification", "multi_label_classification", "regression"])
def test_tables_command_no_terminal_and_compute_nothing(tmp_path, task):
    names = ("=1+1.png", "+a.png", "-a.png", "@a.png", "a\x1b[31m\x9b.png", "plain.png")
    for name in names:
        write_image(tmp_path / "photos" / name, colour("red"))
    folder = write_classifier(tmp_path / "colours", (8, 8))
    manifest = read_manifest(folder)
    classes = ("=red", "green\x1b[2J", "blue")
    write_manifest(folder, dataclasses.replace(manifest, task=task, classes=classes))
    classifier = load_artifact(folder, device="cpu")
    convert_folder(classifier, tmp_path / "photos", tmp_path / "csv")
    text = (tmp_path / "csv" / "predictions.csv").read_text()
    rows = [row["file"] for row in csv.DictReader(io.StringIO(text))]
    wanted = ["'+a.png", "'-a.png", "'=1+1.png", "'@a.png", r"a\x1b[31m\x9b.png", "plain.png"]
    assert rows == wanted and "\x1b" not in text
    assert not any(cell.startswith("=") for row in csv.reader(io.StringIO(text)) for cell in row)
    convert_folder(classifier, tmp_path / "photos", tmp_path / "jsonl", format="jsonl")
    text = (tmp_path / "jsonl" / "predictions.jsonl").read_text()
    assert not {"\x1b", "\x9b"} & set(text)
    assert sorted(json.loads(line)["file"] for line in text.splitlines()) == sorted(names)


def test_a_manifests_name_commands_no_terminal(tmp_path, capsys):
    from keras_dtl.cli.__main__ import main

    folder = write_negative(tmp_path / "negative", name="a\x1b[2Jb")
    write_image(tmp_path / "photos" / "a.png", colour("red"))
    words = [str(folder), str(tmp_path / "photos"), str(tmp_path / "out"), "--device", "cpu"]
    assert main(["convert", *words]) == 0
    assert main(["convert", str(tmp_path / "no\x1b[2J"), *words[1:]]) == 2
    told = capsys.readouterr()
    assert "\x1b[2J" not in told.out + told.err
    assert r"a\x1b[2Jb" in told.out


def test_a_link_above_the_output_is_no_obstacle_to_the_second_run(negative, tmp_path):
    write_image(tmp_path / "photos" / "a.png", colour("red"))
    (tmp_path / "photos" / "above").symlink_to(tmp_path)
    write_image(tmp_path / "other.png", colour("blue"))
    first = convert_folder(negative, tmp_path / "photos", tmp_path / "out")
    again = convert_folder(negative, tmp_path / "photos", tmp_path / "out")
    assert first.exit_status == again.exit_status == 0
    assert (again.converted, again.skipped) == (0, first.converted)


@pytest.mark.parametrize("place", ["loop", "loop/below"])
def test_an_output_that_is_a_loop_of_links_is_an_error_of_the_system(negative, tmp_path, place):
    """It was told as a defect of this package, with a traceback, before Python 3.13."""
    write_image(tmp_path / "photos" / "a.png", colour("red"))
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(OSError, match="loop"):
        convert_folder(negative, tmp_path / "photos", tmp_path / place)


def test_a_watch_reads_what_has_not_changed_no_second_time(negative, tmp_path, monkeypatch):
    read, reports = [], []
    for module, name in ((run_module, "read_file"), (journal_module, "read_regular")):
        function = getattr(module, name)
        note = lambda path, *rest, f=function: (read.append(Path(path).name), f(path, *rest))[1]  # noqa: E731
        monkeypatch.setattr(module, name, note)
    for name in "abc":
        write_image(tmp_path / "photos" / f"{name}.png", colour("red"))

    def report(found):
        reports.append((found.converted, found.skipped))
        if len(reports) < 3:
            write_image(tmp_path / "photos" / f"new {len(reports)}.png", colour("blue"))
        if len(reports) == 2:
            read.clear()
        return len(reports) == 3

    watch_folder(negative, tmp_path / "photos", tmp_path / "out", interval=0.01, on_report=report)
    assert reports == [(3, 0), (1, 3), (1, 4)]
    # The outputs of the look before are read once, to be known from then on.
    assert sorted(read) == ["new 1.png", "new 2.png"]


def chunks(data):
    """Return the chunks of a PNG file, as pairs of a kind and content."""
    place, found = 8, []
    while place < len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        found.append((kind, data[place + 8 : place + 8 + length]))
        place += 12 + length
    return found


def joined(parts):
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + body


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_the_short_way_takes_nothing_that_pillow_refuses(data):
    """Chunks that are exchanged, doubled, emptied, cut or changed, under right checksums."""
    parts = chunks(png("RGB", (9, 5)))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(parts) - 1))
        kind, content = parts[place]
        match data.draw(st.sampled_from(["cut", "double", "drop", "change", "move", "more"])):
            case "cut":
                parts[place] = kind, content[: data.draw(st.integers(0, len(content)))]
            case "double":
                parts.insert(place, parts[place])
            case "drop" if len(parts) > 1:
                del parts[place]
            case "change" if content:
                at = data.draw(st.integers(0, len(content) - 1))
                value = bytes([data.draw(st.integers(0, 255))])
                parts[place] = kind, content[:at] + value + content[at + 1 :]
            case "move":
                parts.append(parts.pop(place))
            case "more":
                parts[place] = kind, content + data.draw(st.binary(max_size=9))
    file = joined(parts)
    found = read_small_png(file, 3)
    if found is not None:
        np.testing.assert_array_equal(found, read_image(file, 3))
