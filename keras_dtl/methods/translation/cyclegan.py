import keras
import tensorflow as tf

from keras_dtl.layers import ImagePool
from keras_dtl.methods.given_batches import as_batch
from keras_dtl.methods.networks import has_batch_norm, in_float32
from keras_dtl.methods.signed_images import to_signed
from keras_dtl.methods.translation.translation import Translation, deployable_generator

DIRECTIONS = ("a_to_b", "b_to_a")


@keras.saving.register_keras_serializable("keras_dtl")
class CycleGAN(Translation):
    """Translation learnt without pairs: there and back must lead to where one started.

    Two generators and two discriminators. The generators minimise together

        L_adversarial(D_B(G(A))) + L_adversarial(D_A(F(B)))
        + cycle_weight * (|F(G(A)) - A| + |G(F(B)) - B|)
        + cycle_weight * identity_weight * (|F(A) - A| + |G(B) - B|)

    then the discriminators learn from real images and from a pool of generated ones.
    Differences are taken between images in -1..1 and averaged over all numbers.

    Logs: `adversarial_loss`, `cycle_loss`, `identity_loss` (each the sum of both directions,
    without its weight), `discriminator_a_loss` and `discriminator_b_loss` (1/4 under least
    squares when it is lost).

    Reference: Zhu, Park, Isola & Efros, "Unpaired Image-to-Image Translation using
    Cycle-Consistent Adversarial Networks", ICCV 2017.

    Args:
        generator_a_to_b, generator_b_to_a: Networks between images in -1..1. Where a pool is
            kept they are built for the size that is trained at; `deployable()` takes any.
        discriminator_a, discriminator_b: Networks from images of A and of B to logits.
        adversarial: `"least_squares"`, as in the paper, `"vanilla"`, `"hinge"` or `"wgan_gp"`.
        cycle_weight: Number of 0 or more.
        identity_weight: Number of 0 or more, in units of `cycle_weight`. The published code takes
            0.5, the paper for paintings alone; 0 spares the passes. It needs A and B of equally
            many channels.
        pool_size: How many generated images of each domain the discriminators remember.
        direction: Which generator `call`, `deployable()` and export mean: `"a_to_b"` or
            `"b_to_a"`.

    Example:

    ```python
    import keras_dtl

    networks = [keras_dtl.backbones.resnet_generator((64, 64, 3)) for _ in range(2)]
    networks += [
        keras_dtl.backbones.patch_discriminator((64, 64, 3), normalization="instance")
        for _ in range(2)
    ]
    model = keras_dtl.CycleGAN(*networks)
    ```
    """

    tracked = (
        "adversarial_loss",
        "cycle_loss",
        "identity_loss",
        "discriminator_a_loss",
        "discriminator_b_loss",
    )
    learning = ("generator_a_to_b", "generator_b_to_a", "discriminator_a", "discriminator_b")

    def __init__(
        self,
        generator_a_to_b,
        generator_b_to_a,
        discriminator_a,
        discriminator_b,
        adversarial="least_squares",
        cycle_weight=10.0,
        identity_weight=0.5,
        pool_size=50,
        direction="a_to_b",
        **kwargs,
    ):
        super().__init__(adversarial, **kwargs)
        if direction not in DIRECTIONS:
            raise ValueError(f"`direction` must be one of {DIRECTIONS}. Received: {direction!r}")
        _check_shapes(generator_a_to_b, generator_b_to_a, identity_weight)
        self.check_generator(generator_a_to_b, "generator_a_to_b")
        self.check_generator(generator_b_to_a, "generator_b_to_a")
        self.check_discriminator(discriminator_a, "discriminator_a")
        self.check_discriminator(discriminator_b, "discriminator_b")
        self.generator_a_to_b = generator_a_to_b
        self.generator_b_to_a = generator_b_to_a
        self.discriminator_a = discriminator_a
        self.discriminator_b = discriminator_b
        self.cycle_weight = cycle_weight
        self.identity_weight = identity_weight
        self.pool_size = pool_size
        self.direction = direction
        if not identity_weight:
            self.leave_out("identity_loss")
        self.pool_a = ImagePool(pool_size, generator_b_to_a.output_shape[1:], name="pool_a")
        self.pool_b = ImagePool(pool_size, generator_a_to_b.output_shape[1:], name="pool_b")

    @property
    def deployed(self):
        return self.generator(self.direction)

    def a_to_b(self):
        return self.generator_a_to_b

    def deployable(self, direction=None):
        """Return the generator of a direction as it is deployed: uint8 to uint8 of any size.

        Args:
            direction: `"a_to_b"` or `"b_to_a"`; by default the model's own.
        """
        return deployable_generator(self.generator(direction or self.direction), self.name)

    def generator(self, direction):
        return {"a_to_b": self.generator_a_to_b, "b_to_a": self.generator_b_to_a}[direction]

    def optimized_variables(self):
        generators = (self.generator_a_to_b, self.generator_b_to_a)
        discriminators = (self.discriminator_a, self.discriminator_b)
        return {
            "optimizer": [v for network in generators for v in network.trainable_variables],
            "discriminator_optimizer": [
                v for network in discriminators for v in network.trainable_variables
            ],
        }

    def train_step(self, batch):
        # 1. Both generators: there, and where asked for the identity. 2. Back again.
        # 3. One step of both generators. 4. Exchange what was generated for what the pools
        # remember. 5. One step of both discriminators.
        a, b = (to_signed(images) for images in as_batch(batch))
        with tf.GradientTape() as tape:
            fake_b, same_b = self.translate(self.generator_a_to_b, a, b)
            fake_a, same_a = self.translate(self.generator_b_to_a, b, a)
            back_a = in_float32(self.generator_b_to_a(fake_b, training=True))
            back_b = in_float32(self.generator_a_to_b(fake_a, training=True))
            cycle_loss = _distance(a, back_a) + _distance(b, back_b)
            adversarial_loss = self.generator_loss(self.discriminator_a, fake_a)
            adversarial_loss += self.generator_loss(self.discriminator_b, fake_b)
            loss = adversarial_loss + self.cycle_weight * cycle_loss + self.regularization()
            terms = {}
            if self.identity_weight:
                terms["identity_loss"] = _distance(a, same_a) + _distance(b, same_b)
                loss += self.cycle_weight * self.identity_weight * terms["identity_loss"]
        self.minimize(loss, tape)
        fake_a, fake_b = self.pool_a(fake_a), self.pool_b(fake_b)
        with tf.GradientTape() as tape:
            discriminator_a_loss = self.discriminator_loss(self.discriminator_a, a, fake_a)
            discriminator_b_loss = self.discriminator_loss(self.discriminator_b, b, fake_b)
            discriminators_loss = discriminator_a_loss + discriminator_b_loss
            discriminators_loss += self.regularization("discriminator_optimizer")
        self.minimize(discriminators_loss, tape, "discriminator_optimizer")
        return self.report(
            tf.shape(a)[0],
            loss=loss,
            adversarial_loss=adversarial_loss,
            cycle_loss=cycle_loss,
            **terms,
            discriminator_a_loss=discriminator_a_loss,
            discriminator_b_loss=discriminator_b_loss,
        )

    def translate(self, generator, images, others):
        """Return the translation of `images`, and `others`, which are of its own domain, passed on.

        In one pass, where no batch normalisation would mix the two.
        """
        generate = lambda x: in_float32(generator(x, training=True))  # noqa: E731
        if not self.identity_weight:
            return generate(images), others
        if has_batch_norm(generator):
            return generate(images), generate(others)
        both = generate(tf.concat([images, others], 0))
        count = tf.shape(images)[0]
        return both[:count], both[count:]


def _distance(images, others):
    return tf.reduce_mean(tf.abs(images - others))


def _check_shapes(there, back, identity_weight):
    of_a, of_b = there.input_shape[1:], there.output_shape[1:]
    if back.input_shape[1:] != of_b or back.output_shape[1:] != of_a:
        raise ValueError(
            "`generator_b_to_a` must lead back from what `generator_a_to_b` gives to what it "
            f"takes. Received: {of_a} to {of_b}, then {back.input_shape[1:]} to "
            f"{back.output_shape[1:]}"
        )
    if identity_weight and of_a[-1] != of_b[-1]:
        raise ValueError(
            f"With {of_a[-1]} channels in A and {of_b[-1]} in B no generator can be given images "
            f"of its own output. Pass identity_weight=0. Received: {identity_weight}"
        )
