"""Before and around the screens: login, 验证码, headers, error pages, public verification, health."""
