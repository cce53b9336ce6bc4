"""Labelled data sets: images, identities, labels and embeddings in the formats in which others distribute them."""
