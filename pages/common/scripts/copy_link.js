export default function ({ parentElement }) {
  const button = parentElement.querySelector('button');
  const label = button.textContent;
  const copy = async (text) => {
    if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
    const area = document.createElement('textarea');  // a page served without https has no clipboard
    area.value = text;
    document.body.appendChild(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    if (!done) throw new Error('refused');
  };
  button.onclick = () => copy(window.location.href)
    .then(() => { button.textContent = 'Copied'; }, () => { button.textContent = 'Copy it from the address bar'; })
    .then(() => setTimeout(() => { button.textContent = label; }, 2000));
}
