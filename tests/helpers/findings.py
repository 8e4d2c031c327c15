"""What the tests of checks say of their findings."""


def fine(finding):
    """Check that nothing was found, and return the sentence."""
    assert finding, finding
    return finding.sentence


def fault(finding, *parts):
    """Check that a fault was found, and that its sentence names all of this."""
    assert not finding, finding
    missing = [part for part in parts if part not in finding.sentence]
    assert not missing, finding.sentence
