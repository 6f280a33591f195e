"""Bytes that people upload: where they are kept, and how a worker process inspects them."""
