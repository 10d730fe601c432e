"""Python's collector of cyclic garbage, in processes that live long and answer somebody who waits."""

import gc


def settle() -> None:
    """Let the collector pass over everything that is loaded by now.

    It would go through all of Django and of our code again and again, a tenth of a second in which nobody is answered.
    """
    gc.collect()
    gc.freeze()
