"""Only name, version and system of a browser are stored."""

import pytest

from views.entrance.place import program

WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
AGENTS = {
    f"{WINDOWS} AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36": "Chrome 130 · Windows",
    f"{WINDOWS} AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 Edg/130.0.2849.56": (
        "Edge 130 · Windows"
    ),
    f"{WINDOWS} AppleWebKit/537.36 Chrome/86.0.4240.198 Safari/537.36 QIHU 360SE": "360 浏览器 · Windows",
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0": "Firefox 128 · Linux",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605 Version/18.1 Safari/605.1": "Safari 18 · macOS",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 MicroMessenger/8.0.50": "微信 8 · iOS",
    "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/129.0.0.0 Mobile Safari/537.36": "Chrome 129 · Android",
    "curl/8.5.0": "",
    "": "",
    "<script>alert(1)</script> Chrome/1234567": "Chrome 1234",
}


@pytest.mark.parametrize("agent", AGENTS)
def test_a_user_agent_is_shortened_to_browser_and_system(agent: str) -> None:
    assert program(agent) == AGENTS[agent]
