"""Labelled data sets: images, identities, labels and embeddings as others store them."""
