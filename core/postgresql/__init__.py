"""PostgreSQL as Django knows it, told before every query whose rows may be seen (:mod:`core.scope`)."""
