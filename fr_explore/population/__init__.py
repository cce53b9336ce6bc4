"""The macroscale: how labels and identities shape the distances between images."""
