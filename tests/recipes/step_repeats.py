"""Counts the outcomes of one training step that is repeated from one state, for every recipe.

python -m tests.recipes.step_repeats COUNT FOLDER [NAME ...]

In a process of its own: operations that were made deterministic stay so.
"""

import json
import sys
from pathlib import Path

import numpy as np

from keras_dtl.images import write_image

DIGITS = {"source": "digits", "image_size": 28, "filters": 16, "batch_size": 32}
IMAGES = {"image_size": 32, "filters": 8, "receptive_field": 16, "batch_size": 4, "keep": "last"}


def noise(folder, count, shape):
    random = np.random.default_rng(0)
    for index in range(count):
        write_image(folder / f"{index}.png", random.integers(0, 256, shape, dtype=np.uint8))
    return folder


def masks(folder, light):
    for index in range(4):
        mask = np.zeros((32, 32, 1), "uint8")
        mask[8 + 2 * index :] = 1
        write_image(folder / f"images/{index}.png", np.repeat(mask * light, 3, 2))
        write_image(folder / f"masks/{index}.png", mask)
    return f"folder:{folder}"


def changes(name, folder):
    """Return the settings of a recipe that differ from its own: small and embedded data."""
    match name:
        case "pix2pix":
            return {"source": f"paired:{noise(folder / 'pairs', 9, (32, 64, 3))}", **IMAGES}
        case "cyclegan":
            return {**IMAGES, "blocks": 2}
        case "fast-style":
            from keras_dtl.backbones.vgg import save_vgg19, vgg19_features

            save_vgg19(vgg19_features(weights=None), folder / "vgg19.npz")
            photos = noise(folder / "photos", 30, (32, 32, 3))
            return {
                "photos": f"folder:{photos}",
                "style": (f"{photos / '0.png'}",),
                "weights": f"{folder / 'vgg19.npz'}",
                **{"image_size": 32, "crop_size": 32, "style_size": 32, "batch_size": 4},
            }
        case "segmentation":
            day, dusk = masks(folder / "day", 120), masks(folder / "dusk", 60)
            return {"source": day, "target": dusk, "backbone": "unet", "filters": 4}
        case "shot":
            return {"start": f"{trained(folder / 'run')}"}
        case "swap-vae" | "gmv" | "cgmv":
            return DIGITS
    return {}


def trained(folder):
    from keras_dtl.recipes import RECIPES
    from keras_dtl.recipes.training import train

    train(RECIPES["source-only"](epochs=1, min_steps=1, output=folder))
    return folder


def outcomes(recipe, count):
    """Return how many outcomes `count` steps from one state have, and which variables differ."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(0)
    data = recipe.load_data()
    recipe.prepare(data, tf.distribute.get_strategy())
    model = recipe.build_model(data)
    for callback in recipe.callbacks(data):  # such as what pseudo-labels are taken from
        callback.set_model(model)
        callback.set_params({"epochs": 1, "steps": 1})
        callback.on_train_begin()
        callback.on_epoch_begin(0)
    step = tf.function(model.train_step)
    return repeats(model, step, next(iter(recipe.batches(data, first_step=0))), count)


def repeats(model, step, batch, count):
    step(batch)  # makes what is made in the first step
    optimizers = [getattr(model, name) for name in ("optimizer", *model.player_optimizers)]
    variables = [*model.variables, *(v for each in optimizers for v in each.variables)]
    state = [variable.numpy().copy() for variable in variables]
    found, differing, first = set(), set(), None
    for _ in range(count):
        for variable, value in zip(variables, state):
            variable.assign(value.copy())
        step(batch)
        after = tuple(variable.numpy().tobytes() for variable in variables)
        first = first or after
        pairs = zip(variables, after, first)
        differing |= {variable.path for variable, now, then in pairs if now != then}
        found.add(after)
    moved = any(value.tobytes() != now for value, now in zip(state, first))
    return {"outcomes": len(found), "differing": sorted(differing)[:9], "moved": moved}


def main(count, folder, *names):
    from keras_dtl.cli.session import start_session

    start_session(0)
    from keras_dtl.recipes import RECIPES

    for name in names or RECIPES:
        recipe = RECIPES[name](**changes(name, Path(folder) / name))
        print(json.dumps({"name": name, **outcomes(recipe, int(count))}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
