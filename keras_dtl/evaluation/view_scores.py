"""Generated views of things: is the thing the same, and is the view another?"""

from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np
from scipy.special import entr

from keras_dtl.evaluation.distribution import frechet_distance
from keras_dtl.evaluation.image_judge import judge_images, judged_share, share_with_interval
from keras_dtl.evaluation.prediction import predict
from keras_dtl.evaluation.separation import mean_distance
from keras_dtl.evaluation.separation_scores import FEW, partners
from keras_dtl.evaluation.similarity import absolute_error

DRAWN = 2000
"""How many contents are drawn to be judged."""


class ViewGenerator(NamedTuple):
    """What makes images of contents in views that are drawn from the standard Gaussian.

    Args:
        generate: Keras model, or function, from `[content, view]` to uint8 images.
        view_numbers: Numbers in the code of a view.
    """

    generate: Callable
    view_numbers: int

    def draw(self, contents: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Return images of each content in a view drawn at random.

        Args:
            contents: Codes `(examples, numbers)`.
            random: Choice of the views.

        Returns:
            uint8 `(examples, height, width, channels)`.
        """
        views = draw_codes(len(contents), self.view_numbers, random)
        return predict(self.generate, [contents, views])


def draw_codes(count: int, numbers: int, random: np.random.Generator) -> np.ndarray:
    """Return codes from the standard Gaussian, float32 `(count, numbers)`.

    Args:
        count: How many codes.
        numbers: Numbers in each.
        random: Their choice.
    """
    return random.standard_normal((count, numbers)).astype("float32")


def multi_view_scores(
    generator: ViewGenerator,
    judge: keras.Model,
    contents: np.ndarray,
    images: np.ndarray,
    labels: np.ndarray,
    random: np.random.Generator,
) -> dict:
    """Return whether two views of a content show one thing, and differ as real views do.

    Args:
        generator: The `ViewGenerator`.
        judge: What `fit_judge` returns.
        contents: Codes of the contents that are shown, `(contents, numbers)`.
        images, labels: Real uint8 images `(examples, height, width, channels)` to compare with,
            and their classes.
        random: Choice of views and of real pairs.

    Returns:
        JSON-ready: `judge` as `judged_share` gives it; `agreement`, the share of contents whose
        two views are judged to be of one class, and `ceiling`, that of real pairs;
        `view_diversity` of the judge's features and `view_diversity_of_pixels`, ratios of mean
        distances to those of real pairs; `class_entropy`, 1 where all classes are drawn alike;
        `frechet_distance` to real features, and `frechet_distance_of_real` among these.
    """
    first, second = (generator.draw(contents, random) for _ in range(2))
    (one, features), (two, others) = judge_images(judge, first), judge_images(judge, second)
    partner = partners(labels, random)
    of_real, real_features = judge_images(judge, images)
    distance = mean_distance(real_features, real_features[partner])
    halves = (judge_images(judge, part)[1] for part in (images[::2], images[1::2]))
    return {
        "judge": judged_share(judge, images, labels),
        "agreement": share_with_interval(one == two),
        "ceiling": share_with_interval(of_real == of_real[partner]),
        "view_diversity": mean_distance(features, others) / distance,
        "view_diversity_of_pixels": mean_distance(first, second)
        / mean_distance(images, images[partner]),
        "class_entropy": class_entropy(one, len(np.unique(labels))),
        "frechet_distance": frechet_distance(features, real_features),
        "frechet_distance_of_real": frechet_distance(*halves),
    }


def class_entropy(answers: np.ndarray, classes: int) -> float:
    """Return the entropy of answers over that of all classes in equal shares: 0 where all are one.

    Args:
        answers: Classes, integers `(examples,)` of 0 or more.
        classes: How many classes there could be, two or more.
    """
    return float(entr(np.bincount(answers) / len(answers)).sum() / np.log(classes))


def view_progress(
    generator: ViewGenerator,
    judge: keras.Model,
    contents: np.ndarray,
    images: np.ndarray,
    labels: np.ndarray,
) -> dict:
    """Return agreement and diversity of two views of a few contents.

    Args:
        generator, judge: As for `multi_view_scores`.
        contents: Codes of a few contents, `(contents, numbers)`.
        images, labels: Real images and their classes, of which the first thousand are taken.

    Returns:
        `agreement`, a share in 0..1, and `view_diversity`, a ratio: 1 as real views.
    """
    random = np.random.default_rng(0)
    (one, features), (two, others) = (
        judge_images(judge, generator.draw(contents, random)) for _ in range(2)
    )
    labels, real_features = labels[:FEW], judge_images(judge, images[:FEW])[1]
    distance = mean_distance(real_features, real_features[partners(labels, random)])
    return {
        "agreement": float((one == two).mean()),
        "view_diversity": mean_distance(features, others) / distance,
    }


def identity(
    generator: ViewGenerator,
    judge: keras.Model,
    contents: np.ndarray,
    labels: np.ndarray,
    random: np.random.Generator,
) -> dict:
    """Return the share of new views that are still judged to show what the image shows.

    Args:
        generator, judge: As for `multi_view_scores`.
        contents: Codes that were read from images, `(examples, numbers)`.
        labels: Classes of these images, `(examples,)`.
        random: Choice of the views.

    Returns:
        As `judged_share`.
    """
    return judged_share(judge, generator.draw(contents, random), labels)


def copied_view(
    generate: Callable,
    read_view: Callable,
    judge: keras.Model,
    contents: np.ndarray,
    examples: tuple,
    random: np.random.Generator,
) -> dict:
    """Return how near an image is that has one's content and another's view to that other image.

    Both show one object.

    Args:
        generate: Keras model, or function, from `[content, view]` to uint8 images.
        read_view: Function from uint8 images to codes of their views `(batch, numbers)`.
        judge: What `fit_judge` returns.
        contents: Codes of the images' contents, `(examples, numbers)`.
        examples: `(images, labels)`: uint8 `(examples, height, width, channels)` and `(examples,)`.
        random: Choice of the other images.

    Returns:
        `error`, mean absolute levels of 0..255; `error_of_unchanged`, that of the first image
        itself, whose view is not changed; `identity`, as `judged_share`.
    """
    images, labels = examples
    wanted = images[partners(labels, random)]
    copies = predict(generate, [contents, predict(read_view, wanted)])
    return {
        "error": absolute_error(copies, wanted),
        "error_of_unchanged": absolute_error(images, wanted),
        "identity": judged_share(judge, copies, labels),
    }
