"""The tasks, one family of languages a file."""
