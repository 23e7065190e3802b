// Numbers and times for people.
const wholeNumber = new Intl.NumberFormat('en');
const count = (n) => wholeNumber.format(n);
const plural = (n, one) => `${count(n)} ${one}${n === 1 ? '' : 's'}`;

const threeDigits = (n) => (Math.abs(n) >= 999.5 ? count(Math.round(n)) : String(Number(n.toPrecision(3))));

/** duration is a length of time in nanoseconds. */
function duration(ns) {
  const size = Math.abs(ns);
  if (size === 0) return '0';
  if (size < 1e3) return `${threeDigits(ns)} ns`;
  if (size < 1e6) return `${threeDigits(ns / 1e3)} µs`;
  if (size < 1e9) return `${threeDigits(ns / 1e6)} ms`;
  return `${threeDigits(ns / 1e9)} s`;
}

/** moment is a point in time, to the microsecond. */
const moment = (ns) => `${(ns / 1e9).toFixed(6)} s`;

/** seconds is a point in time, as exact as steps of that size need. */
const seconds = (ns, step) => `${(ns / 1e9).toFixed(Math.max(0, Math.ceil(9 - Math.log10(step) - 1e-9)))} s`;

const percentage = (p) => {
  const v = 100 * p;
  return `${v === 0 || v === 100 ? v : v < 1 || v > 99 ? v.toFixed(2) : v.toFixed(1)} %`;
};
