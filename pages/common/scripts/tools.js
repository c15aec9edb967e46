// Enter answers in a field of the header, and Shift+Enter breaks a line: to Streamlit, Enter with Ctrl is what commits a text.
const commit = (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.ctrlKey || event.metaKey || event.isComposing) return;
  if (!event.target.matches?.('[class*="st-key-question-"] textarea')) return;
  event.preventDefault();
  event.stopPropagation();
  event.target.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', code: 'Enter', ctrlKey: true, bubbles: true, cancelable: true }));
};

// On a stage: Page Down and Page Up turn to the next step of the lesson, else to the next view. Escape leaves the stage.
const TURNS = { PageDown: ['.st-key-lesson-next a', '.st-key-next-view button'],
  PageUp: ['.st-key-lesson-previous a', '.st-key-previous-view button'], Escape: ['.st-key-stage input'] };
const turn = (event) => {
  if (!document.querySelector('.on-stage') || event.altKey || event.ctrlKey || event.metaKey) return;
  const target = TURNS[event.key]?.map((found) => document.querySelector(found)).find(Boolean);
  if (!target) return;
  event.preventDefault();
  target.click();
};

// A picture that the style has grown takes no more room than before: what stands below it must know how tall it is.
const PICTURE = '.stElementContainer:has(.stPlotlyChart, .stEChartsChart)';
const measure = new ResizeObserver((seen) => seen.forEach(({ target }) => target.style.setProperty('--tall', `${target.offsetHeight}px`)));
const measureAll = () => {
  if (document.querySelector('.on-stage')) document.querySelectorAll(PICTURE).forEach((picture) => measure.observe(picture));
};
const find = new MutationObserver(measureAll);

// Streamlit keeps the theme under the path of the page on which the app was opened, so it is set for all pages.
const THEMES = { light: 'Light', dark: 'Dark' };
const isDark = () => getComputedStyle(document.querySelector('.stApp')).colorScheme === 'dark';
const turnTheme = () => {
  const theme = JSON.stringify(THEMES[isDark() ? 'light' : 'dark']);
  const links = [...document.querySelectorAll('.st-key-menu a')].map((link) => new URL(link.href).pathname);
  for (const path of new Set([window.location.pathname, ...links])) localStorage.setItem(`stActiveTheme-${path}-v2`, theme);
  window.location.reload();
};

// The address holds all that is on screen. A page that is served without https has no clipboard.
const copy = async (text) => {
  if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
  const area = document.createElement('textarea');
  area.value = text;
  document.body.appendChild(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  if (!done) throw new Error('refused');
};
const copyLink = ({ currentTarget: button }) => {
  const { textContent, title } = button;
  copy(window.location.href)
    .then(() => ['check', 'Copied'], () => ['error', 'Copy it from the address bar'])
    .then(([symbol, told]) => Object.assign(button, { textContent: symbol, title: told, ariaLabel: told }))
    .then(() => setTimeout(() => Object.assign(button, { textContent, title, ariaLabel: 'Copy link' }), 2000));
};

// A part of the page may have been drawn alone since the menu was: what leads away, to be opened in another tab, has to know of it.
const carry = (shared) => ({ target }) => {
  const link = target.closest?.('.st-key-menu a');
  if (!link) return;
  const here = new URLSearchParams(window.location.search);
  const to = new URL(link.href);
  for (const key of shared[to.pathname.split('/').at(-1)] ?? []) {
    to.searchParams.delete(key);
    here.getAll(key).forEach((said) => to.searchParams.append(key, said));
  }
  link.href = to.href;
};

export default function ({ parentElement, data }) {
  const carryOver = carry(data);
  parentElement.querySelector('[name=copy]').onclick = copyLink;
  parentElement.querySelector('[name=theme]').onclick = turnTheme;
  document.addEventListener('keydown', commit, true);
  document.addEventListener('keydown', turn);
  document.addEventListener('pointerdown', carryOver, true);
  document.addEventListener('focusin', carryOver);
  find.observe(document.body, { childList: true, subtree: true });
  measureAll();  // a busy browser may have drawn the pictures before it comes here
  return () => {
    find.disconnect();
    document.removeEventListener('keydown', commit, true);
    document.removeEventListener('keydown', turn);
    document.removeEventListener('pointerdown', carryOver, true);
    document.removeEventListener('focusin', carryOver);
  };
}
