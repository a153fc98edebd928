"""The one HTML page that every report is: its frame and its style sheet."""

from string import Template

from keras_dtl.evaluation.figures.appearance import (
    ACCENT,
    GRID,
    INK,
    MUTED,
    SURFACE,
    WARNING,
    css_variable,
    style_sheet_colors,
)

_STYLE = Template("""
:root { color-scheme: light dark; $light
  --ground: #f5f6f7; --soft: #eff2f4; --link: #1f6fb5; --alarm: #fdf0ee; }
@media (prefers-color-scheme: dark) { :root { $dark
  --ground: #0f1113; --soft: #21262b; --link: #7bb8f0; --alarm: #33201d; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var($ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial,
    sans-serif; }
main { max-width: 58rem; margin: 2rem auto; padding: 2.25rem 2.75rem; background: var($surface);
  border: 1px solid var($grid); border-radius: 12px; }
h1, h2, p, dt, dd, th, td { overflow-wrap: anywhere; }
h1 { margin: 0; font-size: 1.9rem; line-height: 1.2; letter-spacing: -0.015em; }
h2 { margin: 2.75rem 0 0.9rem; padding-bottom: 0.35rem; font-size: 1.2rem;
  border-bottom: 1px solid var($grid); }
p { max-width: 44rem; margin: 0.6rem 0; white-space: pre-line; }
.summary { font-size: 1.05rem; color: var($muted); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: 0.75rem;
  margin: 1.5rem 0 0; }
.cards div { display: flex; flex-direction: column-reverse; justify-content: flex-end;
  padding: 0.8rem 1rem; background: var(--soft); border-radius: 8px; }
.cards dt { font-size: 0.82rem; line-height: 1.35; color: var($muted); }
.cards dd { margin: 0; font-size: 1.6rem; font-weight: 650; line-height: 1.3;
  font-variant-numeric: tabular-nums; }
.table { overflow-x: auto; margin: 0.75rem 0 1.25rem; }
table { border-collapse: collapse; font-size: 0.92rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.35rem 0.9rem; text-align: left; vertical-align: top; white-space: pre-line; }
tr > :first-child { padding-left: 0.25rem; }
tr > * { border-top: 1px solid var($grid); }
thead tr > *, table > tbody:first-child > tr:first-child > * { border-top: 0; }
thead th { color: var($muted); font-weight: 600; vertical-align: bottom; }
tbody th { font-weight: 400; }
.number { text-align: right; white-space: nowrap; }
.note { margin: 0.9rem 0; padding: 0.4rem 1.1rem; background: var(--soft);
  border-left: 4px solid var($accent); border-radius: 0 8px 8px 0; }
.warning { background: var(--alarm); border-left-color: var($warning); }
figure { margin: 1rem 0 1.5rem; overflow-x: auto; }
figure img { display: block; max-width: 100%; height: auto; }
figure svg { display: block; width: 100%; height: auto; }
figure svg * { stroke-linejoin: round; stroke-linecap: butt; }
figure svg text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue",
  Arial, sans-serif !important; }
figcaption { max-width: 44rem; margin-top: 0.6rem; font-size: 0.9rem; color: var($muted); }
details { margin: 0.75rem 0; }
summary { cursor: pointer; color: var(--link); }
footer { margin-top: 3rem; font-size: 0.82rem; color: var($muted); }
@media (max-width: 44rem) { main { margin: 0; padding: 1.25rem; border: 0; border-radius: 0; }
  figure svg { min-width: 32rem; } }
@media print { body { background: none; } main { max-width: none; margin: 0; border: 0; }
  figure, .cards { break-inside: avoid; } }
""")

STYLE_SHEET = _STYLE.substitute(
    light=style_sheet_colors(),
    dark=style_sheet_colors(dark=True),
    accent=css_variable(ACCENT),
    grid=css_variable(GRID),
    ink=css_variable(INK),
    muted=css_variable(MUTED),
    surface=css_variable(SURFACE),
    warning=css_variable(WARNING),
)

PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>$style</style>
</head>
<body>
<main>
<header>
<h1>$title</h1>
$summary
</header>
$sections
<footer>$footer</footer>
</main>
</body>
</html>
""")
