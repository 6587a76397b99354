"""The paper's networks, in TensorFlow. Only ``solvers.networks`` imports from here, and only when a network is wanted."""
