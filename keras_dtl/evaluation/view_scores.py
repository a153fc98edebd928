"""Numbers and pictures of generated views: is the thing the same, and is the view another?"""

import numpy as np

from keras_dtl.evaluation import frechet_distance
from keras_dtl.evaluation.separation import bootstrap_interval, mean_distance
from keras_dtl.evaluation.separation_scores import (
    FEW,
    answers,
    grid_picture,
    judged_share,
    partners,
    predict,
    walks,
)
from keras_dtl.evaluation.similarity import absolute_error

DRAWN = 2000
"""How many contents are drawn to be judged."""
READ = (("encoder", "content"), ("view_encoder", "view"))
"""The networks that read an image, with the names of what they give."""


def gmv_scores(model, data, judge, seed=0):
    """Return the measures of a trained `GMV`, JSON-ready."""
    random = np.random.default_rng(seed)
    return view_scores(model, judge, data, contents_drawn(model, DRAWN, random), random)


def contents_drawn(model, count, random):
    return random.standard_normal((count, model.content_numbers)).astype("float32")


def cgmv_scores(model, data, judge, seed=0):
    """Return the measures of a trained `CGMV`, JSON-ready: those of GMV, and identity."""
    random = np.random.default_rng(seed)
    encoder = model.parts()["encoder"]
    content = predict(encoder, data.test.images)["content"]
    scores = view_scores(model, judge, data, content, random)
    scores["identity"] = identity(model, judge, data.test, content, random)
    if data.held_out is not None:
        held = predict(encoder, data.held_out.images)["content"]
        scores["identity_of_held_out"] = identity(model, judge, data.held_out, held, random)
    if model.view_encoder is not None:
        scores["copied_view"] = copied_view(model, judge, data.test, content, random)
    return scores


def view_progress(model, data, judge, content):
    """Return agreement and diversity of two views of a few contents."""
    random = np.random.default_rng(0)
    (one, features), (two, others) = (
        answers(judge, drawn(model, content, random)) for _ in range(2)
    )
    real, labels = data.test.images[:FEW], data.test.labels[:FEW]
    real_features = answers(judge, real)[1]
    distance = mean_distance(real_features, real_features[partners(labels, random)])
    return {
        "agreement": float((one == two).mean()),
        "view_diversity": mean_distance(features, others) / distance,
    }


def everything(data):
    """Return what the judge learns: training images, and every second one of held-out classes."""
    if data.held_out is None:
        return data.train
    return data.train.join(data.held_out.subset(np.arange(0, len(data.held_out), 2)))


def view_scores(model, judge, data, content, random):
    """Return agreement of two views beside that of real pairs, diversity and distance."""
    first, second = (drawn(model, content, random) for _ in range(2))
    (one, features), (two, others) = answers(judge, first), answers(judge, second)
    real, labels = data.test.images, data.test.labels
    partner = partners(labels, random)
    of_real, real_features = answers(judge, real)
    same, same_real = one == two, of_real == of_real[partner]
    shares = np.bincount(one, minlength=len(data.train.classes)) / len(one)
    entropy = -np.sum(shares[shares > 0] * np.log(shares[shares > 0]))
    return {
        "judge": judged_share(judge, real, labels),
        "agreement": {"share": float(same.mean()), "interval": bootstrap_interval(same)},
        "ceiling": {"share": float(same_real.mean()), "interval": bootstrap_interval(same_real)},
        "view_diversity": mean_distance(features, others)
        / mean_distance(real_features, real_features[partner]),
        "view_diversity_of_pixels": mean_distance(first, second)
        / mean_distance(real, real[partner]),
        "class_entropy": float(entropy / np.log(len(np.unique(labels)))),
        "frechet_distance": frechet_distance(features, real_features),
        "frechet_distance_of_real": frechet_distance(
            *(answers(judge, part)[1] for part in (real[::2], real[1::2]))
        ),
    }


def identity(model, judge, examples, content, random):
    """Return the share of new views that are still judged to show what the image shows."""
    return judged_share(judge, drawn(model, content, random), examples.labels)


def copied_view(model, judge, examples, content, random):
    """Return how near an image is that has one's content and another's view to that other image.

    Both show one object; the errors are mean absolute levels of 0..255. That of the first image
    itself, whose view is not changed, is beside it.
    """
    partner = partners(examples.labels, random)
    wanted = examples.images[partner]
    view = predict(model.parts()["view_encoder"], wanted)["view"]
    copies = predict(model.parts()["generator"], [content, view])
    return {
        "error": absolute_error(copies, wanted),
        "error_of_unchanged": absolute_error(examples.images, wanted),
        "identity": judged_share(judge, copies, examples.labels),
    }


def drawn(model, content, random):
    """Return images of each content in a view drawn at random, uint8."""
    view = random.standard_normal((len(content), model.view_numbers)).astype("float32")
    return predict(model.parts()["generator"], [content, view])


def view_grid(model, content, random, margin=None):
    """Return a picture whose rows have a content and whose columns a view."""
    count = len(content)
    view = random.standard_normal((count, model.view_numbers)).astype("float32")
    codes = [np.repeat(content, count, 0), np.tile(view, (count, 1))]
    images = predict(model.parts()["generator"], codes)
    return grid_picture(images.reshape(count, count, *images.shape[1:]), margin)


def grid_of_images(model, images):
    """Return a picture whose rows show real images, at the left, each in the same new views."""
    content = predict(model.parts()["encoder"], images)["content"]
    return view_grid(model, content, np.random.default_rng(0), images)


def view_interpolation(model, first, last):
    """Return a picture of two walks from one image to another: along its view and its content."""
    pair = np.stack([first, last])
    parts = model.parts()
    content, view = (predict(parts[n], pair)[k] for n, k in READ)
    return walks(parts["generator"], content, view)
