"""The artifact that comes with the package: photos in the style of van Gogh's Starry Night.

    python scripts/benchmarks/starry_night.py --style painting.jpg --weights vgg19.npz

Trains on squares of photos that scikit-image and scikit-learn install and whose authors allow it,
for about 35 minutes on one core; a training that was stopped goes on with the same command. Then it
writes exported/starry-night, which holds the ONNX graphs alone, its card, and
results/starry_night.json. The painting and the photos stay where they are.
"""

import argparse
import dataclasses
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from record import ROOT, write_result

from keras_dtl.card import card_of
from keras_dtl.images import resize_image, write_image

NAME = "starry-night"
SIDE, SQUARES, EPOCHS, FILTERS = 256, 150, 25, 16
"""Pixels of a square, squares of an epoch, epochs, and channels of the generator's first map."""
SMALLEST = 0.6
"""Side of the smallest square, as a share of the photo's shorter side."""
KEPT = ("1/model.onnx", "1/model_tiles.onnx")
"""What `keras-dtl convert` reads: images at once, and in tiles those beyond memory."""
PICTURE, RESULT = "before_after.jpg", "starry_night"
STYLE = "Vincent van Gogh, The Starry Night, 1889 (public domain)"
WEIGHTS = "VGG19, Simonyan & Zisserman 2015 (CC BY 4.0), in a 16-bit copy"
ABOUT = f"""![A photo, and the same as the generator draws it]({{picture}})

The photo `{{name}}` by {{author}}, on which nothing was trained.

## Origin and licences

The generator is under the Apache License 2.0, like the package. It learnt one style from {STYLE},
by the features of {WEIGHTS}, on photos that two packages install, and whose authors allow it.
None of these is part of the artifact. The last two photos were held out.

| photo | package | author | licence |
| --- | --- | --- | --- |
{{rows}}

It learnt in {EPOCHS * SQUARES} steps and knows ten photos: even regions may show a grid of four
pixels, and faces are strokes like all else. For size, it lacks the SavedModel and Keras file that
`keras-dtl train` writes."""


class Photo(NamedTuple):
    """A photo that a package installs, and who allows its use."""

    name: str
    package: str
    author: str
    licence: str


TRAINED_ON = (
    Photo("astronaut", "scikit-image", "NASA", "public domain"),
    Photo("camera", "scikit-image", "Lav Varshney", "CC0"),
    Photo("chelsea", "scikit-image", "Stefan van der Walt", "CC0"),
    Photo("brick", "scikit-image", "CC0Textures", "CC0"),
    Photo("grass", "scikit-image", "CC0Textures", "CC0"),
    Photo("gravel", "scikit-image", "CC0Textures", "CC0"),
    Photo("hubble_deep_field", "scikit-image", "NASA", "public domain"),
    Photo("rocket", "scikit-image", "SpaceX", "public domain"),
    Photo("china.jpg", "scikit-learn", "danielbuechele", "CC BY 2.0"),
    Photo("flower.jpg", "scikit-learn", "danielbuechele, vultilion", "CC BY 2.0"),
)
HELD_OUT = (
    Photo("coffee", "scikit-image", "Rachel Michetti", "CC0"),
    Photo("clock", "scikit-image", "Stefan van der Walt", "public domain"),
)


def read_photo(photo):
    """Return a photo as uint8 `(height, width, 3)`."""
    if photo.package == "scikit-learn":
        from sklearn.datasets import load_sample_image

        return load_sample_image(photo.name)
    from skimage import data

    image = getattr(data, photo.name)()
    return np.repeat(image[..., None], 3, -1) if image.ndim == 2 else image


def cut_squares(photos, count, seed):
    """Return random squares of photos, some mirrored: uint8 `(count, side, side, 3)`."""
    random = np.random.default_rng(seed)
    images, squares = [read_photo(photo) for photo in photos], []
    for number in range(count):
        image = images[number % len(images)]
        side = int(min(image.shape[:2]) * random.uniform(SMALLEST, 1.0))
        top, left = (random.integers(size - side + 1) for size in image.shape[:2])
        square = resize_image(image[top : top + side, left : left + side], (SIDE, SIDE))
        squares.append(square[:, :: 1 if random.random() < 0.5 else -1])
    return np.stack(squares)


def load_style_data(style, size):
    from keras_dtl.data import LabelledImages
    from keras_dtl.images import read_image
    from keras_dtl.methods.style.images import resize_within
    from keras_dtl.recipes.fast_style import StyleData

    train, held_out = (
        LabelledImages(cut_squares(photos, count, seed))
        for photos, count, seed in ((TRAINED_ON, SQUARES, 0), (HELD_OUT, 8, 1))
    )
    return StyleData(train, held_out, [resize_within(read_image(style), size)])


def train_generator(style, weights, run):
    """Train, or go on, and return the recipe and its `keras_dtl.recipes.training.Trained`."""
    from keras_dtl.cli.session import start_session
    from keras_dtl.recipes.fast_style import FastStyleRecipe
    from keras_dtl.recipes.training import train

    recipe = FastStyleRecipe(
        photos="named in the card",
        style=(str(style),),
        weights=str(weights),
        epochs=EPOCHS,
        filters=FILTERS,
        output=run,
        resume=True,
    )
    start_session(recipe.seed)
    return recipe, train(recipe, load_style_data(style, recipe.style_size))


def settings_of(recipe):
    """Return what the manifest says of the training, without the paths of this machine."""
    names = ("crop_size", "style_size", "filters", "learning_rate", "seed")
    return {
        "recipe": recipe.name,
        "style": STYLE,
        "weights": WEIGHTS,
        "photos": [f"{photo.name} ({photo.licence})" for photo in TRAINED_ON],
        "steps": EPOCHS * SQUARES,
        **{name: getattr(recipe, name) for name in names},
    }


def publish(recipe, trained, folder):
    """Export the generator, and put of the artifact what a conversion needs into a folder."""
    from keras_dtl import export_model
    from keras_dtl.files import atomic_path
    from keras_dtl.manifest import write_manifest

    metrics = {"share of the style distance left": trained.scores["style_0"]["style_left"]}
    with tempfile.TemporaryDirectory() as temporary, atomic_path(folder) as draft:
        whole = Path(temporary) / NAME
        manifest = export_model(trained.model, whole, settings=settings_of(recipe), metrics=metrics)
        kept = {name: manifest.files[name] for name in KEPT}
        parity = tuple(record for record in manifest.parity if record["file"] in kept)
        for name in kept:
            (draft / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(whole / name, draft / name)
        manifest = dataclasses.replace(manifest, files=kept, parity=parity)
        write_manifest(draft, manifest)
        write_picture(draft)
        card = card_of(manifest, draft, NAME, about_of(), "apache-2.0")
        (draft / "README.md").write_text(card, encoding="utf-8")
    return metrics


def write_picture(folder):
    """Draw the first of the held-out photos before and after, as the artifact converts it."""
    from keras_dtl import load_artifact

    photo = resize_image(read_photo(HELD_OUT[0]), (320, 480))
    made = np.asarray(load_artifact(folder, "cpu")(photo[None]))[0]
    write_image(folder / PICTURE, np.concatenate([photo, made], 1))


def about_of():
    """Return what the card says of origin and licences, as Markdown."""
    rows = "\n".join(
        f"| `{photo.name}` | {photo.package} | {photo.author} | {photo.licence} |"
        for photo in (*TRAINED_ON, *HELD_OUT)
    )
    first = HELD_OUT[0]
    return ABOUT.format(rows=rows, picture=PICTURE, name=first.name, author=first.author)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--style", type=Path, required=True, help="reproduction of the painting")
    parser.add_argument("--weights", type=Path, required=True, help="of VGG19, see vgg19_features")
    parser.add_argument("--run", type=Path, default=Path("runs") / NAME, help="run folder")
    arguments = parser.parse_args()
    folder = ROOT / "exported" / NAME
    recipe, trained = train_generator(arguments.style, arguments.weights, arguments.run)
    metrics = publish(recipe, trained, folder)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    settings = settings_of(recipe)
    write_result(RESULT, {"settings": settings, "metrics": metrics, "bytes": size})


if __name__ == "__main__":
    main()
