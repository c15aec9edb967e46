// Of an SVG's shapes: a path as absolute moves, lines and cubic curves

const placed = ({ a, b, c, d, e, f }, x, y) => [a * x + c * y + e, b * x + d * y + f];
const number = (value) => String(Math.round(value * 1000) / 1000);
const PARTS = { M: 2, L: 2, H: 1, V: 1, C: 6, S: 4, Q: 4, T: 2, A: 7, Z: 0 };

function* segments(text) {
  let [x, y, startX, startY, lastX, lastY, previous] = [0, 0, 0, 0, 0, 0, ''];
  for (const [, letter, rest] of text.matchAll(/([MLHVCSQTAZ])([^MLHVCSQTAZ]*)/gi)) {
    const kind = letter.toUpperCase(), relative = letter !== kind, size = PARTS[kind];
    const values = (rest.match(/[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?/gi) ?? []).map(Number);
    for (let at = 0; at < Math.max(values.length, 1); at += size || 1) {
      const one = values.slice(at, at + size), [ox, oy] = relative ? [x, y] : [0, 0];
      if (one.length < size) break;
      const pairs = kind === 'A' ? [] : one.map((value, place) => value + (place % 2 ? oy : ox));
      const mirrored = (kinds) => (kinds.includes(previous) ? [2 * x - lastX, 2 * y - lastY] : [x, y]);
      if (kind === 'Z') { yield ['Z']; [x, y] = [startX, startY]; }
      else if (kind === 'M' && at === 0) { [x, y] = [startX, startY] = pairs; yield ['M', x, y]; }
      else if (kind === 'M' || kind === 'L') { [x, y] = pairs; yield ['L', x, y]; }
      else if (kind === 'H') { x = one[0] + ox; yield ['L', x, y]; }
      else if (kind === 'V') { y = one[0] + oy; yield ['L', x, y]; }
      else if (kind === 'A') {
        const [endX, endY] = [one[5] + ox, one[6] + oy];
        yield* arc(x, y, ...one.slice(0, 5), endX, endY);
        [x, y] = [endX, endY];
      } else if (kind === 'C' || kind === 'S') {
        const [x1, y1, x2, y2, x3, y3] = kind === 'C' ? pairs : [...mirrored('CS'), ...pairs];
        yield ['C', x1, y1, x2, y2, x3, y3];
        [lastX, lastY, x, y] = [x2, y2, x3, y3];
      } else {
        const [x1, y1, x2, y2] = kind === 'Q' ? pairs : [...mirrored('QT'), ...pairs];
        yield ['C', x + (2 / 3) * (x1 - x), y + (2 / 3) * (y1 - y), x2 + (2 / 3) * (x1 - x2), y2 + (2 / 3) * (y1 - y2), x2, y2];
        [lastX, lastY, x, y] = [x1, y1, x2, y2];
      }
      previous = kind;
    }
  }
}

// SVG 2, appendix B.2.4: from end points to a centre; then at most a quarter of the ellipse a curve
function* arc(x0, y0, rx, ry, turn, large, sweep, x, y) {
  if (!rx || !ry) { yield ['L', x, y]; return; }
  const angle = (turn * Math.PI) / 180, [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const [dx, dy] = [(x0 - x) / 2, (y0 - y) / 2], [px, py] = [cos * dx + sin * dy, cos * dy - sin * dx];
  const grow = Math.max(1, Math.sqrt((px / rx) ** 2 + (py / ry) ** 2));
  [rx, ry] = [rx * grow, ry * grow];
  const lengths = (rx * py) ** 2 + (ry * px) ** 2;
  const root = (large === sweep ? -1 : 1) * Math.sqrt(Math.max(0, ((rx * ry) ** 2 - lengths) / lengths));
  const [qx, qy] = [(root * rx * py) / ry, (-root * ry * px) / rx];
  const [cx, cy] = [cos * qx - sin * qy + (x0 + x) / 2, sin * qx + cos * qy + (y0 + y) / 2];
  const first = Math.atan2((py - qy) / ry, (px - qx) / rx);
  let way = Math.atan2((-py - qy) / ry, (-px - qx) / rx) - first;
  if (sweep && way < 0) way += 2 * Math.PI;
  if (!sweep && way > 0) way -= 2 * Math.PI;
  const count = Math.max(1, Math.ceil(Math.abs(way) / (Math.PI / 2) - 1e-9)), step = way / count, bend = (4 / 3) * Math.tan(step / 4);
  const at = (u, v) => [cx + rx * cos * u - ry * sin * v, cy + rx * sin * u + ry * cos * v];
  for (let part = 0; part < count; part += 1) {
    const [from, to] = [first + part * step, first + (part + 1) * step];
    const [c0, s0, c1, s1] = [Math.cos(from), Math.sin(from), Math.cos(to), Math.sin(to)];
    yield ['C', ...at(c0 - bend * s0, s0 + bend * c0), ...at(c1 + bend * s1, s1 - bend * c1), ...at(c1, s1)];
  }
}

function outline(shape) {
  const of = (name) => shape[name].baseVal.value;
  switch (shape.localName) {
    case 'path': return shape.getAttribute('d') ?? '';
    case 'rect': return `M${of('x')},${of('y')}h${of('width')}v${of('height')}h${-of('width')}Z`;
    case 'line': return `M${of('x1')},${of('y1')}L${of('x2')},${of('y2')}`;
    case 'circle': return `M${of('cx') - of('r')},${of('cy')}a${of('r')},${of('r')} 0 1,1 ${2 * of('r')},0a${of('r')},${of('r')} 0 1,1 ${-2 * of('r')},0Z`;
    default: return '';
  }
}

function path(shape, matrix) {
  const letters = { M: 'm', L: 'l', C: 'c', Z: 'h' };
  return [...segments(outline(shape))].map(([kind, ...values]) => {
    const points = [];
    for (let at = 0; at < values.length; at += 2) points.push(...placed(matrix, values[at], values[at + 1]).map(number));
    return [...points, letters[kind]].join(' ');
  }).join('\n');
}
