"""A realm of its own on loopback: a KDC of MIT Kerberos, principals, key tables and tickets."""
import os
import pathlib
import shutil
import signal
import subprocess
import textwrap

import pytest

import pg

PROGRAMS = "/usr/sbin:/usr/bin"


class Realm:
    """PGSEAL.TEST; stop() ends its KDC."""

    def __init__(self, folder):
        if not all(shutil.which(name, path=PROGRAMS) for name in ("krb5kdc", "kadmin.local", "kinit")):
            pytest.skip("krb5-kdc, krb5-admin-server or krb5-user is not installed")
        self.dir = pathlib.Path(folder)
        port = pg.free_port()
        self.env = {**{k: v for k, v in os.environ.items() if not k.startswith("PG")},
                    "PATH": PROGRAMS, "KRB5_CONFIG": f"{folder}/krb5.conf", "KRB5_KDC_PROFILE": f"{folder}/kdc.conf",
                    "KRB5CCNAME": f"FILE:{folder}/tickets", "KRB5RCACHENAME": "none:"}
        (self.dir / "krb5.conf").write_text(textwrap.dedent(f"""\
            [libdefaults]
                default_realm = PGSEAL.TEST
                dns_lookup_kdc = false
                dns_lookup_realm = false
                dns_canonicalize_hostname = false
                rdns = false
            [realms]
                PGSEAL.TEST = {{
                    kdc = 127.0.0.1:{port}
                }}
            [domain_realm]
                localhost = PGSEAL.TEST
            """))
        (self.dir / "kdc.conf").write_text(textwrap.dedent(f"""\
            [realms]
                PGSEAL.TEST = {{
                    database_name = {folder}/principal
                    key_stash_file = {folder}/stash
                    acl_file = {folder}/acl
                    kdc_listen = 127.0.0.1:{port}
                    kdc_tcp_listen = 127.0.0.1:{port}
                }}
            [logging]
                kdc = FILE:{folder}/kdc.log
            """))
        self.run("kdb5_util", "create", "-s", "-P", "master")
        self.log = open(self.dir / "kdc.out", "w")
        self.process = subprocess.Popen(["krb5kdc", "-n"], env=self.env, stdout=self.log, stderr=self.log)
        pg.wait_for_listener(port, self.process)

    def run(self, *argv, **kwargs):
        return pg.must(subprocess.run(argv, env=self.env, capture_output=True, text=True, **kwargs))

    def keytab(self, principal, name):
        """The principal, new, with its keys in a file that only the server's owner reads."""
        path = self.dir / name
        self.run("kadmin.local", "-q", f"addprinc -randkey {principal}")
        self.run("kadmin.local", "-q", f"ktadd -k {path} {principal}")
        pg.give(path)
        return path

    def ticket(self, principal, password="secret"):
        self.run("kadmin.local", "-q", f"addprinc -pw {password} {principal}")
        self.run("kinit", principal, input=password + "\n")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(pg.PATIENCE)
        self.log.close()
