// What was predicted and solved stays in this browser. One that keeps nothing, as in a private window, is as good for one session.
const NAME = 'seqmodels-lesson';

export default function ({ data, setTriggerValue }) {
  try {
    if (data.progress !== null) {
      localStorage.setItem(NAME, data.progress);
    } else {
      const kept = localStorage.getItem(NAME);
      if (kept) setTriggerValue('kept', kept);
    }
  } catch { /* refused by the browser's settings */ }
}
