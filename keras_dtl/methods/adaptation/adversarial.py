"""What methods share in which a discriminator tells the domains apart."""

from keras_dtl.methods.adaptation.domain_adaptation import DomainAdaptation
from keras_dtl.methods.networks import require_logits


class AdversarialAdaptation(DomainAdaptation):
    """Adapts against a discriminator of domains.

    A subclass names in `choices` what its discriminator may be shown.

    Args:
        encoder, classifier, adaptation_weight, batch_norm: See `DomainAdaptation`.
        discriminator: Network to logits, one a decision: `(batch, 1)`, or a map of them.
        discriminated: What the discriminator sees, one of `choices`.

    Raises:
        ValueError: When the discriminator does not end in one logit a decision, or there is no
            such choice.
    """

    adversarial = True
    learning = ("encoder", "classifier", "discriminator")
    choices = ()

    def __init__(
        self,
        encoder,
        classifier,
        discriminator,
        adaptation_weight,
        batch_norm,
        discriminated,
        **kwargs,
    ):
        super().__init__(encoder, classifier, adaptation_weight, batch_norm, **kwargs)
        require_logits(discriminator, "discriminator")
        require_one_output(discriminator)
        if discriminated not in self.choices:
            raise ValueError(
                f"`discriminated` must be one of {self.choices}. Received: {discriminated!r}"
            )
        self.discriminator = discriminator
        self.discriminated = discriminated


def require_one_output(discriminator):
    """Refuse a discriminator of two logits, whose loss would be that of two separate ones.

    Raises:
        ValueError: When it gives another number than one a decision, or a dictionary.
    """
    output = getattr(discriminator, "output", None)  # a Sequential may have none, but `outputs`
    several = isinstance(output, dict) or len(discriminator.outputs) > 1
    shape = list(output) if several else discriminator.outputs[0].shape
    if several or shape[-1] != 1:
        raise ValueError(
            f"`discriminator` must return one logit a decision: above 0 for the target, below for "
            f"the source. Received: a network with the output {shape}. End it in Dense(1), or, for "
            "maps, in Conv2D(1, 1)."
        )
