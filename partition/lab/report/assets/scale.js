// Scales map values to pixels.
const linear = (from, until, low, high) => (v) => low + ((v - from) / (until - from || 1)) * (high - low);
const logarithmic = (from, until, low, high) => {
  const start = Math.log(from), span = Math.log(until) - start || 1;
  return (v) => low + ((Math.log(v) - start) / span) * (high - low);
};

/** niceStep is the least of 1, 2 and 5 times a power of ten that is not below v. */
function niceStep(v) {
  const power = 10 ** Math.floor(Math.log10(v));
  for (const m of [1, 2, 5]) if (m * power >= v * (1 - 1e-9)) return m * power;
  return 10 * power;
}

/** ticks are about n round values in a range. */
function ticks(from, until, n) {
  const step = niceStep((until - from) / Math.max(1, n));
  const list = [];
  for (let i = Math.ceil(from / step - 1e-9) || 0; i * step <= until + step * 1e-9; i++) list.push(i * step);
  return { step, list };
}

/** upward is an axis of about n steps from 0 to a round value that is not below most. */
function upward(most, n, least = 0) {
  const step = Math.max(least, niceStep(most / n)), top = Math.ceil(most / step - 1e-9) * step;
  return { top, list: Array.from({ length: Math.round(top / step) + 1 }, (_, i) => i * step) };
}

/** decades are the powers of ten in a range, thinned out to at most n, or what is round if there are too few. */
function decades(from, until, n) {
  const list = [];
  const factors = until / from < 200 ? [1, 2, 5] : [1];
  for (let p = Math.floor(Math.log10(from)); 10 ** p <= until; p++) {
    for (const f of factors) {
      const v = f * 10 ** p;
      if (v >= from * (1 - 1e-9) && v <= until * (1 + 1e-9)) list.push(v);
    }
  }
  const every = Math.ceil(list.length / Math.max(1, n));
  return list.filter((_, i) => i % every === 0);
}
