"""Workers elsewhere do what threads do: same outputs, same report, whatever happens to them."""

import json
import os
import signal
import threading
import time

import numpy as np
import pytest
from PIL import Image

from keras_dtl.convert import ConversionError, Options, convert_folder, load_artifact
from keras_dtl.convert.engines import choice, processes
from keras_dtl.convert.engines.remote import RemoteRun
from keras_dtl.convert.inputs import find_items
from keras_dtl.convert.items import Item
from keras_dtl.convert.tasks.by_name import task_of
from keras_dtl.images import write_image
from tests.convert.conftest import CLASSES, write_negative


def tree(folder):
    """Return the bytes of all files of an output but those that tell times."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and ".keras_dtl" not in path.parts
        and path.name not in ("report.json", "gallery.html")
    }


def told(folder):
    """Return what a report says that does not depend on the engine."""
    report = json.loads((folder / "report.json").read_text())
    return {key: report[key] for key in ("exit_status", "converted", "skipped", "left", "failed")}


@pytest.fixture
def many(tmp_path):
    """Forty images of two sizes."""
    random = np.random.default_rng(0)
    for index in range(40):
        shape = (16 + 4 * (index % 2), 16, 3)
        image = random.integers(0, 256, shape, dtype=np.uint8)
        write_image(tmp_path / "many" / f"{index:02}.png", image)
    return tmp_path / "many"


def test_processes_do_what_threads_do(classifier, negative, photos, tmp_path):
    for name, artifact in (("classifier", classifier), ("negative", negative)):
        outputs = [tmp_path / name / engine for engine in ("threads", "processes")]
        for output in outputs:
            report = convert_folder(artifact, photos, output, engine=output.name, workers=1)
            assert report.exit_status == 1  # one image is truncated
        assert tree(outputs[0]) == tree(outputs[1])
        assert told(outputs[0]) == told(outputs[1])
    # Each takes up what the other has done.
    again = convert_folder(negative, photos, outputs[1], engine="threads")
    assert (again.converted, again.skipped) == (0, 4)


def test_what_a_killed_process_was_doing_is_done_again(negative, many, tmp_path, monkeypatch):
    class Mortal(processes.ProcessWorker):
        """Dies with the second question."""

        questions = 0

        def convert(self, files):
            Mortal.questions += 1
            if Mortal.questions == 2:
                os.kill(self.process.pid, signal.SIGKILL)
            return super().convert(files)

    monkeypatch.setattr(processes, "ProcessWorker", Mortal)
    report = convert_folder(
        negative, many, tmp_path / "out", engine="processes", workers=1, batch_size=8
    )
    assert (report.exit_status, report.converted) == (0, 40)
    assert len(tree(tmp_path / "out")) == 40


@pytest.mark.slow
def test_a_file_that_kills_every_process_is_named(negative, many, tmp_path, monkeypatch):
    class Fragile(processes.ProcessWorker):
        def convert(self, files):
            if any(name == "03.png" for name, _ in files):
                os.kill(self.process.pid, signal.SIGKILL)
            return super().convert(files)

    monkeypatch.setattr(processes, "ProcessWorker", Fragile)
    report = convert_folder(
        negative, sorted(many.iterdir())[3:5], tmp_path / "out", engine="processes", workers=1
    )
    assert report.converted == 1
    ((path, reason),) = report.failed
    assert path.name == "03.png"
    assert "lost 2 times" in reason


@pytest.mark.parametrize("seconds", [0, 0.3])
def test_a_worker_that_cannot_begin_is_an_error_not_a_wait(seconds, tmp_path, many, monkeypatch):
    """Nor is it lost where all threads have ended before the first message is read."""
    serve = RemoteRun._serve

    def late(run):
        while seconds and run.defect is None:
            time.sleep(0.01)
        time.sleep(seconds)
        serve(run)

    monkeypatch.setattr(RemoteRun, "_serve", late)
    folder = write_negative(tmp_path / "negative")
    artifact = load_artifact(folder, device="cpu")
    (folder / "1" / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(ValueError, match="checksum|SHA-256"):
        convert_folder(artifact, many, tmp_path / "out", engine="processes", workers=1)


def test_auto_takes_processes_for_thousands_of_small_files_only(
    classifier, free_classifier, negative, photos, tmp_path, monkeypatch
):
    """By a light model only of so many that they make up for their beginning."""

    def engine_of(artifact, items):
        task = task_of(artifact, tmp_path, Options())
        run = choice.run_of(artifact, task, None, items, tmp_path, Options(), None)
        if isinstance(run, RemoteRun):
            return "processes"
        return "one thread" if run.model.artifact.settings.threads == 1 else "threads"

    items, _ = find_items(photos)
    monkeypatch.setattr(choice, "core_count", lambda: 2)
    monkeypatch.setattr(choice, "_VERY_MANY_FILES", 8)
    assert engine_of(classifier, items * 2) == "threads"
    monkeypatch.setattr(choice, "_MANY_FILES", 8)
    assert engine_of(classifier, items) == "threads"
    assert engine_of(classifier, items * 2) == "processes"
    assert engine_of(negative, items * 2) == "threads"
    assert engine_of(classifier, items * 2 + [Item(9, tmp_path / "none", "none")] * 8) == "threads"
    monkeypatch.setattr(choice, "_VERY_MANY_FILES", 100)
    monkeypatch.setattr(choice, "_LIGHT_SECONDS", 10.0)
    assert engine_of(classifier, items * 2) == "one thread"
    assert engine_of(free_classifier, items * 2) == "processes"  # nobody knows of which size
    monkeypatch.setattr(choice, "_LIGHT_SECONDS", 0.0)
    assert engine_of(classifier, items * 2) == "processes"
    monkeypatch.setattr(choice, "core_count", lambda: 1)
    assert engine_of(classifier, items * 2) == "threads"


def test_tables_of_processes_hold_animations_and_what_failed(classifier, photos, tmp_path):
    frames = [Image.new("RGB", (8, 8), name) for name in CLASSES]
    frames[0].save(photos / "moving.gif", save_all=True, append_images=frames[1:])
    options = {"batch_size": 4, "animation": "frames", "all_probabilities": True, "workers": 1}
    for engine in ("threads", "processes"):
        convert_folder(classifier, photos, tmp_path / engine, engine=engine, **options)
    assert tree(tmp_path / "threads") == tree(tmp_path / "processes")
    assert told(tmp_path / "threads") == told(tmp_path / "processes")
    assert "moving.gif#2" in (tmp_path / "threads" / "predictions.csv").read_text()
    again = convert_folder(classifier, photos, tmp_path / "processes", **options)
    assert (again.converted, again.skipped) == (0, 5)
    assert tree(tmp_path / "threads") == tree(tmp_path / "processes")


def test_ray_that_is_not_installed_is_said(negative, many, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(ConversionError, match=r"keras_dtl\[ray\]"):
        convert_folder(negative, many, tmp_path / "out", engine="ray")


@pytest.fixture
def cluster():
    """A cluster of a head without work and two nodes with two places each."""
    pytest.importorskip("ray")
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    nodes = [cluster.add_node(num_cpus=2) for _ in range(2)]
    ray.init(address=cluster.address, log_to_driver=False, configure_logging=False)
    yield cluster, nodes
    ray.shutdown()
    cluster.shutdown()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_a_cluster_does_what_threads_do_though_a_node_is_killed(
    negative, classifier, many, photos, tmp_path, cluster, monkeypatch
):
    from keras_dtl.convert.engines.ray_cluster import RayWorker

    cluster, nodes = cluster
    starts, start = [], RayWorker.start
    monkeypatch.setattr(RayWorker, "start", lambda worker: [starts.append(1), start(worker)])
    convert_folder(classifier, photos, tmp_path / "threads")
    convert_folder(classifier, photos, tmp_path / "ray", engine="ray")
    assert tree(tmp_path / "threads") == tree(tmp_path / "ray")
    assert told(tmp_path / "threads") == told(tmp_path / "ray")

    def kill(done, total):
        if done == 8:
            threading.Thread(target=cluster.remove_node, args=(nodes[0], False)).start()
            time.sleep(2)

    convert_folder(negative, many, tmp_path / "alone")
    starts.clear()
    report = convert_folder(
        negative, many, tmp_path / "out", engine="ray", batch_size=2, progress=kill
    )
    assert (report.exit_status, report.converted) == (0, 40)
    assert len(starts) == 4 + 2  # the two workers of the node have come back
    assert tree(tmp_path / "alone") == tree(tmp_path / "out")
    assert convert_folder(negative, many, tmp_path / "out", engine="threads").skipped == 40
