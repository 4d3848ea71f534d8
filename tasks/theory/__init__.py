"""What is known of which architecture on which task, and the properties that decide it."""
