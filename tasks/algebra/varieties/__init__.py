"""Decision procedures, one variety of regular languages a file."""
