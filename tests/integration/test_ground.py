"""The ground of the integration tests holds: servers of every kind start, answer and go away."""
import os

import pg


def test_a_server_of_every_major_starts_with_debians_rules(make, every_major):
    cluster = make.plain(every_major)
    assert cluster.sql("show server_version").startswith(str(every_major))
    cluster.role("app", password="secret")
    assert cluster.psql(cluster.dsn(user="app", password="secret")).returncode == 0
    assert cluster.psql(cluster.dsn(user="app", password="wrong")).returncode == 2
    pid = cluster.pid
    cluster.stop()
    assert cluster.pid is None
    assert not os.path.exists(f"/proc/{pid}")


def test_the_configuration_may_lie_outside_as_on_debian(make):
    cluster = make.debian()
    assert cluster.sql("show config_file") == str(cluster.conf)
    assert not (cluster.data / "postgresql.conf").exists()


def test_a_crowded_configuration_is_one_that_servers_take(make, every_major):
    cluster = make.crowded(every_major)
    assert cluster.sql("select count(*) from pg_hba_file_rules where error is not null") == "0"
    assert cluster.sql("show work_mem") == "5MB"
    assert cluster.sql("show log_line_prefix") == "%m [%p] it's %u "


def test_a_standby_follows(make):
    primary = make.plain(15)
    standby = make.standby(primary)
    assert standby.sql("select pg_is_in_recovery()") == "t"


def test_a_reload_is_waited_for(cluster):
    cluster.set(work_mem="6MB")
    cluster.reload()
    assert cluster.sql("show work_mem") == "6MB"


def test_nothing_of_a_removed_cluster_is_left(root, every_major):
    maker = pg.Maker(root)
    cluster = maker.plain(every_major)
    maker.remove_all()
    assert not cluster.dir.exists()
