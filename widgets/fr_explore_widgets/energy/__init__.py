"""`EnergyPlayground`: arrows and their alignment energy, without a model."""
