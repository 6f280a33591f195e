"""The limit on the fields of a form also applies to urlencoded forms."""

from flask import Flask


def test_a_form_of_many_fields_to_the_public_page_is_refused_unread(app: Flask) -> None:
    """Found in attack: Werkzeug's max_form_memory_size is for multipart alone; 20 MB of `a=1&` cost 760 MB and 4 s."""
    form = "application/x-www-form-urlencoded"
    answer = app.test_client().post("/verify/", data=b"a=1&" * 100_000, content_type=form)
    assert answer.status_code == 413
