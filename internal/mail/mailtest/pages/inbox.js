// The frame is made as high as the mail, so that a phone scrolls one page and not two.
const frame = document.querySelector('iframe');
if (frame) {
  const fit = () => {
    const mail = frame.contentDocument;
    if (mail) frame.style.height = mail.documentElement.offsetHeight + 'px';
  };
  frame.addEventListener('load', fit);
  window.addEventListener('resize', fit);
  fit();
}
