"""An experiment as plain data, and the record that it resolves to."""
