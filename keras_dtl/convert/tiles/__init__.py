"""Images beyond memory, cut into tiles."""
