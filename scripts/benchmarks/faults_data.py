"""The small data, networks and artifacts that the cases of faults_cases.py read."""

import csv
import sys

import numpy as np
from record import ROOT

sys.path.insert(0, str(ROOT))
from keras_dtl.images import read_image, write_image

IMAGES, SIDE = 80, 48
CLASSES = ("left", "right", "top", "bottom")
SMALL, IMAGES_OF_CLASS, MASKS = 16, 14, 6


def write_classes(folder, seed, brightness=0):
    """Write bars whose place tells the class."""
    noise = np.random.default_rng(seed)
    for label, name in enumerate(CLASSES):
        for index in range(IMAGES_OF_CLASS):
            image = noise.integers(0, 60, (SMALL, SMALL, 3)) + brightness
            image = np.rot90(image, label).copy()
            image[:, : SMALL // 2] += 100
            write_image(folder / name / f"{index}.png", np.rot90(image, -label).astype("uint8"))


def write_photos(folder, seed, count, shape):
    noise = np.random.default_rng(seed)
    for index in range(count):
        image = noise.integers(0, 256, shape, dtype=np.uint8)
        write_image(folder / f"{index:03}.png", image)


def write_masks(folder, light):
    """Write roads below the sky, with a mask of each image."""
    for index in range(MASKS):
        mask = np.zeros((SMALL, SMALL), "uint8")
        mask[5 + index :] = 1
        image = np.where(mask[..., None] == 1, light // 3, light) * np.ones(3)
        write_image(folder / f"images/{index}.png", image.astype("uint8"))
        write_image(folder / f"masks/{index}.png", mask[..., None])
    with open(folder / "classes.csv", "w", encoding="utf-8", newline="") as file:
        rows = (("id", "name", "r", "g", "b"), (0, "sky", 9, 9, 9), (1, "road", 90, 9, 9))
        csv.writer(file).writerows(rows)


def write_data(folder):
    """Write the images, masks and clips that the cases read."""
    from keras_dtl.data.walker import walk, walker_skeleton
    from keras_dtl.motion import to_bvh, write_bvh

    write_classes(folder / "source", 0)
    write_classes(folder / "target", 1, brightness=60)
    write_photos(folder / "pairs", 2, 20, (16, 32, 3))
    write_photos(folder / "a", 3, 20, (16, 16, 3))
    write_photos(folder / "b", 4, 24, (16, 16, 3))
    write_photos(folder / "photos", 5, IMAGES, (SIDE, SIDE, 3))
    write_photos(folder / "few", 6, 3, (16, 16, 3))
    write_image(folder / "style.png", read_image(folder / "photos" / "000.png"))
    for name, light in (("day", 210), ("dusk", 120)):
        write_masks(folder / name, light)
    for index in range(IMAGES // 2):
        positions = walk(1 + index / 40, 0.4, 0.1, 0.2, frames=40)
        write_bvh(folder / f"clips/{index}.bvh", to_bvh(positions, walker_skeleton(), 30.0))


def write_network(folder):
    """Write a VGG19 of random weights, in whose features style is measured."""
    from keras_dtl.backbones.vgg import save_vgg19, vgg19_features

    save_vgg19(vgg19_features(weights=None), folder / "vgg19.npz")


def write_artifacts(folder):
    """Write two artifacts of each task, of a few operations and without a training."""
    from tests.convert.conftest import write_classifier, write_negative
    from tests.convert.tasks import test_motion as motion

    write_classifier(folder / "classifier", (8, 8))
    write_negative(folder / "generator")
    for node in ("Identity", "Neg"):
        motion.artifact(folder / node, node=node)
