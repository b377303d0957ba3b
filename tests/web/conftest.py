"""One server for all the tests of a worker: they keep apart by using fresh names."""

from collections.abc import Iterator

import pytest

from comptoir.web import background
from tests.support.postgres import Cluster
from tests.support.site import Site, serving


@pytest.fixture(scope="session")
def site(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """It settles nothing by itself, so that only the tests change the books."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch, cluster.database() as database:
        patch.setattr(background, "SWEEP_SECONDS", 3_600.0)
        with serving(database, home) as up:
            yield up
