"""What a task is, by one that is made of a few lines."""

import types

import numpy as np
import pytest
from PIL import Image

from keras_dtl.convert import ConversionError, Options, convert_folder, load_artifact
from keras_dtl.convert.disk import DiskFull
from keras_dtl.convert.engines.channel import Channel
from keras_dtl.convert.engines.parcel import Parcel
from keras_dtl.convert.items import Item, ItemError, Loaded
from keras_dtl.convert.tasks import by_name as module
from keras_dtl.convert.tasks.mirrored_tree import MirroredTree
from keras_dtl.convert.tasks.segmentation import Segmentation
from keras_dtl.convert.tasks.task import Task
from keras_dtl.convert.watch import watch_folder
from keras_dtl.images import write_image
from keras_dtl.manifest import Tensor
from tests.convert.conftest import CLASSES, classifier_nodes, colour, write_artifact


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


@pytest.mark.parametrize("task", ["classification", "multi_label_classification", "regression"])
def test_a_batch_makes_what_each_image_makes(tmp_path, task):
    """Rows of equal probabilities, and of huge and tiny ones; numbers that are none fail alone."""
    nodes, constants = classifier_nodes()
    output = Tensor("probabilities", "float32", (None, 3), (0.0, 1.0))
    options = {"resize": (8, 8), "constants": constants, "classes": CLASSES}
    folder = write_artifact(tmp_path / "model", nodes, (output,), task, **options)
    options = Options(format="jsonl", **({"top": 2} if task == "classification" else {}))
    made = module.task_of(load_artifact(folder, device="cpu"), tmp_path / "out", options)
    rows = [[0.1, 0.8, 0.1], [0.5, 0.25, 0.5], [123456.789, -1e-9, 3e30], [np.nan, 0.0, np.inf]]
    outputs = np.array(rows, "float32")
    batch = [Loaded(Item(n, f"{n}.png", f"{n}.png"), (8, 8), None) for n in range(len(rows))]
    *together, last = made.make_each(batch, {"probabilities": outputs})
    with pytest.raises(ItemError, match="not finite"):
        made.make(batch[-1], {"probabilities": outputs[-1]})
    assert isinstance(last, ItemError)
    alone = [
        made.make(one, {"probabilities": row})
        for one, row in zip(batch[:-1], outputs[:-1], strict=True)
    ]
    assert together == alone
    if task == "classification":
        assert together[:2] == [
            ([("green", 0.8), ("red", 0.1)], []),
            ([("red", 0.5), ("blue", 0.5)], []),
        ]
    else:
        assert together[0] == ([], [0.1, 0.8, 0.1])
        assert together[2] == ([], [123456.8, -1e-9, 3e30])


def test_what_hinders_one_of_a_batch_hinders_no_other(shouting, tmp_path):
    class Picky(Shouting):
        def encode(self, loaded, outputs, suffix):
            if loaded.item.name == "b.txt":
                raise ItemError("no b")
            return super().encode(loaded, outputs, suffix)

        def publish(self, target, data):
            raise ItemError("no place") if target.name == "c.txt" else DiskFull(28, "full")

    task = Picky(shouting, tmp_path, Options())
    task.journal = types.SimpleNamespace(add=lambda *note, **result: None)
    batch = [Loaded(Item(n, f"{x}.txt", f"{x}.txt"), (1, 1), None) for n, x in enumerate("abc")]
    made = task.make_each(batch, {"text": np.full((3, 1, 1), 65, "uint8")})
    assert [type(one) for one in made] == [bytes, ItemError, bytes]
    errors = task.keep_each([batch[0], batch[2]], [made[0], made[2]])
    assert [type(error) for error in errors] == [DiskFull, ItemError]


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

    from tests.convert.tasks.test_segmentation import Artifact

    task = Segmentation(Artifact(), tmp_path, Options())
    task.journal = Journal()
    loaded = Loaded(Item(0, tmp_path / "a.jpg", "a.jpg"), (2, 2), None)
    with pytest.raises(DiskFull):
        task.keep(loaded, (b"overlay", b"mask"))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"top": 3}, "`top` means nothing to .* image_to_image; it is for classification"),
        ({"lead_in": "cut"}, "`lead_in` .* it is for motion_style"),
    ],
)
def test_options_of_other_tasks_are_refused(given, words, negative, photos, tmp_path):
    with pytest.raises(ConversionError, match=words):
        convert_folder(negative, photos, tmp_path / "out", **given)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("given", [{"suffix": "_a"}, {"bucket": 8}, {"quality": 90}, {"tile": 0}])
def test_tables_take_no_options_of_generated_images(given, classifier, photos, tmp_path):
    with pytest.raises(ConversionError, match=f"`{next(iter(given))}` means nothing"):
        convert_folder(classifier, photos, tmp_path / "out", **given)
