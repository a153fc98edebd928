"""Folders of BVH files, with artifacts that need no training."""

import dataclasses

import numpy as np
import pytest
from onnx import helper

from keras_dtl.bvh import format_bvh, read_bvh, write_bvh
from keras_dtl.convert import ConversionError, convert_folder, load_artifact
from keras_dtl.data.walker import walk, walker_skeleton
from keras_dtl.manifest import Tensor
from keras_dtl.motion import read_motion, to_bvh
from tests.convert.conftest import write_artifact

SKELETON = walker_skeleton()
SHAPE = (None, None, SKELETON.num_features)
SETTINGS = {"skeleton": SKELETON.to_json(), "rate": 30.0}


def artifact(folder, node="Identity", inputs=("motion",), settings=SETTINGS):
    """Write a model of one node: it gives back its first input, or its opposite."""
    write_artifact(
        folder,
        [helper.make_node(node, [inputs[0]], ["transferred"])],
        (Tensor("transferred", "float32", SHAPE),),
        "motion_style",
        inputs=tuple(Tensor(name, "float32", SHAPE) for name in inputs),
        settings=settings,
    )
    return load_artifact(folder, device="cpu")


@pytest.fixture(scope="module")
def same(tmp_path_factory):
    return artifact(tmp_path_factory.mktemp("artifacts") / "same")


def clip(path, rate=30.0, frames=40, frequency=1.0):
    positions = walk(frequency, 0.4, 0.1, 0.2, frames=frames) + np.array([50.0, 0, -20])
    write_bvh(path, to_bvh(positions, SKELETON, rate))
    return positions


def test_a_tree_comes_back_as_it_was(same, tmp_path):
    expected = clip(tmp_path / "in" / "sub" / "a.bvh")
    clip(tmp_path / "in" / "b.BVH", rate=60.0, frames=61)
    report = convert_folder(same, tmp_path / "in", tmp_path / "out")
    assert (report.converted, report.failed, report.exit_status) == (2, (), 0)
    found, skeleton, rate = read_motion(read_bvh(tmp_path / "out" / "sub" / "a.bvh"), SKELETON)
    np.testing.assert_allclose(found, expected, atol=0.01)
    np.testing.assert_allclose(skeleton.lengths, SKELETON.lengths, rtol=1e-6)
    other = read_bvh(tmp_path / "out" / "b.bvh")
    assert len(other.values) == 31 and other.frames_per_second == pytest.approx(30)
    again = convert_folder(same, tmp_path / "in", tmp_path / "out")
    assert (again.converted, again.skipped) == (0, 2)
    clip(tmp_path / "in" / "sub" / "a.bvh", frames=50)
    assert convert_folder(same, tmp_path / "in", tmp_path / "out").converted == 1


def broken_files(folder):
    """Write one good file, and one of each kind that no model can take."""
    clip(folder / "good.bvh")
    text = (folder / "good.bvh").read_text()
    lines = text.splitlines(keepends=True)
    bvh = read_bvh(folder / "good.bvh")

    def joints(index, **changes):
        changed = [dataclasses.replace(j, **changes) if i == index else j
                   for i, j in enumerate(bvh.joints)]  # fmt: skip
        return format_bvh(dataclasses.replace(bvh, joints=tuple(changed)))

    broken = {
        "cut.bvh": (text[: len(text) // 2], "cut"),
        "missing_frames.bvh": ("".join(lines[:-3]), "40 frames are announced, 37 are there"),
        "nan.bvh": ("".join(lines[:-1]) + "nan " + lines[-1].split(" ", 1)[1], "Hips Xposition"),
        "other_skeleton.bvh": (joints(0, name="Pelvis"), "missing Hips; unknown Pelvis"),
        "no_length.bvh": (joints(1, offset=(0.0, 0.0, 0.0)), "no length"),
        "slow.bvh": (text.replace(f"Frame Time: {1 / 30!r}", "Frame Time: 0.2"), "at least 15"),
        "one_frame.bvh": ("".join(lines[:-39]).replace("Frames: 40", "Frames: 1"), "2 frames"),
        "picture.bvh": ("\x89PNG", "expected 'HIERARCHY'"),
        "empty.bvh": ("", "the file ends"),
    }
    for name, (content, _) in broken.items():
        (folder / name).write_text(content)
    (folder / "binary.bvh").write_bytes(b"\xff\xfe\x00")
    return {name: reason for name, (_, reason) in broken.items()} | {"binary.bvh": "no text"}


def test_bad_files_are_named_and_the_rest_goes_on(same, tmp_path):
    reasons = broken_files(tmp_path / "in")
    report = convert_folder(same, tmp_path / "in", tmp_path / "out")
    assert report.converted == 1 and report.exit_status == 1
    found = {failure.path.name: failure.reason for failure in report.failed}
    assert set(found) == set(reasons)
    for name, reason in reasons.items():
        assert reason in found[name], (name, found[name])
    assert [path.name for path in (tmp_path / "out").glob("*.bvh")] == ["good.bvh"]


def test_the_style_is_a_clip_and_must_be_good(tmp_path):
    model = artifact(tmp_path / "two", inputs=("content", "style"))
    clip(tmp_path / "in" / "a.bvh")
    clip(tmp_path / "style.bvh", frames=30)
    run = {"artifact": model, "source": tmp_path / "in", "destination": tmp_path / "out"}
    for style, message in ((None, "--style FILE"), ("nowhere.bvh", "style cannot be read")):
        with pytest.raises(ConversionError, match=message):
            convert_folder(**run, style=style)
    (tmp_path / "bad.bvh").write_text("HIERARCHY")
    with pytest.raises(ConversionError, match="style cannot be read"):
        convert_folder(**run, style=str(tmp_path / "bad.bvh"))
    assert not (tmp_path / "out").exists()
    assert convert_folder(**run, style=str(tmp_path / "style.bvh")).converted == 1
    clip(tmp_path / "style.bvh", frames=32)  # another style: made again
    assert convert_folder(**run, style=str(tmp_path / "style.bvh")).converted == 1


def test_what_cannot_begin(same, tmp_path):
    clip(tmp_path / "in" / "a.bvh")
    for destination, message in (("in/out", "lies in it"), ("in", "lies in it")):
        with pytest.raises(ConversionError, match=message):
            convert_folder(same, tmp_path / "in", tmp_path / destination)
    with pytest.raises(ConversionError, match="has its style"):
        convert_folder(same, tmp_path / "in", tmp_path / "out", style="a.bvh")
    (tmp_path / "none").mkdir()
    with pytest.raises(ConversionError, match="no .bvh files"):
        convert_folder(same, tmp_path / "none", tmp_path / "out")
    with pytest.raises(FileNotFoundError):
        convert_folder(same, tmp_path / "nowhere", tmp_path / "out")
    nameless = artifact(tmp_path / "nameless", settings={})
    with pytest.raises(ConversionError, match="does not tell its skeleton"):
        convert_folder(nameless, tmp_path / "in", tmp_path / "out")


def test_files_of_others_stay_and_dry_runs_write_nothing(same, tmp_path):
    clip(tmp_path / "in" / "a.bvh")
    clip(tmp_path / "in" / "b.bvh")
    planned = convert_folder(same, tmp_path / "in", tmp_path / "out", dry_run=True).planned
    assert [path.name for path in planned] == ["a.bvh", "b.bvh"]
    assert not (tmp_path / "out").exists()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.bvh").write_text("mine")
    report = convert_folder(same, tmp_path / "in", tmp_path / "out", limit=1)
    assert "is not what a conversion wrote" in report.failed[0].reason
    assert (tmp_path / "out" / "a.bvh").read_text() == "mine"
    assert convert_folder(same, tmp_path / "in", tmp_path / "out", overwrite=True).converted == 2


def test_motion_that_is_none_is_not_written(tmp_path):
    model = artifact(tmp_path / "bad", node="Sqrt")  # NaN of what is below 0
    clip(tmp_path / "in" / "a.bvh")
    report = convert_folder(model, tmp_path / "in", tmp_path / "out")
    assert "not finite" in report.failed[0].reason and report.exit_status == 2
    assert not (tmp_path / "out" / "a.bvh").exists()
