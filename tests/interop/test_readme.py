"""What the READMEs tell a new administrator to type works as it stands there."""
import os
import re
import shutil
import textwrap

from lib.process import BUILD, SOURCE, free_port, run


def commands(file, heading):
    """The first indented block of commands under that heading."""
    section = f"\n{(SOURCE / file).read_text()}".split(f"\n{heading}\n", 1)[1].split("\n## ", 1)[0]
    block = re.search(r"(?:^(?: {4}.*)?\n)+", section[section.index("\n    "):], re.M)[0]
    return textwrap.dedent(block)


def administrator(tmp_path, script, where):
    """Types it on a machine whose /etc/roamgate, ports and user are the test's own."""
    etc = tmp_path / "etc"
    etc.mkdir()
    example = tmp_path / "raddb"
    shutil.copytree(SOURCE / "raddb", example)
    file = example / "roamgate.cfg"
    text = file.read_text().replace(
        'user    = "roamgate";', f'user = ""; control = "{tmp_path}/control"; state_dir = "{tmp_path}/state";')
    for port in ("1812", "1813", "9812"):
        text = text.replace(f"port = {port};", f"port = {free_port()};")
    file.write_text(text)
    prelude = f"""
        set -eu
        roamgate() {{ '{BUILD}/src/roamgate' "$@" -c '{etc}/roamgate.cfg'; }}
        roamgate-certs() {{ '{SOURCE}/certs/roamgate-certs' "$@"; }}
        systemctl() {{
                setpriv --pdeathsig KILL '{BUILD}/src/roamgated' -f -c '{etc}/roamgate.cfg' >'{tmp_path}/log' 2>&1 &
                for _ in $(seq 300); do grep -q 'roamgated ready' '{tmp_path}/log' && return; sleep 0.1; done
                return 1
        }}
        chown() {{ [ "$1" = roamgate ]; shift; ls "$@" >/dev/null; }}
        cd '{where}'
    """
    script = script.replace("/etc/roamgate", str(etc)).replace("-g roamgate", "").replace("-m 750 ", "")
    return run(["bash", "-c", textwrap.dedent(prelude) + script], check=False, cwd=tmp_path, env={
        **os.environ, "ROAMGATE_CERTS": str(etc / "certs"), "ROAMGATE_MODULES": str(BUILD / "modules")})


def test_a_first_municipality_as_README_says(tmp_path):
    done = administrator(tmp_path, commands("README.md", "## A first municipality"), ".")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 errors, 0 warnings" in done.stdout
    assert "ACCEPTED  j.jansen@beuningen.nl" in done.stdout and re.search(r"^ +trusted$", done.stdout, re.M)
    assert "directory  found: uid=j.jansen" in done.stdout


def test_the_example_region_as_its_README_says(tmp_path):
    done = administrator(tmp_path, commands("raddb/README.md", "# raddb: the configuration, key by key"), "raddb")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 errors, 0 warnings" in done.stdout
