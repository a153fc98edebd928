"""Time of one DANN step beside ADAPT's DANN and the same network in eager PyTorch.

    python scripts/benchmarks/step_time.py

LeNet, 64 + 64 images of 28x28x3, SGD with momentum, float32. Each implementation runs in a process
of its own, in turn, several rounds; the ratio is taken within each round. Needs the extra
`[peers]`. Writes results/step_time.json.

What bounds a step is measured beside it: the five convolutions of the two layers, forward and
backward, alone, at the same sizes; and a large matrix product, which shows the arithmetic that the
machine can do at best.
"""

import statistics

from clock import StepClock, call_seconds, rounds_in_turn
from record import write_result

ROUNDS, WARM_UP, STEPS, BATCH = 7, 30, 150, 64
CONVOLUTIONS = 2 * 128 * (2 * 24 * 24 * 32 * 75 + 3 * 8 * 8 * 48 * 800)  # operations in a step
MATRIX = 2048


def images(seed):
    import numpy as np

    random = np.random.default_rng(seed)
    pixels = random.integers(0, 256, (4096, 28, 28, 3)).astype("uint8")
    return pixels, random.integers(0, 10, 4096).astype("int32")


def fit_seconds(model, *arguments, **keywords):
    """Return the seconds of each step of `fit` after the warm-up, everything included."""
    clock = StepClock(WARM_UP)
    callbacks = [*keywords.pop("callbacks", []), clock.callback]
    model.fit(*arguments, verbose=0, callbacks=callbacks, **keywords)
    return clock.seconds()


def keras_dtl_step(policy="float32"):
    """Time the whole of `fit`: pipeline, schedules and step."""
    import keras

    from keras_dtl.backbones import lenet, mlp
    from keras_dtl.callbacks import ProgressSchedule, inverse_decay, reversal_ramp
    from keras_dtl.data import LabelledImages, domain_batches
    from keras_dtl.methods import DANN

    keras.config.set_dtype_policy(policy)
    encoder = lenet()
    classifier, discriminator = mlp((768,), (100, 100), 10), mlp((768,), (100,), 1)
    model = DANN(encoder, classifier, discriminator)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), loss, metrics=["accuracy"])
    schedule = ProgressSchedule(
        {"reversal_strength": reversal_ramp(), "optimizer.learning_rate": inverse_decay(0.01)}
    )
    classes = tuple("0123456789")
    domains = [LabelledImages(*images(seed), classes) for seed in (0, 1)]
    steps = WARM_UP + STEPS + 1
    return fit_seconds(
        model, domain_batches(*domains, BATCH), steps_per_epoch=steps, callbacks=[schedule]
    )


def adapt_step(policy="float32"):
    """Time `fit` of ADAPT's DANN on arrays, without metrics, as in its documentation."""
    import keras
    import numpy as np
    from adapt.feature_based import DANN
    from keras import layers

    keras.config.set_dtype_policy(policy)
    encoder = keras.Sequential(
        [
            keras.Input((28, 28, 3)),
            layers.Conv2D(32, 5, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(48, 5, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
        ]
    )
    task = keras.Sequential(
        [keras.Input((768,))]
        + [layers.Dense(100, activation="relu") for _ in range(2)]
        + [layers.Dense(10, activation="softmax")]
    )
    discriminator = keras.Sequential(
        [
            keras.Input((768,)),
            layers.Dense(100, activation="relu"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    (source, labels), (target, _) = images(0), images(1)
    source, target = (x.astype("float32") / 127.5 - 1 for x in (source, target))
    model = DANN(
        encoder,
        task,
        discriminator,
        lambda_=1.0,
        loss="categorical_crossentropy",
        optimizer=keras.optimizers.SGD(0.01, momentum=0.9),
    )
    epochs = -(-(WARM_UP + STEPS + 1) // (len(source) // BATCH))
    return fit_seconds(
        model, source, np.eye(10, dtype="float32")[labels], target, epochs=epochs, batch_size=BATCH
    )


def torch_step():
    """Time a plain PyTorch loop on tensors in memory: the same sums, one pass of 128 images."""
    import torch
    from torch import nn

    class Reverse(torch.autograd.Function):
        @staticmethod
        def forward(context, x):
            return x.view_as(x)

        @staticmethod
        def backward(context, upstream):
            return -upstream

    def block(before, after):
        return nn.Sequential(nn.Conv2d(before, after, 5), nn.ReLU(), nn.MaxPool2d(2))

    encoder = nn.Sequential(block(3, 32), block(32, 48), nn.Flatten())
    hidden = (nn.Linear(768, 100), nn.ReLU(), nn.Linear(100, 100), nn.ReLU())
    classifier = nn.Sequential(*hidden, nn.Linear(100, 10))
    discriminator = nn.Sequential(nn.Linear(768, 100), nn.ReLU(), nn.Linear(100, 1))
    parameters = [p for net in (encoder, classifier, discriminator) for p in net.parameters()]
    optimizer = torch.optim.SGD(parameters, 0.01, momentum=0.9)
    label_loss, domain_loss = nn.CrossEntropyLoss(), nn.BCEWithLogitsLoss()
    domains = torch.cat([torch.zeros(BATCH, 1), torch.ones(BATCH, 1)])
    (source, labels), (target, _) = images(0), images(1)
    source, target = (
        torch.from_numpy(x).permute(0, 3, 1, 2).contiguous() for x in (source, target)
    )
    labels = torch.from_numpy(labels).long()

    def step():
        of_source, of_target = (torch.randint(len(x), (BATCH,)) for x in (source, target))
        x = torch.cat([source[of_source], target[of_target]]).float() / 127.5 - 1
        features = encoder(x)
        loss = label_loss(classifier(features[:BATCH]), labels[of_source])
        loss = loss + domain_loss(discriminator(Reverse.apply(features)), domains)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step_seconds(step)


def convolutions():
    """Time what any implementation must compute: both layers forward and backward."""
    import tensorflow as tf

    shapes = ((128, 28, 28, 3), (5, 5, 3, 32)), ((128, 12, 12, 32), (5, 5, 32, 48))
    (image, first), (maps, second) = ([tf.random.normal(s) for s in pair] for pair in shapes)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            tape.watch((first, maps, second))
            y = tf.nn.conv2d(image, first, 1, "VALID"), tf.nn.conv2d(maps, second, 1, "VALID")
        return y, tape.gradient(y, (first, maps, second))

    return step_seconds(step)


def matrix_product():
    import tensorflow as tf

    a, b = (tf.random.normal((MATRIX, MATRIX)) for _ in range(2))
    return step_seconds(tf.function(lambda: tf.matmul(a, b)))


def step_seconds(step):
    return call_seconds(step, WARM_UP, STEPS)


RUN = {
    "keras_dtl": keras_dtl_step,
    "keras_dtl bfloat16": lambda: keras_dtl_step("mixed_bfloat16"),
    "adapt": adapt_step,
    "adapt bfloat16": lambda: adapt_step("mixed_bfloat16"),
    "torch": torch_step,
    "convolutions": convolutions,
    "matrix product": matrix_product,
}


def main():
    rounds = rounds_in_turn(__doc__.splitlines()[0], RUN, ROUNDS)

    def ratio(of, to):
        return statistics.median(one[of] / one[to] for one in rounds)

    def gigaflops(name, operations):
        return statistics.median(operations / one[name] for one in rounds) / 1e6

    result = {
        "what": "median milliseconds of a DANN step, LeNet, 64+64 images of 28x28x3",
        "milliseconds": {name: statistics.median(one[name] for one in rounds) for name in RUN},
        "ratio_to": {peer: ratio("keras_dtl", peer) for peer in ("adapt", "torch")},
        "ratio_in_bfloat16": ratio("keras_dtl bfloat16", "adapt bfloat16"),
        "ratio_of_bfloat16_to_float32": ratio("keras_dtl bfloat16", "adapt"),
        "bound": {
            "convolutions_of_our_step": ratio("convolutions", "keras_dtl"),
            "convolutions_of_adapts_step": ratio("convolutions", "adapt"),
            "gigaflops_of_convolutions": gigaflops("convolutions", CONVOLUTIONS),
            "gigaflops_of_matrix_product": gigaflops("matrix product", 2 * MATRIX**3),
        },
        "rounds": rounds,
    }
    write_result("step_time", result, [key for key in result if key != "rounds"])


if __name__ == "__main__":
    main()
