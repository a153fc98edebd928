"""Images beyond memory, in tiles."""


class Tiler:
    """Runs a model over a batch of images.

    Args:
        artifact: An `Artifact`.
        options: The `Options`.
    """

    def __init__(self, artifact, options):
        self.artifact = artifact

    def __call__(self, images):
        return self.artifact.run(images)
