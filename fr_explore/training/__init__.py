"""Targeted fine-tuning: teach a network that an attribute does not matter."""
