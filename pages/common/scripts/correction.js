// The address in the place of the one that opened the page: no entry of the history, by which Back would bring what only looks the same.
export default function ({ data }) {
  history.replaceState(history.state, '', window.location.pathname + data);
}
