"""What a desk costs, as the ratio to the plain list of the same person: `python -m tests.bench.desks`.

On the database of the settings, which `demo` and `python -m tests.bench.bulk 100000` have filled.
"""

from statistics import median
from time import perf_counter

from app import create_app
from tests.conftest import Browser, signed_in

LISTS = {
    "publisher": "/applications/",
    "reviewer": "/review/",
    "national": "/register/",
    "operator": "/organisations/",
}
ROUNDS = 15
BOUND = 1.5


def seconds(browser: Browser, address: str) -> float:
    """The median of some rounds, after one that warms the caches."""
    assert browser.get(address).status_code == 200
    rounds = []
    for _round in range(ROUNDS):
        began = perf_counter()
        browser.get(address)
        rounds.append(perf_counter() - began)
    return median(rounds)


def main() -> None:
    """A line for each role: both times, their ratio, and whether it is within the bound."""
    app = create_app({"CAPTCHA": False, "TESTING": True})
    for username, address in LISTS.items():
        browser = signed_in(app, username)
        plain, desk = seconds(browser, address), seconds(browser, "/desk/")
        ratio = desk / plain
        verdict = "" if ratio <= BOUND else f"  more than {BOUND}"
        print(
            f"{username:<10} {address:<16} {plain * 1000:6.1f} ms  /desk/ {desk * 1000:6.1f} ms  {ratio:.2f}{verdict}"
        )


if __name__ == "__main__":
    main()
