"""That a call is refused, and says why."""

import pytest


def refused(error, parts, function, *arguments, **named):
    """Check that the call raises exactly this type, with all of these parts in its message."""
    with pytest.raises(error) as caught:
        function(*arguments, **named)
    assert caught.type is error
    missing = [part for part in parts if part not in str(caught.value)]
    assert not missing, f"{missing} not in: {caught.value}"
