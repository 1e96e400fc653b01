// What the browser keeps; where it is not allowed to keep anything, the page works all the same.

export function recall(store, place) {
  try {
    return window[store].getItem(place);
  } catch {
    return null;
  }
}

export function remember(store, place, value) {
  try {
    window[store].setItem(place, value);
  } catch {
    // Nothing depends on it.
  }
}
