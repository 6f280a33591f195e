"""How gunicorn serves the application: `gunicorn --config python:views.server`, in `make run`, in tests and in use."""

wsgi_app = "app:create_app()"
worker_class = "gthread"
workers = 2
threads = 8
graceful_timeout = 5  # seconds
loglevel = "warning"
control_socket_disable = True
