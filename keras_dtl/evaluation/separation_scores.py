"""Numbers and pictures of two codes: what each holds, and what an exchange keeps."""

import zlib

import numpy as np

from keras_dtl.evaluation.features import as_rgb
from keras_dtl.evaluation.separation import (
    bootstrap_interval,
    correlation,
    explained_variance,
    mean_distance,
    probe_accuracy,
    retrieval_precision,
    slant,
    stroke_thickness,
)
from keras_dtl.files import atomic_path

FEW = 1000
"""How many images are judged in the course of a training."""
PROBED = 20_000
"""At most so many training images teach a probe."""
JUDGE_EPOCHS = 8
BATCH = 256


def predict(network, inputs):
    """Return a network's outputs for many images, as arrays."""
    import keras

    parts = inputs if isinstance(inputs, list) else [inputs]
    outputs = []
    for start in range(0, len(parts[0]), BATCH):
        batch = [part[start : start + BATCH] for part in parts]
        outputs.append(network(batch if isinstance(inputs, list) else batch[0], training=False))
    return keras.tree.map_structure(lambda *x: np.concatenate([np.asarray(v) for v in x]), *outputs)


def fit_judge(train, seed=0, epochs=JUDGE_EPOCHS):
    """Fit a classifier of real images and freeze it.

    Args:
        train: `LabelledImages`.

    Returns:
        A Keras model from uint8 images to `[logits, features]`.
    """
    import keras

    from keras_dtl.backbones import lenet
    from keras_dtl.data import endless_batches, steps_per_epoch

    keras.utils.set_random_seed(seed)
    body = lenet(train.image_shape)
    hidden = keras.layers.Dense(128, activation="relu")(body.output)
    dropped = keras.layers.Dropout(0.5)(hidden)
    classifier = keras.Model(body.input, keras.layers.Dense(len(train.classes))(dropped))
    steps = max(steps_per_epoch(train, 128), 100)
    rate = keras.optimizers.schedules.CosineDecay(2e-3, epochs * steps)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    classifier.compile(keras.optimizers.Adam(rate), loss)
    classifier.fit(
        endless_batches(train, 128, seed), steps_per_epoch=steps, epochs=epochs, verbose=0
    )
    judge = keras.Model(body.input, [classifier.output, hidden], name="judge")
    judge.trainable = False
    return judge


def kept_judge(train, folder):
    """Return the frozen judge of these images, fitted once and kept in a folder.

    It has one seed, whatever that of the training is: one judge for all that are compared.

    Args:
        train: `LabelledImages`.
        folder: Of the run. Another set of images has a judge of its own there.
    """
    import keras

    print_of_data = zlib.crc32(train.labels.tobytes(), zlib.crc32(train.images.tobytes()))
    path = folder / f"judge-{print_of_data:08x}-{JUDGE_EPOCHS}.keras"
    if path.exists():
        return keras.saving.load_model(path)
    judge = fit_judge(train)
    if folder.is_dir():  # scoring alone makes none
        with atomic_path(path) as temporary:
            judge.save(temporary)
    return judge


def answers(judge, images):
    """Return the judge's classes and features of uint8 images."""
    logits, features = predict(judge, images)
    return logits.argmax(1), features


def judged_share(judge, images, labels):
    """Return the share of images judged to be of a class, with its 95 % interval."""
    right = answers(judge, images)[0] == labels
    return {"share": float(right.mean()), "interval": bootstrap_interval(right)}


def probes(train, test, seed):
    """Return what linear and MLP probes read of the class in each code.

    Args:
        train, test: `(codes by name, labels)`.
    """
    return {
        name: {
            kind: probe_accuracy((train[0][name], train[1]), (test[0][name], test[1]), kind, seed)
            for kind in ("linear", "mlp")
        }
        for name in train[0]
    }


def codes_of(model, images, seed=0):
    """Return content, mean style and drawn style of uint8 images, arrays by name."""
    from keras_dtl.methods.networks import to_signed

    content, mean, log_variance = predict(lambda x, **_: model.encoder(to_signed(x)), images)
    noise = np.random.default_rng(seed).standard_normal(mean.shape).astype("float32")
    return {"s": content, "z_mean": mean, "z_sample": mean + np.exp(0.5 * log_variance) * noise}


def swap_scores(model, data, judge, seed=0):
    """Return the measures of a trained `SwapVAE`, JSON-ready."""
    random = np.random.default_rng(seed)
    chosen = random.permutation(len(data.train))[:PROBED]
    train = codes_of(model, data.train.images[chosen], seed)
    images, labels = data.test.images, data.test.labels
    test = codes_of(model, images, seed + 1)
    donor = random.permutation(len(images))  # image i lends its style to the content of donor[i]
    decoder = model.parts()["decoder"]
    swapped = predict(decoder, [test["s"][donor], test["z_mean"]])
    prior = random.standard_normal(test["z_mean"].shape).astype("float32")
    return {
        "judge": judged_share(judge, images, labels),
        "class_from": probes((train, data.train.labels[chosen]), (test, labels), seed),
        "swap_accuracy": judged_share(judge, swapped, labels[donor]),
        "prior_accuracy": judged_share(judge, predict(decoder, [test["s"], prior]), labels),
        "style_kept": style_kept(model, images, swapped, test["z_mean"]),
        "diversity": diversity(judge, decoder, test, images, labels, random),
        "retrieval": {
            name: retrieval_precision(test[name], labels) for name in ("s", "z_mean")
        },
        "content_ignored": content_ignored(decoder, images, test, donor),
    }  # fmt: skip


def swap_progress(model, data, judge):
    """Return the share of exchanged images that are judged right, of a few."""
    images, labels = data.test.images[:FEW], data.test.labels[:FEW]
    content = np.roll(np.arange(len(images)), 1)
    swapped = predict(model.deployable(), [images[content], images])
    return {"swap_accuracy": float((answers(judge, swapped)[0] == labels[content]).mean())}


def style_kept(model, images, swapped, styles):
    """Return how much of slant, thickness and the style code itself an exchange keeps."""
    kept = {"code": explained_variance(styles, codes_of(model, swapped)["z_mean"])}
    if images.shape[-1] == 1:
        kept["slant"] = correlation(slant(images), slant(swapped))
        kept["thickness"] = correlation(stroke_thickness(images), stroke_thickness(swapped))
    return kept


def diversity(judge, decoder, codes, images, labels, random):
    """Return how far apart the styles of one content are, relative to real images of a class."""
    partner = partners(labels, random)
    drawn = [predict(decoder, [codes["s"], codes["z_mean"][i]]) for i in (partner, partner[::-1])]
    of_generated = [answers(judge, part)[1] for part in drawn]
    of_real = answers(judge, images)[1]
    return {
        "features": mean_distance(*of_generated) / mean_distance(of_real, of_real[partner]),
        "pixels": mean_distance(*drawn) / mean_distance(images, images[partner]),
    }


def content_ignored(decoder, images, codes, donor):
    """Return the mean absolute error of rebuilt images, and with another image's content."""
    rebuilt = predict(decoder, [codes["s"], codes["z_mean"]]).astype("float64")
    shuffled = predict(decoder, [codes["s"][donor], codes["z_mean"]]).astype("float64")
    return {
        "error": float(np.abs(rebuilt - images).mean()),
        "error_with_other_content": float(np.abs(shuffled - images).mean()),
    }


def partners(labels, random):
    """Return for each example another one of its label."""
    result = np.arange(len(labels))
    for label in np.unique(labels):
        of_class = random.permutation(np.flatnonzero(labels == label))
        result[of_class] = np.roll(of_class, 1)
    return result


def grid_picture(drawn, rows=None, columns=None):
    """Join images `(rows, columns, height, width, channels)` into one RGB picture.

    Args:
        drawn: uint8 images.
        rows, columns: Real images for the margins at the left and above, or None for none.
    """
    lines = [np.concatenate(list(as_rgb(line)), 1) for line in drawn]
    if rows is not None:
        lines = [np.concatenate([as_rgb(row[None])[0], line], 1)
                 for row, line in zip(rows, lines, strict=True)]  # fmt: skip
    if columns is not None:
        blank = np.full_like(as_rgb(columns[:1]), 255)
        top = np.concatenate(list(np.concatenate([blank, as_rgb(columns)])), 1)
        lines.insert(0, top)
    return np.concatenate(lines)


def swap_grid(model, style_images, content_images):
    """Return the grid of every style (its row) with every content (its column)."""
    count, columns = len(style_images), len(content_images)
    style = np.repeat(style_images, columns, 0)
    content = np.tile(content_images, (count, 1, 1, 1))
    drawn = predict(model.deployable(), [content, style])
    return grid_picture(
        drawn.reshape(count, columns, *drawn.shape[1:]), style_images, content_images
    )


def interpolation(model, first, last, steps=10):
    """Return a picture of two walks from one image to another: along its style and its content."""
    codes = codes_of(model, np.stack([first, last]))
    return walks(model.parts()["decoder"], codes["s"], codes["z_mean"], steps)


def walks(decoder, contents, styles, steps=10):
    """Return a picture of two walks between two images, in rows: along the style, the content.

    Args:
        decoder: Network from `[content, style]` to uint8 images.
        contents, styles: Codes of both images, `(2, numbers)`.
        steps: Images in a row.
    """
    shares = np.linspace(0, 1, steps)[:, None].astype("float32")
    walk, fixed = (
        [(1 - along) * codes[:1] + along * codes[1:] for codes in (contents, styles)]
        for along in (shares, 0 * shares)
    )
    rows = [predict(decoder, [fixed[0], walk[1]]), predict(decoder, [walk[0], fixed[1]])]
    return grid_picture(np.stack(rows))
