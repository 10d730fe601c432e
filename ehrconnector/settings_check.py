"""Production settings with invented values, for tools that only read them.

``mypy`` uses it, and so the sandbox's tables and settings are added; no server is reached.
"""

import os

from ehrconnector.stack.environment import production_example

os.environ.update(production_example())

from ehrconnector import settings, settings_sandbox
from ehrconnector.settings import *  # noqa: F403 - only now can settings be read

INSTALLED_APPS = [*settings.INSTALLED_APPS, "sandbox"]
SANDBOX_URL: str = settings_sandbox.SANDBOX_URL
MLLP_CLIENT_CERTIFICATE_PATH: str = settings_sandbox.MLLP_CLIENT_CERTIFICATE_PATH
MLLP_CLIENT_KEY_PATH: str = settings_sandbox.MLLP_CLIENT_KEY_PATH
MLLP_CA_PATH: str = settings_sandbox.MLLP_CA_PATH
