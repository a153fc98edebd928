"""What an export ends with when it would publish something wrong."""


class ExportError(ValueError):
    """A model that cannot be exported, or whose exported form differs; nothing was published."""
