"""What the literature proves about architectures on tasks, derived from properties of the task."""
