// A click on a picture selects what it hits: which token and unit that is, its `meta` says (see `picks` in seqmodels/viz/frame.py).
// And pointing at a word in one picture points at the same word in the pictures beside it.
const ROW = '[class*="st-key-gates-pictures-"]';
const PLOT = '.js-plotly-plot';

function picked(graph, points) {
  for (const point of points) {
    const at = { column: Math.round(point.x), row: Math.round(point.y), point: point.pointNumber };
    const found = {};
    for (const [way, named] of Object.entries({ ...graph.layout.meta, ...point.data.meta })) {
      for (const [name, numbers] of Object.entries(named)) {
        const number = numbers[at[way]];
        if (Number.isInteger(number)) found[name] = number; else delete found[name];
      }
    }
    if (Object.keys(found).length) return found;
  }
  return undefined;
}

// The place of a point's twin in another picture, and what to point at; null if that has no such trace there.
function twin(point, graph) {
  const trace = graph._fullData?.[point.curveNumber], layout = graph._fullLayout;
  if (trace?.type !== point.fullData.type || trace.yaxis !== point.fullData.yaxis) return null;
  const [x, y] = [trace.xaxis, trace.yaxis].map((axis) => layout[axis.replace(/^./, '$&axis')]);
  const value = trace.type === 'heatmap' ? point.y : trace.y[Array.from(trace.x).indexOf(point.x)];
  const surface = graph.querySelector(`.nsewdrag[data-subplot="${trace.xaxis}${trace.yaxis}"]`);
  const [left, top] = [x.d2p(point.x), y.d2p(value)];
  return surface && Number.isFinite(left) && Number.isFinite(top) ? { surface, left, top } : null;
}

function point(surface, type, left = 0, top = 0) {
  const box = surface.getBoundingClientRect(), grown = box.width / (surface.width.baseVal.value || box.width || 1);  // on a stage
  surface.dispatchEvent(new MouseEvent(type, { bubbles: true, clientX: box.left + grown * left, clientY: box.top + grown * top }));
}

export default function ({ parentElement, setTriggerValue }) {
  parentElement.select = (found) => setTriggerValue('picked', found);
  parentElement.stop ??= listen(parentElement);  // every redraw comes through here
  return () => { parentElement.stop?.(); delete parentElement.stop; };
}

function listen(listener) {
  let under;  // the picture under the pointer: what the others then tell of themselves is an echo
  const others = (graph) => [...(graph.closest(ROW)?.querySelectorAll(PLOT) ?? [])].filter((other) => other !== graph);
  const handlers = (graph) => ({
    plotly_click: ({ points }) => {
      const found = picked(graph, points);
      if (found) listener.select(found);
    },
    plotly_hover: ({ points }) => {
      if (graph !== under) return;
      graph.classList.toggle('picks', Boolean(picked(graph, points)));
      for (const other of others(graph)) {
        const there = twin(points[0], other);
        if (there) point(there.surface, 'mousemove', there.left, there.top);
      }
    },
    plotly_unhover: () => {
      if (graph !== under) return;
      for (const other of others(graph)) other.querySelectorAll('.nsewdrag').forEach((surface) => point(surface, 'mouseout'));
    },
  });
  const known = new WeakMap();
  const wire = ({ target, isTrusted }) => {
    const graph = target.closest?.(PLOT);
    if (!isTrusted || !graph?.on) return;
    under = graph;
    if (!known.has(graph)) known.set(graph, handlers(graph));
    for (const [name, handler] of Object.entries(known.get(graph))) {
      graph.removeListener(name, handler);  // a picture that is drawn anew has forgotten it
      graph.on(name, handler);
    }
  };
  ['pointerover', 'pointerdown'].forEach((name) => document.addEventListener(name, wire, true));
  return () => ['pointerover', 'pointerdown'].forEach((name) => document.removeEventListener(name, wire, true));
}
