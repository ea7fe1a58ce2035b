"""tests/bench/results.svg, from tests/bench/results.json: CPU time a request, a bar for each server. By hand, since a bar is
a rectangle."""
from statistics import median
from xml.sax.saxutils import escape

WIDTH, LABEL, BAR, GAP, CASE_GAP = 860, 160, 14, 3, 10
COLOURS = (("roamgated", "#1a6fb0"), ("radsecproxy", "#e08a1e"), ("freeradius", "#b03a48"), ("hostapd", "#5d8f3e"),
           ("OpenSSL alone", "#8a8a8a"), ("floor", "#8a8a8a"))
PANELS = (("Proxying: CPU µs a request", lambda name: "→" in name and "workers" not in name),
          ("EAP-TLS, full: CPU µs a sign-in", lambda name: name.endswith(" full")),
          ("EAP-TLS, resumed: CPU µs a sign-in", lambda name: name.endswith(" resumed")),
          ("Passwords in tunnels: CPU µs a sign-in", lambda name: name.endswith("P-256") and "TLS 1" not in name))


def _text(x, y, words, size=12, more=""):
    return f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" {more}>{escape(words)}</text>'


def _colour(who):
    """Variants of roamgated are paler than it."""
    colour = next((value for name, value in COLOURS if who.startswith(name)), "#8a8a8a")
    return f'fill="{colour}" fill-opacity="{0.55 if "," in who else 1}"'


def _bars(case, scale, y):
    """The bars of a case, and where the next one begins."""
    drawn = [_text(8, y + BAR - 3, case["name"], more='font-weight="bold"')]
    y += BAR + GAP
    for who, rounds in case["subjects"].items():
        values = [each["cpu_us"] for each in rounds]
        value = median(values)
        low, high = LABEL + min(values) * scale, LABEL + max(values) * scale
        drawn += [
            _text(LABEL - 6, y + BAR - 3, who, 11, 'text-anchor="end" fill="#444"'),
            f'<rect x="{LABEL}" y="{y}" width="{max(1.0, value * scale):.1f}" height="{BAR}" {_colour(who)}/>',
            f'<path d="M{low:.1f} {y + BAR / 2}H{high:.1f}" stroke="#222"/>',
            _text(high + 5, y + BAR - 3, f"{value:.1f}" if value < 100 else f"{value:,.0f}", 11)]
        y += BAR + GAP
    return drawn, y + CASE_GAP


def svg(results):
    drawn, y = [], 10
    for title, belongs in PANELS:
        cases = [each for each in results["cases"] if belongs(each["name"])]
        if not cases:
            continue
        most = max(each["cpu_us"] for case in cases for rounds in case["subjects"].values() for each in rounds)
        scale = (WIDTH - LABEL - 60) / most
        y += 16
        drawn.append(_text(8, y, title, 15, 'font-weight="bold" fill="#1a6fb0"'))
        y += 12
        for case in cases:
            bars, y = _bars(case, scale, y)
            drawn += bars
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}" viewBox="0 0 {WIDTH} {y}" '
            f'font-family="sans-serif">\n<rect width="{WIDTH}" height="{y}" fill="#fff"/>\n'
            + "\n".join(drawn) + "\n</svg>\n")
