// The pictures of the page as files: SVG as plotly has drawn them, and PDF made of it (pdf.js).
const SVG = 'http://www.w3.org/2000/svg';

const pictures = () => [...document.querySelectorAll('.stPlotlyChart .js-plotly-plot')].filter((plot) => plot.offsetWidth);
const nameOf = (plot) => plot._context?.toImageButtonOptions?.filename ?? 'picture';

// The layers of a plot in one, with what the page's style says of the words

function standalone(plot) {
  const layers = [...plot.querySelectorAll('svg.main-svg')];
  const { width, height } = layers[0].getBoundingClientRect();
  const svg = document.createElementNS(SVG, 'svg');
  for (const [name, value] of Object.entries({ xmlns: SVG, width, height, viewBox: `0 0 ${width} ${height}` })) svg.setAttribute(name, value);
  const ground = document.createElementNS(SVG, 'rect');
  for (const [name, value] of Object.entries({ width, height, fill: getComputedStyle(layers[0]).backgroundColor })) ground.setAttribute(name, value);
  svg.append(ground);
  for (const layer of layers) {
    const copy = layer.cloneNode(true);
    const words = layer.querySelectorAll('text, tspan');
    copy.querySelectorAll('text, tspan').forEach((word, at) => {
      const { fontSize, fill, whiteSpace } = getComputedStyle(words[at]);
      Object.assign(word.style, { fontSize, fill, whiteSpace });
    });
    copy.querySelectorAll('.hoverlayer, .draglayer, .zoomlayer').forEach((part) => part.remove());
    svg.append(...copy.childNodes);
  }
  return svg;
}

function save(blob, name) {
  const link = Object.assign(document.createElement('a'), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function saveSvg() {
  for (const plot of pictures()) {
    save(new Blob([new XMLSerializer().serializeToString(standalone(plot))], { type: 'image/svg+xml' }), `${nameOf(plot)}.svg`);
  }
}

async function savePdf(name) {
  const stage = Object.assign(document.createElement('div'), { style: 'position:absolute;left:-99999px;top:0' });
  document.body.append(stage); // what is not in the document has no places and no style
  try {
    const svgs = pictures().map(standalone);
    stage.append(...svgs);
    save(await asPdf(svgs), `${name}.pdf`);
  } finally {
    stage.remove();
  }
}

export default function ({ parentElement, data }) {
  parentElement.querySelector('[name=svg]').onclick = saveSvg;
  parentElement.querySelector('[name=pdf]').onclick = () => savePdf(data.name);
}
