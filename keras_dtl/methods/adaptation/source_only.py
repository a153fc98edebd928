import keras

from keras_dtl.methods.adaptation.domain_adaptation import DomainAdaptation


@keras.saving.register_keras_serializable("keras_dtl")
class SourceOnly(DomainAdaptation):
    """The same classifier without adaptation: the bounds that every method is read against.

    Trained on source labels it is the lower bound; trained on target labels, given as
    `"source"`, it is the upper one. It never looks at `"target"` images, so the same batches
    serve it and the methods. With `"target_labelled"` it is the baseline called S+T.

    Args:
        encoder, classifier, batch_norm: See `DomainAdaptation`.
    """

    needs = ()
    compares_domains = False

    def __init__(self, encoder, classifier, batch_norm="joint", **kwargs):
        super().__init__(encoder, classifier, batch_norm=batch_norm, **kwargs)

    def train_step(self, batch):
        batch = self.check_batch(batch)
        return super().train_step({name: batch[name] for name in batch if name != "target"})

    def adaptation_terms(self, outputs):
        return {}
