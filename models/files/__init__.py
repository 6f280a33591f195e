"""Uploaded files: stored in a folder or bucket, inspected in a worker process."""
