"""Images to embeddings, and a close look at what a model sees."""
