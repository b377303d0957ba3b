"""One server for all the tests of a worker: they keep apart by using fresh names."""

from collections.abc import Iterator

import pytest

from tests.support.postgres import Cluster
from tests.support.site import Site, serving


@pytest.fixture(scope="session")
def site(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with cluster.database() as database, serving(database, tmp_path_factory.mktemp("home")) as up:
        yield up
