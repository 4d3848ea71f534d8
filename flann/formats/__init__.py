"""How a task is presented to a model: directly, with a chain of thought, or with padding."""
