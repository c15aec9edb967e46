// A word is only ever set as text, never as HTML.
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
  const focused = parentElement.contains(document.activeElement) ? document.activeElement.dataset.position : undefined;
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
