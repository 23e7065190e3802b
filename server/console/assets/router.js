// Addresses within the page: #/table/NAME/items. Every part is percent-encoded.
import { useEffect, useState } from './html.js';

/** link makes an address of parts. */
export const link = (...parts) => '#/' + parts.map(encodeURIComponent).join('/');

/** parts takes an address apart; what is not an address is the front page. */
export function parts(hash) {
  try {
    const list = hash.replace(/^#?\/?/, '').split('/').filter(Boolean).map(decodeURIComponent);
    return list.length ? list : ['tables'];
  } catch {
    return ['tables'];
  }
}

export const go = (...to) => { location.hash = link(...to); };

/** useRoute re-renders when the address changes and returns its parts. */
export function useRoute() {
  const [route, set] = useState(() => parts(location.hash));
  useEffect(() => {
    const changed = () => set(parts(location.hash));
    addEventListener('hashchange', changed);
    return () => removeEventListener('hashchange', changed);
  }, []);
  return route;
}
