"""The public verification page: its verdict and facts."""

import re

from stdnum.iso7064 import mod_97_10


def verdict(page: str) -> str:
    """The one large word of the page."""
    (word,) = re.findall(r"<h1>(.*?)</h1>", page)
    return str(word)


def facts(page: str) -> dict[str, str]:
    """The facts on the page: label → text."""
    return dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page))


def unknown_like(number: str) -> str:
    """A valid number of the same province and year that was never issued."""
    body = number[:7] + "999999"
    return body + str(mod_97_10.calc_check_digits(body))


SCRIPT = "<script>alert(1)</script>"
