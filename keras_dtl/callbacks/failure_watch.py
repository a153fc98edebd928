import logging
import math
from typing import NamedTuple

import keras
import numpy as np

logger = logging.getLogger("keras_dtl")

ENOUGH_STEPS = 20
"""Steps after which a training must have learnt something."""
GUESSING = 0.97
"""Share of the loss of guessing from which on nothing has been learnt."""
ONE_CLASS = 0.98
"""Share of equal answers to evenly drawn images from which on the answer is always the same."""
EXPLODED = 50.0
"""Multiple of its first values, and of 1, from which on a loss has exploded."""
ONE_ANSWER = 0.95
"""The same for images of another domain, whose classes nobody knows."""
DEAD = 0.99
"""Share of the features that are the same number for all images from which on a network is dead."""
WON, LOST = 0.97, 0.55
"""Domain accuracy from which on a discriminator has won, and below which it never learnt."""
OPPOSED = 0.5
"""Reversal strength from which on a discriminator should have trouble."""
GENERATOR_BEATEN = 0.01
"""Loss of a discriminator of generated images from which on it is never wrong."""
KNOWN_BY_HEART = 0.9


class Failure(NamedTuple):
    """What goes wrong with a training: a short name, and words that say what to do."""

    name: str
    words: str

    def __str__(self):
        return f"{self.name}: {self.words}"


_OF_CLASSES = keras.losses.SparseCategoricalCrossentropy, keras.losses.CategoricalCrossentropy


class Probe(NamedTuple):
    """Images `(count, height, width, channels)` and their labels `(count,)`, as in a batch."""

    images: object
    labels: object


class FailureWatch(keras.callbacks.Callback):
    """Says in words, while it runs, that a training fails, and how to mend it.

    After each epoch it looks at what was logged and, where it is given images, at what the model
    answers. It names: a label loss that stays at that of guessing; one class for all images, of
    the training or of a target without labels; dead features; losses that explode and stay finite;
    a training set that is known by heart while other images are guessed; a discriminator that won
    or never learnt. Each is a warning of the logger `keras_dtl`, told once while it lasts.
    `StopWhenDiverged` stops at what is not finite.

    Pass it behind the schedules and before a `Checkpoint`.

    Args:
        probe: `(images, labels)` of a few training images, as many of each class, or None.
        held_out: `(images, labels)` that are not trained with, or None.
        target: Images `(count, height, width, channels)` of a domain to adapt to, or None.

    Attributes:
        failures: `{name: Failure}` of what was wrong in the last epoch.

    Example:

    ```python
    import keras
    from keras_dtl import SourceOnly, backbones, callbacks, domain_batches, load

    source = load("digits")
    encoder = backbones.lenet(source.image_shape)
    model = SourceOnly(encoder, backbones.mlp(encoder.output_shape[1:], (), 10))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.01), loss)
    watch = callbacks.FailureWatch()
    batches = domain_batches(source, load("digits_m"), 32)
    model.fit(batches, steps_per_epoch=2, callbacks=[watch], verbose=0)
    print(watch.failures)  # {} when all is well
    ```
    """

    def __init__(self, probe=None, held_out=None, target=None):
        super().__init__()
        self.probe = None if probe is None else Probe(*probe)
        self.held_out = None if held_out is None else Probe(*held_out)
        self.target = target
        self.failures = {}

    def on_train_begin(self, logs=None):
        self.failures = {}
        self._steps = 0
        self._first = {}
        self._best_discriminator = 0.0

    def on_epoch_begin(self, epoch, logs=None):
        self._means, self._tail, self._exploded, self._done = {}, {}, None, 0

    def on_train_batch_end(self, batch, logs=None):
        self._steps += batch + 1 - self._done
        values = self._values(batch, logs or {})
        half = (self.params.get("steps") or 0) // 2
        for name, value in values.items():
            if batch >= half:
                self._tail.setdefault(name, []).append(value)
        if self._exploded is None:
            self._exploded = self._explosion(values)
            if self._exploded:
                self._tell(self._exploded)

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        found = [self._exploded, *self._of_logs(logs), *self._of_answers()]
        found = {failure.name: failure for failure in found if failure is not None}
        for name, failure in found.items():
            if name not in self.failures:
                self._tell(failure)
        self.failures = found

    # What was logged ----------------------------------------------------------------------

    def _values(self, batch, logs):
        """Return the terms of this step, or of those that ran at once: Keras logs means."""
        values, before, self._done = {}, self._done, batch + 1
        for name, mean in logs.items():
            if name.endswith(("loss", "accuracy")):
                total = self._done * float(mean) - before * self._means.get(name, 0.0)
                values[name] = total / (self._done - before)
                self._means[name] = float(mean)
        return values

    def _explosion(self, values):
        for name, value in values.items():
            first = self._first.setdefault(name, [])
            if len(first) < 3:
                first.append(abs(value))
            usual = max(1.0, self._guessing_loss() or 0.0, np.mean(first[:1]))
            if name.endswith("loss") and math.isfinite(value) and abs(value) > EXPLODED * usual:
                return Failure(
                    "losses explode",
                    f"`{name}` is {value:.3g} in step {self._steps}, after {first[0]:.3g} in the "
                    "first. What was learnt is lost. Lower the learning rate, let it rise slowly "
                    "(`warm_up`), or give the optimizer `global_clipnorm=1.0`.",
                )
        return None

    def _of_logs(self, logs):
        tail = {name: float(np.mean(values)) for name, values in self._tail.items()}
        return [self._guesses(tail), self._discriminator(tail, logs), self._generator(tail)]

    def _guessing_loss(self):
        """Return the loss of guessing in nats, or None where the loss is no cross-entropy."""
        shape = getattr(getattr(self.model, "classifier", None), "output_shape", None)
        loss = getattr(self.model, "loss", None)
        if isinstance(loss, keras.losses.BinaryCrossentropy):
            return math.log(2)
        return math.log(shape[-1]) if shape and isinstance(loss, _OF_CLASSES) else None

    def _guesses(self, tail):
        guessing, loss = self._guessing_loss(), tail.get("label_loss")
        if guessing is None or loss is None or self._steps < ENOUGH_STEPS:
            return None
        if "mapping_loss" in tail or loss < GUESSING * guessing:  # ADDA logs known labels alone
            return None
        return Failure(
            "no better than guessing",
            f"the label loss is {loss:.3g}, that of guessing {guessing:.3g}: nothing of the "
            "classes is known. Try a tenth of the learning rate, check that labels belong to their "
            "images, and train without adaptation first.",
        )

    def _discriminator(self, tail, logs):
        accuracy = tail.get("domain_accuracy")
        if accuracy is None or self._steps < ENOUGH_STEPS:
            return None
        self._best_discriminator = max(self._best_discriminator, accuracy, logs["domain_accuracy"])
        if self._best_discriminator < LOST and tail.get("domain_loss", 1.0) > 0.68:
            return Failure(
                "the discriminator never learnt",
                f"it is right on {accuracy:.0%} of the images, a coin on 50 %: its being fooled "
                "says nothing about the features. Give it a higher learning rate or more units, "
                "or start the reversal later.",
            )
        if accuracy >= WON and self._reversal_strength(logs) >= OPPOSED:
            return Failure(
                "the discriminator has won",
                f"it tells {accuracy:.0%} of the images' domains although the encoder opposes it: "
                "nothing is adapted. Raise the encoder's learning rate or the reversal strength, "
                "or make the discriminator smaller.",
            )
        return None

    def _reversal_strength(self, logs):
        strength = logs.get("reversal_strength", getattr(self.model, "reversal_strength", 0.0))
        return float(strength)

    def _generator(self, tail):
        loss = tail.get("discriminator_loss")
        if loss is None or not 0 <= loss < GENERATOR_BEATEN or self._steps < ENOUGH_STEPS:
            return None
        return Failure(
            "the discriminator has won",
            f"its loss is {loss:.2g}: it is never wrong, and the generator learns nothing from it. "
            "Lower its learning rate, or smooth its labels.",
        )

    # What the model answers ---------------------------------------------------------------

    def _of_answers(self):
        if self._steps < ENOUGH_STEPS:
            return []
        if self.probe is None:
            return [self._one_answer()]
        features, answers = self._answers(self.probe.images)
        one_class = _one_class(answers, self.probe.labels)
        return [_dead(features), one_class, self._by_heart(answers), self._one_answer()]

    def _answers(self, images):
        features = keras.ops.convert_to_numpy(self.model.encoder(images, training=False))
        logits = keras.ops.convert_to_numpy(self.model.classifier(features, training=False))
        return features.reshape(len(features), -1), logits.argmax(-1)

    def _by_heart(self, answers):
        if self.held_out is None:
            return None
        known = float(np.mean(answers == self.probe.labels))
        truth = np.asarray(self.held_out.labels)
        right = self._answers(self.held_out.images)[1] == truth
        accuracy = float(np.mean([right[truth == label].mean() for label in np.unique(truth)]))
        if known < KNOWN_BY_HEART or accuracy > beyond_chance(len(np.unique(truth)), len(truth)):
            return None
        return Failure(
            "known by heart",
            f"{known:.0%} of the training images are right, and {accuracy:.0%} of others, which is "
            "guessing. Check that labels belong to their images; take more images, --augment, or "
            "pretrained weights.",
        )

    def _one_answer(self):
        if self.target is None:
            return None
        share, most = _commonest(self._answers(self.target)[1])
        if share < ONE_ANSWER:
            return None
        return Failure(
            "one class for the target",
            f"{share:.0%} of the target's images are taken for class {most}. Unless they hold "
            "little else, nothing is known of them: see what source-only answers. Where its "
            "answers are mixed, lower the weight of adaptation; where they are not, take more or "
            "other images, --augment, or pretrained weights.",
        )

    def _tell(self, failure):
        logger.warning("Step %d: %s", self._steps, failure)


def beyond_chance(classes, count):
    """Return the mean accuracy of `classes` that guessing exceeds in one of 20 cases.

    Args:
        classes: How many there are, 1 or more.
        count: How many images were answered, of all classes.
    """
    chance = 1 / classes
    return min(1.0, chance + 1.64 * math.sqrt(chance * (1 - chance) / max(1, count)))


def _commonest(answers):
    """Return the share of the commonest answer, and which it is."""
    counts = np.bincount(answers.ravel())
    return counts.max() / counts.sum(), int(counts.argmax())


def _one_class(answers, labels):
    share, most = _commonest(answers)
    if share < ONE_CLASS or len(np.unique(labels)) < 2:
        return None
    return Failure(
        "one class for all",
        f"{share:.0%} of images of several classes are taken for class {most}. Lower "
        "the learning rate, and look whether a class outnumbers the others by far.",
    )


def _dead(features):
    spread = np.ptp(features, axis=0)
    share = float(np.mean(spread <= 1e-6 * max(1.0, float(np.abs(features).max()))))
    if share < DEAD:
        return None
    return Failure(
        "dead features",
        f"{share:.0%} of the encoder's outputs are the same for every image: no gradient leads "
        "back. Begin again with a lower learning rate, and check that images are in 0..255.",
    )
