"""How the programs and modules are built: what a mistake in them would still have against it."""
import re

import pytest
from lib.process import BUILD, run

SANITIZED = re.search(r"^RG_CFLAGS = .*-fsanitize=", (BUILD / "Makefile").read_text(), re.M)
PROGRAMS = [BUILD / "src" / "roamgated", BUILD / "src" / "roamgate"]
MODULES = sorted((BUILD / "modules").glob("*/.libs/*.so")) or sorted((BUILD / "modules").rglob("*.so"))


def readelf(option, file):
    return run(["readelf", "-W", option, file]).stdout


def test_there_are_modules():
    assert {"eap_tls.so", "dir_ldap.so", "sink_fticks.so"} <= {file.name for file in MODULES}


@pytest.mark.parametrize("file", PROGRAMS + MODULES, ids=lambda file: file.name)
def test_what_the_loader_does(file):
    headers, dynamic = readelf("--program-headers", file), readelf("--dynamic", file)
    assert "DYN" in readelf("--file-header", file), "its address is not chosen anew at each start"
    assert "GNU_RELRO" in headers and re.search(r"BIND_NOW|FLAGS.*\bNOW\b", dynamic), "its jump tables stay writable"
    assert re.search(r"GNU_STACK .* RW +0x", headers), "its stack may be run"
    assert "TEXTREL" not in dynamic, "its code is written to"
    for load in re.findall(r"LOAD .*", headers):
        assert "RWE" not in load
    # No folder that others write, and none beside the program.
    assert set(re.findall(r"R(?:UN)?PATH\).*\[(.*)\]", dynamic)) <= {"/usr/lib/freeradius"}


@pytest.mark.parametrize("file", MODULES, ids=lambda file: file.name)
def test_a_module_calls_its_own_functions(file):
    """The program that loads it carries all of its own for modules to call: one of the same name would be called in its place."""
    own = {words[7] for words in map(str.split, readelf("--dyn-syms", file).splitlines())
           if len(words) == 8 and words[3] == "FUNC" and words[6] != "UND"}
    asked = set(re.findall(r"_(?:JUMP_SLOT?|GLOB_DAT)\s+\w+ (\w+)", readelf("--relocs", file)))
    assert asked and not own & asked


@pytest.mark.skipif(SANITIZED, reason="sanitizers do without")
@pytest.mark.parametrize("file", PROGRAMS, ids=lambda file: file.name)
def test_what_the_compiler_adds(file):
    symbols = readelf("--dyn-syms", file)
    assert "__stack_chk_fail" in symbols
    assert re.search(r"__\w+_chk\b", symbols.replace("__stack_chk_fail", "")), "nothing is fortified"
    flags = (BUILD / "Makefile").read_text()
    # Of which no trace is left in what the linker makes: Debian's own start of a program lacks the last.
    for flag in ("-fstack-protector-strong", "-D_FORTIFY_SOURCE=2", "-fPIE", "-fstack-clash-protection", "-fcf-protection"):
        assert flag in flags
