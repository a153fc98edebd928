"""What all conversions share: the input, batches, and what cannot begin."""

import types

import numpy as np
import pytest

from keras_dtl.convert import ArtifactError, ConversionError, Options, convert_folder
from keras_dtl.convert.items import Groups, Item, Loaded
from keras_dtl.convert.report import ConversionReport, Failure


def loaded(index, height, width=4):
    return Loaded(Item(index, None, str(index)), (height, width), np.zeros((height, width, 3)))


def indices(images, batch_size):
    groups = Groups(batch_size)
    batches = [batch for image in images for batch in groups.add(image)] + groups.rest()
    assert groups.images == groups.pixels == 0
    return [[image.item.index for image in batch] for batch in batches]


def test_batches_hold_one_shape_and_every_image():
    images = [loaded(index, 4 + index % 2) for index in range(7)]
    assert indices(images, 2) == [[0, 2], [1, 3], [4, 6], [5]]


def test_batches_hold_back_few_images():
    groups = Groups(4)
    for index in range(100):
        for batch in groups.add(loaded(index, 4 + index)):
            assert index - batch[0].item.index <= 8
        assert groups.images < 8


def test_batches_hold_back_few_pixels():
    groups = Groups(32)
    for index in range(100):
        groups.add(loaded(index, 1000 + index, 2048))
        assert groups.pixels <= 2**26


def test_batches_of_large_images_are_small():
    images = [loaded(index, 2048, 1024) for index in range(3)]
    assert indices(images, 32) == [[0, 1], [2]]


def test_convert_folder_refuses_what_is_not_there(classifier, tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no folder"):
        convert_folder(classifier, tmp_path / "missing", tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConversionError, match="holds no images"):
        convert_folder(classifier, tmp_path / "empty", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_convert_folder_searches_sub_folders_by_choice(classifier, photos, tmp_path):
    report = convert_folder(classifier, photos, tmp_path / "out", recursive=False)
    assert report.converted == 2


def test_convert_folder_says_which_tasks_it_knows(photos, tmp_path):
    artifact = types.SimpleNamespace(task="motion")
    with pytest.raises(
        ConversionError,
        match=r"classification, image_to_image, .*, motion_style, .*segmentation; this .*'motion'",
    ):
        convert_folder(artifact, photos, tmp_path / "out")


def test_convert_folder_reports_an_unwritable_destination(classifier, photos, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        convert_folder(classifier, photos, tmp_path / "file" / "out")


@pytest.mark.parametrize(
    "options",
    [{"batch_size": 0}, {"top": 0}, {"quality": 101}, {"format": "xml"}, {"suffix": "/x"}],
)
def test_options_say_what_they_take(options):
    with pytest.raises(ConversionError, match=r"must be .*; received"):
        Options(**options)


def test_convert_folder_isolates_the_image_that_breaks_a_batch(
    classifier, photos, tmp_path, monkeypatch
):
    run = classifier.run

    def break_on_green(images):
        if (images[..., 1] == 255).any():
            raise ArtifactError("no green")
        return run(images)

    monkeypatch.setattr(classifier, "run", break_on_green)
    report = convert_folder(classifier, photos, tmp_path / "out")
    assert report.converted == 3
    assert (photos / "b, c.png", "no green") in report.failed


@pytest.mark.parametrize(
    ("converted", "skipped", "failed", "status"),
    [(1, 0, 0, 0), (0, 1, 0, 0), (1, 0, 1, 1), (0, 1, 1, 1), (0, 0, 1, 2)],
)
def test_exit_status_tells_all_some_or_nothing(converted, skipped, failed, status):
    failures = (Failure("a.png", "reason"),) * failed
    assert ConversionReport(converted, skipped, failures, 1.0, "out").exit_status == status
