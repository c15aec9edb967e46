// the form may be in a tab that only now opens
const show = (tries) => {
  const form = document.querySelector('.st-key-training-top');
  if (form?.checkVisibility()) form.scrollIntoView({ block: 'center' });
  else if (tries) setTimeout(show, 50, tries - 1);
};

export default function () {
  show(40);
}
