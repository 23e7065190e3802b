// Numbers, sizes and times for people.
const whole = new Intl.NumberFormat('en');
const short = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });

export const count = (n) => (n === undefined || n === null ? '–' : whole.format(n));

export const decimal = (n) => (n === undefined || n === null || Number.isNaN(n) ? '–' : short.format(n));

export function size(bytes) {
  if (bytes === undefined || bytes === null) return '–';
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let n = bytes, u = 0;
  while (n >= 1000 && u < units.length - 1) { n /= 1024; u++; }
  return `${u === 0 ? n : n.toFixed(n < 10 ? 1 : 0)} ${units[u]}`;
}

export function micros(us) {
  if (us === undefined || us === null || Number.isNaN(us)) return '–';
  if (us < 1000) return `${Math.round(us)} µs`;
  if (us < 1e6) return `${(us / 1000).toFixed(us < 1e4 ? 1 : 0)} ms`;
  return `${(us / 1e6).toFixed(1)} s`;
}

const two = (n) => String(n).padStart(2, '0');

/** clock is the local time of day, to the millisecond. */
export function clock(date) {
  const d = new Date(date);
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}.${String(d.getMilliseconds()).padStart(3, '0')}`;
}

/** moment is a local date and time of epoch seconds, as the API gives them. */
export function moment(seconds, precise = false) {
  if (!seconds) return '–';
  const d = new Date(seconds * 1000);
  return Number.isNaN(d.getTime()) ? '–' : `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${two(d.getHours())}:${two(d.getMinutes())}${precise ? ':' + two(d.getSeconds()) : ''}`;
}

/** cut shortens a text without leaving half a character. */
export function cut(text, length) {
  if (text.length <= length) return text;
  const end = /[\uD800-\uDBFF]/.test(text[length - 1]) ? length - 1 : length;
  return text.slice(0, end) + '…';
}

export const plural = (n, one, many = one + 's') => `${count(n)} ${n === 1 ? one : many}`;

/** units are capacity units. */
export const units = (n) => `${decimal(n)} ${n === 1 ? 'unit' : 'units'}`;
