"""What people do to an application: check → change → trail → outbox. The caller commits."""
