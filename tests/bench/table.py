"""The table of tests/bench/README.md, from tests/bench/results.json."""
from pathlib import Path
from statistics import median

import goals
import plot

BEGIN, END = "<!-- results: written by scripts/bench -->", "<!-- end of results -->"


def middle(rounds, key):
    values = [each[key] for each in rounds if each.get(key) is not None]
    return median(values) if values else None


def spread(rounds, key):
    values = [each[key] for each in rounds if each.get(key) is not None]
    return f"{min(values):.0f}–{max(values):.0f}" if len(values) > 1 else ""


def number(value, digits=0):
    return "" if value is None else f"{value:,.{digits}f}"


def trouble(rounds):
    lost, refused = (sum(each.get(key) or 0 for each in rounds) for key in ("lost", "refused"))
    words = [f"{lost} lost"] if lost else []
    words += [f"{refused} refused"] if refused else []
    share = middle(rounds, "resumed_share")
    if share is not None and share < 0.995:
        words.append(f"{share * 100:.0f} % resumed")
    return ", ".join(words)


def rows(results):
    yield ("| case | who | CPU µs each | of rounds | × roamgated | each second | p50 ms | p99 ms | peak MB "
           "| |\n|---|---|---|---|---|---|---|---|---|---|")
    for case in results["cases"]:
        for who, rounds in case["subjects"].items():
            cpu = middle(rounds, "cpu_us")
            digits = 1 if cpu and cpu < 100 else 0
            peak = middle(rounds, "memory_peak_kib")
            p50, p99 = middle(rounds, "p50_us"), middle(rounds, "p99_us")
            yield "| " + " | ".join([
                case["name"], who, number(cpu, digits), spread(rounds, "cpu_us"),
                number(goals.ratio(results, case["name"], who, "roamgated"), 2), number(middle(rounds, "per_s")),
                number(p50 / 1000 if p50 else None, 1), number(p99 / 1000 if p99 else None, 1),
                number(peak / 1024 if peak else None), trouble(rounds)]) + " |"


def figure_rows(results):
    yield "| figure | who | measured | of rounds |\n|---|---|---|---|"
    for each in results.get("figures", []):
        for who, values in each["subjects"].items():
            yield (f"| {each['name']} | {who} | {number(median(values), 1 if median(values) < 100 else 0)} "
                   f"{each['unit']} | {min(values):,.0f}–{max(values):,.0f} |")


def instruction_rows(results):
    yield "| step | instructions |\n|---|---|"
    for name, count in results["instructions"].items():
        yield f"| {name} | {count:,.0f} |"


def text(results):
    machine = results["machine"]
    parts = [[f"{machine['cpu']}, {machine['cores']} cores, Linux {machine['kernel']}; {results['time']}; "
              f"{results['rounds']} rounds of {results['seconds']:g} s; {', '.join(machine['versions'])}."]]
    if results.get("load_average"):
        # The bench itself keeps some two processes busy; what is beyond that was somebody else's.
        began, ended = results["load_average"]
        parts.append([f"Load average: {began:.1f} when it began, {ended:.1f} when it ended."])
    if results["cases"]:
        parts.append(rows(results))
    if results.get("figures"):
        parts.append(figure_rows(results))
    if results.get("instructions"):
        parts.append(instruction_rows(results))
    if results.get("failed"):
        parts.append([f"Failed: {each.splitlines()[0]}" for each in results["failed"]])
    if any(goals.all_of(results)):
        parts.append(goals.rows(results))
    return "\n\n".join("\n".join(part) for part in parts)


def write(readme, results):
    page = Path(readme).read_text()
    head, rest = page.split(BEGIN)
    _, tail = rest.split(END)
    picture = Path(readme).with_name("results.svg")
    picture.write_text(plot.svg(results))
    Path(readme).write_text(f"{head}{BEGIN}\n![CPU time a request, in microseconds]({picture.name})\n\n"
                            f"{text(results)}\n{END}{tail}")
