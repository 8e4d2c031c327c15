"""How nbval compares the notebooks in ``book/``."""


def pytest_collectstart(collector):
    """Leave out what differs between machines and says nothing to a reader.

    Pictures in PNG and the views of widgets are left out by nbval itself.
    """
    if hasattr(collector, "skip_compare"):
        collector.skip_compare += ("stderr", "image/svg+xml")
