"""``make check``: what Django itself can check, with the variables of a production installation."""

import os
import subprocess
import sys

from ehrconnector.stack.children import PROJECT, manage
from ehrconnector.stack.environment import production_example

PRODUCT = "ehrconnector.settings"
SANDBOX = "ehrconnector.settings_sandbox"
CHECKS = (
    ("No migration is missing", PRODUCT, ("makemigrations", "--check", "--dry-run")),
    ("No migration of the sandbox is missing", SANDBOX, ("makemigrations", "--check", "--dry-run")),
    ("The production configuration is safe", PRODUCT, ("check", "--deploy", "--fail-level", "WARNING")),
)


def main() -> int:
    """Run every check, say how each went, and return 1 if one failed."""
    failed = [title for title, settings, arguments in CHECKS if not _passes(title, settings, arguments)]
    return 1 if failed else 0


def _passes(title: str, settings: str, arguments: tuple[str, ...]) -> bool:
    env = {
        **os.environ,
        **production_example(),
        "DATABASE_URL": "postgres://nobody:nothing@127.0.0.1:9/none",  # refused at once: these checks only read code
        "DJANGO_SETTINGS_MODULE": settings,
        # makemigrations warns that it cannot ask the example's database for its history; none is needed
        "PYTHONWARNINGS": "ignore:Got an error checking a consistent migration history:RuntimeWarning",
    }
    done = subprocess.run(manage(*arguments), env=env, cwd=PROJECT, capture_output=True, text=True, check=False)  # noqa: S603 - built above
    sys.stdout.write(f"{'ok' if done.returncode == 0 else 'FAILED':<7} {title}\n")
    if done.returncode:
        sys.stdout.write(f"{done.stdout}{done.stderr}\n")
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
