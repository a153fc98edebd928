"""What a task is, by one that is made of a few lines."""

import numpy as np
import pytest
from PIL import Image

from keras_dtl.convert import ConversionError, convert_folder
from keras_dtl.convert import tasks as module
from keras_dtl.convert.channel import Channel
from keras_dtl.convert.disk import DiskFull
from keras_dtl.convert.items import ItemError, Loaded
from keras_dtl.convert.mirrored_tree import MirroredTree
from keras_dtl.convert.parcel import Parcel
from keras_dtl.convert.segmentation import Segmentation
from keras_dtl.convert.task import Task
from keras_dtl.convert.watch import watch_folder
from keras_dtl.images import write_image
from tests.convert.conftest import colour


class Shouting(MirroredTree):
    """Writes each text in capitals."""

    suffixes = frozenset({".txt"})
    none_found = "no texts."

    def suffix_of(self, item):
        return ".txt"

    def load(self, item, data, content="", suffix=None, before=lambda numbers: None):
        if b"?" in data:
            raise ItemError("it asks")
        yield Loaded(item, (len(data), 1), np.frombuffer(data, np.uint8)[:, None], content)

    def model(self):
        return lambda texts: {"text": texts - np.uint8(32)}

    def encode(self, loaded, outputs, suffix):
        return outputs["text"].tobytes()

    def picture(self, path):
        return Image.new("RGB", (4, 4))


@pytest.fixture
def shouting(negative, monkeypatch):
    monkeypatch.setitem(module.TASKS, "shouting", Shouting)
    monkeypatch.setattr(type(negative), "task", "shouting")
    return negative


def test_a_task_is_a_class_and_a_line(shouting, tmp_path):
    (tmp_path / "in" / "sub").mkdir(parents=True)
    for name, text in (("a", "quiet"), ("sub/b", "calm"), ("c", "why?")):
        (tmp_path / "in" / f"{name}.txt").write_text(text)
    report = convert_folder(shouting, tmp_path / "in", tmp_path / "out")
    assert (report.converted, report.exit_status) == (2, 1)
    assert [failure.reason for failure in report.failed] == ["it asks"]
    assert (tmp_path / "out" / "sub" / "b.txt").read_text() == "CALM"
    page = (tmp_path / "out" / "gallery.html").read_text()
    assert page.count("<img") == 4 and "it asks" in page
    assert convert_folder(shouting, tmp_path / "in", tmp_path / "out").skipped == 2
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConversionError, match="holds no texts"):
        convert_folder(shouting, tmp_path / "empty", tmp_path / "out")


def test_a_watch_takes_what_the_task_takes(shouting, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("quiet")
    write_image(tmp_path / "in" / "a.png", colour("red"))
    reports = []
    watch_folder(
        *(shouting, tmp_path / "in", tmp_path / "out"),
        interval=0.0,
        on_report=lambda report: reports.append(report) or True,
    )
    assert [report.converted for report in reports] == [1]
    assert (tmp_path / "out" / "a.txt").read_text() == "QUIET"


def test_every_task_of_the_table_is_whole():
    for task in module.TASKS.values():
        assert issubclass(task, Task) and not task.__abstractmethods__
        assert task.suffixes and task.__doc__


def test_a_parcel_is_one_message_that_is_all_of_them_in_order():
    called, inbox = [], Channel(2**20)
    parcel = Parcel(inbox, 1)
    for number in range(3):
        parcel.add(lambda number=number: called.append(number))
    parcel.send()
    inbox.close()
    while inbox.entries:
        inbox.get()()
    assert called == [0, 1, 2]


def test_a_disk_that_is_full_of_overlays_is_full(tmp_path):
    """As it is for masks; it was taken for a defect."""

    class Journal:
        def publish(self, target, data):
            raise OSError(28, "No space left on device", str(target))

    from keras_dtl.convert import Options
    from keras_dtl.convert.items import Item
    from tests.convert.test_segmentation import Artifact

    task = Segmentation(Artifact(), tmp_path, Options())
    task.journal = Journal()
    loaded = Loaded(Item(0, tmp_path / "a.jpg", "a.jpg"), (2, 2), None)
    with pytest.raises(DiskFull):
        task.keep(loaded, (b"overlay", b"mask"))
