"""The README's pictures: what trained generators make of photos and maps that they never saw.

    python scripts/benchmarks/pictures.py --pix2pix exported/pix2pix --cyclegan exported/cyclegan
    python scripts/benchmarks/pictures.py --fast-style exported/fast-style --stylized out.png

Photos are the two of scikit-learn (by danielbuechele, CC BY 2.0). Label maps of facades are drawn
here, in the colours of CMP Facades as pix2pix packed them. Nothing of a training set is shown. Only
the pictures whose parts are given are written, to results/pictures/.
"""

import argparse
import itertools
from pathlib import Path

import numpy as np
from facades_ablation import CLASSES
from record import RESULTS

from keras_dtl.images import read_image, resize_image, write_image

PICTURES = RESULTS / "pictures"
MAP_SIZE, MAP_SEEDS = 128, (0, 1, 3, 4, 7)
PHOTO_SIZE = (256, 384)
GAP = 4
"""White pixels between images."""


def photos():
    from sklearn.datasets import load_sample_images

    return [resize_image(photo, PHOTO_SIZE) for photo in load_sample_images().images]


def draw_facade(seed, size=MAP_SIZE):
    """Draw the label map of a house, another one for each seed."""
    random = np.random.default_rng(seed)
    image = np.full((size, size, 3), CLASSES["facade"], "uint8")

    def box(name, top, bottom, left=0.0, right=1.0):
        top, bottom, left, right = (round(size * share) for share in (top, bottom, left, right))
        image[top:bottom, left:right] = CLASSES[name]

    box("background", 0.0, 0.05)
    box("molding", 0.05, 0.12)
    floors, windows = random.integers(3, 5), random.integers(3, 6)
    height, width = 0.86 / floors, 1 / windows
    with_balconies, entrance = random.integers(floors - 1), random.integers(windows)
    has_blinds = random.random() < 0.5
    for floor, window in itertools.product(range(floors), range(windows)):
        top, below = 0.13 + floor * height, 0.13 + (floor + 0.75) * height
        left, right = (window + 0.25) * width, (window + 0.75) * width
        if floor == floors - 1 and window == entrance:
            box("door", top + 0.3 * height, 1.0, left, right)
            continue
        box("window", top + 0.2 * height, below, left, right)
        if has_blinds and floor < floors - 1:
            box("blind", top + 0.2 * height, below, left - 0.12 * width, left)
            box("blind", top + 0.2 * height, below, right, right + 0.12 * width)
        if floor == with_balconies and window % 2:
            box("balcony", below - 0.1 * height, below + 0.15 * height, left, right)
        else:
            box("sill", below, below + 0.1 * height, left, right)
    box("molding", 0.1 + (floors - 1) * height, 0.14 + (floors - 1) * height)
    return image


def row(images):
    """Return images of one height beside each other."""
    height = images[0].shape[0]
    gap = np.full((height, GAP, 3), 255, "uint8")
    parts = [part for image in images for part in (image, gap)]
    return np.concatenate(parts[:-1], 1)


def rows(lines):
    lines = [row(line) for line in lines]
    gap = np.full((GAP, lines[0].shape[1], 3), 255, "uint8")
    parts = [part for line in lines for part in (line, gap)]
    return np.concatenate(parts[:-1], 0)


def translate(artifact, images):
    from keras_dtl import load_artifact

    model = load_artifact(artifact)
    return [np.asarray(model(image[None]))[0] for image in images]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("pix2pix", "cyclegan", "fast-style"):
        parser.add_argument(f"--{name}", type=Path, help="artifact, as exported/NAME")
    parser.add_argument("--stylized", type=Path, help="what keras-dtl stylize made of china.jpg")
    arguments = parser.parse_args()
    PICTURES.mkdir(exist_ok=True)
    if arguments.pix2pix:
        maps = [draw_facade(seed) for seed in MAP_SEEDS]
        write_image(PICTURES / "pix2pix.png", rows([maps, translate(arguments.pix2pix, maps)]))
    for name in ("cyclegan", "fast_style"):
        if getattr(arguments, name):
            drawn = translate(getattr(arguments, name), photos())
            write_image(PICTURES / f"{name}.jpg", rows([photos(), drawn]))
    if arguments.stylized:
        image = resize_image(read_image(arguments.stylized), PHOTO_SIZE)
        write_image(PICTURES / "style_transfer.jpg", row([photos()[0], image]))


if __name__ == "__main__":
    main()
