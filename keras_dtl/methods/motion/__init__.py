"""Motion capture: style, synthesis, pairs."""
