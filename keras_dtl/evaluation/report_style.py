"""What the style sheet of a report has beside that of every page: cards, notes, figures, print."""

from keras_dtl.page import style_sheet

REPORT_STYLE = style_sheet("""
main { max-width: 58rem; margin: 2rem auto; padding: 2.25rem 2.75rem; background: $surface;
  border: 1px solid $grid; border-radius: 12px; }
p { max-width: 44rem; margin: 0.6rem 0; white-space: pre-line; }
.summary { font-size: 1.05rem; color: $muted; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: 0.75rem;
  margin: 1.5rem 0 0; }
.cards div { display: flex; flex-direction: column-reverse; justify-content: flex-end;
  padding: 0.8rem 1rem; background: var(--soft); border-radius: 8px; }
.cards dt { font-size: 0.82rem; line-height: 1.35; color: $muted; }
.cards dd { margin: 0; font-size: 1.6rem; font-weight: 650; line-height: 1.3;
  font-variant-numeric: tabular-nums; }
.table { overflow-x: auto; margin: 0.75rem 0 1.25rem; }
thead th { color: $muted; font-weight: 600; vertical-align: bottom; }
tbody th { font-weight: 400; }
.number { text-align: right; white-space: nowrap; }
.note { margin: 0.9rem 0; padding: 0.4rem 1.1rem; background: var(--soft);
  border-left: 4px solid $accent; border-radius: 0 8px 8px 0; }
.warning { background: var(--alarm); border-left-color: $warning; }
figure { margin: 1rem 0 1.5rem; overflow-x: auto; }
figure img { display: block; max-width: 100%; height: auto; }
figure svg { display: block; width: 100%; height: auto; }
figure svg * { stroke-linejoin: round; stroke-linecap: butt; }
figure svg text { font-family: $fonts !important; }
figcaption { max-width: 44rem; }
details { margin: 0.75rem 0; }
summary { cursor: pointer; color: var(--link); }
footer { margin-top: 3rem; font-size: 0.82rem; color: $muted; }
@media (max-width: 44rem) { main { margin: 0; padding: 1.25rem; border: 0; border-radius: 0; }
  figure svg { min-width: 32rem; } }
@media print { body { background: none; } main { max-width: none; margin: 0; border: 0; }
  figure, .cards { break-inside: avoid; } }
""")
