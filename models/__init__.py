"""What is true, whoever asks: words → rules → tables → scopes → acts. No request and no screen is known here."""

from models import access as access  # the row guard is on the session before anybody can open one
