"""What our CA issues, judged by programs of others: each must accept and refuse as it should.

The judges and the cases are in tests/tools/verifiers.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve()
sys.path.insert(0, str(HERE.parents[1] / "tools/verifiers"))

import cases            # noqa: E402
import judges           # noqa: E402

# the worlds are made once, and whoever comes meanwhile would wait for them
worlds = pytest.mark.takes(10, together="worlds")

MAKE_PKI = pathlib.Path(os.environ.get("PGSEAL", HERE.parents[2] / "build/pgseal")
                        ).resolve().parent / "tests/tools/make_pki"


@pytest.fixture(scope="session")
def everything(root):
    path = root / "worlds"
    return list(cases.all_cases(path, cases.make_worlds(MAKE_PKI, path)))


@pytest.fixture(params=judges.JUDGES, ids=lambda judge: judge.name)
def judge(request, tmp_path):
    if request.param.missing():
        pytest.skip(request.param.missing())
    return request.param(tmp_path)


@worlds
def test_there_are_more_than_200_cases_of_both_kinds(everything):
    assert len(everything) > 200
    assert sum(case.accept for case in everything) > 60
    assert sum(not case.accept for case in everything) > 140
    assert len({case.what for case in everything}) == len(everything)


@worlds
def test_every_case_is_judged_as_it_must_be(judge, everything, record_property):
    asked = [case for case in everything if judge.can(case)]
    verdicts = list(zip(asked, judge.judge(asked), strict=True))
    wrong = [f"{case.what}: {'refused' if case.accept else 'accepted'}: {verdict.reason}"
             for case, verdict in verdicts if verdict.accepted != case.accept]
    wrong += [f"{case.what}: its CN is read as {verdict.name!r}" for case, verdict in verdicts
              if case.role and verdict.name not in (None, case.role)]
    good = sum(case.accept for case in asked)
    record_property("says", f"{judge.name}: {good} certificates accepted and {len(asked) - good} "
                            f"refused, {len(wrong)} otherwise than they must be")
    assert not wrong, "\n".join(wrong)
    assert good > 30 and len(asked) - good > 60


def lint_findings(path):
    """What zlint says of one certificate: name of the lint -> result, for those that found something."""
    not_for_us = "CABF_BR,CABF_EV,CABF_SMIME_BR,Apple,Mozilla,ETSI_ESI"      # public CAs only
    done = subprocess.run(["zlint", "-excludeSources", not_for_us, path], capture_output=True,
                          text=True, check=True)
    return {name: lint["result"] for name, lint in json.loads(done.stdout).items()
            if lint["result"] in ("info", "warn", "error", "fatal")}


@worlds
@pytest.mark.skipif(not shutil.which("zlint"),
                    reason="zlint is not installed (Debian has it from version 13); see test_lints.py")
def test_zlint_finds_nothing(everything, tmp_path, record_property):
    good = [case for case in everything if case.accept]
    paths = {path for case in good for path in (case.chain, case.issuers, case.root, case.crls) if path}
    seen = {block for path in paths for block in cases.blocks(path)}
    for block in sorted(seen):
        (tmp_path / "one.pem").write_text(block)
        assert lint_findings(tmp_path / "one.pem") == {}, block
    record_property("says", f"zlint: {len(seen)} certificates and revocation lists, no finding")


# ---- keytool ----------------------------------------------------------------------------------

def keytool(*args, **kwargs):
    return subprocess.run(["keytool", "-J-Duser.language=en", "-J-XX:TieredStopAtLevel=1",
                           *map(str, args)], capture_output=True, text=True, errors="replace",
                          stdin=subprocess.DEVNULL, timeout=300, **kwargs)


needs_keytool = pytest.mark.skipif(not shutil.which("keytool"), reason="keytool is not installed")


@worlds
@needs_keytool
def test_keytool_prints_every_chain_and_list(everything, record_property):
    chains = {case.chain for case in everything
              if case.accept and case.chain.stem.startswith(("good-", "new-"))}
    lists = {case.crls for case in everything if case.accept and case.crls}
    for path in sorted(chains):
        shown = keytool("-printcert", "-file", path)
        assert shown.returncode == 0, (path, shown.stdout)
        assert shown.stdout.count("Owner: ") == len(cases.blocks(path)), path
        assert ("clientAuth" in shown.stdout) != ("serverAuth" in shown.stdout), path
    for path in sorted(lists):
        shown = keytool("-printcrl", "-file", path)
        assert shown.returncode == 0 and "X.509 CRL v2" in shown.stdout, (path, shown.stdout)
    record_property("says", f"keytool: {len(chains)} chains and {len(lists)} sets of revocation lists read")


@needs_keytool
@pytest.mark.parametrize("key_type", ["ec:p256", "ec:p384", "rsa:2048", "ed25519"])
@pytest.mark.parametrize("who", ["client", "server"])
def test_a_key_store_that_is_exported_is_java_s_too(folder, program, pgseal, key_type, who):
    """Listed with the right password alone, and brought into a key store of Java's own."""
    ca, out = folder / "ca", folder / "out"
    pgseal("ca", "init", "--ca", ca, "--no-passphrase", ok=True)
    what = ["client", "App User"] if who == "client" else ["server", "--host", "db1.example.net"]
    pgseal("ca", "issue", *what, "--key-type", key_type, "--ca", ca, "--out", out, ok=True)
    name = "postgresql" if who == "client" else "server"
    read, write = os.pipe()
    os.write(write, b"s3cret\n")
    os.close(write)
    subprocess.run([program, "ca", "export", "--ca", ca, "--cert", out / f"{name}.crt", "--key",
                    out / f"{name}.key", "--p12", out / "store.p12", "--out-passphrase-fd", str(read)],
                   pass_fds=[read], check=True, capture_output=True)
    os.close(read)
    shown = keytool("-list", "-v", "-keystore", out / "store.p12", "-storepass", "s3cret")
    alias = "user" if who == "client" else "db1.example.net"    # pgjdbc asks for "user" alone
    for part in (f"Alias name: {alias}\n", "Entry type: PrivateKeyEntry", "Certificate chain length: 2"):
        assert part in shown.stdout, shown
    wrong = keytool("-list", "-keystore", out / "store.p12", "-storepass", "another")
    assert wrong.returncode != 0 and "password was incorrect" in wrong.stdout
    taken = keytool("-importkeystore", "-srckeystore", out / "store.p12", "-srcstorepass", "s3cret",
                    "-destkeystore", out / "store.jks", "-deststoretype", "JKS", "-deststorepass",
                    "s3cret-too", "-destkeypass", "s3cret-too")
    assert "1 entries successfully imported" in taken.stderr, taken
    trusted = keytool("-importcert", "-noprompt", "-alias", "ca", "-file", out / "root.crt",
                      "-keystore", out / "store.jks", "-storepass", "s3cret-too")
    assert trusted.returncode == 0, trusted
