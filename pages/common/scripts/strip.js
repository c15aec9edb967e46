// A word is only ever set as text, never as HTML.
const TYPED_IN = 'input:not([type=checkbox]), textarea, select, [contenteditable=true], [role=radiogroup], [role=slider], [role=combobox], '
  + '[role=listbox], [role=tablist]';
const WAIT = 1500;  // milliseconds in which a press counts from the one before it, and not from what the server last drew
const LOOK = 750;  // that a word's pictures are on screen while the text plays: with their drawing, about a second a word
const TICK = 150;
const drawing = () => document.querySelector('.stApp')?.dataset.testScriptState === 'running';

export default function ({ data, parentElement, setTriggerValue }) {
  const strip = parentElement.querySelector('.strip');
  const play = parentElement.querySelector('.play');
  const here = strip.here ?? (strip.here = { position: data.selected, pressed: 0 });
  if (Date.now() - here.pressed > WAIT) here.position = data.selected;
  const mark = (word) => {
    const selected = Number(word.dataset.position) === here.position;
    word.setAttribute('aria-pressed', String(selected));
    word.tabIndex = selected ? 0 : -1;  // one stop for the tab key: the arrow keys move within
  };
  const select = (position) => {
    Object.assign(here, { position, pressed: Date.now() });
    strip.querySelectorAll('button').forEach(mark);
    if (strip.contains(document.activeElement)) strip.querySelector('[data-position="' + position + '"]')?.focus({ preventScroll: true });
    setTriggerValue('moved', position);
  };
  Object.assign(here, { data, select });  // a timer outlives a redraw
  const words = data.words.map(({ position, word, added, note }) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = word;
    button.dataset.position = position;
    mark(button);
    if (added) button.className = 'added';
    if (note) button.title = note;
    button.onclick = () => { pause(strip, play); select(position); };
    return button;
  });
  const focused = strip.contains(document.activeElement) ? document.activeElement.dataset.position : undefined;
  strip.replaceChildren(...words);
  if (focused !== undefined) strip.querySelector('[data-position="' + here.position + '"]')?.focus({ preventScroll: true });
  play.onclick = () => (here.playing ? pause : start)(strip, play);
  const press = (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const used = event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey;
    if (!step || used || event.target.closest?.(TYPED_IN)) return;
    const position = here.position + step;
    if (position >= 0 && position < data.total) { event.preventDefault(); pause(strip, play); select(position); }
  };
  strip.stop?.();  // every redraw comes through here
  const forget = () => { here.pressed = 0; };  // Back and Forward select a word too
  document.addEventListener('keydown', press);
  window.addEventListener('popstate', forget);
  strip.stop = () => {
    document.removeEventListener('keydown', press);
    window.removeEventListener('popstate', forget);
  };
  return strip.stop;
}

// From word to word in the order of reading, each once the one before it is drawn and has been seen; from the end, anew.
function start(strip, play) {
  const { here } = strip;
  const next = () => here.position + here.data.step;
  const inside = (position) => position >= 0 && position < here.data.total;
  if (!inside(next())) here.select(here.data.step > 0 ? 0 : here.data.total - 1);
  let seen = 0;
  here.playing = setInterval(() => {
    if (!strip.isConnected) return pause(strip, play);
    seen = drawing() ? 0 : seen + TICK;
    if (seen < LOOK) return;
    seen = 0;
    here.position = here.data.selected;  // a click on a picture may have moved it
    if (inside(next())) here.select(next());
    if (!inside(next())) pause(strip, play);
  }, TICK);
  play.textContent = 'Stop';
  play.classList.add('playing');
}

function pause(strip, play) {
  clearInterval(strip.here.playing);
  delete strip.here.playing;
  play.textContent = 'Play';
  play.classList.remove('playing');
}
