"""A full disk at every write of the verbs that train: one message, and the same command goes on."""

import errno
import functools
import json
import os
import threading

import numpy as np
import pytest

from keras_dtl.cli import demo, stylize
from keras_dtl.cli.__main__ import main
from keras_dtl.images import write_image
from keras_dtl.methods import StyleTransfer
from keras_dtl.recipes import RECIPES
from tests.cli.test_study import settings  # noqa: F401 (a fixture)
from tests.methods.style.test_style_transfer import LAYERS, picture
from tests.networks import features

RUNS = "whole", "broken"  # one that nothing disturbed, and one that met a full disk
FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "there")


class Disk:
    """Stands for a disk that is full from the `number`-th write of a whole file on.

    Every file of ours is written beside its place, brought to the disk and renamed.
    """

    def __init__(self, monkeypatch):
        self.left, self.lock = None, threading.Lock()
        for name in ("fsync", "replace", "rename"):
            monkeypatch.setattr(os, name, self.counted(getattr(os, name)))

    def counted(self, function):
        def call(*arguments, **named):
            with self.lock:
                if self.left is not None:
                    if not self.left:
                        raise FULL
                    self.left -= 1
            return function(*arguments, **named)

        return call


@pytest.fixture
def disk(monkeypatch):
    return Disk(monkeypatch)


def tree(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def fill_at_every_write(disk, capsys, words, again, folder, most=60):
    """Return how many writes a command has, after it met a full disk at each of them in turn."""
    for number in range(most):
        disk.left = number
        status, before = main(words), tree(folder)
        told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error")]
        disk.left = None
        if status == 0:
            return number
        assert (status, len(told)) == (2, 1), told
        assert os.strerror(errno.ENOSPC) in told[0] and "ake room" in told[0]
        hidden = [
            path for path in before if path.name.startswith(".") and ".state." not in path.name
        ]
        assert [*hidden, *folder.parent.glob(f".*.{folder.name}")] == []
        # The next write is the first that fails in the command that goes on.
        words = again
    raise AssertionError("it never ends")


def write_domains(folder):
    noise = np.random.default_rng(0)
    for domain in ("source", "target"):
        for name in ("a", "b"):
            for index in range(12):
                image = noise.integers(0, 256, (16, 16, 3), dtype=np.uint8)
                write_image(folder / domain / name / f"{index}.png", image)


SHORT = ["--epochs", "2", "--min-steps", "2", "--batch-size", "8"]


def training_words(data):
    words = ["train", "source-only", "--source", f"folder:{data / 'source'}", *SHORT]
    return [*words, "--target", f"folder:{data / 'target'}", "--export-anyway"]


def places(folder, name):
    return ["--output", str(folder / name), "--artifact", str(folder / f"{name}-artifact")]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with data and with a run that learnt from them."""
    folder = tmp_path_factory.mktemp("trained")
    write_domains(folder)
    assert main([*training_words(folder), *places(folder, "run")]) == 0
    return folder


@pytest.mark.slow
def test_a_training_goes_on_from_where_the_disk_was_full(disk, capsys, tmp_path):
    write_domains(tmp_path)
    words = training_words(tmp_path)
    assert main([*words, *places(tmp_path, "whole")]) == 0
    broken = [*words, *places(tmp_path, "broken")]
    writes = fill_at_every_write(disk, capsys, broken, [*broken, "--resume"], tmp_path / "broken")
    assert writes > 2
    for name in ("history", "scores"):
        whole, found = (tmp_path / run / f"{name}.json" for run in ("whole", "broken"))
        assert json.loads(found.read_text()) == json.loads(whole.read_text())


@pytest.mark.slow
def test_an_artifact_is_exported_whole_or_not_at_all(disk, capsys, trained):
    """First into no folder, then beside a version that is there and stays."""
    out = trained / "exported"
    words = ["export", str(trained / "run"), "--output", str(out), "--export-anyway"]
    for versions in (1, 2):
        writes = fill_at_every_write(disk, capsys, words, words, out)
        # The second time both change places in one step, for which there is always room.
        assert writes > 0 or versions == 2
        assert len([path for path in out.iterdir() if path.name.isdigit()]) == versions
        assert main(["convert", str(out), str(trained / "target"), f"{out}-{versions}"]) == 0


@pytest.mark.slow
def test_scores_are_written_whole_or_not_at_all(disk, capsys, trained):
    words = ["evaluate", str(trained / "run"), "--target", f"folder:{trained / 'source'}"]
    words += ["--output", str(trained / "scored")]
    assert fill_at_every_write(disk, capsys, words, words, trained / "scored") > 1
    assert json.loads((trained / "scored/scores.json").read_text())
    assert (trained / "scored/report.html").read_text().rstrip().endswith("</html>")


@pytest.mark.slow
def test_a_study_keeps_what_is_done(disk, capsys, settings, tmp_path):  # noqa: F811
    def words(output):
        found = ["study", settings.study, "--output", str(output), "--layers", "2"]
        for name in ("source", "network", "seeds", "shots", "epochs", "min_steps", "batch_size"):
            found += [f"--{name.replace('_', '-')}", str(getattr(settings, name))]
        return found

    assert main(words(tmp_path / "whole")) == 0
    broken = words(tmp_path / "broken")
    fill_at_every_write(disk, capsys, broken, broken, tmp_path / "broken")
    whole, found = (tmp_path / run / "study.json" for run in ("whole", "broken"))
    assert json.loads(found.read_text())["cells"] == json.loads(whole.read_text())["cells"]


@pytest.mark.slow
def test_style_transfers_stop_with_what_is_done(disk, capsys, monkeypatch, tmp_path):
    """Each further image was tried, and failed with a message of its own."""
    monkeypatch.setattr("keras_dtl.cli.session.start_session", lambda seed: "")
    model = StyleTransfer(features(), **LAYERS, loss_scale="johnson")
    monkeypatch.setattr(stylize, "build_model", lambda arguments: model)
    for name in "abc":
        write_image(tmp_path / "in" / f"{name}.png", picture(0))
    write_image(tmp_path / "style.png", picture(1))

    def words(output):
        places = [str(tmp_path / name) for name in ("in", "style.png", output)]
        return ["stylize", *places, "--size", "16", "--iterations", "2"]

    assert main(words("whole")) == 0
    capsys.readouterr()
    broken = [*words("broken"), "--resume"]
    writes = fill_at_every_write(disk, capsys, words("broken"), broken, tmp_path / "broken")
    assert writes > 1
    for path, data in tree(tmp_path / "whole").items():
        assert (tmp_path / "broken" / path.name).read_bytes() == data


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_an_adaptation_goes_on_from_where_the_disk_was_full(disk, capsys, trained):
    words = ["adapt", str(trained / "run"), "--target", f"folder:{trained / 'target'}"]
    words += [*SHORT, "--export-anyway"]
    before = tree(trained / "run")
    assert main([*words, *places(trained, "adapted-whole")]) == 0
    broken = [*words, *places(trained, "adapted")]
    folder = trained / "adapted"
    assert fill_at_every_write(disk, capsys, broken, [*broken, "--resume"], folder) > 2
    for name in ("history", "scores"):
        whole, found = (trained / run / f"{name}.json" for run in ("adapted-whole", "adapted"))
        assert json.loads(found.read_text()) == json.loads(whole.read_text())
    assert tree(trained / "run") == before


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_search_trains_no_candidate_twice_after_a_full_disk(disk, capsys, tmp_path):
    write_domains(tmp_path)
    words = ["search", *training_words(tmp_path)[2:], "--methods", "mcc", "--rates", "0.01"]
    words += ["--adaptation-weights", "1"]
    assert main([*words, *places(tmp_path, "whole")]) == 0
    broken = [*words, *places(tmp_path, "broken")]
    assert fill_at_every_write(disk, capsys, broken, broken, tmp_path / "broken") > 4
    whole, found = (json.loads((tmp_path / run / "search.json").read_text()) for run in RUNS)
    assert found == whole
    assert (tmp_path / "broken-artifact/manifest.json").exists()


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_demo_goes_on_from_where_the_disk_was_full(disk, capsys, monkeypatch, tmp_path):
    short = {"epochs": 1, "min_steps": 2, "source_size": 100, "target_size": 100}
    for name in ("source-only", "dann"):
        quick = functools.partial(RECIPES[name], **short, export_anyway=True)
        monkeypatch.setitem(RECIPES, name, quick)
    monkeypatch.setattr(demo, "FILES", 2)
    # In one process, in which the disk is full.
    monkeypatch.setattr("keras_dtl.convert.runtimes.cores.core_count", lambda: 1)

    def words(name):
        flags = zip(("--output", "--artifact"), places(tmp_path, name)[1::2], strict=True)
        return ["demo", *(word for pair in flags for word in pair)]

    assert main(words("whole")) == 0
    broken = words("broken")
    assert fill_at_every_write(disk, capsys, broken, broken, tmp_path / "broken") > 6
    for name in ("dann/scores.json", "predictions/predictions.csv"):
        whole, found = ((tmp_path / run / name).read_text() for run in RUNS)
        assert found == whole


@pytest.mark.parametrize(
    ("words", "number"),
    [("there; No space left on device", errno.ENOSPC), ("no right to write", errno.EIO)],
)
def test_errors_of_tensorflow_at_a_saved_model_are_those_of_the_system(words, number, tmp_path):
    """They were told as a defect of this package, with a traceback and the status 1."""
    import tensorflow as tf

    from keras_dtl.export.formats.saved_model import errors_of_the_system

    path = tmp_path / "saved_model.pb"
    with pytest.raises(OSError, match=path.name) as error, errors_of_the_system(path):
        raise tf.errors.ResourceExhaustedError(None, None, words)
    assert error.value.errno == number
