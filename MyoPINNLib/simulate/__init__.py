"""Data whose truth is known: digital reference objects, a phantom study, and the metrics that judge a solver on them."""
