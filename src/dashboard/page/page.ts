/** Small help with the document. */

/** The element of that id. */
export function need(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`internal: the page has no element "${id}"`);
  return found;
}

/** Sets a text where it changed, so that what a reader has marked in it stays marked. */
export function setText(element: HTMLElement, text: string): boolean {
  if (element.textContent === text) return false;
  element.textContent = text;
  return true;
}
