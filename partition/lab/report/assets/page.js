// Puts everything in its place.
document.documentElement.classList.add('scripted');

if (byId('curve')) drawCurve(byId('curve'));
const distributions = (of) => result.reads.map((r, i) => ({ name: r.group, colour: seriesClass(i), distribution: r[of] }));
if (byId('distributions')) histograms(byId('distributions'), distributions('staleness'), 'stale read');
timeline.start(byId('timeline-plot'));
if (byId('lag-plots')) drawLag(byId('lag-plots'));
if (byId('latencies')) histograms(byId('latencies'), distributions('latency'), 'read');
if (byId('index-lag')) histograms(byId('index-lag'), [{ name: 'Global index', colour: 'g2', distribution: result.indexLag }], 'write');
operationTable.start(byId('operation-table'));
onChoice(() => showChosen(byId('operation')));

for (const button of document.querySelectorAll('button[data-kind]')) {
  button.addEventListener('click', () => operationTable.only(button.dataset.kind, button.dataset.group));
}

byId('copy').addEventListener('click', async () => {
  const button = byId('copy'), command = byId('command');
  try {
    await navigator.clipboard.writeText(command.textContent);
    button.textContent = 'Copied';
  } catch { // not allowed: what is selected can be copied by hand
    getSelection().selectAllChildren(command);
    button.textContent = 'Selected';
  }
  setTimeout(() => { button.textContent = 'Copy'; }, 2000);
});

byId('download').href = URL.createObjectURL(new Blob([historyText, '\n'], { type: 'application/json' }));
byId('download').download = `${result.experiment.replace(/[^\w.-]+/g, '-') || 'history'}.json`;

// Pictures are made when one comes to them. A frame of a text without allow-same-origin can reach nothing of this page.
const frames = new IntersectionObserver((seen) => {
  for (const { target, isIntersecting } of seen) {
    if (!isIntersecting) continue;
    frames.unobserve(target);
    unpacked(target.dataset.picture).then((text) => { target.srcdoc = text; });
  }
});
document.querySelectorAll('iframe[data-picture]').forEach((frame) => frames.observe(frame));

chosenByAddress();
