"""Images to embeddings: `embed` runs a model over many images, `inspection` takes a close look at a few."""
