"""What holds of the server itself, whoever comes."""

from tests.cast import brought
from tests.serving import Server


def test_a_person_signs_in_and_sees_a_row(served: Server) -> None:
    """The fixture itself: 验证码, cookie, CSRF, one row of this database."""
    key = brought(served.app, "publisher", "pending")
    answer = served.client("publisher").get(f"/applications/details/?id={key}")
    assert (answer.status, "待审核" in answer.text) == (200, True)
