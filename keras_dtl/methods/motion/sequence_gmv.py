import keras

from keras_dtl.methods.motion.measured_motion import MeasuredMotion
from keras_dtl.methods.networks import in_float32
from keras_dtl.methods.separation.gmv import GMV


@keras.saving.register_keras_serializable("keras_dtl")
class SequenceGMV(MeasuredMotion, GMV):
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
        self.keep_statistics(mean, deviation, generator=generator.output_shape[-1])

    def call(self, inputs, training=False):
        return self.measure(in_float32(self.generator(inputs, training=training)))

    def _codes(self):
        return (self.content_numbers, "content"), (self.view_numbers, "style")

    def scale_examples(self, examples):
        made = tuple(self.generator.output_shape[1:])
        if tuple(examples.shape[1:]) != made:
            raise ValueError(
                f"Motion must be as long as what the generator draws, (frames, features) {made}: "
                f"its length would tell them apart. Received: {tuple(examples.shape[1:])}"
            )
        return self.normalize(examples)

    def unscale_generated(self, generated):
        return self.measuring_layer("motion")(generated)

    def answers(self, predictions, inputs):
        return predictions
