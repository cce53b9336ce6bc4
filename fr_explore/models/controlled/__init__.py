"""Models whose dependence on each attribute is known, to test the metric against."""
