"""Image classification data sets of TensorFlow Datasets (TFDS), and our own builders."""

import contextlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

import keras_dtl.data.builders  # noqa: F401 (registers usps and mnist_m with TFDS)
from keras_dtl.data.labelled import LabelledImages, convert_channels
from keras_dtl.data.layouts import sided_split_of
from keras_dtl.data.names import divide_side
from keras_dtl.data.preparation import prepare
from keras_dtl.data.storage import MEMORY_LIMIT, stack_images
from keras_dtl.files import FilePath
from keras_dtl.folders import join_names
from keras_dtl.images import resize_image


class UnknownDataSetError(ValueError):
    """A name that TFDS does not know."""


def load_tfds(
    name: str,
    split: str = "train",
    size: tuple[int, int] | None = None,
    channels: int | None = None,
    data_dir: FilePath | None = None,
    manual_dir: FilePath | None = None,
    side: str | None = None,
    memory_limit: int = MEMORY_LIMIT,
) -> LabelledImages:
    """Load a TFDS image classification data set, downloading and preparing it where needed.

    A data set without a split `test` is tested on its split `validation`; without either, the
    last 20 % of `train` are for testing and only the rest for training.

    Args:
        name: `name`, `name/config` or `name/config:version`; and `/A` or `/B` after that for one
            domain of a data set of two, whose splits are called trainA and trainB.
        split: "train" or "test".
        size: `(height, width)` in pixels to resize to; None if all images have one size already.
        channels: 1 (grey) or 3 (RGB); None for the data set's own.
        data_dir: Where prepared data sets lie; by default TFDS_DATA_DIR, or TFDS's own default.
        manual_dir: Where files lie that were downloaded by hand.
        side: "a" or "b": the domain to take where `name` does not say so.
        memory_limit: Bytes of decoded images to hold in memory; more go to a temporary file.

    Returns:
        `LabelledImages`.

    Raises:
        UnknownDataSetError: If the name is unknown.
        ValueError: If its configuration or version is unknown, or if it is not image
            classification.
        OSError: If files are missing and cannot be downloaded.
    """
    name, named_side = divide_side(name)
    builder = _find_builder(name, data_dir)
    image_key, label_key = _keys(builder)
    prepare(builder, manual_dir)
    chosen = _choose_split(builder, split, named_side or side)
    labels = []

    def images():
        for batch in _read_batches(builder, chosen, image_key):
            labels.extend(batch[label_key])
            for image in _as_channels(batch[image_key], channels, name):
                yield image if size is None else resize_image(image, size)

    with _whole_records(builder):
        stacked = stack_images(images(), builder.info.splits[chosen].num_examples, memory_limit)
    classes = tuple(builder.info.features[label_key].names)
    return LabelledImages(stacked, np.array(labels), classes)


def tfds_lines(name: str, data_dir: FilePath | None = None) -> list[str]:
    """Return what is known of a data set without downloading it, a line each.

    Args:
        name, data_dir: As for `load_tfds`.

    Raises:
        ValueError: As `load_tfds`.
    """
    name, side = divide_side(name)
    builder = _find_builder(name, data_dir)
    classes = builder.info.features[_keys(builder)[1]].names or []
    lines = [f"{name}: a data set of TFDS{f', its domain {side.upper()}' if side else ''}"]
    if not builder.is_prepared():
        # Names of classes are numbers until then.
        return [*lines, f"{len(classes)} classes", "not downloaded and prepared here yet"]
    lines.append(f"{len(classes)} classes: {join_names(classes)}")
    splits = {name: name for name in builder.info.splits}
    if side or not any(map(sided_split_of, splits)):
        splits = {role: _choose_split(builder, role, side) for role in ("train", "test")}
    for role, split in splits.items():
        own = "" if split == role else f" ({split})"
        lines.append(f"{role}: {builder.info.splits[split].num_examples} images{own}")
    return lines


def tfds_names() -> list[str]:
    """List the names of all data sets that TFDS knows how to build."""
    return tfds.list_builders(with_community_datasets=False)


def _find_builder(name: str, data_dir: FilePath | None) -> tfds.core.DatasetBuilder:
    try:
        return tfds.builder(name, data_dir=data_dir)
    # TFDS checks versions by an assertion.
    except (AssertionError, ValueError) as error:
        if re.split("[/:]", name)[0] not in tfds_names():
            _refuse_remains(name, data_dir, error)
            raise UnknownDataSetError(f"TFDS has no data set {name!r}.") from error
        raise ValueError(
            f"The data set {name!r} cannot be had: {str(error).strip().splitlines()[0]} "
            "Expected a name such as mnist, cifar10, or name/config:version."
        ) from error
    # What damaged records of TFDS make of their readers has no base class but Exception.
    except Exception as error:
        _refuse_remains(name, data_dir, error)
        raise


def _refuse_remains(name: str, data_dir: FilePath | None, error: Exception) -> None:
    """Refuse a folder that holds what is left of a prepared data set."""
    root = data_dir or tfds.core.constants.DATA_DIR
    folder = Path(root).expanduser() / re.split("[/:]", name)[0]
    if any(folder.rglob("features.json")) or any(folder.rglob("dataset_info.json")):
        words = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ValueError(
            f"The prepared data set in {folder} is damaged: {words} Remove the folder, and fetch "
            "or prepare it again."
        ) from error


@contextlib.contextmanager
def _whole_records(builder: tfds.core.DatasetBuilder) -> Iterator[None]:
    """Tell what TensorFlow finds wrong with records by the name of their folder."""
    try:
        yield
    except tf.errors.ResourceExhaustedError:
        raise
    except tf.errors.OpError as error:
        words = re.sub(r"{{.*?}} ?", "", error.message).partition(" [Op:")[0].splitlines()[0]
        raise ValueError(
            f"The prepared data set in {builder.data_dir} is damaged: {words}. Remove the folder, "
            "and fetch or prepare it again."
        ) from error


def _keys(builder: tfds.core.DatasetBuilder) -> tuple[str, str]:
    """Return the names of the image feature and of the label feature."""
    features = builder.info.features
    keys = builder.info.supervised_keys or ("image", "label")
    suited = (
        len(keys) == 2
        and all(isinstance(key, str) and key in features for key in keys)
        and isinstance(features[keys[0]], tfds.features.Image)
        and isinstance(features[keys[1]], tfds.features.ClassLabel)
    )
    if not suited:
        raise ValueError(
            f"The data set {builder.name} is not image classification: it has the features "
            f"{', '.join(features)}. Expected an image and one class label for each example."
        )
    return keys


def _choose_split(builder: tfds.core.DatasetBuilder, split: str, side: str | None = None) -> str:
    available = builder.info.splits
    sided = {sided_split_of(name): name for name in available if sided_split_of(name)}
    if sided:
        return _choose_sided(builder, sided, split, side)
    if "train" not in available:
        raise ValueError(
            f"The data set {builder.name} has no split train, only {', '.join(available)}."
        )
    for test in ("test", "validation"):
        if test in available:
            return test if split == "test" else "train"
    return "train[80%:]" if split == "test" else "train[:80%]"


def _choose_sided(
    builder: tfds.core.DatasetBuilder,
    sided: dict[tuple[str, str], str],
    split: str,
    side: str | None,
) -> str:
    """Return a split of one domain, such as trainA."""
    name = builder.info.full_name.rpartition("/")[0]
    if side is None:
        raise ValueError(
            f"The data set {name} holds two domains, with the splits "
            f"{', '.join(sorted(sided.values()))}. Name one of them: {name}/A or {name}/B."
        )
    roles = ("train",) if split == "train" else ("test", "validation")
    for role in roles:
        if (role, side) in sided:
            return sided[role, side]
    raise ValueError(
        f"The data set {name} has no split {split} of {side.upper()}, only "
        f"{', '.join(sorted(sided.values()))}."
    )


def _read_batches(
    builder: tfds.core.DatasetBuilder, split: str, image_key: str
) -> Iterable[dict[str, np.ndarray]]:
    # Images whose sizes differ cannot be batched; the others are read faster so.
    batch_size = 1 if None in builder.info.features[image_key].shape else 256
    dataset = builder.as_dataset(split=split, shuffle_files=False)
    return tfds.as_numpy(dataset.batch(batch_size))


def _as_channels(images: np.ndarray, channels: int | None, name: str) -> np.ndarray:
    if images.dtype != np.uint8:
        raise ValueError(f"The data set {name} has {images.dtype} images. Expected uint8.")
    return images if channels is None else convert_channels(images, channels)
