"""Python's collector of cyclic garbage, in processes that live long and answer somebody who waits."""

import gc

_YOUNG = 10_000  # objects; Python's own 700 are reached every twenty messages


def settle() -> None:
    """Let the collector pass over everything that is loaded by now.

    It would go through all of Django and of our code again and again, a tenth of a second in which nobody is answered.
    What is young is looked through less often, too: nearly all of it goes by itself when its message is answered.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG)
