"""Load: a real topology grown into a network with its customers, or a file of JSON lines."""
