"""Sign-in, 验证码, security headers, error pages, public verification, health check."""
