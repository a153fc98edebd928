import keras
import tensorflow as tf

from keras_dtl.methods.networks import in_float32
from keras_dtl.methods.separation.gmv import GMV


@keras.saving.register_keras_serializable("keras_dtl")
class SequenceGMV(GMV):
    """Pairs of motions of one content in two styles, drawn from noise: GMV on sequences.

    One generator makes two motions of a content `c` in different styles; the discriminator tells
    pairs of real motions of one action from them, see `GMV`. No label of a style is used.

    Batches are `{"first", "second"}`: two motions `(batch, frames, features)` of one action each;
    with a classifier also its `"label"`.

    Reference: Chen, Denoyer & Artieres, "Multi-View Data Generation Without View Supervision",
    ICLR 2018.

    Differs from the paper, which has images alone: motion, and a generator of motion.

    Args:
        generator: Network from `[content, style]` to motion.
        discriminator: Network from `[motion, motion]` to logits.
        mean, deviation: Of each feature in training; networks see motion so normalised.
        **kwargs: Of `GMV`: the classifier of actions; of `Separation`: the game, and how the
            discriminator is restrained.

    Call arguments:
        inputs: `[content, style]`, float arrays. The motion is as it is measured.
    """

    task = "motion_generation"

    def __init__(self, generator, discriminator, mean, deviation, **kwargs):
        super().__init__(generator, discriminator, **kwargs)
        self.mean = [float(value) for value in mean]
        self.deviation = [float(value) for value in deviation]
        features = generator.output_shape[-1]
        if {len(self.mean), len(self.deviation)} != {features} or min(self.deviation) <= 0:
            raise ValueError(
                "`mean` and `deviation` (above 0) need one number for each feature of the "
                f"generator, {features}. Received: {len(self.mean)} and {len(self.deviation)}"
            )

    def call(self, inputs, training=False):
        motion = in_float32(self.generator(inputs, training=training))
        return motion * self.deviation + self.mean

    def _codes(self):
        return (self.content_numbers, "content"), (self.view_numbers, "style")

    def scale_examples(self, examples):
        made = tuple(self.generator.output_shape[1:])
        if tuple(examples.shape[1:]) != made:
            raise ValueError(
                f"Motion must be as long as what the generator draws, (frames, features) {made}: "
                f"its length would tell them apart. Received: {tuple(examples.shape[1:])}"
            )
        return (tf.cast(examples, "float32") - self.mean) / self.deviation

    def unscale_generated(self, generated):
        return keras.layers.Rescaling(self.deviation, self.mean, name="motion")(generated)

    def answers(self, predictions, inputs):
        return predictions
