"""pix2pix on facades, part by part: what each loss and each receptive field is worth.

    python scripts/benchmarks/facades_ablation.py --folder facades --features mobilenet_v2:PATH

Photos from label maps, in the manner of tables 1 and 3 of Isola et al. 2017 (which are of
Cityscapes at 256 pixels, so no figure is to match): L1, cGAN, L1+cGAN, and L2 and L2+cGAN, which
the paper leaves out; then L1+cGAN with other receptive fields. At 64 pixels 16 stand for the
paper's 70 of 256.

The FCN-score is that of a segmenter trained on the real photos of the training split. All test
pairs are scored with the weights of the last epoch: they choose nothing. FID and KID are those of
the network that --features names. A row and seed that the result holds is not repeated, one that
was stopped is resumed: it can be killed at any time. But a result of other settings, or of another
judge than the one in the folder of the runs, is begun anew. Writes results/facades_ablation.json,
and a picture of the rows to the folder of the runs. About four minutes a row and seed on one core.
"""

import argparse
import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from record import column_summary, read_result, write_result

from keras_dtl.files import atomic_path
from keras_dtl.recipes.pix2pix import Pix2PixRecipe

FIELD = 16
ALONE = {"adversarial_weight": 0.0}
ROWS = {
    "L1": {"reconstruction": "l1", **ALONE},
    "cGAN": {"reconstruction": "none"},
    "L1+cGAN": {"reconstruction": "l1"},
    "L2": {"reconstruction": "l2", **ALONE},
    "L2+cGAN": {"reconstruction": "l2"},
    **{
        f"L1+cGAN, {field} px": {"reconstruction": "l1", "receptive_field": field}
        for field in (1, 34, 70)
    },
}
CLASSES = {
    "background": (0, 0, 222),
    "facade": (0, 48, 255),
    "window": (0, 128, 255),
    "door": (0, 207, 255),
    "cornice": (32, 255, 224),
    "sill": (112, 255, 143),
    "balcony": (192, 255, 63),
    "blind": (255, 240, 0),
    "decoration": (255, 159, 0),
    "molding": (255, 80, 0),
    "pillar": (255, 0, 0),
    "shop": (175, 0, 0),
}
"""Colours of the label maps of CMP Facades as pix2pix packed them."""
SEGMENTER_EPOCHS, SEGMENTER_FILTERS = 15, 16
PHOTOS = "photos.npy"
SHOWN = 6
"""How many test pairs the picture shows."""


@dataclass(frozen=True)
class Settings:
    folder: Path
    """Of the pairs: photo at the left, label map at the right; train/ and test/ or val/."""
    features: str = "random"
    epochs: int = 20
    batch_size: int = 4
    image_size: int = 64
    filters: int = 32

    def recipe(self, row, seed, output):
        fields = {"receptive_field": FIELD, **ROWS[row]}
        return Pix2PixRecipe(
            source=f"paired:{self.folder}",
            direction="b-to-a",
            epochs=self.epochs,
            batch_size=self.batch_size,
            image_size=self.image_size,
            filters=self.filters,
            features=self.features,
            measure_every=self.epochs,
            keep="last",
            seed=seed,
            output=output,
            resume=True,
            **fields,
        )


class Judge(NamedTuple):
    """A segmenter of photos, and the test pairs with the class of each pixel."""

    segmenter: object
    pairs: object
    classes: np.ndarray

    def score(self, photos):
        from keras_dtl.evaluation import fcn_score

        return fcn_score(self.segmenter, photos, self.classes)


def judge_of(settings, file):
    """Return the judge, whose segmenter is trained unless it lies in `file`."""
    import keras

    from keras_dtl.cli.session import start_session
    from keras_dtl.evaluation import fit_segmenter

    classes = {split: classes_of(settings, split) for split in ("train", "test")}
    if not file.exists():
        start_session(seed=0)
        photos = load_split(settings, "train").a
        segmenter = fit_segmenter(
            np.concatenate([photos, photos[:, :, ::-1]]),
            np.concatenate([classes["train"], classes["train"][:, :, ::-1]]),
            len(CLASSES),
            epochs=SEGMENTER_EPOCHS,
            filters=SEGMENTER_FILTERS,
        )
        with atomic_path(file) as temporary:
            segmenter.save(temporary)
    return Judge(keras.saving.load_model(file), load_split(settings, "test"), classes["test"])


def load_split(settings, split):
    """Return the pairs of a split at the size that is trained."""
    from keras_dtl.data import load_pairs

    return load_pairs(settings.folder, split, (settings.image_size,) * 2)


def classes_of(settings, split):
    """Return the classes in the middle of each pixel, from the label maps in full size."""
    from keras_dtl.data import load_pairs
    from keras_dtl.evaluation import palette_classes

    maps = load_pairs(settings.folder, split).b
    step = maps.shape[1] // settings.image_size
    middle = slice(step // 2, None, step)
    return palette_classes(maps[:, middle, middle], list(CLASSES.values()))


def train_row(settings, row, seed, judge, runs):
    """Train one row with one seed and return its scores."""
    import keras

    from keras_dtl.cli.session import start_session
    from keras_dtl.evaluation.translation_scores import translate
    from keras_dtl.recipes.training import train

    folder = folder_of(runs, row, seed)
    keras.utils.clear_session()
    start_session(seed)
    trained = train(settings.recipe(row, seed, folder))
    photos = translate(trained.model.deployable(), trained.data.test.a)
    np.save(folder / PHOTOS, photos)
    return {**judge.score(photos), **trained.scores}


def folder_of(runs, row, seed):
    return runs / f"{row.replace(', ', '-').replace(' ', '')}-seed{seed}"


def result_of(settings, judge, found):
    return {
        "what": "CMP Facades, label map to photo, all test pairs, weights of the last epoch",
        "settings": {
            "epochs": settings.epochs,
            "batch_size": settings.batch_size,
            "image_size": settings.image_size,
            "filters": settings.filters,
            "receptive_field": FIELD,
            "features": settings.features.partition(":")[0],
            "test_pairs": len(judge.classes),
        },
        "real photos": judge.score(judge.pairs.a),
        "rows": {
            row: {**column_summary(found[row].values()), "seeds": found[row]}
            for row in ROWS
            if row in found
        },
    }


def picture(judge, runs):
    """Draw label maps, real photos, and what the first seed of each row here made of the maps."""
    from keras_dtl.evaluation.figures import stack_rows
    from keras_dtl.images import write_image

    files = [folder_of(runs, row, 0) / PHOTOS for row in ROWS]
    drawn = [np.load(file) for file in files if file.exists()]
    rows = [judge.pairs.b, judge.pairs.a, *drawn]
    write_image(runs / "rows.png", stack_rows([row[:SHOWN] for row in rows]))


def show(found):
    for row, seeds in found.items():
        mean = column_summary(seeds.values())["mean"]
        words = [f"{name} {mean[name]:.3f}" for name in ("class_iou", "pixel_accuracy", "kid")]
        print(f"{row:16} {len(seeds)} seed(s)   " + "   ".join(words))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="folder of the pairs")
    parser.add_argument("--features", default="random", help="as in keras-dtl train pix2pix")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds, from 0")
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS))
    parser.add_argument("--runs", type=Path, default=Path("runs/benchmarks/facades"))
    arguments = parser.parse_args()
    settings = Settings(arguments.folder, arguments.features, arguments.epochs)
    judge = judge_of(settings, arguments.runs / "segmenter.keras")
    same = {key: result_of(settings, judge, {})[key] for key in ("settings", "real photos")}
    before = read_result("facades_ablation", **same)
    found = {row: dict(kept["seeds"]) for row, kept in before.get("rows", {}).items()}
    for seed, row in itertools.product(range(arguments.seeds), arguments.rows):
        if str(seed) not in found.setdefault(row, {}):
            found[row][str(seed)] = train_row(settings, row, seed, judge, arguments.runs)
            result = result_of(settings, judge, found)
            write_result("facades_ablation", result, show=(), before=before)
            picture(judge, arguments.runs)
            show({row: found[row]})
    show(found)


if __name__ == "__main__":
    main()
