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


def test_there_are_more_than_200_cases_of_both_kinds(everything):
    assert len(everything) > 200
    assert sum(case.accept for case in everything) > 60
    assert sum(not case.accept for case in everything) > 140
    assert len({case.what for case in everything}) == len(everything)


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


@pytest.mark.skipif(not shutil.which("zlint"),
                    reason="zlint is not installed (Debian has it from version 13)")
def test_zlint_finds_nothing(everything, tmp_path):
    paths = {path for case in everything if case.accept for path in (case.chain, case.issuers)}
    paths |= {case.root for case in everything if case.accept}
    for path in sorted(paths):
        first = tmp_path / "first.pem"
        first.write_text(cases.blocks(path)[0])
        assert lint_findings(first) == {}, path
