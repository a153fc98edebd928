"""Folders of BVH files, with artifacts that need no training."""

import dataclasses
import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest
from onnx import helper

from keras_dtl.cli.__main__ import main
from keras_dtl.convert import ConversionError, Options, convert_folder, load_artifact
from keras_dtl.convert import watch as watching
from keras_dtl.convert.engines.ray_cluster import ClusterWorker, contents_of
from keras_dtl.convert.engines.worker import setup_of
from keras_dtl.convert.journal import Journal
from keras_dtl.convert.tasks.motion import MotionStyle
from keras_dtl.convert.tasks.stick_figures import stick_figures
from keras_dtl.data.walker import walk, walker_skeleton
from keras_dtl.manifest import Tensor
from keras_dtl.motion import (
    body_of,
    format_bvh,
    parse_bvh,
    read_bvh,
    read_motion,
    to_bvh,
    write_bvh,
)
from tests.convert.conftest import write_artifact
from tests.walking import t_pose, walking, with_first_frames, with_z_up

SKELETON = walker_skeleton()
SHAPE = (None, None, SKELETON.num_features)
SETTINGS = {"skeleton": SKELETON.to_json(), "rate": 30.0}


def artifact(folder, node="Identity", inputs=("motion",), settings=SETTINGS, numbers=SHAPE[-1]):
    """Write a model of one node: it gives back its first input, or its opposite."""
    shape = (None, None, numbers)
    write_artifact(
        folder,
        [helper.make_node(node, [inputs[0]], ["transferred"])],
        (Tensor("transferred", "float32", shape),),
        "motion_style",
        inputs=tuple(Tensor(name, "float32", shape) for name in inputs),
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
    assert len(other.values) == 61 and other.frames_per_second == pytest.approx(60)
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
        "other_skeleton.bvh": (joints(0, name="Tail"), "missing Hips; unknown Tail"),
        "no_length.bvh": (joints(3, offset=(0.0, 0.0, 0.0)), "missing Head"),
        "slow.bvh": (text.replace(f"Frame Time: {1 / 30!r}", "Frame Time: 0.2"), "at least 15"),
        "one_frame.bvh": ("".join(lines[:-39]).replace("Frames: 40", "Frames: 1"), "2 frames"),
        "picture.bvh": ("\x89PNG", "expected 'HIERARCHY'"),
        "empty.bvh": ("", "the file ends"),
        "huge.bvh": (text.replace(lines[-1].split()[5], "1e300"), "is 1e+300"),
        "tiny_time.bvh": (text.replace(f"{1 / 30!r}", "1e-300"), "Frame Time must be"),
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


CHARACTERS = {
    "plain": walking(),
    "fast": walking(frames=121, rate=60.0, turned=90),
    "small": walking(scale=0.01),
    "z_up": with_z_up(walking(turned=-40)),
    "named": walking(rename="mixamorig:{}".format),
    "begun": with_first_frames(walking(), t_pose(walking()), 3),
}


@pytest.fixture(scope="module")
def walker_of_tests(tmp_path_factory):
    """Return an artifact of the character that the others are like."""
    skeleton = body_of(walking()).skeleton
    settings = {"skeleton": skeleton.to_json(), "rate": 30.0}
    folder = tmp_path_factory.mktemp("characters") / "same"
    return artifact(folder, settings=settings, numbers=skeleton.num_features)


def test_each_character_comes_out_as_it_came_in(walker_of_tests, tmp_path, caplog):
    for name, bvh in CHARACTERS.items():
        write_bvh(tmp_path / "in" / f"{name}.bvh", bvh)
    report = convert_folder(walker_of_tests, tmp_path / "in", tmp_path / "out")
    assert (report.converted, report.failed) == (len(CHARACTERS), ())
    for name, bvh in CHARACTERS.items():
        found = read_bvh(tmp_path / "out" / f"{name}.bvh")
        assert (found.joints, found.frame_time) == (bvh.joints, bvh.frame_time), name
        np.testing.assert_allclose(found.values, bvh.values, atol=0.02, err_msg=name)
    task = MotionStyle(walker_of_tests, tmp_path, Options())
    for name in ("small", "z_up"):
        picture = np.asarray(task.picture(tmp_path / "out" / f"{name}.bvh").convert("L"))
        assert (picture < 128).any(1).sum() > 160, name  # of 180 rows: they stand
    assert "begun.bvh: the pose at its begin, 3 frames long, stays" in caplog.text
    assert caplog.text.count("pose at its begin") == 1
    cut = convert_folder(walker_of_tests, tmp_path / "in", tmp_path / "cut", lead_in="cut")
    assert cut.converted == len(CHARACTERS)
    begun = (tmp_path / "cut" / "begun.bvh").read_text()
    assert begun == (tmp_path / "out" / "plain.bvh").read_text()


def test_frames_of_a_known_pose_are_cut_or_stay(walker_of_tests, tmp_path):
    bvh = walking()
    write_bvh(tmp_path / "in" / "a.bvh", bvh)
    for lead_in, frames in (("keep", len(bvh.values)), ("cut", len(bvh.values) - 7)):
        out = tmp_path / lead_in
        options = {"lead_in": lead_in, "lead_in_frames": 7}
        assert convert_folder(walker_of_tests, tmp_path / "in", out, **options).converted == 1
        found = read_bvh(out / "a.bvh").values
        assert len(found) == frames
        np.testing.assert_allclose(found, bvh.values[-frames:], atol=0.02)
    again = convert_folder(walker_of_tests, tmp_path / "in", out, lead_in="cut", lead_in_frames=8)
    assert (again.converted, again.skipped) == (1, 0)


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


@pytest.fixture
def clips(tmp_path):
    """Three motions in a tree, one of them cut."""
    clip(tmp_path / "in" / "a.bvh")
    clip(tmp_path / "in" / "sub" / "b.BVH", frames=50)
    text = (tmp_path / "in" / "a.bvh").read_text()
    (tmp_path / "in" / "cut.bvh").write_text(text[: len(text) // 2])
    (tmp_path / "in" / "photo.png").write_text("of another task")
    return tmp_path / "in"


def test_processes_write_what_threads_write(clips, tmp_path):
    model = artifact(tmp_path / "two", inputs=("content", "style"))
    clip(tmp_path / "style.bvh", frames=30)
    style, results = str(tmp_path / "style.bvh"), []
    for engine in ("threads", "processes"):
        out = tmp_path / engine
        report = convert_folder(model, clips, out, style=style, engine=engine, workers=1)
        assert (report.converted, report.exit_status) == (2, 1)
        results.append([(out / name).read_bytes() for name in ("a.bvh", "sub/b.bvh")])
    assert results[0] == results[1]
    again = convert_folder(model, clips, out, style=style, engine="threads")
    assert (again.converted, again.skipped) == (0, 2)


def test_the_style_goes_to_workers_that_have_no_disk_in_common(clips, tmp_path):
    model = artifact(tmp_path / "two", node="Neg", inputs=("content", "style"))
    clip(tmp_path / "style.bvh", frames=30)
    options = Options(style=str(tmp_path / "style.bvh"))
    contents = contents_of(setup_of(model, tmp_path / "out", options))
    (tmp_path / "style.bvh").unlink()
    worker = ClusterWorker(contents)
    ((made,), broken), _ = worker.convert(
        [(name, (clips / name).read_bytes()) for name in ("a.bvh", "cut.bvh")]
    )
    worker.folder.cleanup()
    assert len(parse_bvh(made).values) == 40
    assert "was cut" in broken


def test_gallery_and_report_are_those_of_all_tasks(same, clips, tmp_path):
    convert_folder(same, clips, tmp_path / "out")
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["artifact"]["task"] == "motion_style"
    assert set(report["stages"]["busy_share"]) == {"reading", "session", "writing"}
    page = (tmp_path / "out" / "gallery.html").read_text()
    assert page.count("data:image/jpeg") == 4  # two clips before and after
    assert 'href="sub/b.bvh"' in page and "cut.bvh" in page


def test_stick_figures_stand_upright_on_one_ground(tmp_path):
    clip(tmp_path / "a.bvh")
    ink = np.asarray(stick_figures(read_bvh(tmp_path / "a.bvh")).convert("L")) < 128
    columns = np.flatnonzero(ink.any(0))
    assert np.count_nonzero(np.diff(columns) > 1) == 4  # five figures, gaps between them
    rows = np.flatnonzero(ink.any(1))
    assert rows[-1] > 170  # they stand on the ground, at the lower edge
    # One head is above and two feet are below.
    assert np.count_nonzero(np.diff(np.flatnonzero(ink[rows[0]])) > 1) < 5
    assert np.count_nonzero(np.diff(np.flatnonzero(ink[-30])) > 1) >= 7


def test_what_an_earlier_version_wrote_is_skipped(same, tmp_path):
    """Key and record of a journal as the first release of motion conversions wrote them."""
    clip(tmp_path / "in" / "a.bvh")
    key = json.dumps([same.checksum, None, ""])
    data = b"whatever it made"
    content = hashlib.sha256((tmp_path / "in" / "a.bvh").read_bytes()).hexdigest()
    with Journal(tmp_path / "out", hashlib.sha256(key.encode()).hexdigest()[:16]) as journal:
        journal.add("a.bvh", content, output=hashlib.sha256(data).hexdigest())
        journal.publish(tmp_path / "out" / "a.bvh", data)
    report = convert_folder(same, tmp_path / "in", tmp_path / "out")
    assert (report.converted, report.skipped) == (0, 1)


def test_one_clip_becomes_a_file_of_another_name_or_goes_through_a_pipe(same, tmp_path, capsys):
    clip(tmp_path / "a.bvh")
    words = ["convert", str(same.path), str(tmp_path / "a.bvh")]
    assert main([*words, str(tmp_path / "b.bvh")]) == 0
    found, expected = (read_bvh(tmp_path / name).values for name in ("b.bvh", "a.bvh"))
    np.testing.assert_allclose(found[:, :3], expected[:, :3], atol=0.01)
    command = [sys.executable, "-m", "keras_dtl.cli", "convert", str(same.path), "-", "-"]
    data = (tmp_path / "a.bvh").read_bytes()
    result = subprocess.run(command, input=data, capture_output=True)
    assert result.returncode == 0, result.stderr
    assert result.stdout == (tmp_path / "b.bvh").read_bytes()
    broken = subprocess.run(command, input=data[:900], capture_output=True)
    assert (broken.returncode, broken.stdout) == (2, b"")
    assert b"line" in broken.stderr and b"Traceback" not in broken.stderr


def test_watch_converts_clips_that_arrive(same, tmp_path, monkeypatch, capsys):
    (tmp_path / "in").mkdir()
    looks = iter(range(100))

    def at_look(interval):
        match next(looks):
            case 0:
                clip(tmp_path / "in" / "a.bvh")
            case 3:
                clip(tmp_path / "in" / "sub" / "b.bvh")
                (tmp_path / "in" / "bad.bvh").write_text("HIERARCHY")
            case 6:
                raise KeyboardInterrupt

    monkeypatch.setattr(watching.time, "sleep", at_look)
    words = [str(same.path), str(tmp_path / "in"), str(tmp_path / "out"), "--watch"]
    assert main(["convert", *words]) == 0
    assert (tmp_path / "out" / "a.bvh").is_file() and (tmp_path / "out" / "sub" / "b.bvh").is_file()
    captured = capsys.readouterr()
    assert captured.out.count("1 converted") == 2 and "1 skipped" in captured.out
    assert "failed: " in captured.err and "bad.bvh: the file ends" in captured.err
