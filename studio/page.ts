/** Small help with the document. */

/** The element of that id. */
export function need<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`internal: the page has no element "${id}"`);
  return found as T;
}

/** Replaces the entries of a description list; what has no value is left out. */
export function describe(
  list: HTMLElement,
  entries: readonly (readonly [string, string | undefined])[],
): void {
  const boxes = entries.flatMap(([word, value]) => {
    if (value === undefined) return [];
    const box = document.createElement('div');
    const [term, description] = [document.createElement('dt'), document.createElement('dd')];
    term.textContent = word;
    description.textContent = value;
    box.append(term, description);
    return [box];
  });
  list.replaceChildren(...boxes);
}

/** A number of bytes in words. */
export function megabytes(bytes: number): string {
  const count = bytes / 1e6;
  return `${count < 10 ? count.toFixed(1) : Math.round(count)} MB`;
}
