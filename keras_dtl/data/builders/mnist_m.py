"""`mnist_m`: MNIST digits blended over patches of photos."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from keras_dtl.data.blending import blend
from keras_dtl.data.preparation import data_root, prepare
from keras_dtl.images import find_images, read_image

# As unpacked from the archive BSR_bsds500.tgz, or its folder of images alone.
PHOTO_FOLDERS = ("BSR/BSDS500/data/images", "BSDS500/data/images", "BSDS500", "bsds500")
SPLITS = ("train", "test")


class MnistM(tfds.core.GeneratorBasedBuilder):
    """MNIST-M: `|patch - digit|` per channel, 28x28 RGB, 60000 and 10000 images.

    Each MNIST digit is blended over a random patch of a random BSDS500 photo: training digits
    over its training photos, test digits over its test photos. The order is MNIST's, so example i
    of both data sets shows the same digit.

    Reference: Ganin et al., Domain-Adversarial Training of Neural Networks, JMLR 17, 2016.

    Differs from the images released with the paper, which are 59001 and 9001 and whose patches
    cannot be drawn again: all digits are used, with a fixed seed.
    """

    name = "mnist_m"
    VERSION = tfds.core.Version("1.0.0")
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "mnist_m is made from mnist and from the photos of BSDS500: unpack there BSR_bsds500.tgz "
        "of https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/BSR/, or put its "
        ".jpg files into BSDS500/train/ and BSDS500/test/."
    )

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=type(self).__doc__,
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(28, 28, 3)),
                    "label": tfds.features.ClassLabel(names=list("0123456789")),
                }
            ),
            supervised_keys=("image", "label"),
            homepage="https://www.jmlr.org/papers/v17/15-239.html",
            disable_shuffling=True,
        )

    def _split_generators(
        self, dl_manager: tfds.download.DownloadManager
    ) -> dict[str, Iterator[tuple[int, dict[str, Any]]]]:
        photos = find_photos(Path(dl_manager.manual_dir))
        mnist = self._prepared_mnist()
        return {
            split: self._generate_examples(mnist, split, photos[split], seed)
            for seed, split in enumerate(SPLITS)
        }

    def _generate_examples(
        self, mnist: tfds.core.DatasetBuilder, split: str, photo_files: Sequence[Path], seed: int
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        digits = tfds.as_numpy(mnist.as_dataset(split=split, batch_size=-1, shuffle_files=False))
        photos = [read_image(file) for file in photo_files]
        images = blend(digits["image"][..., 0], photos, np.random.default_rng(seed))
        for index, (image, label) in enumerate(zip(images, digits["label"], strict=True)):
            yield index, {"image": image, "label": label}

    def _prepared_mnist(self) -> tfds.core.DatasetBuilder:
        mnist = tfds.builder("mnist", data_dir=data_root(self))
        if not mnist.is_prepared():
            # It may lie in TFDS_DATA_DIR or TFDS's default folder instead.
            elsewhere = tfds.builder("mnist")
            mnist = elsewhere if elsewhere.is_prepared() else mnist
        prepare(mnist)
        return mnist


def find_photos(manual_dir: Path) -> dict[str, list[Path]]:
    """Find the BSDS500 photos in any of the usual folders.

    Args:
        manual_dir: Folder that the archive was unpacked in.

    Returns:
        The image files by split, "train" and "test".

    Raises:
        FileNotFoundError: If none of the folders is there, or one of its splits is empty.
    """
    for folder in (manual_dir / name for name in PHOTO_FOLDERS):
        if folder.is_dir():
            found = {
                split: find_images(folder / split) if (folder / split).is_dir() else []
                for split in SPLITS
            }
            if all(found.values()):
                return found
            raise FileNotFoundError(f"{folder} lacks photos in train/ or test/.")
    raise FileNotFoundError(f"None of the folders {', '.join(PHOTO_FOLDERS)} is in {manual_dir}.")
