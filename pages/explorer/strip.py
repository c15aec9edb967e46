"""Two small pieces of browser code: the strip of words, and the button that copies the address."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from seqmodels.viz.palette import BACKGROUND, LINE, MU, SURFACE, TEXT, shorten, visible

_KEY = "gates-strip"

_CSS = f"""
.strip {{ display: flex; flex-wrap: wrap; gap: .25rem; font-family: inherit; }}
.strip button {{ font: inherit; font-size: 1rem; line-height: 1.3; padding: .2rem .45rem; border-radius: .4rem; cursor: pointer;
  color: {TEXT.css}; background: {SURFACE.css}; border: 1px solid {LINE.css}; unicode-bidi: isolate; max-width: 16rem;
  overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }}
.strip button:hover {{ border-color: {MU.css}; }}
.strip button:focus-visible {{ outline: 2px solid {MU.css}; outline-offset: 1px; }}
.strip button[aria-pressed=true] {{ background: {TEXT.css}; color: {BACKGROUND.css}; border-color: {TEXT.css}; }}
.strip button.added {{ border-style: dashed; }}
"""
# a word is only ever set as text, never as HTML
_JS = """
const TYPED_IN = 'input, textarea, select, [contenteditable=true], [role=radiogroup], [role=slider], [role=combobox], '
  + '[role=listbox], [role=tablist]';
const WAIT = 1500;  // milliseconds in which a press counts from the one before it, and not from what the server last drew

export default function ({ data, parentElement, setTriggerValue }) {
  const strip = parentElement.querySelector('.strip');
  const here = strip.here ?? (strip.here = { position: data.selected, pressed: 0 });
  if (Date.now() - here.pressed > WAIT) here.position = data.selected;
  const mark = (word) => word.setAttribute('aria-pressed', String(Number(word.dataset.position) === here.position));
  const select = (position) => {
    Object.assign(here, { position, pressed: Date.now() });
    strip.querySelectorAll('button').forEach(mark);
    setTriggerValue('moved', position);
  };
  const words = data.words.map(({ position, word, added }) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = word;
    button.dataset.position = position;
    mark(button);
    if (added) { button.className = 'added'; button.title = 'written by the model'; }
    button.onclick = () => select(position);
    return button;
  });
  const focused = parentElement.activeElement?.dataset?.position;
  strip.replaceChildren(...words);
  if (focused !== undefined) strip.querySelector('[data-position="' + here.position + '"]')?.focus({ preventScroll: true });
  const press = (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const used = event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey;
    if (!step || used || event.target.closest?.(TYPED_IN)) return;
    const position = here.position + step;
    if (position >= 0 && position < data.total) { event.preventDefault(); select(position); }
  };
  strip.stop?.();  // every redraw comes through here
  document.addEventListener('keydown', press);
  strip.stop = () => document.removeEventListener('keydown', press);
  return strip.stop;
}
"""
_LINK_JS = """
export default function ({ parentElement }) {
  const button = parentElement.querySelector('button');
  const said = button.textContent;
  const copy = async (text) => {
    if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
    const area = document.createElement('textarea');  // a page served without https has no clipboard
    area.value = text;
    document.body.appendChild(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    if (!done) throw new Error('refused');
  };
  button.onclick = () => copy(window.location.href)
    .then(() => { button.textContent = 'Copied'; }, () => { button.textContent = 'Copy it from the address bar'; })
    .then(() => setTimeout(() => { button.textContent = said; }, 2000));
}
"""
_LINK_CSS = f"""
button {{ font: inherit; font-size: .95rem; padding: .3rem .7rem; border-radius: .5rem; cursor: pointer; white-space: nowrap;
  color: {TEXT.css}; background: {BACKGROUND.css}; border: 1px solid {LINE.css}; }}
button:hover {{ border-color: {MU.css}; }}
button:focus-visible {{ outline: 2px solid {MU.css}; }}
"""

_strip = st.components.v2.component(
    "seqmodels_strip", html='<div class="strip" role="group" aria-label="Words of the text"></div>', css=_CSS, js=_JS
)
_link = st.components.v2.component("seqmodels_link", html='<button type="button">Copy link</button>', css=_LINK_CSS, js=_LINK_JS)


def strip(words: Sequence[tuple[int, str, bool]], selected: int, total: int, on_select: Callable[[int], None]) -> None:
    """Words as buttons: each with its position, and whether a model wrote it; they are a part of `total`.

    A click answers with a position, and so do the left and right arrow keys wherever nothing is typed. The browser counts the
    presses: a key may be pressed again before the page is drawn.
    """

    def moved() -> None:
        position = st.session_state[_KEY].moved
        if position is not None:
            on_select(int(position))

    listed = [{"position": position, "word": shorten(visible(word), 40), "added": added} for position, word, added in words]
    _strip(key=_KEY, data={"words": listed, "selected": selected, "total": total}, on_moved_change=moved)


def copy_link() -> None:
    """A button that copies the address, which holds all that is on screen."""
    _link(key="gates-link", width="content")
