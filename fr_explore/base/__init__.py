"""Basics that every other package may use: distances, array shapes, optional packages, cores, the cache."""
