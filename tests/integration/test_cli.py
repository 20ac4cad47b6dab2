"""The command line itself: help, mistakes, output; no server is asked."""
import json
import os
import pathlib
import re
import resource
import socket
import stat
import subprocess

import pytest

import pg

NOWHERE = "host=127.0.0.1 port=1 connect_timeout=2"


def test_help_of_every_verb_has_its_parts(pgseal):
    general = pgseal("--help", ok=True).out
    verbs = [line.split()[0] for line in general.split("Verbs:")[1].split("\n\n")[0].splitlines()
             if line.strip() and not line.startswith("   ")]
    assert "status" in verbs
    for verb in verbs:
        text = pgseal(verb, "--help", ok=True).out
        assert pgseal("help", verb, ok=True).out == text
        for part in ("Usage:", "Common options:", "Exit status:", "--format", f"pgseal {verb}"):
            assert part in text, f"{verb} --help says nothing of {part}"


def test_version(pgseal):
    assert pgseal("--version", ok=True).out.startswith("pgseal ")


@pytest.mark.parametrize("impostor, status, message", [
    (None, 3, "could not load libpq"),                  # a file that is no library
    ("libz.so.1", 4, "is too old"),                     # a library without what is looked for
])
def test_without_libpq_only_what_connects_is_refused(pgseal, tmp_path, impostor, status, message):
    if impostor:
        (tmp_path / "libpq.so.5").symlink_to(next(pathlib.Path("/").glob(f"lib/*/{impostor}")))
    else:
        (tmp_path / "libpq.so.5").write_text("not a library")
    env = {"LD_LIBRARY_PATH": str(tmp_path)}
    result = pgseal("status", "--target", NOWHERE, env=env)
    assert result.status == status and message in result.err, result
    assert pgseal("explain", "hba-plaintext", env=env, ok=True).out


@pytest.mark.parametrize("argv, message, hint", [
    ([], "no verb was given", 'Try "pgseal --help".'),
    (["statu"], 'unknown verb "statu"', 'Did you mean "pgseal status"?'),
    (["frobnicate"], 'unknown verb "frobnicate"', 'Try "pgseal --help".'),
    (["--frob"], "unknown option --frob", 'Try "pgseal --help".'),
    (["status", "--frob"], "unknown option --frob", 'Try "pgseal status --help".'),
    (["status", "--target"], "option --target requires an argument", 'Try "pgseal status --help".'),
    (["status", "--warn-days", "x"], 'invalid value "x" for option --warn-days', "Try"),
    (["status", "--warn-days=x=y"], 'invalid value "x=y" for option --warn-days', "Try"),
    (["scan", "--retries", "9", "--rate", "-x", "db1"], 'invalid value "-x" for option --rate', "Try"),
    (["scan", "-q", "--rate", "99999999999", "db1"], 'invalid value "99999999999" for option --rate', "Try"),
    (["status", "--format", "xml"], 'unknown format "xml"', "The formats are"),
    (["status", "--fail-on", "red"], 'unknown severity "red"', "The severities are"),
    (["status", "--target", "hst=a"], "cannot parse the connection string", "Write it as for psql"),
    (["status", "host=a", "port=1"], 'unexpected argument "host=a"', "Put quotes around"),
    (["secure", "--ca", "/x"], "option -D is missing", "-D is the folder that PostgreSQL's"),
    (["secure", "-D", "/x", "--ca", "/x", "--client", "app"], "option --client-dir is missing",
     "The files of each"),
    (["rollback"], "option -D is missing", "-D is the folder that PostgreSQL's"),
    (["prove", "-D", "/x"], "option --client is missing", "Name the role"),
    (["prove", "-D", "/x", "--target", "host=a"], "--target cannot be combined with -D or --client",
     "Give -D DATADIR for a server"),
    (["client", "app"], "option --ca is missing", "The certificate is signed by"),
    (["client", "app", "--ca", "/x"], "option --client-dir is missing", "The files of each"),
    (["client", "app", "--ca", "/x", "--client-dir", "/x"], "option --host is missing", "Clients check"),
    (["help", "frob"], 'unknown verb "frob"', "Try"),
])
def test_wrong_use_is_status_2_with_a_hint(pgseal, argv, message, hint):
    result = pgseal(*argv)
    assert result.status == 2, result
    assert result.out == ""
    lines = result.err.splitlines()
    assert lines[0] == f"pgseal: error: {message}"
    assert any(line.startswith(f"HINT:  {hint}") for line in lines), result


def test_a_value_that_is_no_number_names_its_option(pgseal):
    """Every option of every verb that wants a number, in both spellings."""
    def verbs_of(*group):
        text = pgseal(*group, "--help", ok=True).out
        if "Verbs:" not in text:
            return [group]
        names = [line.split()[0] for line in text.split("Verbs:")[1].split("\n\n")[0].splitlines()
                 if line.strip() and not line.startswith("   ")]
        return [verb for name in names for verb in verbs_of(*group, name)]

    numbers = set()
    for verb in verbs_of():
        for option in set(re.findall(r"(--[a-z-]+)[= ][A-Z]", pgseal(*verb, "--help", ok=True).out)):
            # the second mistake sees to it that a verb whose option takes any text does nothing
            spaced, glued = (pgseal(*verb, *way, "--frob").err for way in ((option, "1x"), (f"{option}=1x",)))
            if "not a whole number" in spaced + glued:
                numbers.add((*verb, option))
                for said in (spaced, glued):
                    assert said.startswith(f'pgseal: error: invalid value "1x" for option {option}\n'), said
    assert ("scan", "--rate") in numbers and len(numbers) >= 20, numbers


def test_an_error_is_json_where_json_was_asked_for(pgseal):
    result = pgseal("status", "--target", NOWHERE, "--format", "json")
    assert result.status == 3
    assert list(result.json) == ["schema", "error"]
    assert result.json["schema"] == "pgseal.status/1"
    assert result.json["error"]["code"] == "net"
    assert "Connection refused" in result.json["error"]["detail"]
    assert "pgseal: error: could not connect" in result.err


def test_a_wrong_option_is_json_too(pgseal):
    result = pgseal("status", "--format", "json", "--frob")
    assert result.status == 2
    assert result.json["error"]["code"] == "usage"


def test_output_goes_to_a_file_that_all_may_read(pgseal, folder):
    path = folder / "out.json"
    result = pgseal("status", "--target", NOWHERE, "--format", "json", "--output", path)
    assert result.status == 3 and result.out == ""
    assert json.loads(path.read_text())["error"]["code"] == "net"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_output_goes_to_what_is_no_file_as_it_is(pgseal, program, folder):
    asked = ["explain", "hba-shadowed", "--format", "json", "--output"]
    assert pgseal(*asked, "/dev/null").out == ""
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    assert pgseal(*asked, "/dev/stdout").json["schema"] == "pgseal.explain/1"
    log = folder / "log"
    subprocess.run([program, *asked, "/dev/stdout"], stdout=open(log, "w"), check=True)
    assert json.loads(log.read_text())["schema"] == "pgseal.explain/1"
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen([program, *asked, pipe]) as writer:
        assert json.loads(pipe.read_text())["schema"] == "pgseal.explain/1"
        assert writer.wait() == 0 and stat.S_ISFIFO(pipe.stat().st_mode)
    full = pgseal(*asked, "/dev/full")
    assert full.status == 3 and 'could not write file "/dev/full": No space left' in full.err


def test_output_that_cannot_be_written_is_an_error(pgseal, folder):
    result = pgseal("status", "--target", NOWHERE, "--format", "json",
                    "--output", folder / "none/out.json")
    assert result.status == 3
    assert "could not" in result.err


def test_a_reader_that_leaves_early_is_no_error(program):
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([program, "--help"], stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_full_disk_is_an_error(program):
    with open("/dev/full", "w") as full:
        done = subprocess.run([program, "--help"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 3
    assert "could not write to standard output: No space left" in done.stderr


def test_core_files_are_off(program):
    """Keys must not end in a core file: the soft limit is 0 while pgseal runs."""
    with socket.create_server(("127.0.0.1", 0)) as silent:       # nothing is answered: it waits
        target = f"host=127.0.0.1 port={silent.getsockname()[1]}"
        most = resource.getrlimit(resource.RLIMIT_CORE)[1]
        process = subprocess.Popen([program, "status", "--target", target], stderr=subprocess.DEVNULL,
                                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (most, most)))
        limits = pathlib.Path(f"/proc/{process.pid}/limits")
        try:
            pg.wait_until(lambda: re.search(r"^Max core file size +0 ", limits.read_text(), re.M), "no core files",
                          process=process)
        finally:
            process.kill()
            process.wait()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to make a folder that the owner cannot enter")
def test_a_data_directory_of_somebody_else_is_not_taken_for_another_folder(pgseal_as_owner, folder):
    data = folder / "data"
    folder.chmod(0o755)
    data.mkdir(mode=0o700)
    (data / "PG_VERSION").write_text("17\n")
    result = pgseal_as_owner("prove", "-D", data, "--client", "app")
    assert result.status == 3
    assert "could not look into data directory" in result.err and "as the owner" in result.err
