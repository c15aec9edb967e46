// The pictures of the page as PDF, a page a picture, drawn from the SVG of each.
//
// Lines and areas are vectors, and words are text, in the faces that every reader has (Helvetica, and Symbol for Greek and signs), set as
// wide as on screen. A character that these lack is a small image, with the character as its text.
const POINT = 0.75; // of an inch's 72, in a pixel
const SHARPNESS = 4; // pixels of an image of characters, for one on screen

// Which face has a character, and how wide its letters are by nature (Adobe's metrics, thousandths of an em, from the space on)

const REGULAR = [278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, ...Array(10).fill(556), 278, 278, 584, 584, 584, 556,
  1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
  333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584];
const BOLD = [278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, ...Array(10).fill(556), 333, 333, 584, 584, 584, 611,
  975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584, 556,
  333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611, 611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584];
const OTHER_WIDTHS = { '…': 1000, '—': 1000, '–': 556, '•': 350, '·': 278, '°': 400, '×': 584, '“': 333, '”': 333, '‘': 222, '’': 222, '¶': 537 };
const LATIN = { '€': 0x80, '‚': 0x82, 'ƒ': 0x83, '„': 0x84, '…': 0x85, '†': 0x86, '‡': 0x87, 'ˆ': 0x88, '‰': 0x89, 'Š': 0x8a, '‹': 0x8b, 'Œ': 0x8c, 'Ž': 0x8e,
  '‘': 0x91, '’': 0x92, '“': 0x93, '”': 0x94, '•': 0x95, '–': 0x96, '—': 0x97, '˜': 0x98, '™': 0x99, 'š': 0x9a, '›': 0x9b, 'œ': 0x9c, 'ž': 0x9e, 'Ÿ': 0x9f };
const SYMBOL = { '−': 0x2d, '≥': 0xb3, '≤': 0xa3, '∞': 0xa5, '←': 0xac, '↑': 0xad, '→': 0xae, '↓': 0xaf, '∂': 0xb6, '≠': 0xb9, '≈': 0xbb, '√': 0xd6, '∑': 0xe5, '∏': 0xd5, '∈': 0xce };
[...'ΑΒΧΔΕΦΓΗΙΚΛΜΝΟΠΘΡΣΤΥΩΞΨΖ'].forEach((letter, at) => { SYMBOL[letter] = 'ABCDEFGHIKLMNOPQRSTUWXYZ'.charCodeAt(at); });
[...'αβχδεφγηικλμνοπθρστυωξψζ'].forEach((letter, at) => { SYMBOL[letter] = 'abcdefghiklmnopqrstuwxyz'.charCodeAt(at); });

const latin = (character) => {
  const code = character.codePointAt(0);
  return LATIN[character] ?? ((code >= 0x20 && code < 0x7f) || (code >= 0xa0 && code < 0x100) ? code : undefined);
};
const faceOf = (character) => (latin(character) !== undefined ? 'latin' : character in SYMBOL ? 'symbol' : 'image');
const natural = (text, widths) => [...text].reduce((sum, one) => sum + (OTHER_WIDTHS[one] ?? widths[one.normalize('NFD').codePointAt(0) - 32] ?? 556), 0) / 1000;
const hex = (codes, digits = 2) => `<${codes.map((code) => code.toString(16).padStart(digits, '0')).join('')}>`;
const utf16 = (text) => hex([0xfeff, ...Array.from({ length: text.length }, (_, at) => text.charCodeAt(at))], 4);

// Pieces of a word that one face has, each with its place among the characters as the DOM counts them.
function pieces(text) {
  const found = [];
  let at = 0;
  for (const character of text) {
    const face = faceOf(character), last = found.at(-1);
    if (last?.face === face && face !== 'symbol') last.text += character;
    else found.push({ face, text: character, at });
    at += character.length;
  }
  return found;
}

// The file

class Pdf {
  objects = [];
  add(body) { this.objects.push(body); return this.objects.length; }
  async stream(entries, bytes) {
    const packed = new Blob([bytes]).stream().pipeThrough(new CompressionStream('deflate'));
    const data = new Uint8Array(await new Response(packed).arrayBuffer());
    return this.add([`<< ${entries} /Filter /FlateDecode /Length ${data.length} >>\nstream\n`, data, '\nendstream']);
  }
  // Red, green and blue of a canvas, and a mask where it is see-through.
  async image(canvas) {
    const { width, height } = canvas, { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
    const [colours, mask] = [new Uint8Array(3 * width * height), new Uint8Array(width * height)];
    for (let at = 0; at < mask.length; at += 1) {
      colours.set(data.subarray(4 * at, 4 * at + 3), 3 * at);
      mask[at] = data[4 * at + 3];
    }
    const head = `/Type /XObject /Subtype /Image /Width ${width} /Height ${height} /BitsPerComponent 8`;
    const seen = mask.every((value) => value === 255) ? '' : ` /SMask ${await this.stream(`${head} /ColorSpace /DeviceGray`, mask)} 0 R`;
    return this.stream(`${head} /ColorSpace /DeviceRGB${seen}`, colours);
  }
  file(root) {
    const parts = ['%PDF-1.7\n%\xe2\xe3\xcf\xd3\n'].map((text) => Uint8Array.from(text, (one) => one.charCodeAt(0)));
    const offsets = [];
    let size = parts[0].length;
    const write = (part) => { const bytes = typeof part === 'string' ? new TextEncoder().encode(part) : part; parts.push(bytes); size += bytes.length; };
    this.objects.forEach((body, at) => { offsets.push(size); [`${at + 1} 0 obj\n`, ...[body].flat(), '\nendobj\n'].forEach(write); });
    const table = size;
    write(`xref\n0 ${offsets.length + 1}\n0000000000 65535 f \n${offsets.map((at) => `${String(at).padStart(10, '0')} 00000 n \n`).join('')}`);
    write(`trailer\n<< /Size ${offsets.length + 1} /Root ${root} 0 R >>\nstartxref\n${table}\n%%EOF\n`);
    return new Blob(parts, { type: 'application/pdf' });
  }
}

const colour = (text) => {
  const found = text.match(/^rgba?\(([^)]+)\)/)?.[1].split(/[ ,/]+/).map(Number);
  return found ? { ink: found.slice(0, 3).map((value) => number(value / 255)).join(' '), alpha: found[3] ?? 1 } : null;
};
const elementOf = (svg, reference) => svg.querySelector(`#${CSS.escape(reference.match(/#([^"')]+)/)?.[1] ?? '')}`);

// One picture as the content of a page. What a viewer sees in the SVG is drawn in its order.
class Drawing {
  constructor(pdf, svg) { Object.assign(this, { pdf, svg, lines: [], states: {}, images: {}, patterns: {} }); }

  async draw(element, opacity = 1) {
    const style = getComputedStyle(element);
    if (style.display === 'none' || ['defs', 'clipPath', 'pattern', 'title', 'style'].includes(element.localName)) return;
    const seen = opacity * Number(style.opacity), clip = style.clipPath.startsWith('url') ? elementOf(this.svg, style.clipPath) : null;
    if (!seen) return;
    if (clip) {
      this.lines.push('q', ...[...clip.children].map((shape) => path(shape, element.getCTM())), 'W n');
    }
    if (element.localName === 'text') await this.text(element, seen);
    else if (element.localName === 'image') await this.picture(element, seen);
    else if (element.children.length) for (const child of element.children) await this.draw(child, seen);
    else if (style.visibility !== 'hidden') await this.shape(element, style, seen, element.getCTM());
    if (clip) this.lines.push('Q');
  }

  alpha(fill, stroke) {
    const name = `G${Math.round(fill * 1000)}x${Math.round(stroke * 1000)}`;
    this.states[name] = `<< /ca ${number(fill)} /CA ${number(stroke)} >>`;
    return `/${name} gs`;
  }

  async shape(element, style, opacity, matrix) {
    const drawn = matrix && path(element, matrix);
    if (!drawn) return;
    const [fill, stroke] = [colour(style.fill), colour(style.stroke)], tiled = style.fill.startsWith('url') ? elementOf(this.svg, style.fill) : null;
    const inside = opacity * Number(style.fillOpacity) * (fill?.alpha ?? 1), along = opacity * Number(style.strokeOpacity) * (stroke?.alpha ?? 1);
    const scale = Math.sqrt(Math.abs(matrix.a * matrix.d - matrix.b * matrix.c)), width = parseFloat(style.strokeWidth) * scale;
    const filled = inside > 0 && (fill || tiled), stroked = stroke && along > 0 && width > 0;
    if (!filled && !stroked) return;
    this.lines.push('q', this.alpha(inside, along));
    if (filled) this.lines.push(tiled ? `/Pattern cs /${await this.pattern(tiled, matrix)} scn` : `${fill.ink} rg`);
    if (stroked) {
      const dashes = style.strokeDasharray === 'none' ? [] : style.strokeDasharray.split(/[ ,]+/).map((value) => number(parseFloat(value) * scale));
      const [cap, join] = [['butt', 'round', 'square'].indexOf(style.strokeLinecap), ['miter', 'round', 'bevel'].indexOf(style.strokeLinejoin)];
      this.lines.push(`${stroke.ink} RG ${number(width)} w ${Math.max(0, cap)} J ${Math.max(0, join)} j [${dashes.join(' ')}] 0 d`);
    }
    const odd = style.fillRule === 'evenodd' ? '*' : '';
    this.lines.push(drawn, filled && stroked ? `B${odd}` : filled ? `f${odd}` : 'S', 'Q');
  }

  // Stripes: one tile, repeated over the page.
  async pattern(element, matrix) {
    const known = this.patterns[element.id];
    if (known) return known.name;
    const tile = new Drawing(this.pdf, this.svg), [width, height] = [element.width.baseVal.value, element.height.baseVal.value];
    for (const child of element.children) await tile.shape(child, getComputedStyle(child), 1, new DOMMatrix());
    const { a, b, c, d, e, f } = this.base.multiply(new DOMMatrix([matrix.a, matrix.b, matrix.c, matrix.d, matrix.e, matrix.f]));
    const entries = `/Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 ${width} ${height}] /XStep ${width} /YStep ${height} ` +
      `/Matrix [${[a, b, c, d, e, f].map(number).join(' ')}] /Resources << /ExtGState << ${named(tile.states)} >> >>`;
    const name = `P${Object.keys(this.patterns).length}`;
    this.patterns[element.id] = { name, number: await this.pdf.stream(entries, tile.lines.join('\n')) };
    return name;
  }

  async picture(element, opacity) {
    const source = new Image();
    source.src = element.getAttribute('href') ?? element.getAttribute('xlink:href');
    await source.decode();
    const canvas = Object.assign(document.createElement('canvas'), { width: source.naturalWidth, height: source.naturalHeight });
    canvas.getContext('2d').drawImage(source, 0, 0);
    const [x, y, width, height] = ['x', 'y', 'width', 'height'].map((name) => element[name].baseVal.value);
    const { a, b, c, d, e, f } = element.getCTM();
    await this.place(canvas, [a * width, b * width, -c * height, -d * height, ...placed({ a, b, c, d, e, f }, x, y + height)], opacity);
  }

  async place(canvas, matrix, opacity) {
    const name = `I${Object.keys(this.images).length}`;
    this.images[name] = `${await this.pdf.image(canvas)} 0 R`;
    this.lines.push('q', this.alpha(opacity, 1), `${matrix.map(number).join(' ')} cm /${name} Do`, 'Q');
  }

  async text(element, opacity) {
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    let first = 0;
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const style = getComputedStyle(node.parentElement), fill = colour(style.fill), size = parseFloat(style.fontSize);
      const alpha = opacity * Number(style.fillOpacity) * (fill?.alpha ?? 0);
      for (const piece of alpha && style.visibility !== 'hidden' ? pieces(node.data) : []) {
        const start = first + piece.at;
        if (start >= element.getNumberOfChars() || !piece.text.trim()) continue;
        const { x, y } = element.getStartPositionOfChar(start), width = element.getSubStringLength(start, piece.text.length);
        const { a, b, c, d, e, f } = element.getCTM(), at = placed({ a, b, c, d, e, f }, x, y);
        const matrix = [a, b, -c, -d, ...at];
        this.lines.push('q', this.alpha(alpha, alpha), `${fill.ink} rg`);
        if (piece.face === 'image') await this.characters(piece.text, style, size, width, matrix);
        else this.letters(piece, Number(style.fontWeight) >= 600, size, width, matrix);
        this.lines.push('Q');
      }
      first += node.data.length;
    }
  }

  letters({ face, text }, bold, size, width, matrix) {
    const codes = [...text].map((one) => (face === 'symbol' ? SYMBOL[one] : latin(one)));
    const stretch = face === 'symbol' ? 100 : (100 * width) / (size * natural(text, bold ? BOLD : REGULAR));
    const font = face === 'symbol' ? 'F3' : bold ? 'F2' : 'F1';
    this.lines.push(`BT /${font} ${number(size)} Tf ${number(stretch)} Tz ${matrix.map(number).join(' ')} Tm ${hex(codes)} Tj ET`);
  }

  // As an image, and as text that is not seen: what is copied or searched for is the characters themselves.
  async characters(text, style, size, width, [a, b, c, d, e, f]) {
    const canvas = Object.assign(document.createElement('canvas'), { width: Math.ceil(width * SHARPNESS), height: Math.ceil(1.5 * size * SHARPNESS) });
    const context = canvas.getContext('2d');
    context.scale(SHARPNESS, SHARPNESS);
    Object.assign(context, { font: `${style.fontWeight} ${size}px ${style.fontFamily}`, fillStyle: style.fill });
    context.fillText(text, 0, 1.1 * size);
    const [wide, high, below] = [canvas.width / SHARPNESS, canvas.height / SHARPNESS, 0.4 * size];
    this.lines.push(`/Span << /ActualText ${utf16(text)} >> BDC`);
    await this.place(canvas, [a * wide, b * wide, c * high, d * high, e - below * c, f - below * d], 1);
    this.lines.push(`BT /F1 ${number(size)} Tf 3 Tr ${[a, b, c, d, e, f].map(number).join(' ')} Tm <20> Tj ET`, 'EMC');
  }
}

const named = (entries) => Object.entries(entries).map(([name, value]) => `/${name} ${value}`).join(' ');

async function asPdf(svgs) {
  const pdf = new Pdf(), kids = [];
  const map = Object.entries(SYMBOL).map(([letter, code]) => `${hex([code])} ${hex([letter.charCodeAt(0)], 4)}`);
  const blocks = `${map.length} beginbfchar\n${map.join('\n')}\nendbfchar`;
  const unicode = await pdf.stream('', `/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /Signs def /CMapType 2 def
1 begincodespacerange <00> <ff> endcodespacerange\n${blocks}\nendcmap end end`);
  const face = (name, rest) => pdf.add(`<< /Type /Font /Subtype /Type1 /BaseFont /${name} ${rest} >>`);
  const fonts = [['Helvetica', '/Encoding /WinAnsiEncoding'], ['Helvetica-Bold', '/Encoding /WinAnsiEncoding'], ['Symbol', `/ToUnicode ${unicode} 0 R`]]
    .map((one, at) => `/F${at + 1} ${face(...one)} 0 R`).join(' ');
  const pages = pdf.add('');
  for (const svg of svgs) {
    const drawing = new Drawing(pdf, svg), [width, height] = ['width', 'height'].map((name) => POINT * svg[name].baseVal.value);
    drawing.base = new DOMMatrix([POINT, 0, 0, -POINT, 0, height]);
    for (const child of svg.children) await drawing.draw(child);
    const content = await pdf.stream('', `${POINT} 0 0 ${-POINT} 0 ${number(height)} cm\n${drawing.lines.join('\n')}`);
    const patterns = Object.fromEntries(Object.values(drawing.patterns).map((one) => [one.name, `${one.number} 0 R`]));
    const resources = `<< /Font << ${fonts} >> /ExtGState << ${named(drawing.states)} >> /XObject << ${named(drawing.images)} >> /Pattern << ${named(patterns)} >> >>`;
    kids.push(pdf.add(`<< /Type /Page /Parent ${pages} 0 R /MediaBox [0 0 ${number(width)} ${number(height)}] /Contents ${content} 0 R /Resources ${resources} >>`));
  }
  pdf.objects[pages - 1] = `<< /Type /Pages /Count ${kids.length} /Kids [${kids.map((kid) => `${kid} 0 R`).join(' ')}] >>`;
  return pdf.file(pdf.add(`<< /Type /Catalog /Pages ${pages} 0 R >>`));
}
