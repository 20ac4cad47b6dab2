"""Programs of others that judge a certificate: OpenSSL's command, GnuTLS, NSS, Java, Go, Botan.

A judge says of a case (see cases.py) whether it accepts it.  `sees` is what it can look at; a case that
needs more is not put to it:
    use         server or client          host    the name or address that was called
    time        at another time than now  crl     revocation
    no-crl      a CRL that is missing, out of date or not the issuer's must lead to a refusal
    rsa-server  RSA keys of servers whose keyUsage is digitalSignature alone
    ed25519     signatures of this kind       shards  CRLs in partitions, by a critical extension
"""
import collections
import pathlib
import re
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
PURPOSE = {"server": "1.3.6.1.5.5.7.3.1", "client": "1.3.6.1.5.5.7.3.2"}

# name: the CN as the judge reads it, None when it does not say.
Verdict = collections.namedtuple("Verdict", "accepted reason name", defaults=[None])


def run(*argv, **kwargs):
    return subprocess.run([str(a) for a in argv], capture_output=True, text=True, errors="replace",
                          stdin=subprocess.DEVNULL, timeout=300, **kwargs)


def blocks(path):
    """The PEM blocks of a file, each as text."""
    return re.findall(r"-----BEGIN .*?-----END [^\n]*\n", path.read_text(), re.S)


class Judge:
    """One program, and a folder of its own to work in."""

    name, package, programs, sees = "", "", (), set()

    def __init__(self, folder):
        self.folder = folder

    @classmethod
    def missing(cls):
        """Why it cannot be asked, or None."""
        gone = [p for p in cls.programs if not shutil.which(p)]
        return f"{gone[0]} is not installed (Debian: {cls.package})" if gone else None

    def can(self, case):
        return case.needs <= self.sees

    def judge(self, cases):
        return [self.one(case) for case in cases]


class OpenSSL(Judge):
    name, package, programs = "openssl", "openssl", ("openssl",)
    sees = {"use", "host", "time", "crl", "no-crl", "rsa-server", "ed25519", "shards"}

    def one(self, case):
        argv = ["openssl", "verify", "-x509_strict", "-attime", case.at, "-no-CApath",
                "-no-CAstore", "-CAfile", case.root, "-untrusted", case.chain,
                "-purpose", f"ssl{case.use}"]
        if case.crls:
            argv += ["-crl_check_all", "-CRLfile", case.crls]
        if case.host:
            argv += ["-verify_ip" if case.host_is_address else "-verify_hostname", case.host]
        done = run(*argv, case.chain)
        return Verdict(done.returncode == 0, done.stderr)


class GnuTLS(Judge):
    """A CRL that is missing, foreign, or not signed by the issuer is no reason to refuse for it, and of
    several by one issuer it looks at one."""

    name, package, programs = "gnutls", "gnutls-bin", ("certtool",)
    sees = {"use", "host", "crl", "rsa-server", "ed25519"}

    def one(self, case):
        argv = ["certtool", "--verify", "--verify-profile", "low", "--load-ca-certificate", case.root,
                "--infile", case.chain, "--verify-purpose", PURPOSE[case.use]]
        argv += ["--load-crl", case.crls] if case.crls else []
        argv += ["--verify-hostname", case.host] if case.host else []
        done = run(*argv)
        return Verdict(done.returncode == 0 and "The certificate is trusted" in done.stdout,
                       done.stdout[-300:] + done.stderr[-300:])


class NSS(Judge):
    """Each set of root and CRLs gets a database; CRLs are taken only with the issuer beside them.
    Of a server's RSA key it wants keyEncipherment, for a key exchange that TLS 1.3 has dropped and our
    certificates do not allow; and a CRL with a critical extension revokes everything for it."""

    name, package, programs = "nss", "libnss3-tools", ("certutil", "crlutil", "vfychain", "openssl")
    sees = {"use", "time", "crl"}

    def __init__(self, folder):
        super().__init__(folder)
        self.databases = {}

    def _database(self, case):
        key = (case.root, case.crls, case.issuers if case.crls else None)
        if key in self.databases:
            return self.databases[key]
        path = self.folder / f"db{len(self.databases)}"
        path.mkdir()
        database = self.databases[key] = f"sql:{path}"
        run("certutil", "-N", "-d", database, "--empty-password")
        run("certutil", "-A", "-d", database, "-n", "root", "-t", "CT,,", "-i", case.root)
        if case.crls:
            for number, text in enumerate(blocks(case.issuers)):
                (path / "ca.pem").write_text(text)
                run("certutil", "-A", "-d", database, "-n", f"ca{number}", "-t", ",,",
                    "-i", path / "ca.pem")
            for text in blocks(case.crls):
                (path / "crl.pem").write_text(text)
                run("openssl", "crl", "-in", path / "crl.pem", "-outform", "DER",
                    "-out", path / "crl")
                run("crlutil", "-I", "-d", database, "-i", path / "crl")
        return database

    def one(self, case):
        database = self._database(case)
        argv = ["vfychain", "-d", database, "-pp", "-u", {"server": 1, "client": 0}[case.use],
                "-b", case.moment.strftime("%y%m%d%H%MZ")]
        if case.crls:
            argv += ["-g", "leaf", "-m", "crl", "-s", "failIfNoInfo",
                     "-g", "chain", "-m", "crl", "-s", "failIfNoInfo"]
        for number, text in enumerate(blocks(case.chain)):
            part = self.folder / f"part{number}.pem"
            part.write_text(text)
            argv += ["-a", part]
        done = run(*argv)
        return Verdict(done.returncode == 0, done.stdout + done.stderr)


class Botan(Judge):
    """Looks at the path, signatures and dates, not at what the certificate is for."""

    name, package, programs = "botan", "botan", ("botan",)
    sees = {"rsa-server", "ed25519", "shards"}

    def one(self, case):
        parts = []
        for number, text in enumerate(blocks(case.chain)):
            parts.append(self.folder / f"part{number}.pem")
            parts[-1].write_text(text)
        done = run("botan", "cert_verify", parts[0], *parts[1:], case.root)
        return Verdict("passes validation checks" in done.stdout, done.stdout + done.stderr)


class Batch(Judge):
    """A program of our own around a library; it answers line by line."""

    sees = {"use", "host", "time", "crl", "no-crl", "rsa-server", "ed25519", "shards"}

    def ask(self, argv, cases):
        lines = ("\t".join([str(number), str(case.chain), str(case.root), str(case.crls or "-"),
                            case.use, case.host or "-", str(case.at)])
                 for number, case in enumerate(cases))
        done = subprocess.run([str(a) for a in argv], input="\n".join(lines) + "\n",
                              capture_output=True, text=True, timeout=300)
        answers = [line.split("\t") for line in done.stdout.splitlines()]
        assert [int(answer[0]) for answer in answers] == list(range(len(cases))), done.stderr
        return [Verdict(answer[1] == "accept", answer[3], bytes.fromhex(answer[2]).decode())
                for answer in answers]


class Java(Batch):
    name, package, programs = "java", "default-jdk-headless", ("java", "javac")
    INTERNAL = ["--add-exports", "java.base/sun.security.util=ALL-UNNAMED"]

    def judge(self, cases):
        done = run("javac", *self.INTERNAL, "-d", self.folder, HERE / "Judge.java")
        assert done.returncode == 0, done.stderr
        return self.ask(["java", *self.INTERNAL, "-cp", self.folder, "Judge"], cases)


class Go(Batch):
    name, package, programs = "go", "golang-go", ("go",)

    def judge(self, cases):
        env = {"PATH": "/usr/bin:/bin", "HOME": str(self.folder), "GO111MODULE": "off",
               "GOCACHE": "/tmp/pgseal-gocache", "GOFLAGS": "-p=2"}
        done = run("go", "build", "-o", self.folder / "judge", HERE / "judge.go", env=env)
        assert done.returncode == 0, done.stderr
        return self.ask([self.folder / "judge"], cases)


JUDGES = (OpenSSL, GnuTLS, NSS, Java, Go, Botan)
