"""`Prediction`: commit a guess, then see the truth."""
