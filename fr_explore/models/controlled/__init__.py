"""Models whose dependence on each attribute is known: they test the metric."""
