"""What is measured and drawn of generators, in training and after it."""

import numpy as np

from keras_dtl.evaluation import (
    absolute_error,
    brightness_correlation,
    feature_network,
    features_of,
    frechet_distance,
    kernel_distance,
    perceptual_distance,
)
from keras_dtl.evaluation.features import as_rgb

SHOWN = 4
"""How many images the progress pictures show."""
BATCH = 8


def translate(generator, images):
    """Return what a deployed generator makes of uint8 images, in batches and untraced."""
    parts = [
        np.asarray(generator(images[start : start + BATCH], training=False))
        for start in range(0, len(images), BATCH)
    ]
    return np.concatenate(parts)


class Measures:
    """What is logged every few epochs: KID, and whether brightness is turned round.

    Args:
        recipe: A `TranslationRecipe`, whose `expected` says what the images should resemble.
        images: The `Images` to translate.
    """

    def __init__(self, recipe, images):
        self.recipe = recipe
        self.source, self.answers = recipe.seen_from(images)
        self.network = feature_network(recipe.features)
        self.features = features_of(self.network, self.answers)

    def __call__(self, model):
        translated = translate(model.deployable(), self.source)
        kid = kernel_distance(features_of(self.network, translated), self.features)
        reference = self.recipe.brightness_reference(self.source, self.answers)
        return {"kid": kid, "brightness_correlation": brightness_correlation(translated, reference)}


def distances(recipe, translated, answers):
    """Return FID and KID between translated images and real ones of that domain."""
    network = feature_network(recipe.features)
    both = features_of(network, translated), features_of(network, answers)
    return {"fid": frechet_distance(*both), "kid": kernel_distance(*both)}


def progress_picture(recipe, model, images):
    """Return one picture: a row of sources, one of translations and, for pairs, one of answers."""
    source, answers = (part[:SHOWN] for part in recipe.seen_from(images))
    rows = [source, translate(model.deployable(), source)]
    if recipe.paired:
        rows.append(answers)
    return stacked(rows)


def stacked(rows):
    """Join rows of uint8 images of one size into one RGB picture."""
    return np.concatenate([np.concatenate(list(as_rgb(row)), axis=1) for row in rows])


def perceptual(network, translated, answers):
    """Return the perceptual distance by name, where the network has maps to measure it in."""
    try:
        return {"perceptual_distance": perceptual_distance(network, translated, answers)}
    except ValueError:
        return {}


def cycle_errors(there, back, images, fake_a, fake_b):
    """Return how far from itself an image comes back, and is moved by its own domain's generator.

    Both are mean absolute differences in levels of 0..255; the identity is left out where the
    domains differ in channels.
    """
    cycle = [
        absolute_error(translate(back, fake_b), images.a),
        absolute_error(translate(there, fake_a), images.b),
    ]
    errors = {"cycle_error": float(np.mean(cycle))}
    if images.a.shape[-1] == images.b.shape[-1]:
        same = [
            absolute_error(translate(back, images.a), images.a),
            absolute_error(translate(there, images.b), images.b),
        ]
        errors["identity_error"] = float(np.mean(same))
    return errors
