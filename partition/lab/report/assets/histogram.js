// Distributions of lengths of time, in buckets whose bounds double.

/** histograms draws named distributions below one another's scale. */
function histograms(place, named, unit) {
  const buckets = named.flatMap(({ distribution }) => distribution.buckets ?? []);
  if (buckets.length === 0) return;
  const low = (b) => b.from || b.until / 2;
  const from = Math.min(...buckets.map(low)), until = Math.max(...buckets.map((b) => b.until));
  for (const { name, colour, distribution: d } of named) {
    if (!d.buckets?.length) continue;
    const host = el('div', { class: 'plot' }, el('p', { class: 'plot-title' }, el('b', {}, name), el('span', {}, `p50 ${duration(d.p50)} · p99 ${duration(d.p99)} · ${plural(d.count, unit)}`)));
    place.append(host);
    const scale = upward(Math.max(...d.buckets.map((b) => b.count)), 3, 1);
    chart(host, 150, `${name}: distribution of ${plural(d.count, unit)}, median ${duration(d.p50)}, 99th percentile ${duration(d.p99)}`, (width, height) => {
      const box = { left: 46, right: width - 6, top: 18, bottom: height - 22 };
      const x = logarithmic(from, until, box.left, box.right), y = linear(0, scale.top, box.bottom, box.top);
      const quantile = (v, text) => v > 0 && [line(x(v), box.top, x(v), box.bottom, 'quantile'), label(Math.min(box.right - 10, x(v)), box.top - 4, text)];
      const apart = d.p99 > 0 && d.p50 > 0 && x(d.p99) - x(d.p50) > 28;
      return [
        yAxis(box, y, scale.list, count),
        xAxis(box, x, decades(from, until, (box.right - box.left) / 56), duration),
        svg('g', { class: colour }, d.buckets.map((b) => b.count > 0 && svg('rect', {
          class: 'column', x: x(low(b)) + 0.5, width: Math.max(1, x(b.until) - x(low(b)) - 1), y: y(b.count), height: Math.max(1, box.bottom - y(b.count)),
          onpointermove: (event) => showTip(event.clientX, event.clientY, `${duration(b.from)} to ${duration(b.until)}: ${plural(b.count, unit)}, ${percentage(b.count / d.count)}`),
          onpointerleave: hideTip,
        }))),
        quantile(d.p50, 'p50'), apart && quantile(d.p99, 'p99'),
      ];
    });
  }
}
