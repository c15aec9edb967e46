// What was predicted and solved stays in this browser. One that keeps nothing, as in a private window, is as good for one session.
const NAME = 'seqmodels-lesson';

const PICTURES = ['.sm-strip', '.stPlotlyChart', '.stEChartsChart', '.sm-numbers'].map((part) => `.stMainBlockContainer ${part}`).join();
const ENOUGH = 2 / 3;  // of a picture, as far as there is room for it: with less in sight it is scrolled to
const TICK = 100, PATIENCE = 300;  // milliseconds, and so many of them: the page is drawn part by part, and slowly on a busy server
const find = (selector) => document.querySelector(selector);

// At a new place its title has the focus, so that the tab key goes on to the choices. What happens has it once that is shown, for the
// buttons are gone, and the way on comes right after. A step's picture may be far below, on a phone: then it is scrolled to.
const arrive = (at) => {
  const before = document.body.dataset.lesson;
  document.body.dataset.lesson = at;
  if (before === undefined || before === at || !at) return;  // a page that was only now opened, or drawn anew
  const [name, shown] = at.split(' ');
  const from = find('[data-testid="stMain"]').scrollTop;
  let waited = 0;
  const look = setInterval(() => {
    const ready = find('.stApp').dataset.testScriptState === 'notRunning';
    const target = find(`.st-key-lesson-${name} ${shown ? '.st-key-lesson-happens .stMarkdown' : 'summary'}`);
    const over = document.body.dataset.lesson !== at || ++waited > PATIENCE;
    if (!over && !(ready && target && (find(PICTURES) || !shown))) return;
    clearInterval(look);
    if (over) return;
    if (shown) target.tabIndex = -1;
    target.focus({ preventScroll: true });
    if (shown) reveal(find(PICTURES), from);
  }, TICK);
};

const reveal = (picture, from) => {
  const main = find('[data-testid="stMain"]');
  const bar = find('.st-key-lesson').getBoundingClientRect().bottom;
  const { top, bottom } = picture.getBoundingClientRect();
  const seen = Math.min(bottom, window.innerHeight) - Math.max(top, bar);
  if (main.scrollTop !== from || seen >= ENOUGH * Math.min(bottom - top, window.innerHeight - bar)) return;
  const behavior = window.matchMedia('(prefers-reduced-motion: reduce)').matches ? 'instant' : 'smooth';
  main.scrollBy({ top: top - bar - 8, behavior });
};

export default function ({ data, setTriggerValue }) {
  arrive(data.at);
  try {
    if (data.progress !== null) {
      localStorage.setItem(NAME, data.progress);
    } else {
      const kept = localStorage.getItem(NAME);
      if (kept) setTriggerValue('kept', kept);
    }
  } catch { /* refused by the browser's settings */ }
}
