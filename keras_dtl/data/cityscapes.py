"""`cityscapes`: streets of fifty cities, the class of each pixel known."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from keras_dtl.data.preparation import prepare
from keras_dtl.data.segmentation import VOID, SegmentedImages
from keras_dtl.data.storage import stack_images
from keras_dtl.files import FilePath
from keras_dtl.images import resize_image, resize_mask

CLASSES = {
    # number in the masks -> (name, colour): the 19 classes of the benchmark, all others are void
    7: ("road", (128, 64, 128)),
    8: ("sidewalk", (244, 35, 232)),
    11: ("building", (70, 70, 70)),
    12: ("wall", (102, 102, 156)),
    13: ("fence", (190, 153, 153)),
    17: ("pole", (153, 153, 153)),
    19: ("traffic light", (250, 170, 30)),
    20: ("traffic sign", (220, 220, 0)),
    21: ("vegetation", (107, 142, 35)),
    22: ("terrain", (152, 251, 152)),
    23: ("sky", (70, 130, 180)),
    24: ("person", (220, 20, 60)),
    25: ("rider", (255, 0, 0)),
    26: ("car", (0, 0, 142)),
    27: ("truck", (0, 0, 70)),
    28: ("bus", (0, 60, 100)),
    31: ("train", (0, 80, 100)),
    32: ("motorcycle", (0, 0, 230)),
    33: ("bicycle", (119, 11, 32)),
}
SPLITS = {"train": "train", "test": "validation"}
"""The masks of the split that TFDS calls test are withheld by the benchmark."""


def load_cityscapes(
    split: str = "train",
    size: tuple[int, int] | None = None,
    cities: Sequence[str] | None = None,
    data_dir: FilePath | None = None,
    manual_dir: FilePath | None = None,
) -> SegmentedImages:
    """Load Cityscapes by its TFDS builder, which makes it from two files fetched by hand.

    Reference: Cordts et al., "The Cityscapes Dataset for Semantic Urban Scene Understanding",
    CVPR 2016.

    Args:
        split: "train" (2975 images of 18 cities) or "test" (500 of 3, the validation split).
        size: `(height, width)` to resize from 1024x2048: images smoothly, masks by nearest
            neighbour.
        cities: Names of cities to take, such as `("aachen",)`; all by default.
        data_dir: Where prepared data sets lie; by default TFDS_DATA_DIR, or TFDS's own default.
        manual_dir: Where leftImg8bit_trainvaltest.zip and gtFine_trainvaltest.zip lie.

    Returns:
        `SegmentedImages` of the benchmark's 19 classes, in the order of their names' identifiers.

    Raises:
        FileNotFoundError: If the files are missing; the message says which and where to put them.
        ValueError: If the split has none of these cities.
    """
    builder = tfds.builder("cityscapes/semantic_segmentation", data_dir=data_dir)
    prepare(builder, manual_dir)
    examples = _read(builder, split, cities)
    names_alone = tfds.decode.PartialDecoding({"image_id": True})
    count = sum(1 for _ in _read(builder, split, cities, names_alone))
    if not count:
        raise ValueError(f"Cityscapes has no image of {', '.join(cities)} in the split {split!r}.")
    masks = []

    def images():
        for example in tfds.as_numpy(examples):
            image, mask = example["image_left"], _class_map(example["segmentation_label"][..., 0])
            masks.append(mask if size is None else resize_mask(mask, size))
            yield image if size is None else resize_image(image, size)

    stacked = stack_images(images(), count)
    names, colors = zip(*CLASSES.values(), strict=True)
    return SegmentedImages(stacked, np.stack(masks), names, np.array(colors, "uint8"))


def _read(
    builder: tfds.core.DatasetBuilder,
    split: str,
    cities: Sequence[str] | None,
    decoders: tfds.decode.PartialDecoding | None = None,
) -> tf.data.Dataset:
    examples = builder.as_dataset(SPLITS[split], shuffle_files=False, decoders=decoders)
    if cities is None:
        return examples

    def of_these_cities(example):
        # An image is called CITY_SEQUENCE_FRAME, and no city has an underscore in its name.
        return tf.reduce_any(tf.strings.split(example["image_id"], "_")[0] == list(cities))

    return examples.filter(of_these_cities)


def _class_map(mask: np.ndarray) -> np.ndarray:
    table = np.full(256, VOID, "uint8")
    table[list(CLASSES)] = np.arange(len(CLASSES))
    return table[mask]
