"""Small trainings, each the same for one replica, for two and for two processes.

No batch normalisation, no dropout and no pool: the mathematics is that of one replica.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from keras_dtl import backbones, methods
from keras_dtl.data import (
    LabelledImages,
    domain_batches,
    endless_arrays,
    endless_batches,
    view_batches,
)
from keras_dtl.distribution import share_batches
from tests.networks import CLASSES, SHAPE, compiled, dense, encoder

STEPS, BATCH = 20, 8


def examples(seed, size=23):
    random = np.random.default_rng(seed)
    images = random.integers(0, 256, (size, *SHAPE)).astype("uint8")
    return LabelledImages(images, np.arange(size) % CLASSES, ("a", "b", "c"))


def domains():
    return domain_batches(examples(0), examples(1, 31), BATCH)


def pairs(first_step=0):
    images = examples(0).images, examples(1).images
    return endless_arrays(images, BATCH, first_step=first_step)


def motion():
    random = np.random.default_rng(0)
    arrays = random.normal(size=(23, 16, 5)).astype("float32"), np.arange(23) % 2, np.arange(23) % 3
    return endless_arrays(arrays, BATCH)


def two_players(model, other="discriminator_optimizer", optimizer=keras.optimizers.Adam, rate=1e-3):
    model.compile(optimizer(rate), **{other: optimizer(rate)})
    return model


def to_image(name):
    image = keras.Input(SHAPE)
    x = layers.Conv2D(4, 3, padding="same", activation="tanh")(image)
    return keras.Model(image, layers.Conv2D(3, 3, padding="same", activation="tanh")(x), name=name)


def judge(channels=3, name=None):
    image = keras.Input((*SHAPE[:2], channels))
    x = layers.Conv2D(4, 3, strides=2, activation="tanh")(image)
    return keras.Model(image, layers.Conv2D(1, 2)(x), name=name)


def pair_judge():
    images = [keras.Input(SHAPE) for _ in range(2)]
    return keras.Model(images, layers.Dense(1)(layers.Flatten()(layers.Concatenate()(images))))


def coder(sizes):
    image = keras.Input(SHAPE)
    x = layers.Flatten()(image)
    return keras.Model(image, [layers.Dense(size)(x) for size in sizes])


def decoder(content=4, style=3):
    codes = [keras.Input((content,)), keras.Input((style,))]
    x = layers.Dense(int(np.prod(SHAPE)), activation="tanh")(layers.Concatenate()(codes))
    return keras.Model(codes, layers.Reshape(SHAPE)(x))


def dann():
    return compiled(methods.DANN(encoder(), dense(CLASSES), dense(1)))


def dan():
    model = methods.DAN(encoder(), dense(CLASSES), compared=("features",), gather=True)
    return compiled(model, keras.optimizers.Adam(1e-3))


def deep_coral():
    return compiled(methods.DeepCORAL(encoder(), dense(CLASSES), gather=True))


def adda():
    optimizers = {"discriminator_optimizer": keras.optimizers.Adam(1e-3)}
    model = methods.ADDA(encoder(), dense(CLASSES), dense(1, CLASSES))
    return compiled(model, keras.optimizers.Adam(1e-3), **optimizers)


def pix2pix():
    return two_players(methods.Pix2Pix(to_image("generator"), judge(6), adversarial="wgan_gp"))


def cyclegan():
    networks = [to_image(name) for name in ("there", "back")] + [judge(), judge()]
    return two_players(methods.CycleGAN(*networks, pool_size=0))


def swap_vae():
    networks = coder((4, 3, 3)), decoder(), pair_judge()
    return two_players(methods.SwapVAE(*networks, gate=0.55, real_penalty_weight=0.1))


def gmv():
    return two_players(methods.GMV(decoder(), pair_judge()))


def fine_tuning():
    return compiled(
        methods.FineTuning(encoder(), dense(CLASSES), rate_decay=0.5, anchor_weight=0.1)
    )


def clipped():
    """Every step is shortened."""
    sgd = keras.optimizers.SGD(1.0, global_clipnorm=0.01)
    return compiled(methods.DANN(encoder(), dense(CLASSES), dense(1)), sgd)


def scaled():
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(1e-3, clipnorm=0.01))
    return compiled(methods.FineTuning(encoder(), dense(CLASSES)), optimizer)


def style_transfer():
    sizes = {"filters": 4, "kind": "convolutional"}
    model = methods.SequenceStyleTransfer(
        backbones.content_encoder(5, content=4, **sizes),
        backbones.style_encoder(5, style=3, **sizes),
        backbones.motion_decoder(5, content=4, style=3, **sizes),
        backbones.motion_critic(5, 2, 3, 4),
        backbones.code_classifier(4, 2),
        dense(2, 3),
        mean=[0.0] * 5,
        deviation=[1.0] * 5,
    )
    # Not Adam, which turns the rounding of gradients of 0, before a normalisation, into steps; and
    # not fast: where steps overshoot, rounding doubles with each.
    return two_players(model, "critic_optimizer", keras.optimizers.SGD, 1e-4)


def views():
    return view_batches(examples(0), BATCH)


TRAININGS = {
    "dann": (dann, domains),
    "dan": (dan, domains),
    "deep_coral": (deep_coral, domains),
    "adda": (adda, domains),
    "pix2pix": (pix2pix, pairs),
    "cyclegan": (cyclegan, pairs),
    "swap_vae": (swap_vae, views),
    "gmv": (gmv, views),
    "fine_tuning": (fine_tuning, lambda: endless_batches(examples(0), BATCH)),
    "style_transfer": (style_transfer, motion),
    "clipped": (clipped, domains),
    "scaled": (scaled, lambda: endless_batches(examples(0), BATCH)),
}


def train(name, strategy=None):
    """Return a model after 20 steps, and its logs, from the start that the seed gives."""
    make, batches = TRAININGS[name]
    strategy = strategy or tf.distribute.get_strategy()
    keras.utils.set_random_seed(0)
    with strategy.scope():
        model = make()
    shared = share_batches(batches(), strategy)
    history = model.fit(shared, steps_per_epoch=STEPS // 2, epochs=2, verbose=0)
    return model, history.history
