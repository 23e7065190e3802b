// What every component needs: htm templates bound to Preact, and the hooks.
import { h } from './vendor/preact/preact.js';
import htm from './vendor/htm/htm.js';

export const html = htm.bind(h);
export { render, Fragment, createContext } from './vendor/preact/preact.js';
export { useState, useEffect, useLayoutEffect, useMemo, useRef, useCallback, useReducer } from './vendor/preact/hooks.js';
