# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Adapt a classifier to images without labels
#
# Digits on plain paper are labelled, digits over photos are not. About two minutes on two cores.

# %%
import tempfile
from pathlib import Path

import keras

from keras_dtl import (
    DANN,
    SourceOnly,
    backbones,
    callbacks,
    domain_batches,
    export_model,
    load,
    load_artifact,
)

keras.utils.set_random_seed(0)
source, target = load("digits"), load("digits_m")
test_images, test_labels = load("digits_m", "test").arrays()


# %% [markdown]
# One function trains a method on the same networks and batches, so that the two can be compared.


# %%
def train(method, heads, epochs=6):
    encoder = backbones.lenet(source.image_shape)
    features = encoder.output_shape[1:]
    model = method(encoder, *(backbones.mlp(features, units, count) for units, count in heads))
    model.compile(
        keras.optimizers.SGD(0.01, momentum=0.9),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    schedules = {"reversal_strength": callbacks.reversal_ramp()} if method is DANN else {}
    model.fit(
        domain_batches(source, target, 64),
        epochs=epochs,
        steps_per_epoch=100,
        callbacks=[callbacks.ProgressSchedule(schedules)],
        verbose=0,
    )
    return model


plain = train(SourceOnly, [((100, 100), 10)])
adapted = train(DANN, [((100, 100), 10), ((100,), 1)])

# %% [markdown]
# Labels of the target serve here alone: to say what the adaptation was worth.

# %%
for name, model in (("source only", plain), ("adapted", adapted)):
    accuracy = (model.predict(test_images, verbose=0).argmax(-1) == test_labels).mean()
    print(f"{name}: {accuracy:.1%}")

# %% [markdown]
# The artifact answers without TensorFlow, and as Keras does.

# %%
folder = Path(tempfile.mkdtemp()) / "dann"
export_model(adapted, folder, classes=source.classes)
answers = load_artifact(folder)(test_images)
print(f"artifact: {(answers.argmax(-1) == test_labels).mean():.1%}")
