"""URLs in place of paths."""

import re

URL = re.compile(r"[a-z][a-z0-9+.-]+://|data:", re.IGNORECASE)
"""Begin of a URL, also of a `data:` URL."""
