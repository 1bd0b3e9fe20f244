"""The pages' one stylesheet: system fonts, light or dark as the reader's system is, narrow or wide."""

from __future__ import annotations

from bot.sandbox.pages.html import Html

_COLORS = """
:root { color-scheme: light dark;
  --page: #fff; --soft: #f5f7f9; --line: #d5dbe1; --text: #1c2127; --muted: #5a6570; --code: #eef1f4;
  --link: #0b5cad; --accent: #0b6e6e; --good: #18794e; --bad: #c4262e; --wait: #9a6200; --done: #7444c0;
  --plus: #e3f6e8; --plus-edge: #c8ecd2; --minus: #fdeaea; --minus-edge: #f8d4d4; --hunk: #eaf2fb }
@media (prefers-color-scheme: dark) { :root {
  --page: #14181d; --soft: #1b2027; --line: #323a44; --text: #e2e7ec; --muted: #98a3ae; --code: #252c35;
  --link: #71b1f5; --accent: #35aaa5; --good: #4cc38a; --bad: #f2777d; --wait: #e0ab4b; --done: #b794f6;
  --plus: #14301f; --plus-edge: #1e4d31; --minus: #3a1b1f; --minus-edge: #5b272c; --hunk: #1a2a3c } }
.good { color: var(--good) }
.bad { color: var(--bad) }
.wait { color: var(--wait) }
.done { color: var(--done) }
.quiet, .muted { color: var(--muted) }
"""

_TEXT = """
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--text); overflow-wrap: anywhere;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif }
a { color: var(--link); text-decoration: none }
a:hover { text-decoration: underline }
h1 { font-size: 1.5rem; line-height: 1.3; margin: 0 0 .4rem; font-weight: 600 }
h1 .muted { font-weight: 400 }
h2 { font-size: 1.1rem; margin: 2rem 0 .7rem }
h3 { font-size: 1rem; margin: 0 }
.small { font-size: .86rem }
code, pre, .mono, .lines { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace }
code, pre, .mono { font-size: .86em }
code { background: var(--code); border-radius: 4px; padding: .12em .35em }
pre { background: var(--code); border-radius: 6px; padding: .7rem .9rem; margin: .6rem 0; overflow-x: auto;
  overflow-wrap: normal }
pre code { background: none; padding: 0; font-size: 1em }
summary { cursor: pointer }
.icon { width: 1.05em; height: 1.05em; vertical-align: -.15em; flex: none; align-self: center; fill: none;
  stroke: currentColor; stroke-width: 1.7; stroke-linecap: round; stroke-linejoin: round }
"""

_FRAME = """
.top { background: var(--soft); border-bottom: 1px solid var(--line) }
.bar, .tabs, main { max-width: 1160px; margin: auto }
.bar { padding: .55rem 1rem; display: flex; flex-wrap: wrap; gap: .4rem 1rem; align-items: center }
.bar form { margin-left: auto }
.crumbs { font-size: 1.05rem; font-weight: 600 }
.slash { color: var(--muted); margin: 0 .3rem }
.mark { color: var(--accent); font-weight: 700 }
.tabs { padding: 0 .6rem; display: flex; gap: .2rem; overflow-x: auto }
.tabs a { color: var(--text); padding: .45rem .7rem; border-bottom: 2px solid transparent; white-space: nowrap }
.tabs a:hover { text-decoration: none; background: var(--code) }
.tabs a[aria-current] { border-color: var(--accent); font-weight: 600 }
main { padding: 1.4rem 1rem 4rem }
.jump { position: sticky; top: 0; z-index: 2; background: var(--page); border-bottom: 1px solid var(--line);
  display: flex; gap: 1.2rem; margin: 1rem 0 1.2rem; padding: .5rem 0; overflow-x: auto; white-space: nowrap }
:target { scroll-margin-top: 3.2rem }
.split { display: grid; grid-template-columns: minmax(0, 1fr) 250px; gap: 0 1.8rem; align-items: start }
.side section { border-bottom: 1px solid var(--line); padding: 0 0 .8rem; margin: 0 0 .8rem }
.side h3 { font-size: .82rem; color: var(--muted); margin: 0 0 .35rem }
"""

_PIECES = """
.row { display: flex; flex-wrap: wrap; gap: .35rem .6rem; align-items: center }
.above { margin: 0 0 .7rem }
.push { margin-left: auto }
.box { border: 1px solid var(--line); border-radius: 8px; margin: 0 0 1rem; overflow: hidden }
.box:target { border-color: var(--accent); box-shadow: 0 0 0 2px color-mix(in srgb, var(--accent) 35%, transparent) }
.head { background: var(--soft); padding: .5rem .9rem; display: flex; flex-wrap: wrap; gap: .3rem .55rem;
  align-items: center }
.head + * { border-top: 1px solid var(--line) }
.pad { padding: .8rem .9rem }
.pad > :first-child, .inside > :first-child, main > :first-child { margin-top: 0 }
.pad > :last-child { margin-bottom: 0 }
.empty { padding: 2rem 1rem; text-align: center; color: var(--muted) }
.item { display: flex; gap: .6rem; padding: .6rem .9rem; align-items: baseline }
.item .icon, details.check .icon { align-self: auto }
.item + .item, .check + .item, .item + .check, .check + .check { border-top: 1px solid var(--line) }
.grow { flex: 1; min-width: 0 }
.title, .who { font-weight: 600; color: var(--text) }
.count { background: var(--code); border-radius: 9px; padding: .05rem .45rem; font-size: .8rem; margin-left: .3rem }
.chip { --chip: #8a94a0; display: inline-block; border-radius: 10px; padding: 0 .55rem; font-size: .78rem;
  line-height: 1.25rem; font-weight: 600; background: var(--chip); color: #fff;
  border: 1px solid color-mix(in srgb, var(--chip), #000 12%) }
.chip.pale { color: #16191d }
.tag { border: 1px solid var(--line); border-radius: 10px; padding: 0 .5rem; font-size: .75rem; color: var(--muted);
  line-height: 1.15rem; display: inline-block; white-space: nowrap }
.state { display: inline-flex; align-items: center; gap: .35rem; border-radius: 14px; padding: .15rem .75rem;
  font-weight: 600; font-size: .88rem; border: 1px solid currentColor;
  background: color-mix(in srgb, currentColor 11%, transparent) }
.branch { background: var(--hunk); color: var(--link); border-radius: 5px; padding: .1rem .4rem }
.face { width: 1.35em; height: 1.35em; border-radius: 50%; vertical-align: -.32em }
.event { display: flex; gap: .6rem; align-items: center; padding: .1rem .9rem 1rem; color: var(--muted) }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(250px, 1fr)); gap: 1rem }
.grid .box { margin: 0 }
.pages { display: flex; gap: 1rem; justify-content: center; margin: 1rem 0 }
details.check > summary { display: flex; gap: .6rem; align-items: baseline; padding: .5rem .9rem; list-style: none }
details.check > summary::-webkit-details-marker { display: none }
details.check > summary:hover { background: var(--soft) }
details.check > .inside { padding: .1rem .9rem .8rem 2.45rem }
.more { color: var(--muted) }
.more::before { content: "\\203a"; display: inline-block }
[open] > summary > .more::before { rotate: 90deg }
.note { border-left: 3px solid var(--line); background: var(--soft); padding: .4rem .8rem; margin: .5rem 0;
  border-radius: 0 6px 6px 0; color: inherit }
.note.bad { border-color: var(--bad) }
.note.wait { border-color: var(--wait) }
.banner { border: 1px solid var(--bad); background: color-mix(in srgb, var(--bad) 9%, var(--page)); border-radius: 8px;
  padding: .6rem .9rem; margin: 0 0 1rem }
"""

_WRITING = """
.md > :first-child { margin-top: 0 }
.md > :last-child { margin-bottom: 0 }
.md p, .md ul, .md ol, .md details { margin: .6rem 0 }
.md ul, .md ol { padding-left: 1.6rem }
.md h1, .md h2 { font-size: 1.2rem; margin: 1.2rem 0 .6rem; padding-bottom: .2rem;
  border-bottom: 1px solid var(--line) }
.md h3 { margin: 1rem 0 .4rem }
.md blockquote { margin: .6rem 0; padding-left: .9rem; border-left: 3px solid var(--line); color: var(--muted) }
.md hr { border: 0; border-top: 1px solid var(--line); margin: 1rem 0 }
.md img { max-width: 100% }
.wide { overflow-x: auto; margin: .7rem 0 }
.md table { border-collapse: collapse; font-size: .92rem; overflow-wrap: normal }
.md th, .md td { border: 1px solid var(--line); padding: .3rem .65rem; text-align: left; vertical-align: top }
.md th { background: var(--soft) }
"""

_LINES = """
.lines { border-collapse: collapse; width: 100%; font-size: 12.5px; line-height: 1.55 }
.lines td { padding: 0 .6rem; vertical-align: top; white-space: pre-wrap }
.lines .no { width: 1%; min-width: 2.6rem; text-align: right; color: var(--muted); user-select: none;
  white-space: nowrap; padding: 0 .5rem }
.lines .no::before { content: attr(data-n) }
.lines .text::before { content: attr(data-sign) " "; user-select: none; color: var(--muted) }
.lines tr:target td, .plus td { background: var(--plus) }
.plus .no { background: var(--plus-edge) }
.minus td { background: var(--minus) }
.minus .no { background: var(--minus-edge) }
.hunk td { background: var(--hunk); color: var(--muted); padding: .15rem .6rem }
.plusses { color: var(--good); font-weight: 600 }
.minuses { color: var(--bad); font-weight: 600 }
"""

_FORMS = """
textarea, input[type=text], select { width: 100%; font: inherit; color: inherit; background: var(--page);
  border: 1px solid var(--line); border-radius: 6px; padding: .45rem .6rem }
textarea { min-height: 6.5rem; resize: vertical; display: block }
select { width: auto; padding: .25rem .4rem }
label { display: block; font-weight: 600; margin: .6rem 0 .25rem }
button { font: inherit; font-size: .9rem; font-weight: 600; border: 1px solid var(--line); background: var(--soft);
  color: var(--text); border-radius: 6px; padding: .32rem .85rem; cursor: pointer }
button:hover { border-color: var(--muted) }
button.main { background: #18794e; border-color: transparent; color: #fff }
button.main.bold { background: #b3262d }
button.main:hover { filter: brightness(1.1) }
.buttons { display: flex; flex-wrap: wrap; gap: .5rem; justify-content: flex-end; margin-top: .6rem }
textarea:focus, input:focus, select:focus, button:focus-visible, a:focus-visible, summary:focus-visible {
  outline: 2px solid var(--accent); outline-offset: 1px }
"""

_NARROW = """
@media (max-width: 760px) {
  .split { grid-template-columns: minmax(0, 1fr) }
  .side { order: -1; display: flex; flex-wrap: wrap; gap: 0 1.6rem }
  .side section { border: 0; margin: 0 }
  h1 { font-size: 1.25rem }
  .bar form { margin-left: 0 }
  .hide { display: none }
  main { padding-top: 1rem }
  .lines { font-size: 11.5px }
  .lines .no { min-width: 1.6rem; padding: 0 .25rem }
  .lines td { padding: 0 .35rem }
  details.check > .inside { padding-left: .9rem } }
"""

STYLE = Html("".join((_COLORS, _TEXT, _FRAME, _PIECES, _WRITING, _LINES, _FORMS, _NARROW)))
