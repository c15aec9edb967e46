"""Tests in a real browser. A package, so that the fixtures of its scope end with it: playwright's loop would disturb others."""
